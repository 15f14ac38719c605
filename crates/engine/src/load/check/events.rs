//! Events against each other: what waits twice for the same, links and handlers without partner.

use std::collections::HashSet;

use super::super::report::Report;
use super::super::rule;
use super::super::sketch::Sketch;
use crate::graph::{Definition, NodeIx, NodeKind, Throw, Trigger};
use halsonav_expression::Template;

pub(super) fn check(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    for node in &definition.nodes {
        duplicates(definition, sketch, &node.boundaries, report);
        if matches!(node.kind, NodeKind::EventBased) {
            let targets: Vec<NodeIx> = node
                .outgoing
                .iter()
                .map(|flow| definition.flow(*flow).target)
                .collect();
            duplicates(definition, sketch, &targets, report);
        }
    }
    for scope in &definition.scopes {
        duplicates(definition, sketch, &scope.event_starts, report);
        let started = |ix: &NodeIx| match definition.node(*ix).kind {
            NodeKind::EventSubProcess { start, .. } => Some(start),
            _ => None,
        };
        let starts: Vec<NodeIx> = scope
            .event_subprocesses
            .iter()
            .filter_map(started)
            .collect();
        duplicates(definition, sketch, &starts, report);
    }
    links(definition, sketch, report);
    handlers(definition, sketch, report);
}

fn duplicates(
    definition: &Definition,
    sketch: &Sketch<'_>,
    waiting: &[NodeIx],
    report: &mut Report,
) {
    let mut seen = HashSet::new();
    for ix in waiting {
        let Some((sort, what)) = trigger(&definition.node(*ix).kind).and_then(awaited) else {
            continue;
        };
        if !seen.insert((sort, what.clone())) {
            let message = format!("another event beside it waits for the same {sort} {what}");
            report.at(
                &rule::CATCH_DUPLICATE,
                sketch.shape_at(*ix).element,
                message,
            );
        }
    }
}

fn trigger(kind: &NodeKind) -> Option<&Trigger> {
    match kind {
        NodeKind::Start(trigger) => trigger.as_ref(),
        NodeKind::Catch(trigger) | NodeKind::Boundary { trigger, .. } => Some(trigger),
        _ => None,
    }
}

/// The sort of trigger and what tells it apart from others of its sort, if anything does.
fn awaited(trigger: &Trigger) -> Option<(&'static str, String)> {
    let every = || "of any code".to_owned();
    Some(match trigger {
        Trigger::Message(message) => ("message", message.name.source()),
        Trigger::Signal(name) => ("signal", name.source()),
        Trigger::Error(code) => ("error", code.as_ref().map_or_else(every, Template::source)),
        Trigger::Escalation(code) => (
            "escalation",
            code.as_ref().map_or_else(every, Template::source),
        ),
        Trigger::Compensation(_) => ("compensation", String::new()),
        Trigger::Timer(_) | Trigger::Link(_) => return None,
    })
}

fn links(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    let thrown: HashSet<NodeIx> = definition
        .nodes
        .iter()
        .filter_map(|node| match node.kind {
            NodeKind::Throw(Throw::Link(target)) => Some(target),
            _ => None,
        })
        .collect();
    let mut caught = HashSet::new();
    for (ix, node) in (0..).zip(&definition.nodes) {
        let NodeKind::Catch(Trigger::Link(name)) = &node.kind else {
            continue;
        };
        let element = sketch.shape_at(ix).element;
        if !caught.insert((node.scope, name)) {
            report.at(
                &rule::LINK_DUPLICATE,
                element,
                format!("the link '{name}' is already caught here"),
            );
        } else if !thrown.contains(&ix) {
            report.at(
                &rule::LINK_NO_SOURCE,
                element,
                format!("the link '{name}' is never thrown here"),
            );
        }
    }
}

fn handlers(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    let tied: HashSet<NodeIx> = definition
        .nodes
        .iter()
        .filter_map(|node| match node.kind {
            NodeKind::Boundary {
                trigger: Trigger::Compensation(handler),
                ..
            } => Some(handler),
            _ => None,
        })
        .collect();
    for (ix, node) in (0..).zip(&definition.nodes) {
        if node.for_compensation && !tied.contains(&ix) {
            report.at(
                &rule::COMPENSATION_ORPHAN,
                sketch.shape_at(ix).element,
                "no compensation event is tied to it",
            );
        }
    }
}
