//! A token at rest, or a scope with tokens in it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::graph::{FlowIx, NodeIx, ScopeIx};

/// One running element.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Item {
    /// The item around it; 0 for the instance's own process.
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    pub(crate) parent: u64,
    /// Index into the instance's pinned definitions.
    #[serde(rename = "d", default, skip_serializing_if = "is_none")]
    pub(crate) definition: u32,
    /// The element; `None` for a process, own or called.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub(crate) node: Option<NodeIx>,
    #[serde(rename = "s", default, skip_serializing_if = "Phase::is_active")]
    pub(crate) phase: Phase,
    /// Local variables.
    #[serde(rename = "v", default, skip_serializing_if = "Map::is_empty")]
    pub(crate) variables: Map<String, Value>,
    /// Its result, while the output mapping cannot be evaluated.
    #[serde(rename = "o", default, skip_serializing_if = "Map::is_empty")]
    pub(crate) result: Map<String, Value>,
    /// Key of its job or work item.
    #[serde(rename = "j", default, skip_serializing_if = "Option::is_none")]
    pub(crate) job: Option<u64>,
    /// Which instance of a multi-instance body, from 0.
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<u32>,
    /// Tokens in it, moving or waiting.
    #[serde(rename = "l", default, skip_serializing_if = "is_none")]
    pub(crate) live: u32,
    #[serde(rename = "c", default, skip_serializing_if = "Part::is_plain")]
    pub(crate) part: Part,
}

/// How far an element has come.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// Entry failed: nothing of it exists yet.
    #[serde(rename = "e")]
    Enter,
    /// It waits, or its job failed.
    #[default]
    #[serde(rename = "a")]
    Active,
    /// It is done, its output could not be evaluated.
    #[serde(rename = "o")]
    Output,
    /// It is done, the way on could not be chosen.
    #[serde(rename = "f")]
    Flow,
}

/// What an item holds beside variables.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub(crate) enum Part {
    /// Nothing.
    #[default]
    #[serde(rename = "p")]
    Plain,
    /// A process, sub-process or event sub-process.
    #[serde(rename = "s")]
    Scope(Box<Scope>),
    /// The body of a multi-instance activity.
    #[serde(rename = "b")]
    Body(Box<Body>),
    /// A compensation throw: what is still to be compensated, next last.
    #[serde(rename = "u")]
    Undo(Vec<Record>),
}

/// A running scope.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Scope {
    #[serde(rename = "x", default, skip_serializing_if = "is_none")]
    pub(crate) ix: ScopeIx,
    /// Tokens that wait at joins, per flow they came by.
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) arrived: Vec<(FlowIx, u32)>,
    /// An interrupting event sub-process has taken over.
    #[serde(rename = "i", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) interrupted: bool,
    /// Completed activities that can be compensated, in the order they completed.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) done: Vec<Record>,
}

/// A running multi-instance body.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Body {
    /// Size of the collection.
    #[serde(rename = "n")]
    pub(crate) total: u32,
    /// How many were started.
    #[serde(rename = "s", default, skip_serializing_if = "is_none")]
    pub(crate) started: u32,
    /// How many completed.
    #[serde(rename = "d", default, skip_serializing_if = "is_none")]
    pub(crate) done: u32,
    /// Elements not started yet, next last.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) rest: Vec<Value>,
    /// Completed parts of inner instances that can be compensated.
    #[serde(rename = "u", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Record>,
    /// Collected output, in input order; empty if none is collected.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) outputs: Vec<Value>,
}

/// A completed activity that can be compensated.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The activity.
    #[serde(rename = "n")]
    pub(crate) node: NodeIx,
    /// Its handler; `None` for a sub-process that is compensated by its parts.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(crate) handler: Option<NodeIx>,
    /// What the handler may read, as it was when the activity completed.
    #[serde(rename = "v", default, skip_serializing_if = "Map::is_empty")]
    pub(crate) variables: Map<String, Value>,
    /// The parts of a sub-process.
    #[serde(rename = "r", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) parts: Vec<Record>,
}

impl Item {
    pub(crate) fn scope(&self) -> Option<&Scope> {
        match &self.part {
            Part::Scope(scope) => Some(scope),
            _ => None,
        }
    }

    pub(crate) fn scope_mut(&mut self) -> Option<&mut Scope> {
        match &mut self.part {
            Part::Scope(scope) => Some(scope),
            _ => None,
        }
    }

    pub(crate) fn body_mut(&mut self) -> Option<&mut Body> {
        match &mut self.part {
            Part::Body(body) => Some(body),
            _ => None,
        }
    }
}

impl Phase {
    fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

impl Part {
    fn is_plain(&self) -> bool {
        matches!(self, Self::Plain)
    }
}

impl Scope {
    pub(crate) fn part(ix: ScopeIx) -> Part {
        Part::Scope(Box::new(Self {
            ix,
            ..Self::default()
        }))
    }

    /// How many tokens wait that came by `flow`.
    pub(crate) fn waiting(&self, flow: FlowIx) -> u32 {
        self.arrived
            .iter()
            .find(|(known, _)| *known == flow)
            .map_or(0, |(_, count)| *count)
    }

    pub(crate) fn arrive(&mut self, flow: FlowIx) {
        match self.arrived.iter_mut().find(|(known, _)| *known == flow) {
            Some((_, count)) => *count += 1,
            None => self.arrived.push((flow, 1)),
        }
    }

    /// Takes one token from `flow`; false if there is none.
    pub(crate) fn take(&mut self, flow: FlowIx) -> bool {
        let Some(at) = self.arrived.iter().position(|(known, _)| *known == flow) else {
            return false;
        };
        self.arrived[at].1 -= 1;
        if self.arrived[at].1 == 0 {
            self.arrived.swap_remove(at);
        }
        true
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_none(number: &u32) -> bool {
    *number == 0
}
