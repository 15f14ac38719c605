//! `research`: data for the region's research store.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Observation;

/// `research.contribute`: put the case into the next export. Refused with `no-consent` without consent.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contribute {
    /// The resident consented; anything but `true` is refused.
    pub consent: bool,
    /// Age in the round's year.
    pub age: i64,
    /// `woman` or `man`.
    #[serde(default)]
    pub sex: Option<String>,
    /// Answered forms: template → (question code → value).
    #[serde(default)]
    pub forms: Value,
    /// Measurements and laboratory values.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// Levels of the profile.
    #[serde(default)]
    pub profile: Option<Value>,
}

/// Result of `research.contribute`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Contributed {
    /// It will be in the next export.
    pub accepted: bool,
}
