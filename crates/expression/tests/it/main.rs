//! The crate as its users see it.
#![allow(clippy::unwrap_used, missing_docs)]

mod calendar;
mod decisions;
mod expressions;
mod fences;
mod fuzz;
