//! Second pass: what every reader of a part of the file has at hand.

use halsonav_expression::{Decisions, Expression, Template};

use super::Known;
use super::globals::Globals;
use super::report::Report;
use super::rule::{self, Rule};
use super::sketch::Sketch;
use super::xml::{self, Element};

/// Reads the parts of one process.
pub(crate) struct Reader<'a, 'r> {
    pub(crate) globals: &'r Globals<'a>,
    pub(crate) sketch: &'r Sketch<'a>,
    pub(crate) decisions: &'r Decisions,
    pub(crate) known: &'r dyn Known,
    pub(crate) report: &'r mut Report,
}

impl<'a> Reader<'a, '_> {
    /// Text that is a literal, or FEEL after a `=`.
    pub(crate) fn template(
        &mut self,
        element: Element<'_>,
        text: &str,
        what: &str,
    ) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) => Some(template),
            Err(fault) => {
                self.report.feel(fault, element, what);
                None
            }
        }
    }

    /// An attribute that is a literal, or FEEL after a `=`.
    pub(crate) fn attribute(&mut self, element: Element<'_>, name: &str) -> Option<Template> {
        xml::attribute(element, name).and_then(|text| self.template(element, text, name))
    }

    /// FEEL, with or without its `=`.
    pub(crate) fn expression(
        &mut self,
        element: Element<'_>,
        text: &str,
        what: &str,
    ) -> Option<Expression> {
        let text = text.trim_start();
        match Expression::parse(text.strip_prefix('=').unwrap_or(text)) {
            Ok(expression) => Some(expression),
            Err(fault) => {
                self.report.feel(fault, element, what);
                None
            }
        }
    }

    /// An attribute that must be FEEL after a `=`; breaks `rule` otherwise.
    pub(crate) fn feel(
        &mut self,
        element: Element<'_>,
        name: &str,
        rule: &'static Rule,
    ) -> Option<Expression> {
        let text = xml::attribute(element, name)?;
        if !text.starts_with('=') {
            self.report.at(
                rule,
                element,
                format!("{name} '{text}' is plain text; an expression begins with ="),
            );
            return None;
        }
        self.expression(element, text, name)
    }

    /// An attribute that names a variable.
    pub(crate) fn variable(&mut self, element: Element<'_>, name: &str) -> Option<String> {
        let text = xml::attribute(element, name)?;
        if !is_name(text) {
            self.report.at(
                &rule::VARIABLE_NAME,
                element,
                format!("{name} '{text}' is not a name"),
            );
            return None;
        }
        if is_reserved(text) {
            self.report.at(
                &rule::VARIABLE_RESERVED,
                element,
                format!("{name} is '{text}'"),
            );
            return None;
        }
        Some(text.to_owned())
    }
}

/// Whether a text can stand in FEEL as a name without spaces.
pub(crate) fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|c| c.is_alphanumeric() || c == '_')
}

/// Names that the engine supplies.
pub(crate) fn is_reserved(name: &str) -> bool {
    matches!(name, "clock" | "loopCounter")
}
