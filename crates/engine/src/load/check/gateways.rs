//! Gateways, and flows with conditions.

use std::collections::HashMap;

use super::super::report::Report;
use super::super::rule;
use super::super::sketch::{Shape, Sketch, Tag};
use super::super::xml::{self, Element};
use crate::graph::{Definition, Node, NodeKind, Trigger};

type FlowElements<'a> = HashMap<&'a str, Element<'a>>;

pub(super) fn check(definition: &Definition, sketch: &Sketch<'_>, report: &mut Report) {
    let elements = sketch.flow_elements();
    for (ix, shape) in sketch.numbered() {
        let node = definition.node(ix);
        conditions(definition, node, shape, &elements, report);
        if shape.tag.is_gateway() {
            direction(node, shape, report);
            if node.incoming.len() < 2 && node.outgoing.len() < 2 && shape.tag != Tag::EventBased {
                report.at(
                    &rule::GATEWAY_IDLE,
                    shape.element,
                    "it has one flow in and one out",
                );
            }
        }
        if shape.tag == Tag::EventBased {
            event_based(definition, node, sketch, shape, report);
        }
    }
}

fn conditions(
    definition: &Definition,
    node: &Node,
    shape: &Shape<'_>,
    elements: &FlowElements<'_>,
    report: &mut Report,
) {
    let chooses = matches!(shape.tag, Tag::Exclusive | Tag::Inclusive);
    let activity = shape.tag.is_activity();
    let flows = || {
        node.outgoing
            .iter()
            .filter_map(|flow| Some((*flow, *elements.get(definition.flow(*flow).id.as_str())?)))
    };
    let is_conditional =
        |element: Element<'_>| xml::child(element, "conditionExpression").is_some();
    if node.default.is_some() && !chooses && !activity {
        report.at(&rule::DEFAULT_PLACE, shape.element, "it has a default flow");
    }
    for (flow, element) in flows() {
        let conditional = is_conditional(element);
        if node.default == Some(flow) {
            if conditional {
                report.at(
                    &rule::DEFAULT_CONDITIONAL,
                    element,
                    "it is the default, and has a condition",
                );
            }
        } else if chooses && !conditional && node.outgoing.len() > 1 {
            let message = format!("nothing says when it is taken out of '{}'", node.id);
            report.at(&rule::CONDITION_MISSING, element, message);
        }
        if activity && conditional && node.outgoing.len() == 1 {
            report.at(
                &rule::CONDITION_ALONE,
                element,
                "it is the only way on, and has a condition",
            );
        }
    }
    if activity && node.default.is_some() && !flows().any(|(_, element)| is_conditional(element)) {
        report.at(
            &rule::DEFAULT_ALONE,
            shape.element,
            "no other flow has a condition",
        );
    }
}

fn direction(node: &Node, shape: &Shape<'_>, report: &mut Report) {
    let (several_in, several_out) = (node.incoming.len() > 1, node.outgoing.len() > 1);
    let said = xml::attribute(shape.element, "gatewayDirection").unwrap_or("Unspecified");
    let so = match said {
        "Converging" => several_in && !several_out,
        "Diverging" => several_out && !several_in,
        "Mixed" => several_in && several_out,
        other => other == "Unspecified",
    };
    if !so {
        let (incoming, outgoing) = (node.incoming.len(), node.outgoing.len());
        let message = format!("it says {said}, and has {incoming} flows in and {outgoing} out");
        report.at(&rule::GATEWAY_DIRECTION, shape.element, message);
    }
}

fn event_based(
    definition: &Definition,
    node: &Node,
    sketch: &Sketch<'_>,
    shape: &Shape<'_>,
    report: &mut Report,
) {
    if node.outgoing.len() < 2 {
        report.at(
            &rule::EVENT_GATEWAY_FEW,
            shape.element,
            format!("it leads to {} events", node.outgoing.len()),
        );
    }
    let (mut receives, mut messages) = (false, false);
    for flow in &node.outgoing {
        let ix = definition.flow(*flow).target;
        let (target, other) = (definition.node(ix), sketch.shape_at(ix));
        receives |= other.tag == Tag::Receive;
        messages |=
            other.tag == Tag::Catch && matches!(target.kind, NodeKind::Catch(Trigger::Message(_)));
        let waits = matches!(other.tag, Tag::Receive | Tag::Catch)
            && !matches!(target.kind, NodeKind::Catch(Trigger::Link(_)));
        if !waits || target.repeat.is_some() {
            report.at(
                &rule::EVENT_GATEWAY_TARGET,
                other.element,
                format!("it follows '{}'", node.id),
            );
            continue;
        }
        if target.incoming.len() > 1 {
            report.at(
                &rule::EVENT_GATEWAY_SHARED,
                other.element,
                format!("it follows '{}' and something else", node.id),
            );
        }
        if !target.boundaries.is_empty() {
            report.at(
                &rule::EVENT_GATEWAY_BOUNDARY,
                other.element,
                format!("it follows '{}'", node.id),
            );
        }
    }
    if receives && messages {
        report.at(
            &rule::EVENT_GATEWAY_MIXED,
            shape.element,
            "it leads to both message events and receive tasks",
        );
    }
}
