//! The one taxonomy of errors. A kind answers one question: what should happen next?

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a failure means for the message at hand and for those behind it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Can never succeed as it stands: park, incident. HTTP 400 or 422.
    Invalid,
    /// What it refers to is not there. HTTP 404.
    NotFound,
    /// Stale revision or already done: reload, or count as done. HTTP 409.
    Conflict,
    /// Credentials or permission: stop this adapter's lane, incident. HTTP 401 or 403.
    Denied,
    /// Passing: back off with a cap, then incident. HTTP 503.
    Unavailable,
    /// Our fault: park the message, incident, go on. HTTP 500.
    Internal,
}

/// A failure as it travels: to the bus, the incident list and the API.
///
/// `code` is stable and may have a page in `docs/errors`; `message` is for an operator and never
/// holds personal data.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Problem {
    /// What should happen next.
    pub kind: Kind,
    /// Stable code such as `HUB-PRINT-003`.
    pub code: String,
    /// One sentence for an operator.
    pub message: String,
    /// Not before this many seconds, if the neighbour said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u32>,
}

impl Problem {
    /// A problem without a hint of when to try again.
    #[must_use]
    pub fn new(kind: Kind, code: &str, message: impl Into<String>) -> Self {
        Self {
            kind,
            code: code.to_owned(),
            message: message.into(),
            retry_after_s: None,
        }
    }
}
