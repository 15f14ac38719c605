//! Processes that call each other in a circle.

use std::collections::HashMap;

use super::super::report::Report;
use super::super::rule;
use crate::graph::{Definition, Node, NodeKind};

/// Looks at the calls between the processes of one file.
pub(crate) fn calls_between(definitions: &[Definition], report: &mut Report) {
    let by_id: HashMap<&str, usize> = definitions
        .iter()
        .enumerate()
        .map(|(ix, d)| (d.id.as_str(), ix))
        .collect();
    let calls = |ix: usize| {
        definitions[ix]
            .nodes
            .iter()
            .filter_map(|node| Some((node, *by_id.get(called(node)?)?)))
    };
    for caller in 0..definitions.len() {
        for (node, callee) in calls(caller) {
            let scope = definitions[callee].scope(0);
            if scope.start.is_none() && scope.implicit_starts.is_empty() {
                report.enter(Some(&definitions[caller].id));
                let message = format!("'{}' starts only by an event", definitions[callee].id);
                report.on(&rule::CALL_START, node.line, &node.id, message);
            }
            let mut seen = vec![false; definitions.len()];
            let mut stack = vec![callee];
            while let Some(ix) = stack.pop() {
                if !std::mem::replace(&mut seen[ix], true) {
                    stack.extend(calls(ix).map(|(_, next)| next));
                }
            }
            if seen[caller] {
                report.enter(Some(&definitions[caller].id));
                let message = format!(
                    "it calls '{}', which leads back to its own process",
                    definitions[callee].id
                );
                report.on(&rule::CALL_RECURSION, node.line, &node.id, message);
                report.enter(None);
            }
        }
    }
}

fn called(node: &Node) -> Option<&str> {
    match &node.kind {
        NodeKind::Call(call) => call.process.literal(),
        _ => None,
    }
}
