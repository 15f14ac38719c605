//! Letters, paper forms and profile sheets as PDF from templates.
//!
//! A template is a Typst file in the region's `letters/`, written and changed by the people who
//! write the region's letters. [`Templates::load`] reads a whole folder and tells every fault at
//! once; [`Templates::render`] puts data into one and gives a [`Pdf`] that is PDF/A-2a and PDF/UA-1.
//!
//! Typst is used as a library with a world of its own: the templates, the fonts and one data file.
//! There is no file system and no network behind it, and data is only ever a value, never a piece of
//! a template. Equal input gives equal bytes. The README lists the data that the templates read.

mod address;
mod data;
mod error;
mod render;
pub mod sample;
mod templates;
mod world;

pub use address::address_block;
pub use error::{Error, Fault};
pub use render::{Options, Pdf, Standard};
pub use templates::Templates;
