//! Where flows may lead, and what must have one.

use std::collections::HashSet;

use super::super::report::Report;
use super::super::rule;
use super::super::sketch::{Sketch, Tag};
use super::super::xml;
use crate::graph::{Definition, Node, NodeIx, NodeKind, Throw, Trigger};

pub(super) fn check(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    let elements = sketch.flow_elements();
    for flow in &definition.flows {
        let Some(&element) = elements.get(flow.id.as_str()) else {
            continue;
        };
        if !xml::flag(element, "isImmediate", true) {
            report.at(
                &rule::FLOW_NOT_IMMEDIATE,
                element,
                "its isImmediate is false",
            );
        }
        let (from, to) = (definition.node(flow.source), definition.node(flow.target));
        let tags = (
            sketch.shape_at(flow.source).tag,
            sketch.shape_at(flow.target).tag,
        );
        let rule = match tags {
            (_, Tag::Start) => &rule::FLOW_INTO_START,
            (Tag::End, _) => &rule::FLOW_OUT_OF_END,
            (_, Tag::Boundary) => &rule::FLOW_INTO_BOUNDARY,
            (Tag::EventSubProcess, _) | (_, Tag::EventSubProcess) => &rule::FLOW_EVENT_SUBPROCESS,
            _ if from.for_compensation || to.for_compensation || compensates(from) => {
                &rule::COMPENSATION_FLOW
            }
            _ if matches!(from.kind, NodeKind::Throw(Throw::Link(_))) || is_link_catch(to) => {
                &rule::LINK_FLOW
            }
            _ => continue,
        };
        report.at(
            rule,
            element,
            format!("it leads from '{}' to '{}'", from.id, to.id),
        );
    }
    for frame in &sketch.frames {
        match (frame.starts.is_empty(), frame.ends) {
            (true, true) => report.at(
                &rule::START_MISSING,
                frame.element,
                "it has an end event, but no start event",
            ),
            (false, false) => report.at(
                &rule::END_MISSING,
                frame.element,
                "it has a start event, but no end event",
            ),
            _ => {}
        }
    }
    for (ix, shape) in sketch.numbered() {
        ends(definition, sketch, ix, report);
        listed(definition.node(ix), definition, shape.element, report);
    }
}

/// Whether a node is led to and leads on.
fn ends(definition: &Definition, sketch: &Sketch<'_>, ix: NodeIx, report: &mut Report) {
    let (node, shape) = (definition.node(ix), sketch.shape_at(ix));
    let frame = &sketch.frames[shape.scope as usize];
    let apart = node.for_compensation || shape.tag == Tag::EventSubProcess;
    let link = xml::child(shape.element, "linkEventDefinition").is_some();
    let begins = matches!(shape.tag, Tag::Start | Tag::Boundary) || link;
    if node.incoming.is_empty() && !frame.starts.is_empty() && !apart && !begins {
        report.at(&rule::NO_INCOMING, shape.element, "no flow leads to it");
    }
    let ends = shape.tag == Tag::End || link;
    if node.outgoing.is_empty() && !apart && !ends {
        if shape.tag == Tag::Boundary {
            if !compensates(node) {
                report.at(
                    &rule::BOUNDARY_DEAD_END,
                    shape.element,
                    "nothing follows it",
                );
            }
        } else if frame.ends {
            report.at(&rule::NO_OUTGOING, shape.element, "no flow leads out of it");
        }
    }
    let unconditional =
        |flow: &&u32| definition.flow(**flow).condition.is_none() && node.default != Some(**flow);
    if !shape.tag.is_gateway() && node.outgoing.iter().filter(unconditional).count() > 1 {
        report.at(
            &rule::IMPLICIT_SPLIT,
            shape.element,
            "several flows lead out of it",
        );
    }
}

/// `incoming` and `outgoing` may be left out, but what they say must be so.
fn listed(node: &Node, definition: &Definition, element: xml::Element<'_>, report: &mut Report) {
    for (side, flows) in [("incoming", &node.incoming), ("outgoing", &node.outgoing)] {
        let own: HashSet<&str> = flows
            .iter()
            .map(|flow| definition.flow(*flow).id.as_str())
            .collect();
        for child in xml::children(element).filter(|child| child.tag_name().name() == side) {
            let id = xml::text(child);
            if !own.contains(xml::local(&id)) {
                report.at(
                    &rule::REFERENCE_DANGLING,
                    child,
                    format!("it lists '{id}' as {side}, which is no such flow"),
                );
            }
        }
    }
}

fn compensates(node: &Node) -> bool {
    matches!(
        node.kind,
        NodeKind::Boundary {
            trigger: Trigger::Compensation(_),
            ..
        }
    )
}

fn is_link_catch(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Catch(Trigger::Link(_)))
}
