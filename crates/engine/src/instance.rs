//! One running process: everything that must survive until the next input, and nothing else.
//!
//! Field names are one letter in JSON, empty fields are left out, and what is derivable from the
//! definition is not stored. History is not here: it is the stream of effects.

mod item;
mod view;
mod wait;

use std::collections::{BTreeMap, VecDeque};

use halsonav_domain::{CaseId, Kind, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Input;
use crate::graph::NodeIx;

pub(crate) use item::{Body, Item, Part, Phase, Record, Scope};
pub use view::{Waiting, WaitingFor};
pub(crate) use wait::{For, Repetition, Wait};

/// Key of the process itself.
pub(crate) const ROOT: u64 = 1;

/// A running process, with everything it calls.
///
/// Serialise it between inputs; [`crate::step`] changes it in place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Instance {
    #[serde(rename = "i")]
    pub(crate) id: CaseId,
    #[serde(rename = "r")]
    pub(crate) revision: u64,
    /// The next key.
    #[serde(rename = "k")]
    pub(crate) next: u64,
    #[serde(rename = "d")]
    pub(crate) pins: Vec<Pin>,
    /// Tokens at rest, and the scopes they are in. A parent's key is less than its children's.
    #[serde(rename = "t", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) items: BTreeMap<u64, Item>,
    #[serde(rename = "w", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) waits: BTreeMap<u64, Wait>,
    #[serde(rename = "e", default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) incidents: BTreeMap<u64, Incident>,
    /// Messages that came before their subscription, oldest first.
    #[serde(rename = "b", default, skip_serializing_if = "VecDeque::is_empty")]
    pub(crate) buffer: VecDeque<Letter>,
    /// Hashes of the ids of the latest messages.
    #[serde(rename = "m", default, skip_serializing_if = "VecDeque::is_empty")]
    pub(crate) seen: VecDeque<u64>,
    /// Inclusive joins with tokens: scope and node.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) joins: Vec<(u64, NodeIx)>,
    /// What was left to do when the step budget was spent.
    #[serde(rename = "g", default, skip_serializing_if = "VecDeque::is_empty")]
    pub(crate) agenda: VecDeque<Op>,
    /// The incident that stopped the whole instance.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(crate) stalled: Option<u64>,
    #[serde(rename = "s", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) suspended: bool,
    /// What came in while suspended or stalled.
    #[serde(rename = "q", default, skip_serializing_if = "VecDeque::is_empty")]
    pub(crate) queue: VecDeque<Input>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) ending: Option<Ending>,
    #[serde(rename = "z", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ended: bool,
}

/// A definition that the instance runs on, by id and version.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Pin(pub(crate) String, pub(crate) u32);

/// Something still to do in this step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Op {
    /// A token comes to `node` by `flow`, in the scope `parent`.
    #[serde(rename = "e")]
    Enter {
        parent: u64,
        node: NodeIx,
        flow: Option<u32>,
    },
    /// Starts the next instance of a multi-instance body.
    #[serde(rename = "i")]
    Inner { body: u64 },
    /// A scope may have lost its last token.
    #[serde(rename = "d")]
    Ended { scope: u64 },
    /// A message subscription was opened: is there a buffered message for it?
    #[serde(rename = "p")]
    Poll { wait: u64 },
}

/// An open incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Incident {
    /// The item whose token waits.
    #[serde(rename = "t")]
    pub(crate) item: u64,
    #[serde(rename = "c")]
    pub(crate) code: String,
    #[serde(rename = "k")]
    pub(crate) kind: Kind,
    /// The effect may exist outside.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unknown: bool,
}

/// A buffered message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    #[serde(rename = "i")]
    pub(crate) id: String,
    #[serde(rename = "n")]
    pub(crate) name: String,
    #[serde(rename = "c")]
    pub(crate) correlation: String,
    #[serde(rename = "v", default, skip_serializing_if = "Map::is_empty")]
    pub(crate) variables: Map<String, Value>,
    #[serde(rename = "e")]
    pub(crate) expires: Timestamp,
}

/// The end event that speaks for the instance.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Ending {
    #[serde(rename = "e")]
    pub(crate) end: String,
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(crate) outcome: Option<String>,
}

impl Instance {
    pub(crate) fn new(id: CaseId, process: &str, version: u32) -> Self {
        Self {
            id,
            revision: 0,
            next: ROOT,
            pins: vec![Pin(process.to_owned(), version)],
            items: BTreeMap::new(),
            waits: BTreeMap::new(),
            incidents: BTreeMap::new(),
            buffer: VecDeque::new(),
            seen: VecDeque::new(),
            joins: Vec::new(),
            agenda: VecDeque::new(),
            stalled: None,
            suspended: false,
            queue: VecDeque::new(),
            ending: None,
            ended: false,
        }
    }

    /// The case.
    #[must_use]
    pub fn id(&self) -> CaseId {
        self.id
    }

    /// Counts the inputs applied, the start included.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Id of the process it was started as.
    #[must_use]
    pub fn process(&self) -> &str {
        self.pins.first().map_or("", |pin| &pin.0)
    }

    /// Version of the process it was started as.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.pins.first().map_or(0, |pin| pin.1)
    }

    /// Every definition it runs on, called processes included: id and version. None of these may
    /// leave the library while the instance lives.
    pub fn definitions(&self) -> impl Iterator<Item = (&str, u32)> {
        self.pins.iter().map(|pin| (pin.0.as_str(), pin.1))
    }

    /// Over: every input will be rejected.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Suspended by an operator: inputs are recorded, nothing moves.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.suspended
    }

    /// The process's own variables; `None` once it is over.
    #[must_use]
    pub fn variables(&self) -> Option<&Map<String, Value>> {
        self.items.get(&ROOT).map(|root| &root.variables)
    }

    /// Keys of the open incidents.
    pub fn incidents(&self) -> impl Iterator<Item = u64> {
        self.incidents.keys().copied()
    }

    /// When the next timer is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.waits.values().filter_map(Wait::due).min()
    }
}
