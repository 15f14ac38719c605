//! What can be wrong with a configuration, found before anything is sent or served.

use halsonav_domain::{Kind, Problem};

/// A client or server that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that can never work.
    #[error("{0}")]
    Setting(String),
    /// A certificate or key that cannot be read.
    #[error("{what} cannot be read from {path}")]
    Pem {
        /// Certificate, key, authority or revocation list.
        what: &'static str,
        /// The file.
        path: String,
    },
    /// Certificates that do not fit together.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// The address cannot be bound.
    #[error("cannot listen on {address}: {reason}")]
    Bind {
        /// The address.
        address: String,
        /// The operating system's word.
        reason: String,
    },
    /// Two handlers for one operation.
    #[error("operation {{{namespace}}}{element} is taken twice")]
    Taken {
        /// Namespace of the request element.
        namespace: String,
        /// Local name of the request element.
        element: String,
    },
}

impl Error {
    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Bind { .. } => Kind::Unavailable,
            _ => Kind::Invalid,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = match error {
            Error::Setting(_) => "HUB-RIVTA-001",
            Error::Pem { .. } => "HUB-RIVTA-002",
            Error::Tls(_) => "HUB-RIVTA-003",
            Error::Bind { .. } => "HUB-RIVTA-004",
            Error::Taken { .. } => "HUB-RIVTA-005",
        };
        Self::new(error.kind(), code, error.to_string())
    }
}
