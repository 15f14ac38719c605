//! `journal`: documentation in the journal system.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Timestamp, event::Observation};

/// `journal.document`: write the dialogue into the journal. The process maps what it knows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Document {
    /// When the dialogue was held.
    pub held: Timestamp,
    /// HSA-id of the leader.
    #[serde(default)]
    pub leader: Option<String>,
    /// Measurements at the visit and laboratory values.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// Answered forms: template → (question code → value).
    #[serde(default)]
    pub forms: Value,
    /// The levels of the profile, as `profile.draw` gave them; absent when the profile is switched off.
    #[serde(default)]
    pub profile: Option<Value>,
    /// What was agreed: KVÅ codes of measures offered and accepted.
    #[serde(default)]
    pub measures: Vec<String>,
    /// The leader's summary.
    #[serde(default)]
    pub summary: Option<String>,
}

/// Result of `journal.document`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Documented {
    /// The journal's id of the document.
    pub document_id: String,
}
