//! What became of a command.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{PersonRecord, Problem};

/// What an adapter says of one command.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The effect exists outside, exactly once.
    Done(Done),
    /// The neighbour understood and said no, for a reason of the business ("the time is taken").
    /// Becomes a BPMN error with this code.
    Refused {
        /// The BPMN error code, such as `booking-refused`.
        code: String,
        /// Variables the error carries into the process. No identity.
        result: Value,
    },
    /// The effect does not exist outside. The kind decides what happens.
    Failed(Problem),
    /// Nobody knows whether the effect exists: asked, then nothing came back. Never retried
    /// blindly; the adapter is asked to reconcile, and if it cannot know, a human decides.
    Unknown(Problem),
}

/// A command that was carried out.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Variables for the process. No identity.
    pub result: Value,
    /// The neighbour's names for what was made, so that its call-backs find the case.
    pub references: Vec<Reference>,
    /// Fresh register data, for the vault.
    pub person: Option<Box<PersonRecord>>,
}

impl Done {
    /// A result with nothing else.
    #[must_use]
    pub fn new(result: Value) -> Self {
        Self {
            result,
            ..Self::default()
        }
    }

    /// Adds a reference.
    #[must_use]
    pub fn referring(mut self, kind: &str, value: impl Into<String>) -> Self {
        self.references.push(Reference {
            kind: kind.to_owned(),
            value: value.into(),
        });
        self
    }
}

impl From<Done> for Outcome {
    fn from(done: Done) -> Self {
        Self::Done(done)
    }
}

impl From<Problem> for Outcome {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// A neighbour's name for something that belongs to a case: a form, a booking, a lab order, a letter.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reference {
    /// `form`, `booking`, `order`, `letter`, `message`, `document`.
    pub kind: String,
    /// The neighbour's id.
    pub value: String,
}
