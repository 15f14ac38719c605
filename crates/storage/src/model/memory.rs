//! Definitions and idempotency keys.

use halsonav_domain::Timestamp;

/// A file to deploy: a process or a decision table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewDefinition {
    /// `bpmn`, `dmn`, `form`, `instrument`.
    pub kind: String,
    /// Id of the process or decision.
    pub id: String,
    /// Digest of the text.
    pub digest: String,
    /// Version tag.
    pub tag: Option<String>,
    /// Files of one deployment belong together.
    pub deployment: String,
    /// The text.
    pub text: String,
}

/// A deployed file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredDefinition {
    /// What was deployed.
    pub definition: NewDefinition,
    /// Counted from 1 for each kind and id.
    pub version: u32,
    /// When.
    pub deployed: Timestamp,
}

/// What an API client's idempotency key led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Idempotent {
    /// Not seen: go on, and [`crate::Writer::answer_once`] in the same transaction.
    First,
    /// Seen with the same request: give this answer again.
    Again {
        /// HTTP status.
        status: u16,
        /// Body.
        body: String,
    },
    /// Seen with another request: 422.
    Mismatch,
}
