//! What an instance waits for from outside, beside jobs.

use halsonav_domain::Timestamp;
use serde::{Deserialize, Serialize};

use crate::graph::NodeIx;

/// An open subscription or an armed timer.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Wait {
    /// The item it belongs to and dies with: the catching element, the host of a boundary event, or
    /// the scope of an event sub-process.
    #[serde(rename = "o")]
    pub(crate) owner: u64,
    /// The event that catches.
    #[serde(rename = "n")]
    pub(crate) node: NodeIx,
    #[serde(rename = "f")]
    pub(crate) what: For,
}

/// What is waited for. Names and keys were evaluated when the wait was opened.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum For {
    #[serde(rename = "m")]
    Message {
        #[serde(rename = "n")]
        name: String,
        #[serde(rename = "c")]
        correlation: String,
    },
    #[serde(rename = "s")]
    Signal(String),
    #[serde(rename = "t")]
    Timer {
        #[serde(rename = "d")]
        due: Timestamp,
        #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
        repetition: Option<Repetition>,
    },
}

/// A timer that fires again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Repetition {
    /// As evaluated, such as `R3/P7D`.
    #[serde(rename = "c")]
    pub(crate) cycle: String,
    /// Occurrences are counted from here, so that nothing drifts.
    #[serde(rename = "a")]
    pub(crate) anchor: Timestamp,
    /// Which occurrence is armed, from 0.
    #[serde(rename = "k")]
    pub(crate) occurrence: u64,
    /// Firings left, the armed one included; `None` without end.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<u32>,
}

impl Wait {
    pub(crate) fn due(&self) -> Option<Timestamp> {
        match self.what {
            For::Timer { due, .. } => Some(due),
            _ => None,
        }
    }
}
