//! Data for the region's research store: only with consent, only under pseudonym.
//!
//! `research.contribute` says whether a case may be in the next export; the hub keeps what was
//! contributed. [`export()`] makes the files of a round out of it: Parquet and CSV with the same
//! table, and a code book that tells what each column means. Same input, same bytes.
//!
//! A row is a resident under a pseudonym of the project's own: a keyed hash of the subject's random
//! id, so that two projects cannot be joined, and nobody without the key finds the way back. There
//! is age but no date of birth, and month but no day.

mod adapter;
mod codebook;
mod error;
mod export;
mod project;
mod sheet;
mod store;
mod table;
mod values;

pub use adapter::{Config, Research};
pub use error::Error;
pub use export::{Exported, Row, export};
pub use project::{Column, Kind, Project, PseudonymKey, Source};
