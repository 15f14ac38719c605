//! `print`: letters through the print vendor.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `print.letter`: print and post one letter.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Letter {
    /// Name of a template in the region's `letters/`.
    pub template: String,
    /// Language, as in `messaging.send`.
    #[serde(default)]
    pub language: Option<String>,
    /// Paper forms to enclose, by name in the region's `forms/`.
    #[serde(default)]
    pub enclosures: Vec<String>,
    /// A booked time to state in the letter, RFC 3339.
    #[serde(default)]
    pub start: Option<crate::Timestamp>,
}

/// Result of `print.letter`: the letter lies with the vendor.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lettered {
    /// The letter's id with the vendor.
    pub letter_id: String,
    /// The mail job it travels in.
    pub job_id: String,
}

/// `print.recall`: stop a letter that is not yet printed. Does no harm when there is none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Recall {
    /// From `print.letter`; nothing to recall when absent.
    #[serde(default)]
    pub letter_id: Option<String>,
}

/// Result of `print.recall`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recalled {
    /// The vendor had not begun and has stopped it.
    pub recalled: bool,
}
