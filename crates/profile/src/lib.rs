//! Instruments and scoring by region-owned tables; Hälsokurva and Stjärnprofil as data and SVG.
//!
//! A region writes an [`Instrument`]: axes, what each reads, and the thresholds that give a level.
//! [`score`] puts answers, measurements and laboratory values through it and gives a [`Profile`]:
//! one [`Level`] for each axis, with its text and its source. [`svg`] draws the profile.
//!
//! Three rules hold everywhere. What is missing is shown as missing and never guessed. Axes stand
//! side by side and are never added up to a risk of the module's own. A table is the one that was
//! in force when the answers were given, so an old profile can be drawn again as it was.
//!
//! [`FormDefinition`] is the questionnaire that the answers come from.
//!
//! The crate knows nothing of the hub and can be left out of it; its README states the intended use.

mod document;
mod fault;
mod form;
mod instrument;
mod profile;
mod reading;
mod score;
pub mod svg;

pub use fault::Fault;
pub use form::{Alternative, AnswerFault, AskedBy, FormDefinition, Question, QuestionKind};
pub use instrument::{
    Axis, Derived, Graphic, Instrument, Instruments, Need, Part, Reads, Rule, Step, Table, Term,
    Test, uncovered,
};
pub use profile::{Level, Missing, Profile, Reading};
pub use reading::Observation;
pub use score::{Inputs, Sex, score};
