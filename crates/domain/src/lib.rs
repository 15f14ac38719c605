//! The vocabulary of the hub.
//!
//! | word | meaning |
//! |---|---|
//! | *definition* | a process file, versioned |
//! | *instance* | a running definition |
//! | *case* | one resident in one round; has one instance |
//! | *subject* | the resident, by a random id |
//! | *round* | one campaign of a cohort |
//! | *command* | what the hub asks of an adapter |
//! | *event* | a fact, from a neighbour, a person at work or the hub itself |
//! | *effect* | what a command does to the outside |
//! | *neighbour* | an outside system |
//! | *gate* | the last check before a person is contacted |
//! | *work item* | something a person must do: a call, a visit |
//! | *incident* | the hub needs a human |
//! | *ledger* | every case's known state |
//! | *vault* | where identity lives |
//!
//! No I/O, no clock, no randomness: everything here is a value.

mod clock;
pub mod command;
mod envelope;
mod error;
pub mod event;
mod id;
mod outcome;
mod person;
mod personnummer;
mod topic;
pub mod trace;

pub use clock::{Clock, VirtualClock};
pub use command::{Command, CommandKind};
pub use envelope::Envelope;
pub use error::{Kind, Problem};
pub use id::{CaseId, CommandId, HsaId, RoundId, SubjectId};
pub use outcome::{Done, Outcome, Reference};
pub use person::{Address, Identity, Name, PersonRecord, PersonStatus, Protection};
pub use personnummer::{PersonId, PersonIdError, PersonIdKind};
pub use topic::Topic;

/// UTC, the only time that crosses a boundary. Local time is made at the edge, in `Europe/Stockholm`.
pub type Timestamp = jiff::Timestamp;
