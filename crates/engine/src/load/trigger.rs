//! What events refer to: messages, timers, codes, signals.

use halsonav_expression::{Template, calendar};

use super::reader::Reader;
use super::rule::{self, Rule};
use super::xml::{self, Element};
use crate::graph::{MessageRef, TimerDef};

/// Whether a cycle may stand in a place.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cycles {
    Allowed,
    Refused,
}

impl<'a> Reader<'a, '_> {
    /// The message that an event definition or receive task refers to.
    pub(crate) fn message(&mut self, element: Element<'a>, keyed: bool) -> Option<MessageRef> {
        let Some(id) = xml::reference(element, "messageRef") else {
            self.report
                .at(&rule::MESSAGE_MISSING, element, "no message is chosen");
            return None;
        };
        let Some(&message) = self.globals.messages.get(id) else {
            return self.dangling(element, "message", id);
        };
        let Some(name) = xml::attribute(message, "name") else {
            self.report.at(
                &rule::MESSAGE_NO_NAME,
                message,
                format!("the message '{id}' has no name"),
            );
            return None;
        };
        let name = self.template(message, name, "message name")?;
        let subscription = xml::zeebe(message, "subscription");
        let correlation =
            subscription.and_then(|key| self.feel(key, "correlationKey", &rule::MESSAGE_NO_KEY));
        let written =
            subscription.is_some_and(|key| xml::attribute(key, "correlationKey").is_some());
        if keyed && !written {
            self.report.at(
                &rule::MESSAGE_NO_KEY,
                element,
                format!("the message '{id}' has no correlation key"),
            );
        }
        Some(MessageRef { name, correlation })
    }

    /// A timer.
    pub(crate) fn timer(&mut self, definition: Element<'a>, cycles: Cycles) -> Option<TimerDef> {
        let mut texts =
            xml::children(definition).filter(|child| child.tag_name().name().starts_with("time"));
        let Some(element) = texts.next() else {
            self.report.at(
                &rule::TIMER_MISSING,
                definition,
                "the timer has neither date, duration nor cycle",
            );
            return None;
        };
        if texts.next().is_some() {
            self.report.at(
                &rule::TIMER_SEVERAL,
                definition,
                "the timer has more than one of date, duration and cycle",
            );
            return None;
        }
        let (name, text) = (element.tag_name().name(), xml::text(element));
        if text.is_empty() {
            self.report
                .at(&rule::TIMER_MISSING, element, format!("{name} is empty"));
            return None;
        }
        let template = self.template(element, &text, name)?;
        self.timer_text(element, &template)?;
        Some(match name {
            "timeDate" => TimerDef::Date(template),
            "timeDuration" => TimerDef::Duration(template),
            "timeCycle" if cycles == Cycles::Allowed => TimerDef::Cycle(template),
            "timeCycle" => {
                self.report.at(
                    &rule::TIMER_CYCLE,
                    element,
                    "a cycle would fire more than once here",
                );
                return None;
            }
            _ => {
                self.report.at(
                    &rule::ELEMENT_UNKNOWN,
                    element,
                    format!("'{name}' does not belong in a timer"),
                );
                return None;
            }
        })
    }

    /// Checks a literal now; what an expression gives is checked when it runs.
    fn timer_text(&mut self, element: Element<'a>, template: &Template) -> Option<()> {
        let Some(text) = template.literal() else {
            return Some(());
        };
        let fault = match element.tag_name().name() {
            "timeDate" => calendar::moment(text).err(),
            "timeDuration" => calendar::Duration::parse(text).err(),
            "timeCycle" => calendar::Cycle::parse(text).err(),
            _ => None,
        };
        let Some(fault) = fault else { return Some(()) };
        let rule = if fault.rule == "timer-cron" {
            &rule::TIMER_CRON
        } else {
            &rule::TIMER_TEXT
        };
        self.report
            .at(rule, element, format!("'{text}': {}", fault.message));
        None
    }

    /// The code that is thrown.
    pub(crate) fn thrown_code(&mut self, definition: Element<'a>, sort: Coded) -> Option<Template> {
        let Some(element) = self.coded(definition, sort)? else {
            self.report.at(
                sort.missing(),
                definition,
                format!("no {} is chosen", sort.name()),
            );
            return None;
        };
        let text = self.code(element, sort)?;
        self.template(element, text, "code")
    }

    /// The code that is caught: `Some(None)` catches every one.
    pub(crate) fn caught_code(
        &mut self,
        definition: Element<'a>,
        sort: Coded,
    ) -> Option<Option<Template>> {
        let Some(element) = self.coded(definition, sort)? else {
            return Some(None);
        };
        let text = self.code(element, sort)?;
        if text.starts_with('=') {
            self.report.at(
                &rule::CATCH_CODE,
                definition,
                format!("the code of '{}' is an expression", sort.name()),
            );
            return None;
        }
        Some(Some(Template::Literal(text.to_owned())))
    }

    fn coded(&mut self, definition: Element<'a>, sort: Coded) -> Option<Option<Element<'a>>> {
        let Some(id) = xml::reference(definition, sort.attribute()) else {
            return Some(None);
        };
        let shelf = match sort {
            Coded::Error => &self.globals.errors,
            Coded::Escalation => &self.globals.escalations,
        };
        match shelf.get(id) {
            Some(element) => Some(Some(*element)),
            None => self.dangling(definition, sort.name(), id),
        }
    }

    fn code(&mut self, element: Element<'a>, sort: Coded) -> Option<&'a str> {
        let code = xml::attribute(element, sort.code());
        if code.is_none() {
            self.report.at(
                sort.no_code(),
                element,
                format!("the {} has no code", sort.name()),
            );
        }
        code
    }

    /// The signal of an event.
    pub(crate) fn signal(&mut self, definition: Element<'a>) -> Option<Template> {
        let Some(id) = xml::reference(definition, "signalRef") else {
            self.report
                .at(&rule::SIGNAL_MISSING, definition, "no signal is chosen");
            return None;
        };
        let Some(&signal) = self.globals.signals.get(id) else {
            return self.dangling(definition, "signal", id);
        };
        let Some(name) = xml::attribute(signal, "name") else {
            self.report.at(
                &rule::SIGNAL_NO_NAME,
                signal,
                format!("the signal '{id}' has no name"),
            );
            return None;
        };
        self.template(signal, name, "signal name")
    }

    /// A reference that leads nowhere.
    pub(crate) fn dangling<T>(&mut self, element: Element<'_>, sort: &str, id: &str) -> Option<T> {
        self.report.at(
            &rule::REFERENCE_DANGLING,
            element,
            format!("there is no {sort} '{id}'"),
        );
        None
    }
}

/// Events that are told apart by a code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coded {
    Error,
    Escalation,
}

impl Coded {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Escalation => "escalation",
        }
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::Error => "errorRef",
            Self::Escalation => "escalationRef",
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Error => "errorCode",
            Self::Escalation => "escalationCode",
        }
    }

    fn missing(self) -> &'static Rule {
        match self {
            Self::Error => &rule::ERROR_MISSING,
            Self::Escalation => &rule::ESCALATION_MISSING,
        }
    }

    fn no_code(self) -> &'static Rule {
        match self {
            Self::Error => &rule::ERROR_NO_CODE,
            Self::Escalation => &rule::ESCALATION_NO_CODE,
        }
    }
}
