//! What can go wrong between a command and its outcome.

use halsonav_domain::{Kind, Outcome, Problem};
use halsonav_rivta::{CallError, xml};

/// A command that has no answer of the business.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The hub did not tell who the resident is.
    #[error("the command came without the identity that its operation asks for")]
    Identity,
    /// crm:scheduling 1.1 knows digits and `pPtTfF` in position nine only.
    #[error("the booking contract cannot carry a number of this kind (national reserve number)")]
    PersonId,
    /// The payload or its window makes no sense.
    #[error("{0}")]
    Payload(Problem),
    /// A question got no answer: nothing has happened.
    #[error("{0}")]
    Asked(CallError),
    /// A question got an answer that is not the contract's.
    #[error("the booking system's answer is not of the contract: {0}")]
    Misunderstood(xml::Error),
    /// A change got no answer.
    #[error("{0}")]
    Acted(CallError),
    /// A change got an answer that is not the contract's: it may have happened.
    #[error("the booking system's answer to a change is not of the contract: {0}")]
    Unclear(xml::Error),
}

impl Error {
    /// What the hub and its operators see.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Identity => Problem::new(Kind::Internal, "HUB-BOOKING-001", self.to_string()),
            Self::Asked(error) | Self::Acted(error) => error.problem("BOOKING"),
            Self::Misunderstood(_) | Self::Unclear(_) => {
                Problem::new(Kind::Internal, "HUB-BOOKING-003", self.to_string())
            }
            Self::PersonId => Problem::new(Kind::Invalid, "HUB-BOOKING-004", self.to_string()),
            Self::Payload(problem) => problem.clone(),
        }
    }

    /// What became of the command.
    pub fn outcome(self) -> Outcome {
        match self {
            Self::Unclear(_) => Outcome::Unknown(self.problem()),
            Self::Acted(ref error) if error.outcome_unknown() => Outcome::Unknown(self.problem()),
            other => Outcome::Failed(other.problem()),
        }
    }
}
