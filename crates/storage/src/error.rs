//! What can go wrong with remembering.

use halsonav_domain::{CaseId, Kind};

/// A failure of the store. Never holds personal data: not a number, a name, nor a row's content.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `HUB-STORAGE-001`: the database cannot be opened or made, or not reached.
    #[error("the database cannot be opened: {0}")]
    Open(String),
    /// `HUB-STORAGE-002`: the tables cannot be brought to this version.
    #[error("the database cannot be migrated: {0}")]
    Migrate(String),
    /// `HUB-STORAGE-003`: the disk or the database engine failed; nothing was written.
    #[error("the database failed: {0}")]
    Database(#[source] diesel::result::Error),
    /// `HUB-STORAGE-004`: the store is shutting down or its writer has died.
    #[error("the store is closed")]
    Closed,
    /// `HUB-STORAGE-005`: a stored value is not what this version writes.
    #[error("a stored {0} cannot be read")]
    Corrupt(&'static str),
    /// `HUB-STORAGE-006`: the vault cannot open a field: wrong key, or the row was tampered with.
    #[error("the vault cannot open {0}: the key is missing or the row was altered")]
    Vault(&'static str),
    /// `HUB-STORAGE-007`: the key file is missing, malformed or readable by others.
    #[error("the key file cannot be used: {0}")]
    Keys(String),
    /// The instance has moved on since it was read: load again.
    #[error("case {0} has another revision than expected")]
    Stale(CaseId),
    /// There is none.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// It is there already, with another content, or someone else was first.
    #[error("{0}")]
    Conflict(&'static str),
    /// What was asked for can never be stored.
    #[error("{0}")]
    Invalid(&'static str),
    /// The closure panicked; its transaction was rolled back.
    #[error("a transaction was abandoned by a fault in the hub")]
    Panicked,
    /// `HUB-STORAGE-012`: the tables are of an older version: migrate first.
    #[error("the tables are of version {has}, this program needs {needs}: run `halsonav migrate`")]
    Older {
        /// The version of the tables; 0 = there are none.
        has: i64,
        /// The version that this program needs.
        needs: i64,
    },
    /// `HUB-STORAGE-013`: the tables are of a version that this program is too old for.
    #[error(
        "the tables are for programs from version {works_from} on, this one is of version {this}"
    )]
    Newer {
        /// The oldest version that can use the tables.
        works_from: i64,
        /// The version of this program.
        this: i64,
    },
    /// `HUB-STORAGE-014`: the connection was lost during the commit. It may be written or not: what
    /// is done again must be known again.
    #[error("the connection was lost during the commit: it is not known whether it was written")]
    CommitUnknown,
    /// `HUB-STORAGE-015`: the key file is not the one that the vault was made with.
    #[error("the key file is not the one that this vault was made with: {0}")]
    OtherKeys(String),
    /// Refused by the caller's own closure; the transaction was rolled back.
    #[error("{0}")]
    Refused(halsonav_domain::Problem),
}

/// What every method answers.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// What the failure means for what comes next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Open(_) | Self::Database(_) | Self::Closed | Self::CommitUnknown => {
                Kind::Unavailable
            }
            Self::Migrate(_)
            | Self::Older { .. }
            | Self::Newer { .. }
            | Self::Corrupt(_)
            | Self::Panicked => Kind::Internal,
            Self::Vault(_) | Self::Keys(_) | Self::OtherKeys(_) => Kind::Denied,
            Self::Stale(_) | Self::Conflict(_) => Kind::Conflict,
            Self::NotFound(_) => Kind::NotFound,
            Self::Invalid(_) => Kind::Invalid,
            Self::Refused(problem) => problem.kind,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Open(_) => "HUB-STORAGE-001",
            Self::Migrate(_) => "HUB-STORAGE-002",
            Self::Database(_) => "HUB-STORAGE-003",
            Self::Closed => "HUB-STORAGE-004",
            Self::Corrupt(_) => "HUB-STORAGE-005",
            Self::Vault(_) => "HUB-STORAGE-006",
            Self::Keys(_) => "HUB-STORAGE-007",
            Self::Panicked => "HUB-STORAGE-008",
            Self::Stale(_) | Self::Conflict(_) => "HUB-STORAGE-009",
            Self::NotFound(_) => "HUB-STORAGE-010",
            Self::Invalid(_) => "HUB-STORAGE-011",
            Self::Older { .. } => "HUB-STORAGE-012",
            Self::Newer { .. } => "HUB-STORAGE-013",
            Self::CommitUnknown => "HUB-STORAGE-014",
            Self::OtherKeys(_) => "HUB-STORAGE-015",
            Self::Refused(problem) => &problem.code,
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        match error {
            diesel::result::Error::NotFound => Self::NotFound("row"),
            // The text of a constraint violation names tables and columns, never values.
            other => Self::Database(other),
        }
    }
}

impl From<Error> for halsonav_domain::Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(problem) => problem,
            other => Self::new(other.kind(), other.code(), other.to_string()),
        }
    }
}

impl From<halsonav_domain::Problem> for Error {
    fn from(problem: halsonav_domain::Problem) -> Self {
        Self::Refused(problem)
    }
}
