//! The list of faults while a file is read: nothing stops at the first.

use halsonav_expression::Fault as FeelFault;

use super::rule::Rule;
use super::xml::{Element, Lines};
use crate::fault::{Fault, Severity};

/// More than this nobody reads; the rest is left out so that a hostile file stays cheap.
const MAX_FAULTS: usize = 1_000;

pub(crate) struct Report {
    pub(crate) lines: Lines,
    process: Option<String>,
    faults: Vec<Fault>,
    refused: bool,
}

impl Report {
    pub(crate) fn new(lines: Lines) -> Self {
        Self {
            lines,
            process: None,
            faults: Vec::new(),
            refused: false,
        }
    }

    /// Faults from now on belong to this process.
    pub(crate) fn enter(&mut self, process: Option<&str>) {
        self.process = process.map(str::to_owned);
    }

    /// A fault at an element.
    pub(crate) fn at(
        &mut self,
        rule: &'static Rule,
        element: Element<'_>,
        message: impl Into<String>,
    ) {
        self.advised(rule, element, message, rule.advice);
    }

    /// A fault at an element, with advice for just this case.
    pub(crate) fn advised(
        &mut self,
        rule: &'static Rule,
        element: Element<'_>,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        let line = self.lines.line(element);
        self.raise(
            rule.id,
            rule.severity,
            Place {
                line,
                element: nearest_id(element),
            },
            message.into(),
            advice.into(),
        );
    }

    /// A fault at a node that is already compiled.
    pub(crate) fn on(
        &mut self,
        rule: &'static Rule,
        line: u32,
        id: &str,
        message: impl Into<String>,
    ) {
        let place = Place {
            line,
            element: Some(id.to_owned()),
        };
        self.raise(
            rule.id,
            rule.severity,
            place,
            message.into(),
            rule.advice.to_owned(),
        );
    }

    /// A fault in an expression, under the rule that the expression names.
    pub(crate) fn feel(&mut self, fault: FeelFault, element: Element<'_>, what: &str) {
        let place = Place {
            line: self.lines.line(element),
            element: nearest_id(element),
        };
        self.raise(
            fault.rule,
            Severity::Error,
            place,
            format!("{what}: {}", fault.message),
            fault.advice,
        );
    }

    fn raise(
        &mut self,
        rule: &'static str,
        severity: Severity,
        place: Place,
        message: String,
        advice: String,
    ) {
        self.refused |= severity == Severity::Error;
        let full = self.faults.len() >= MAX_FAULTS;
        // A full list still takes one error, so that a refusal always has a reason in it.
        if full && (severity == Severity::Warning || self.faults.iter().any(Fault::is_error)) {
            return;
        }
        self.faults.push(Fault {
            rule,
            severity,
            file: None,
            process: self.process.clone(),
            element: place.element,
            line: place.line,
            message,
            advice,
        });
    }

    /// Whether there is an error among them.
    pub(crate) fn refused(&self) -> bool {
        self.refused
    }

    /// All of them, in the order of the file.
    pub(crate) fn finish(mut self) -> Vec<Fault> {
        self.faults
            .sort_by(|a, b| (a.line, a.rule, &a.element).cmp(&(b.line, b.rule, &b.element)));
        self.faults.dedup();
        self.faults
    }
}

struct Place {
    line: u32,
    element: Option<String>,
}

/// The id a reader of the drawing knows: of the shape, not of the details inside it.
fn nearest_id(element: Element<'_>) -> Option<String> {
    let detail = |name: &str| {
        ["EventDefinition", "Expression", "Characteristics"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    let shapes = element
        .ancestors()
        .filter(|holder| !detail(holder.tag_name().name()));
    shapes
        .filter_map(|holder| holder.attribute("id"))
        .next()
        .map(str::to_owned)
}
