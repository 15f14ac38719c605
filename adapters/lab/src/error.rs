//! What can go wrong between us and the lab.

use halsonav_domain::{Kind, Outcome, Problem};
use halsonav_hl7::{Answer, Doubt, Fault};

/// A failure. Holds no personal data: the lab's own texts are not repeated.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A setting can never work.
    #[error("{0}")]
    Setting(&'static str),
    /// A file of the configuration cannot be read.
    #[error("a certificate or key cannot be read: {0}")]
    File(std::io::ErrorKind),
    /// TLS material cannot be used.
    #[error("{0}")]
    Tls(halsonav_hl7::Error),
    /// We cannot listen.
    #[error("cannot listen for results: {0}")]
    Bind(std::io::ErrorKind),
    /// The lab system does not take messages.
    #[error("the lab system cannot be reached: {0}")]
    Away(halsonav_hl7::Error),
    /// The message left, and no acknowledgement came.
    #[error("the lab system got the message, but {0}")]
    Doubtful(Doubt),
    /// `AE` or `CE`.
    #[error("the lab system answered that it cannot take the message now")]
    Later,
    /// `AR` or `CR` for a reason of the format, with its code of HL7 table 0357.
    #[error("the lab system cannot read the message: error {0}")]
    Unreadable(String),
    /// The command cannot be sent as it stands.
    #[error("{0}")]
    Command(&'static str),
    /// The command's person was not disclosed.
    #[error("the person of the command is missing")]
    NoIdentity,
    /// A result cannot be read.
    #[error("a result cannot be read: {}", .0.text)]
    Result(Fault),
    /// A result for someone without a case.
    #[error("a result for a person and an order that are not known here")]
    Stranger,
    /// A result whose person is not its order's.
    #[error("a result names an order of another person")]
    WrongPerson,
    /// A result is withdrawn, which only people can settle.
    #[error("a result is withdrawn (OBX-11 D or W): it must be settled by phone")]
    Withdrawn,
    /// The hub cannot take a result now.
    #[error("the result could not be kept: {0}")]
    Hub(Problem),
}

impl Error {
    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bind(_) | Self::Away(_) | Self::Doubtful(_) | Self::Later => Kind::Unavailable,
            Self::NoIdentity => Kind::Internal,
            Self::Stranger => Kind::NotFound,
            Self::WrongPerson => Kind::Conflict,
            Self::Hub(problem) => problem.kind,
            Self::Setting(_) | Self::File(_) | Self::Tls(_) | Self::Unreadable(_) => Kind::Invalid,
            Self::Command(_) | Self::Result(_) | Self::Withdrawn => Kind::Invalid,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting(_) | Self::File(_) | Self::Tls(_) => "HUB-LAB-001",
            Self::Bind(_) => "HUB-LAB-002",
            Self::Away(_) => "HUB-LAB-003",
            Self::Doubtful(_) => "HUB-LAB-004",
            Self::Later => "HUB-LAB-005",
            Self::Unreadable(_) => "HUB-LAB-006",
            Self::Command(_) => "HUB-LAB-007",
            Self::NoIdentity => "HUB-LAB-008",
            Self::Result(_) => "HUB-LAB-009",
            Self::Stranger => "HUB-LAB-010",
            Self::WrongPerson => "HUB-LAB-011",
            Self::Withdrawn => "HUB-LAB-012",
            Self::Hub(_) => "HUB-LAB-013",
        }
    }

    /// What the lab is told of its message. What only people can settle stays in the lab's list of
    /// refused messages (`AR`), or comes again until it is settled (`AE`).
    pub(crate) fn answer(&self) -> Answer {
        let text = format!("{}: {self}", self.code());
        match self {
            Self::Result(fault) => Answer::Rejected(Fault {
                text,
                ..fault.clone()
            }),
            Self::Stranger => Answer::Rejected(Fault::new("204", text).at("PID", 1, 3)),
            Self::WrongPerson => Answer::Retry(Fault::new("204", text).at("PID", 1, 3)),
            Self::Withdrawn => Answer::Rejected(Fault::new("207", text).at("OBX", 1, 11)),
            _ => Answer::Retry(Fault::new("207", text)),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string())
    }
}

impl From<Error> for Outcome {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}
