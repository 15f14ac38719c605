//! `profile`: the graphic presentation. Carried out in the hub itself; can be switched off.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Observation;

/// `profile.draw`: levels and picture out of answers, measurements and lab values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Draw {
    /// `halsokurva` or `stjarnprofil`.
    pub graphic: String,
    /// Name of the scoring table in the region's `instruments/`.
    pub instrument: String,
    /// Answered forms: template → (question code → value).
    #[serde(default)]
    pub forms: Value,
    /// Measurements and laboratory values.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// `woman` or `man`, where a table differs.
    #[serde(default)]
    pub sex: Option<String>,
}

/// Result of `profile.draw`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Drawn {
    /// Instrument and version.
    pub instrument: String,
    /// One entry per axis: id, label, level, value, source.
    pub levels: Vec<Value>,
}
