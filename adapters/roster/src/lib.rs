//! Who the residents are: the list that the region's listing system drops, and the population
//! register.
//!
//! There is no national contract that lists everyone at a unit (only one person at a time), so a
//! cohort begins with a file: [`RosterFile`] reads it line by line and goes on past lines that
//! cannot be read. What the register has to say today comes by GetPersonsForProfile 5
//! ([`Roster::lookup`], command `roster.lookup`): alive, protected, where post goes.

mod adapter;
mod config;
mod file;
mod register;
mod translate;

pub use adapter::Roster;
pub use config::{Config, Profile};
pub use file::{FileError, Format, LineError, Listed, RosterFile, complete, read};
