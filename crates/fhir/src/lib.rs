//! FHIR R4 (4.0.1) at the hub's edge: the resources of a document, and the rules of a document.
//!
//! [`Document`] collects resources and makes the Bundle of type `document` out of them: every entry
//! has a `urn:uuid:` of its own that follows from the document's id, so that the same document is
//! the same bytes each time. [`rules::check`] holds any such Bundle, ours or another's, against what
//! R4 demands of a document: Composition first, references that resolve inside, nothing empty.
//!
//! Only what the hub emits is here, as plain structs; what has a value is written, what has none is
//! left out. Code systems and codes stand in [`code`].

mod bundle;
pub mod code;
mod datatype;
mod narrative;
mod resource;
pub mod rules;

pub use bundle::{Bundle, Document, Entry};
pub use datatype::{
    Attachment, CodeableConcept, Coding, HumanName, Identifier, Period, Quantity, Reference,
};
pub use narrative::{Narrative, clean};
pub use resource::{
    Activity, ActivityDetail, Answer, Binary, CarePlan, Component, Composition, Content, Context,
    DocumentReference, Encounter, Item, Observation, Organization, Patient, Practitioner,
    QuestionnaireResponse, Resource, Section,
};
