//! What can go wrong between us and the vendor.

use halsonav_domain::{Kind, Problem};

/// A failure at the vendor's account or in what lies there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// No connection, or it was lost.
    #[error("the vendor's server cannot be reached")]
    Away,
    /// Nothing came back in time.
    #[error("the vendor's server did not answer in time")]
    Late,
    /// The server is not the one that is pinned.
    #[error("the server's host key is not among host_keys")]
    Stranger,
    /// The server does not take our key.
    #[error("the server does not let this user in with this key")]
    LockedOut,
    /// The account may not do this.
    #[error("the vendor's account may not {0}")]
    Forbidden(&'static str),
    /// There is no such file.
    #[error("there is no such file")]
    Missing,
    /// The server said no without a reason.
    #[error("the vendor's server could not {0}")]
    Failed(&'static str),
    /// A file of the vendor's is larger than we read.
    #[error("a file at the vendor is larger than {0} bytes")]
    TooLarge(u64),
    /// A file of the vendor's is not what the protocol says.
    #[error("a file at the vendor is not as agreed: {0}")]
    NotAsAgreed(&'static str),
    /// A package could not be made.
    #[error("the package could not be made")]
    Package(#[from] zip::result::ZipError),
}

impl Error {
    /// What should happen next.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Away | Self::Late | Self::Failed(_) | Self::Missing => Kind::Unavailable,
            Self::Stranger | Self::LockedOut | Self::Forbidden(_) => Kind::Denied,
            Self::TooLarge(_) | Self::NotAsAgreed(_) => Kind::Invalid,
            Self::Package(_) => Kind::Internal,
        }
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Away => "HUB-PRINT-901",
            Self::Late => "HUB-PRINT-902",
            Self::Stranger => "HUB-PRINT-903",
            Self::LockedOut => "HUB-PRINT-904",
            Self::Forbidden(_) => "HUB-PRINT-905",
            Self::Missing | Self::Failed(_) => "HUB-PRINT-906",
            Self::TooLarge(_) | Self::NotAsAgreed(_) => "HUB-PRINT-907",
            Self::Package(_) => "HUB-PRINT-908",
        }
    }

    /// Whether the connection is of no more use.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Away | Self::Late)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(error.kind(), error.code(), error.to_string())
    }
}
