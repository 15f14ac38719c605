//! Parallel branches that meet where they should not: in a task, or in a variable.

use std::collections::{HashMap, HashSet};

use super::super::report::Report;
use super::super::rule;
use super::super::sketch::Sketch;
use crate::graph::{Definition, FlowIx, Node, NodeIx, NodeKind};

/// Nodes looked at in all; a file that needs more is not warned.
const BUDGET: usize = 200_000;

pub(super) fn check(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    let mut budget = BUDGET;
    let mut merged = HashSet::new();
    for (ix, node) in (0..).zip(&definition.nodes) {
        let branches = parallel(definition, node);
        if branches.len() < 2 {
            continue;
        }
        let mut reach: HashMap<NodeIx, Vec<usize>> = HashMap::new();
        for (branch, flow) in branches.iter().enumerate() {
            for reached in follow(definition, *flow, &mut budget) {
                reach.entry(reached).or_default().push(branch);
            }
        }
        if budget == 0 {
            return;
        }
        let meets = |at: &NodeIx| reach[at].len() > 1 && runs_twice(definition.node(*at));
        merged.extend(reach.keys().copied().filter(meets));
        if let Some(name) = raced(definition, &reach) {
            let message = format!("more than one branch after it writes '{name}'");
            report.at(&rule::BRANCH_WRITES, sketch.shape_at(ix).element, message);
        }
    }
    for ix in merged {
        report.at(
            &rule::IMPLICIT_MERGE,
            sketch.shape_at(ix).element,
            "parallel branches both lead to it, so that it runs twice",
        );
    }
}

/// Flows out of a node that may be taken together.
fn parallel(definition: &Definition, node: &Node) -> Vec<FlowIx> {
    match node.kind {
        NodeKind::Exclusive | NodeKind::EventBased => Vec::new(),
        NodeKind::Parallel | NodeKind::Inclusive => node.outgoing.clone(),
        _ => {
            let sure = |flow: &FlowIx| {
                node.default != Some(*flow) && definition.flow(*flow).condition.is_none()
            };
            node.outgoing.iter().copied().filter(sure).collect()
        }
    }
}

/// What a branch leads to before a parallel or inclusive join.
fn follow(definition: &Definition, flow: FlowIx, budget: &mut usize) -> HashSet<NodeIx> {
    let mut reached = HashSet::new();
    let mut stack = vec![definition.flow(flow).target];
    while let Some(ix) = stack.pop() {
        let node = definition.node(ix);
        let joins = matches!(node.kind, NodeKind::Parallel | NodeKind::Inclusive)
            && node.incoming.len() > 1;
        if joins || *budget == 0 || !reached.insert(ix) {
            continue;
        }
        *budget -= 1;
        stack.extend(
            node.outgoing
                .iter()
                .map(|flow| definition.flow(*flow).target),
        );
    }
    reached
}

/// Whether a token for each of two flows makes it run twice without anyone having drawn that.
fn runs_twice(node: &Node) -> bool {
    let gateway = matches!(
        node.kind,
        NodeKind::Exclusive | NodeKind::Parallel | NodeKind::Inclusive | NodeKind::EventBased
    );
    node.incoming.len() > 1 && !gateway && !matches!(node.kind, NodeKind::End(_))
}

/// A variable that nodes of different branches write.
fn raced<'d>(definition: &'d Definition, reach: &HashMap<NodeIx, Vec<usize>>) -> Option<&'d str> {
    let mut writers: HashMap<&str, usize> = HashMap::new();
    let mut names: Vec<&str> = Vec::new();
    for (ix, branches) in reach {
        let [branch] = branches[..] else { continue };
        for name in written(definition.node(*ix)) {
            if *writers.entry(name).or_insert(branch) != branch {
                names.push(name);
            }
        }
    }
    names.into_iter().min()
}

/// Variables that a node is seen to write.
fn written(node: &Node) -> impl Iterator<Item = &str> {
    let result = match &node.kind {
        NodeKind::Script { result, .. } | NodeKind::Decision { result, .. }
            if node.io.outputs.is_empty() =>
        {
            Some(result.as_str())
        }
        _ => None,
    };
    let collected = node
        .repeat
        .as_ref()
        .and_then(|repeat| repeat.output.as_ref())
        .map(|(name, _)| name.as_str());
    let mapped = node
        .io
        .outputs
        .iter()
        .map(|mapping| mapping.target.split('.').next().unwrap_or_default());
    mapped.chain(result).chain(collected)
}
