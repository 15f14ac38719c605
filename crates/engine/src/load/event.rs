//! Events: which may stand where, and what they wait for or do.

use super::reader::Reader;
use super::rule;
use super::sketch::{Shape, Tag};
use super::trigger::{Coded, Cycles};
use super::xml::{self, Element};
use crate::graph::{NodeIx, NodeKind, Throw, Trigger};

/// Where a catching event stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    ProcessStart,
    EventSubProcessStart { interrupting: bool },
    Intermediate,
    Boundary { interrupting: bool },
}

impl<'a> Reader<'a, '_> {
    /// A start event.
    pub(crate) fn start(&mut self, shape: &Shape<'a>) -> Option<NodeKind> {
        let frame = &self.sketch.frames[shape.scope as usize];
        let held_by = frame.host.map(|host| self.sketch.shape_at(host).tag);
        let definition = self.definition(shape.element)?;
        let Some(definition) = definition else {
            return Some(NodeKind::Start(None));
        };
        let place = match held_by {
            None => Place::ProcessStart,
            Some(Tag::EventSubProcess) => Place::EventSubProcessStart {
                interrupting: xml::flag(shape.element, "isInterrupting", true),
            },
            Some(_) => {
                self.report.at(
                    &rule::START_TRIGGER,
                    shape.element,
                    "a sub-process starts when it is reached, not by an event",
                );
                return None;
            }
        };
        self.caught(shape, definition, place)
            .map(|trigger| NodeKind::Start(Some(trigger)))
    }

    /// An intermediate catch event.
    pub(crate) fn catch(&mut self, shape: &Shape<'a>) -> Option<NodeKind> {
        let Some(definition) = self.definition(shape.element)? else {
            self.report.at(
                &rule::EVENT_NO_DEFINITION,
                shape.element,
                "nothing says what it waits for",
            );
            return None;
        };
        self.caught(shape, definition, Place::Intermediate)
            .map(NodeKind::Catch)
    }

    /// A boundary event.
    pub(crate) fn boundary(&mut self, shape: &Shape<'a>) -> Option<NodeKind> {
        let host = self.host(shape);
        let interrupting = xml::flag(shape.element, "cancelActivity", true);
        let Some(definition) = self.definition(shape.element)? else {
            self.report.at(
                &rule::EVENT_NO_DEFINITION,
                shape.element,
                "nothing says what it waits for",
            );
            return None;
        };
        let trigger = self.caught(shape, definition, Place::Boundary { interrupting })?;
        let interrupting = interrupting && !matches!(trigger, Trigger::Compensation(_));
        Some(NodeKind::Boundary {
            host: host?,
            interrupting,
            trigger,
        })
    }

    fn host(&mut self, shape: &Shape<'a>) -> Option<NodeIx> {
        let id = xml::reference(shape.element, "attachedToRef");
        let host = id.and_then(|id| self.sketch.find(id));
        let fitting = host.filter(|ix| {
            let host = self.sketch.shape_at(*ix);
            // A host that is refused has a fault of its own.
            let activity = host.tag.is_activity() || host.tag == Tag::Refused;
            host.scope == shape.scope && activity && host.tag != Tag::EventSubProcess
        });
        if fitting.is_none() {
            let message = match (id, host) {
                (None, _) => "it is attached to nothing".to_owned(),
                (Some(id), None) => format!("it is attached to '{id}', which does not exist"),
                (Some(id), Some(_)) => {
                    format!("it is attached to '{id}', which is not an activity beside it")
                }
            };
            self.report.at(&rule::BOUNDARY_HOST, shape.element, message);
        }
        fitting
    }

    /// What an event in this place waits for.
    fn caught(
        &mut self,
        shape: &Shape<'a>,
        definition: Element<'a>,
        place: Place,
    ) -> Option<Trigger> {
        let interrupting = match place {
            Place::Boundary { interrupting } | Place::EventSubProcessStart { interrupting } => {
                interrupting
            }
            Place::ProcessStart | Place::Intermediate => true,
        };
        let sided = matches!(
            place,
            Place::Boundary { .. } | Place::EventSubProcessStart { .. }
        );
        match definition.tag_name().name() {
            "messageEventDefinition" => self
                .message(definition, place != Place::ProcessStart)
                .map(Trigger::Message),
            "timerEventDefinition" => {
                let repeats = place == Place::ProcessStart || !interrupting;
                let cycles = if repeats {
                    Cycles::Allowed
                } else {
                    Cycles::Refused
                };
                self.timer(definition, cycles).map(Trigger::Timer)
            }
            "signalEventDefinition" => self.signal(definition).map(Trigger::Signal),
            "errorEventDefinition" if sided => {
                if !interrupting {
                    self.report.at(
                        &rule::EVENT_NOT_INTERRUPTING,
                        shape.element,
                        "an error event that does not interrupt",
                    );
                }
                self.caught_code(definition, Coded::Error)
                    .map(Trigger::Error)
            }
            "escalationEventDefinition" if sided => self
                .caught_code(definition, Coded::Escalation)
                .map(Trigger::Escalation),
            "compensateEventDefinition" if matches!(place, Place::Boundary { .. }) => {
                self.handler(shape).map(Trigger::Compensation)
            }
            "linkEventDefinition" if place == Place::Intermediate => self
                .link_name(definition)
                .map(|name| Trigger::Link(name.to_owned())),
            _ => self.misplaced(shape, definition),
        }
    }

    /// What an intermediate throw or end event does.
    pub(crate) fn throw(&mut self, shape: &Shape<'a>) -> Option<NodeKind> {
        let end = shape.tag == Tag::End;
        let wrap = if end { NodeKind::End } else { NodeKind::Throw };
        let Some(definition) = self.definition(shape.element)? else {
            return Some(wrap(Throw::None));
        };
        let throw = match definition.tag_name().name() {
            "messageEventDefinition" => Throw::Message(self.job(shape.element)?),
            "signalEventDefinition" => Throw::Signal(self.signal(definition)?),
            "escalationEventDefinition" => {
                Throw::Escalation(self.thrown_code(definition, Coded::Escalation)?)
            }
            "errorEventDefinition" if end => {
                Throw::Error(self.thrown_code(definition, Coded::Error)?)
            }
            "terminateEventDefinition" if end => Throw::Terminate,
            "compensateEventDefinition" => {
                Throw::Compensation(self.compensated(shape, definition)?)
            }
            "linkEventDefinition" if !end => Throw::Link(self.link_target(shape, definition)?),
            _ => return self.misplaced(shape, definition),
        };
        Some(wrap(throw))
    }

    /// The one event definition of an event; `Some(None)` if it has none.
    fn definition(&mut self, event: Element<'a>) -> Option<Option<Element<'a>>> {
        if xml::flag(event, "parallelMultiple", false) {
            self.report.at(
                &rule::PARALLEL_MULTIPLE,
                event,
                "it would wait for several triggers at once",
            );
            return None;
        }
        let mut found = Vec::new();
        for child in xml::children(event) {
            let name = child.tag_name().name();
            if name == "eventDefinitionRef" {
                let id = xml::text(child);
                match self.globals.triggers.get(xml::local(&id)) {
                    Some(definition) => found.push(*definition),
                    None => return self.dangling(child, "event definition", &id),
                }
            } else if name.ends_with("EventDefinition") {
                found.push(child);
            }
        }
        if found.len() > 1 {
            self.report.at(
                &rule::SEVERAL_DEFINITIONS,
                event,
                format!("it has {} event definitions", found.len()),
            );
            return None;
        }
        Some(found.pop())
    }

    fn misplaced<T>(&mut self, shape: &Shape<'a>, definition: Element<'a>) -> Option<T> {
        let (sort, place) = (
            definition.tag_name().name(),
            shape.element.tag_name().name(),
        );
        let rule = match sort {
            "conditionalEventDefinition" => &rule::CONDITIONAL_EVENT,
            "cancelEventDefinition" => &rule::CANCEL_EVENT,
            _ if shape.tag == Tag::Start => &rule::START_TRIGGER,
            _ => &rule::EVENT_PLACE,
        };
        self.report.at(
            rule,
            shape.element,
            format!("a {sort} has no meaning on this {place}"),
        );
        None
    }
}
