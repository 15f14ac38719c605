//! FEEL expressions and DMN decisions behind a small fence, and the Swedish calendar.
//!
//! A region's process file is other people's text that we execute. So every expression is read once,
//! when the file is loaded, and either refused with a [`Fault`] that says what to write instead, or
//! prepared for good: it cannot reach the outside, read a clock, run for long or bring the process
//! down. [`Expression`] is one prepared FEEL expression, [`Template`] an attribute that may be FEEL
//! (it starts with `=`), [`Decisions`] a set of DMN files. Variables come through [`Scope`] as JSON;
//! only those that are read are converted.
//!
//! The FEEL engine itself is named in the private modules `feel` and `model` and nowhere else.
//!
//! [`calendar`] has the arithmetic of timers: ISO 8601 durations and cycles in local Swedish time,
//! holidays and working days.

mod bound;
pub mod calendar;
mod contained;
mod decisions;
mod dmn;
mod expression;
mod fault;
mod feel;
mod fence;
mod json;
mod model;
mod plain;
mod scan;
mod scope;
mod template;

pub use decisions::Decisions;
pub use expression::Expression;
pub use fault::{EvalError, Fault};
pub use scope::Scope;
pub use template::Template;
