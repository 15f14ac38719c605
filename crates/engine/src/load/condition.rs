//! Conditions on sequence flows.

use halsonav_expression::Expression;

use super::reader::Reader;
use super::rule;
use super::sketch::Tag;
use super::xml::{self, Element};

impl<'a> Reader<'a, '_> {
    /// The condition of a flow that leaves a node of this sort.
    pub(crate) fn condition(&mut self, flow: Element<'a>, source: Tag) -> Option<Expression> {
        let element = xml::child(flow, "conditionExpression")?;
        let text = xml::text(element);
        if text.is_empty() {
            self.report
                .at(&rule::CONDITION_EMPTY, element, "its condition is empty");
            return None;
        }
        if source.is_event() || source == Tag::EventBased {
            self.report.at(
                &rule::CONDITION_PLACE,
                flow,
                "it has a condition, and leaves an event or event-based gateway",
            );
            return None;
        }
        if source == Tag::Parallel {
            self.report.at(
                &rule::CONDITION_IGNORED,
                flow,
                "its condition is not looked at",
            );
            return None;
        }
        self.is_feel(element, &text)
            .then(|| self.expression(element, &text, "condition"))
            .flatten()
    }

    /// A leading `=` says FEEL; otherwise no other language may be named.
    fn is_feel(&mut self, element: Element<'a>, text: &str) -> bool {
        let own = xml::attribute(element, "language");
        let whole = xml::attribute(element.document().root_element(), "expressionLanguage");
        // XPath is what BPMN assumes when nobody chose, and some tools write that out.
        let chosen =
            own.or(
                whole.filter(|language| !language.contains("XPath") && !language.contains("xpath"))
            );
        let other = chosen.filter(|language| {
            !text.starts_with('=') && !language.to_ascii_lowercase().contains("feel")
        });
        if let Some(language) = other {
            self.report.at(
                &rule::CONDITION_LANGUAGE,
                element,
                format!("its condition is in {language}"),
            );
        }
        other.is_none()
    }
}
