//! Documentation to the journal system as a FHIR R4 document.
//!
//! `journal.document` puts one Bundle of type `document`: the Composition in Swedish, measurements
//! and laboratory values as Observations, answered forms as QuestionnaireResponses, what was agreed
//! as a CarePlan, and the drawn profile as Binary with its DocumentReference.
//!
//! The Bundle's id is the command's id and it goes by `PUT` with `If-None-Match: *`, so a command
//! that comes again makes nothing new, and whether a document with an unknown outcome is there can
//! be asked for by `GET`. The same command makes the same bytes.

mod adapter;
mod answers;
mod call;
mod client;
mod compose;
mod config;
mod event;
mod observations;
mod tls;

pub use adapter::Journal;
pub use config::Config;
pub use event::documentation_event;
