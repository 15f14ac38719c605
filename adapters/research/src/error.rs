//! What can stop an export.

use halsonav_domain::{Kind, Problem};

/// Why an export was not made. Nothing of it is left in the folder under its final name.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that becomes a file name.
    #[error("{0} must be 1 to 64 letters, digits, - or _")]
    Name(&'static str),
    /// There is no research without an approval.
    #[error("the project has no registration number of an ethics approval")]
    NoApproval,
    /// A key that is no key.
    #[error("a pseudonym key is 64 hexadecimal digits, and not all the same")]
    Key,
    /// A column that cannot be.
    #[error(
        "column {0}: the name must be unique, begin with a letter and hold letters, digits and _"
    )]
    Column(String),
    /// A value that does not fit its column.
    #[error("column {column}: a value is not {expected}")]
    Value {
        /// The column.
        column: String,
        /// What it should be.
        expected: String,
    },
    /// The folder or a file.
    #[error("{what} cannot be written: {kind}")]
    Write {
        /// The file's name.
        what: String,
        /// What the system says.
        kind: std::io::ErrorKind,
    },
    /// A file that its format does not take.
    #[error("{what} cannot be made: {reason}")]
    Format {
        /// The file's name.
        what: String,
        /// What the format's library says.
        reason: String,
    },
}

impl Error {
    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Name(_) | Self::NoApproval | Self::Key | Self::Column(_) | Self::Value { .. } => {
                Kind::Invalid
            }
            Self::Write { .. } => Kind::Unavailable,
            Self::Format { .. } => Kind::Internal,
        }
    }

    /// Stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "HUB-RESEARCH-001",
            Self::NoApproval => "HUB-RESEARCH-002",
            Self::Key => "HUB-RESEARCH-003",
            Self::Column(_) => "HUB-RESEARCH-004",
            Self::Value { .. } => "HUB-RESEARCH-005",
            Self::Write { .. } => "HUB-RESEARCH-006",
            Self::Format { .. } => "HUB-RESEARCH-007",
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string())
    }
}
