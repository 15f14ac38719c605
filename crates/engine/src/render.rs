//! A definition as a picture: for those who draw processes, and for those who watch them run.
//!
//! [`mermaid()`] gives text that many tools draw; [`svg()`] draws by the shapes in the file
//! ([`Diagram::read`]), or by a layout of its own ([`Diagram::laid_out`]). [`Marks`] tint what was
//! passed and what is active.

mod diagram;
mod layout;
mod mermaid;
mod svg;
mod symbol;
mod text;
mod unfold;

use std::collections::BTreeSet;

pub use diagram::{Backdrop, Diagram, Point, Rect};
pub use mermaid::mermaid;
pub use svg::svg;

use crate::graph::{Node, NodeKind, Throw, Trigger};

/// Ids of nodes and flows to tint.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marks {
    /// Passed at least once.
    pub covered: BTreeSet<String>,
    /// Waiting now.
    pub active: BTreeSet<String>,
    /// With an incident.
    pub troubled: BTreeSet<String>,
}

impl Marks {
    /// The class of an element, the strongest first.
    fn class(&self, id: &str) -> &'static str {
        if self.troubled.contains(id) {
            "troubled"
        } else if self.active.contains(id) {
            "active"
        } else if self.covered.contains(id) {
            "covered"
        } else {
            "plain"
        }
    }
}

/// How a node is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outline {
    /// A thin circle.
    Start,
    /// A thick circle.
    End,
    /// A double circle.
    Intermediate,
    /// A diamond.
    Gateway,
    /// A rounded box.
    Activity,
    /// A rounded box around other nodes.
    Frame,
}

impl Outline {
    fn of(node: &Node) -> Self {
        match node.kind {
            NodeKind::Start(_) => Self::Start,
            NodeKind::End(_) => Self::End,
            // The graph does not tell a receive task from a catch event; what only a task can carry does.
            NodeKind::Catch(_) if node.repeat.is_none() && node.boundaries.is_empty() => {
                Self::Intermediate
            }
            NodeKind::Throw(_) | NodeKind::Boundary { .. } => Self::Intermediate,
            NodeKind::Exclusive
            | NodeKind::Parallel
            | NodeKind::Inclusive
            | NodeKind::EventBased => Self::Gateway,
            NodeKind::SubProcess(_) | NodeKind::EventSubProcess { .. } => Self::Frame,
            _ => Self::Activity,
        }
    }

    fn is_event(self) -> bool {
        matches!(self, Self::Start | Self::End | Self::Intermediate)
    }
}

/// What an event waits for or does, in a word.
fn event_word(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Start(Some(trigger))
        | NodeKind::Catch(trigger)
        | NodeKind::Boundary { trigger, .. } => match trigger {
            Trigger::Message(_) => "message",
            Trigger::Timer(_) => "timer",
            Trigger::Error(_) => "error",
            Trigger::Escalation(_) => "escalation",
            Trigger::Signal(_) => "signal",
            Trigger::Compensation(_) => "compensation",
            Trigger::Link(_) => "link",
        },
        NodeKind::End(throw) | NodeKind::Throw(throw) => match throw {
            Throw::None => "",
            Throw::Terminate => "terminate",
            Throw::Error(_) => "error",
            Throw::Escalation(_) => "escalation",
            Throw::Signal(_) => "signal",
            Throw::Message(_) => "message",
            Throw::Compensation(_) => "compensation",
            Throw::Link(_) => "link",
        },
        _ => "",
    }
}

/// The name to show. Activities show their id if they have no name; smaller shapes show nothing.
fn label(node: &Node) -> &str {
    let small = Outline::of(node).is_event() || Outline::of(node) == Outline::Gateway;
    if small && node.name == node.id {
        ""
    } else {
        &node.name
    }
}
