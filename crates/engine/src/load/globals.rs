//! What stands beside the processes in a file: messages, errors, escalations, signals.

use std::collections::HashMap;

use super::report::Report;
use super::rule;
use super::xml::{self, Element};

const MAX_PROCESSES: usize = 200;

/// Root elements by sort and id.
#[derive(Default)]
pub(crate) struct Globals<'a> {
    pub(crate) messages: HashMap<&'a str, Element<'a>>,
    pub(crate) errors: HashMap<&'a str, Element<'a>>,
    pub(crate) escalations: HashMap<&'a str, Element<'a>>,
    pub(crate) signals: HashMap<&'a str, Element<'a>>,
    /// Event definitions that events refer to with `eventDefinitionRef`.
    pub(crate) triggers: HashMap<&'a str, Element<'a>>,
    pub(crate) processes: Vec<Element<'a>>,
}

impl<'a> Globals<'a> {
    /// Looks over the root elements.
    pub(crate) fn of(definitions: Element<'a>, report: &mut Report) -> Self {
        let mut globals = Self::default();
        for element in xml::children(definitions) {
            let name = element.tag_name().name();
            let shelf = match name {
                "process" => {
                    globals.processes.push(element);
                    if globals.processes.len() == MAX_PROCESSES + 1 {
                        let message = format!("more than {MAX_PROCESSES} processes");
                        report.at(&rule::FILE_TOO_LARGE, element, message);
                    }
                    continue;
                }
                "message" => &mut globals.messages,
                "error" => &mut globals.errors,
                "escalation" => &mut globals.escalations,
                "signal" => &mut globals.signals,
                _ if name.ends_with("EventDefinition") => &mut globals.triggers,
                _ if name.starts_with("global") && name.ends_with("Task") => {
                    report.at(&rule::GLOBAL_TASK, element, format!("{name} is not run"));
                    continue;
                }
                "choreography" | "globalChoreographyTask" | "globalConversation" => {
                    report.at(&rule::CHOREOGRAPHY, element, format!("{name} is not run"));
                    continue;
                }
                _ => continue,
            };
            match xml::attribute(element, "id") {
                Some(id) => {
                    shelf.entry(id).or_insert(element);
                }
                None => report.at(&rule::ID_MISSING, element, format!("a {name} has no id")),
            }
        }
        globals.processes.truncate(MAX_PROCESSES);
        globals
    }
}

/// Ids that stand twice in the model; diagram ids are their own affair.
pub(crate) fn duplicate_ids(definitions: Element<'_>, report: &mut Report) {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for element in definitions
        .descendants()
        .filter(|e| e.tag_name().namespace() == Some(xml::BPMN))
    {
        let Some(id) = xml::attribute(element, "id") else {
            continue;
        };
        let line = report.lines.line(element);
        if let Some(first) = seen.insert(id, line) {
            report.at(
                &rule::ID_DUPLICATE,
                element,
                format!("the id '{id}' is already used on line {first}"),
            );
        }
    }
}
