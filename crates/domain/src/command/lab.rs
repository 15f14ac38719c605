//! `lab`: samples, ordered and answered in HL7 v2.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// `lab.order`: order analyses.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// NPU codes, such as `NPU27300`.
    pub analyses: Vec<String>,
    /// When the sample is meant to be taken.
    #[serde(default)]
    pub planned: Option<Timestamp>,
    /// The dialogue it is for, as a text to the lab.
    #[serde(default)]
    pub comment: Option<String>,
}

/// Result of `lab.order`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ordered {
    /// Placer order number, and correlation key of `lab.result`.
    pub order_id: String,
}

/// `lab.cancel`: withdraw an order. Does no harm when there is none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cancel {
    /// From `lab.order`; nothing to cancel when absent.
    #[serde(default)]
    pub order_id: Option<String>,
}

/// Result of `lab.cancel`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Cancelled {
    /// The lab had not begun and has withdrawn it.
    pub cancelled: bool,
}
