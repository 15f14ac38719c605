//! What can be reached, and joins that cannot be satisfied.

use super::super::report::Report;
use super::super::rule;
use super::super::sketch::{Sketch, Tag};
use crate::graph::{Definition, FlowIx, NodeIx, NodeKind, ScopeIx, Throw, Trigger};

pub(super) fn check(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    let reached = reached(definition, sketch);
    for (ix, shape) in sketch.numbered() {
        let node = definition.node(ix);
        let host = definition.scope(node.scope).host;
        let outermost = host.is_none_or(|host| reached[host as usize]);
        if !reached[ix as usize] && outermost {
            report.at(
                &rule::UNREACHABLE,
                shape.element,
                "nothing that begins leads here",
            );
        }
        if shape.tag == Tag::Parallel && starves(definition, ix) {
            let message = "two of its flows come from the same exclusive or event-based gateway, which takes only one of them";
            report.at(&rule::JOIN_NEVER_FIRES, shape.element, message);
        }
    }
}

fn reached(definition: &Definition, sketch: &Sketch<'_>) -> Vec<bool> {
    let mut reached = vec![false; definition.nodes.len()];
    let mut stack = Vec::new();
    enter(definition, 0, &mut stack);
    // A node without way in is a fault of its own; what follows it need not be named as well.
    let orphans = sketch.numbered().filter(|(ix, shape)| {
        definition.node(*ix).incoming.is_empty()
            && !matches!(shape.tag, Tag::Boundary | Tag::Start | Tag::EventSubProcess)
    });
    stack.extend(
        orphans
            .map(|(ix, _)| ix)
            .filter(|ix| !definition.node(*ix).for_compensation),
    );
    while let Some(ix) = stack.pop() {
        if std::mem::replace(&mut reached[ix as usize], true) {
            continue;
        }
        let node = definition.node(ix);
        stack.extend(
            node.outgoing
                .iter()
                .map(|flow| definition.flow(*flow).target),
        );
        stack.extend(&node.boundaries);
        match node.kind {
            NodeKind::SubProcess(scope) => enter(definition, scope, &mut stack),
            NodeKind::EventSubProcess { scope, start, .. } => {
                stack.push(start);
                enter(definition, scope, &mut stack);
            }
            NodeKind::Throw(Throw::Link(target)) => stack.push(target),
            NodeKind::Boundary {
                trigger: Trigger::Compensation(handler),
                ..
            } => stack.push(handler),
            _ => {}
        }
    }
    reached
}

/// What begins when a scope begins, or may begin while it lasts.
fn enter(definition: &Definition, scope: ScopeIx, stack: &mut Vec<NodeIx>) {
    let scope = definition.scope(scope);
    stack.extend(scope.start);
    stack.extend(&scope.implicit_starts);
    stack.extend(&scope.event_starts);
    stack.extend(&scope.event_subprocesses);
}

/// Whether two flows into a join come, each by a single path, from one gateway that takes only one.
/// A gateway that several flows lead to may be passed more than once, so it is given the benefit.
fn starves(definition: &Definition, join: NodeIx) -> bool {
    let incoming = &definition.node(join).incoming;
    let mut origins: Vec<(NodeIx, FlowIx)> = incoming
        .iter()
        .filter_map(|flow| origin(definition, *flow))
        .collect();
    origins.sort_unstable();
    origins
        .windows(2)
        .any(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
}

/// The exclusive choice that a flow is the only path from, and the flow it chose.
fn origin(definition: &Definition, mut flow: FlowIx) -> Option<(NodeIx, FlowIx)> {
    for _ in 0..definition.nodes.len() {
        let ix = definition.flow(flow).source;
        let node = definition.node(ix);
        let [before] = node.incoming[..] else {
            return None;
        };
        if node.outgoing.len() > 1 {
            let chooses = matches!(node.kind, NodeKind::Exclusive | NodeKind::EventBased);
            return chooses.then_some((ix, flow));
        }
        flow = before;
    }
    None
}
