//! Extension elements: which are run, which are left out, which must not be.

use std::collections::HashSet;

use super::report::Report;
use super::rule;
use super::xml::{self, Element};

/// Zeebe extension elements that are read, with where each belongs.
const READ: &[(&str, &[&str])] = &[
    (
        "taskDefinition",
        &[
            "serviceTask",
            "sendTask",
            "businessRuleTask",
            "scriptTask",
            "intermediateThrowEvent",
            "endEvent",
        ],
    ),
    ("ioMapping", NODES),
    ("taskHeaders", NODES),
    ("properties", NODES),
    ("calledDecision", &["businessRuleTask"]),
    ("calledElement", &["callActivity"]),
    ("script", &["scriptTask"]),
    ("userTask", &["userTask"]),
    ("formDefinition", &["userTask"]),
    ("assignmentDefinition", &["userTask"]),
    ("taskSchedule", &["userTask"]),
    ("priorityDefinition", &["userTask"]),
    ("loopCharacteristics", &["multiInstanceLoopCharacteristics"]),
    ("subscription", &["message"]),
    ("versionTag", &["process"]),
    ("userTaskForm", &["process"]),
];

const NODES: &[&str] = &[
    "startEvent",
    "endEvent",
    "intermediateCatchEvent",
    "intermediateThrowEvent",
    "boundaryEvent",
    "task",
    "manualTask",
    "serviceTask",
    "sendTask",
    "receiveTask",
    "userTask",
    "scriptTask",
    "businessRuleTask",
    "callActivity",
    "subProcess",
];

/// Looks at every extension element of the file.
pub(crate) fn check(definitions: Element<'_>, report: &mut Report) {
    let bpmn = definitions
        .descendants()
        .filter(|e| e.tag_name().namespace() == Some(xml::BPMN));
    for element in bpmn {
        match element.tag_name().name() {
            "extensionElements" => holder(element, report),
            "assignment" | "transformation" => report.at(
                &rule::DATA_IGNORED,
                element,
                "a data association is left out",
            ),
            _ => {}
        }
    }
}

fn holder(holder: Element<'_>, report: &mut Report) {
    let Some(owner) = holder.parent_element() else {
        return;
    };
    let on = owner.tag_name().name();
    let mut seen = HashSet::new();
    for extension in holder.children().filter(|child| child.is_element()) {
        let name = extension.tag_name().name();
        if extension.tag_name().namespace() != Some(xml::ZEEBE) {
            report.at(
                &rule::FOREIGN_EXTENSION,
                extension,
                format!("'{name}' is left out"),
            );
            continue;
        }
        if !seen.insert(name) {
            report.at(
                &rule::ZEEBE_DUPLICATE,
                extension,
                format!("zeebe:{name} stands there twice"),
            );
        }
        match READ.iter().find(|(known, _)| *known == name) {
            Some((_, places)) if places.contains(&on) => {}
            Some(_) => report.at(
                &rule::ZEEBE_MISPLACED,
                extension,
                format!("zeebe:{name} means nothing on a {on}"),
            ),
            None => report.at(
                &rule::ZEEBE_UNSUPPORTED,
                extension,
                format!("zeebe:{name} is not run"),
            ),
        }
    }
}
