//! The envelope of everything on the bus: CloudEvents 1.0.2 attributes, our own struct.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CaseId, Timestamp};

/// A CloudEvent. On a bus its attributes are `ce_*` headers and `data` is the value (binary mode);
/// the record's key is the case. As one JSON object it is a CloudEvent in structured mode.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Envelope {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique within `source`; the same fact always carries the same id, so duplicates are known.
    pub id: String,
    /// Who says so: `/adapters/forms`, `/api`, `/engine`, `/scheduler`.
    pub source: String,
    /// What kind of fact, such as `booking.made`. Also the BPMN message name.
    #[serde(rename = "type")]
    pub kind: String,
    /// The case it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<CaseId>,
    /// When it happened.
    pub time: Timestamp,
    /// BPMN correlation key, when it is not the case: a form id, an order id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlationkey: Option<String>,
    /// W3C trace context.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The payload. May hold health data; never a personal identity number, name or address.
    #[serde(default)]
    pub data: Value,
}

impl Envelope {
    /// A fact of `kind` about `case`, said by `source` under `id`.
    #[must_use]
    pub fn new(
        source: &str,
        id: impl Into<String>,
        kind: &str,
        case: Option<CaseId>,
        time: Timestamp,
        data: Value,
    ) -> Self {
        Self {
            specversion: "1.0".to_owned(),
            id: id.into(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            subject: case,
            time,
            correlationkey: None,
            traceparent: None,
            data,
        }
    }

    /// Sets the correlation key.
    #[must_use]
    pub fn correlated(mut self, key: impl Into<String>) -> Self {
        self.correlationkey = Some(key.into());
        self
    }

    /// The record key: the case, or nothing for facts about no case.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        self.subject.map(|case| case.to_string())
    }
}
