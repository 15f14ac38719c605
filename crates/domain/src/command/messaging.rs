//! `messaging`: the resident's inbox in 1177.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// `messaging.check`: is the resident an active user of the inbox? No payload.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Check {}

/// Result of `messaging.check`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Checked {
    /// Messages can be delivered.
    pub active: bool,
    /// `SMS`, `Email`: how the resident is told of a new message.
    pub notified_by: Vec<String>,
}

/// `messaging.send`: deliver a message. The text is made from the region's template.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Send {
    /// Name of a text in the region's `texts/`.
    pub template: String,
    /// Language of the text, `sv`, `sv-latt`, `en` …; falls back to `sv`.
    #[serde(default)]
    pub language: Option<String>,
    /// What the resident can do from the message: `book`, `decline`, `rebook`, `cancel`, `form`.
    #[serde(default)]
    pub links: Vec<String>,
    /// A booked time to state in the text.
    #[serde(default)]
    pub start: Option<Timestamp>,
}

/// Result of `messaging.send`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// The thread, for the status query.
    pub message_id: String,
    /// How the resident was told.
    pub notified_by: Vec<String>,
}

/// `messaging.status`: has it been read?
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Status {
    /// From `messaging.send`.
    pub message_id: String,
}

/// Result of `messaging.status`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusOf {
    /// The resident opened it.
    pub read: bool,
    /// When.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
}
