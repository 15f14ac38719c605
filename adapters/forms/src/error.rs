//! What can go wrong between a command and its outcome.

use halsonav_domain::{Kind, Outcome, Problem};
use halsonav_rivta::{CallError, xml};

/// A command that has no answer of the business.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The hub did not tell who the resident is.
    #[error("the command came without the identity that its operation asks for")]
    Identity,
    /// The payload makes no sense.
    #[error("{0}")]
    Payload(Problem),
    /// A question got no answer: nothing has happened.
    #[error("{0}")]
    Asked(CallError),
    /// A question got an answer that is not the contract's.
    #[error("the form engine's answer is not of the contract: {0}")]
    Misunderstood(xml::Error),
    /// A change got no answer.
    #[error("{0}")]
    Acted(CallError),
    /// A change got an answer that is not the contract's: it may have happened.
    #[error("the form engine's answer to a change is not of the contract: {0}")]
    Unclear(xml::Error),
    /// The engine said OK, but not what became of this request.
    #[error("the form engine did not say what became of the request")]
    Unanswered,
}

impl Error {
    /// What the hub and its operators see.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Identity => Problem::new(Kind::Internal, "HUB-FORMS-001", self.to_string()),
            Self::Asked(error) | Self::Acted(error) => error.problem("FORMS"),
            Self::Misunderstood(_) | Self::Unclear(_) => {
                Problem::new(Kind::Internal, "HUB-FORMS-003", self.to_string())
            }
            Self::Unanswered => Problem::new(Kind::Internal, "HUB-FORMS-004", self.to_string()),
            Self::Payload(problem) => problem.clone(),
        }
    }

    /// What became of the command.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Unclear(_) | Self::Unanswered => Outcome::Unknown(self.problem()),
            Self::Acted(error) if error.outcome_unknown() => Outcome::Unknown(self.problem()),
            _ => Outcome::Failed(self.problem()),
        }
    }
}
