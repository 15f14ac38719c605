//! Lanes: the commands of one adapter on their way out.

use halsonav_domain::Timestamp;

/// A lane is stopped: its commands wait.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LaneStop {
    /// The adapter.
    pub adapter: String,
    /// Since when.
    pub at: Timestamp,
    /// When it starts by itself; `None`: when somebody starts it.
    pub until: Option<Timestamp>,
    /// Who stopped it, as in the audit log: `user:<id>`, `cli:<login>`, `hub`.
    pub by: String,
    /// One sentence. No identity.
    pub why: String,
}
