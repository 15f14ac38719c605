//! What every activity may carry: mappings, headers, properties, multi-instance.

use std::collections::BTreeMap;

use halsonav_expression::Template;

use super::reader::{self, Reader};
use super::rule;
use super::xml::{self, Element};
use crate::graph::{IoMapping, Mapping, Repeat};

impl<'a> Reader<'a, '_> {
    /// `zeebe:ioMapping`.
    pub(crate) fn io(&mut self, element: Element<'a>) -> IoMapping {
        let mut io = IoMapping::default();
        let Some(holder) = xml::zeebe(element, "ioMapping") else {
            return io;
        };
        for line in holder
            .children()
            .filter(|line| line.tag_name().namespace() == Some(xml::ZEEBE))
        {
            let side = match line.tag_name().name() {
                "input" => &mut io.inputs,
                "output" => &mut io.outputs,
                _ => continue,
            };
            side.extend(self.mapping(line));
        }
        io
    }

    fn mapping(&mut self, line: Element<'a>) -> Option<Mapping> {
        let target = xml::attribute(line, "target").unwrap_or_default();
        let source = xml::attribute(line, "source");
        if source.is_none() {
            self.report.at(
                &rule::MAPPING_SOURCE,
                line,
                format!("the mapping to '{target}' has no source"),
            );
        }
        if !target.split('.').all(reader::is_name) {
            self.report.at(
                &rule::MAPPING_TARGET,
                line,
                format!("'{target}' is not the name of a variable"),
            );
            return None;
        }
        if target.split('.').next().is_some_and(reader::is_reserved) {
            self.report.at(
                &rule::VARIABLE_RESERVED,
                line,
                format!("a mapping writes '{target}'"),
            );
            return None;
        }
        let source = self.template(line, source?, &format!("mapping to {target}"))?;
        Some(Mapping {
            source,
            target: target.to_owned(),
        })
    }

    /// `zeebe:taskHeaders`.
    pub(crate) fn headers(&mut self, element: Element<'a>) -> BTreeMap<String, String> {
        let Some(holder) = xml::zeebe(element, "taskHeaders") else {
            return BTreeMap::new();
        };
        let headers = holder
            .children()
            .filter(|header| header.tag_name().name() == "header");
        headers
            .filter_map(|header| Some((xml::attribute(header, "key")?, header.attribute("value")?)))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    /// `zeebe:properties`.
    pub(crate) fn properties(&mut self, element: Element<'a>) -> BTreeMap<String, Template> {
        let Some(holder) = xml::zeebe(element, "properties") else {
            return BTreeMap::new();
        };
        let mut properties = BTreeMap::new();
        for property in holder
            .children()
            .filter(|property| property.tag_name().name() == "property")
        {
            let Some(name) = xml::attribute(property, "name") else {
                continue;
            };
            let value = property.attribute("value").unwrap_or_default();
            if let Some(value) = self.template(property, value, name) {
                properties.insert(name.to_owned(), value);
            }
        }
        properties
    }

    /// Multi-instance.
    pub(crate) fn repeat(&mut self, element: Element<'a>) -> Option<Repeat> {
        if let Some(standard) = xml::child(element, "standardLoopCharacteristics") {
            self.report.at(
                &rule::STANDARD_LOOP,
                standard,
                "it loops by a condition of its own",
            );
        }
        let marker = xml::child(element, "multiInstanceLoopCharacteristics")?;
        let behavior = xml::attribute(marker, "behavior").unwrap_or("All");
        if behavior != "All" || xml::child(marker, "complexBehaviorDefinition").is_some() {
            self.report.at(
                &rule::REPEAT_BEHAVIOR,
                marker,
                format!("its behavior is {behavior}"),
            );
        }
        let completion = xml::child(marker, "completionCondition")
            .map(|condition| (condition, xml::text(condition)))
            .filter(|(_, text)| !text.is_empty())
            .and_then(|(condition, text)| self.expression(condition, &text, "completionCondition"));
        let loops = xml::zeebe(marker, "loopCharacteristics");
        let collection = loops.filter(|loops| xml::attribute(*loops, "inputCollection").is_some());
        let cardinality = xml::child(marker, "loopCardinality")
            .map(|c| (c, xml::text(c)))
            .filter(|(_, text)| !text.is_empty());
        let counted = cardinality.is_some();
        let collection = match (collection, cardinality) {
            (Some(loops), None) => self.feel(loops, "inputCollection", &rule::REPEAT_COLLECTION),
            (None, Some((at, text))) => self.cardinality(at, &text),
            (Some(_), Some(_)) => {
                self.report.at(
                    &rule::REPEAT_COLLECTION,
                    marker,
                    "it has both a collection and a cardinality",
                );
                None
            }
            (None, None) => {
                self.report.at(
                    &rule::REPEAT_COLLECTION,
                    marker,
                    "nothing says what to repeat over",
                );
                None
            }
        };
        let name = loops.and_then(|loops| self.variable(loops, "inputElement"));
        let output = loops.and_then(|loops| self.output(loops));
        let sequential = xml::flag(marker, "isSequential", false);
        Some(Repeat {
            sequential,
            collection: collection?,
            counted,
            element: name,
            output,
            completion,
        })
    }

    fn cardinality(
        &mut self,
        at: Element<'a>,
        text: &str,
    ) -> Option<halsonav_expression::Expression> {
        if text
            .parse::<f64>()
            .is_ok_and(|number| number < 0.0 || number.fract() != 0.0)
        {
            self.report.at(
                &rule::REPEAT_COLLECTION,
                at,
                format!("the loop cardinality is {text}"),
            );
            return None;
        }
        self.expression(at, text, "loopCardinality")
    }

    fn output(&mut self, loops: Element<'a>) -> Option<(String, halsonav_expression::Expression)> {
        let collection = self.variable(loops, "outputCollection");
        let element = self.feel(loops, "outputElement", &rule::REPEAT_OUTPUT);
        let (one, other) = (
            xml::attribute(loops, "outputCollection"),
            xml::attribute(loops, "outputElement"),
        );
        if one.is_some() != other.is_some() {
            self.report.at(
                &rule::REPEAT_OUTPUT,
                loops,
                "only one of outputCollection and outputElement is set",
            );
        }
        collection.zip(element)
    }
}
