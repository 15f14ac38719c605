//! The FEEL in a decision: every text checked, the rest of the XML understood or refused.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::outline::{flat, is, line};
use crate::Fault;
use crate::bound::{Bound, Poly};
use crate::calendar::shorten;
use crate::feel::{Grammar, check};
use crate::fence::Surroundings;
use crate::scan::scan;

/// Most rules of a table.
const MAX_RULES: usize = 2000;

/// What is known of a decision or function once its texts have passed.
#[derive(Clone, Debug)]
pub struct Known {
    /// Names it reads that are not made by what it requires.
    pub reads: BTreeSet<String>,
    /// Names of members, which the parser must know to read texts as we do.
    pub members: BTreeSet<String>,
    /// Names of the functions it calls.
    pub calls: BTreeSet<String>,
    /// How much it can do.
    pub bound: Bound,
    pub splits: bool,
}

/// Checks every text in an element.
pub fn inspect(
    node: Node<'_, '_>,
    place: &str,
    names: &BTreeSet<String>,
    around: Surroundings,
) -> Result<Known, Vec<Fault>> {
    let mut visit = Visit {
        place,
        names,
        around,
        reads: BTreeSet::new(),
        members: BTreeSet::new(),
        calls: BTreeSet::new(),
        splits: false,
        faults: Vec::new(),
    };
    let bound = visit.children(node);
    visit.one_meaning_each(node);
    if visit.faults.is_empty() {
        Ok(Known {
            reads: visit.reads,
            members: visit.members,
            calls: visit.calls,
            bound,
            splits: visit.splits,
        })
    } else {
        Err(visit.faults)
    }
}

struct Visit<'a> {
    place: &'a str,
    names: &'a BTreeSet<String>,
    around: Surroundings,
    reads: BTreeSet<String>,
    members: BTreeSet<String>,
    calls: BTreeSet<String>,
    splits: bool,
    faults: Vec<Fault>,
}

impl Visit<'_> {
    /// The engine reads all texts of a decision with the same names known, so a name that is also a
    /// word of a function's name would break the function.
    fn one_meaning_each(&mut self, node: Node<'_, '_>) {
        let in_call = |name: &String| {
            self.calls
                .iter()
                .any(|call| call.split(' ').any(|word| word == name))
        };
        if let Some(name) = self.reads.iter().find(|name| in_call(name)) {
            let message = format!(
                "`{name}` is a variable and part of a function's name in the same decision"
            );
            self.fault(
                node,
                Fault::new("feel-name", message, "Give the variable another name"),
            );
        }
    }

    fn children(&mut self, node: Node<'_, '_>) -> Bound {
        let children = node.children().filter(Node::is_element);
        children
            .map(|child| self.element(child))
            .fold(Bound::literal(0), Bound::and)
    }

    fn element(&mut self, node: Node<'_, '_>) -> Bound {
        if let Some(language) = node.attribute("expressionLanguage")
            && !language.to_ascii_lowercase().contains("feel")
        {
            let message = format!(
                "the expression language `{}` is not FEEL",
                shorten(language)
            );
            self.fault(
                node,
                Fault::new("dmn-language", message, "Write it in FEEL"),
            );
        }
        match node.tag_name().name() {
            "description" | "question" | "allowedAnswers" | "annotationEntry"
            | "extensionElements" => Bound::literal(0),
            "formalParameter" => {
                if let Some(name) = node.attribute("name") {
                    self.around.locals.insert(flat(name), Bound::variable());
                }
                Bound::literal(0)
            }
            "encapsulatedLogic" => self.function(node),
            "functionDefinition" => {
                self.fault(
                    node,
                    Fault::new(
                        "dmn-function",
                        "a decision defines a function",
                        "Make it a business knowledge model",
                    ),
                );
                Bound::literal(0)
            }
            "for" | "some" | "every" | "filter" | "iterator" => {
                let message = format!("the boxed `{}` is not supported", node.tag_name().name());
                self.fault(
                    node,
                    Fault::new("dmn-boxed", message, "Write it as a literal expression"),
                );
                Bound::literal(0)
            }
            "contextEntry" => {
                let bound = self.children(node);
                let variable = node.children().find(|child| is(child, "variable"));
                if let Some(name) = variable.and_then(|variable| variable.attribute("name")) {
                    self.around.locals.insert(flat(name), bound);
                }
                bound
            }
            "invocation" => self.invocation(node),
            "decisionTable" => self.table(node),
            "text" => self.text(node),
            _ => self.children(node),
        }
    }

    fn function(&mut self, node: Node<'_, '_>) -> Bound {
        if let Some(kind) = node
            .attribute("kind")
            .filter(|kind| !kind.eq_ignore_ascii_case("FEEL"))
        {
            let message = format!("the function is of the kind {}", shorten(kind));
            let advice = "Move what it does into a task; decisions cannot reach the outside";
            self.fault(node, Fault::new("dmn-external-function", message, advice));
        }
        self.children(node)
    }

    /// A boxed call: the first expression is the function's name.
    fn invocation(&mut self, node: Node<'_, '_>) -> Bound {
        let called = node.children().find(|child| is(child, "literalExpression"));
        let name = called
            .and_then(|called| called.children().find(|child| is(child, "text")))
            .and_then(|text| text.text());
        let cost = name
            .and_then(|name| self.around.functions.get(&flat(name)))
            .copied();
        let Some(cost) = cost else {
            let message = "a boxed call names no business knowledge model that is required";
            self.fault(
                node,
                Fault::new("dmn-function", message, "Require the model, and name it"),
            );
            return Bound::literal(0);
        };
        let bindings = node.children().filter(|child| is(child, "binding"));
        let given = bindings
            .map(|binding| self.children(binding))
            .fold(Bound::literal(1), Bound::and);
        cost.call(given)
    }

    fn table(&mut self, node: Node<'_, '_>) -> Bound {
        let count = |node: Node<'_, '_>, name: &str| {
            node.children().filter(|child| is(child, name)).count()
        };
        let (inputs, outputs, rules) = (
            count(node, "input"),
            count(node, "output"),
            count(node, "rule"),
        );
        if rules > MAX_RULES {
            let message = format!("the table has {rules} rules; {MAX_RULES} are allowed");
            self.fault(
                node,
                Fault::new("dmn-too-large", message, "Split the table"),
            );
            return Bound::literal(0);
        }
        for rule in node.children().filter(|child| is(child, "rule")) {
            if count(rule, "inputEntry") != inputs || count(rule, "outputEntry") != outputs {
                let message = "a rule has not one entry for each input and output";
                self.fault(
                    rule,
                    Fault::new(
                        "dmn-table",
                        message,
                        "Open the table in a modeller and save it again",
                    ),
                );
            }
        }
        let named = |output: &Node<'_, '_>| {
            output
                .attribute("name")
                .is_some_and(|name| !name.trim().is_empty())
        };
        let mut all_outputs = node.children().filter(|child| is(child, "output"));
        if outputs == 0 || (outputs > 1 && !all_outputs.all(|output| named(&output))) {
            let message = if outputs == 0 {
                "the table has no output"
            } else {
                "an output has no name"
            };
            self.fault(
                node,
                Fault::new(
                    "dmn-table",
                    message,
                    "Name every output of a table with several",
                ),
            );
        }
        self.around.locals.insert("?".to_owned(), Bound::variable());
        let inputs: Vec<_> = node.children().filter(|child| is(child, "input")).collect();
        let of_inputs = inputs
            .iter()
            .map(|input| self.children(*input))
            .fold(Bound::literal(0), Bound::and);
        let others = node
            .children()
            .filter(|child| child.is_element() && !is(child, "input"));
        let of_rules = others
            .map(|other| self.element(other))
            .fold(Bound::literal(0), Bound::and);
        self.around.locals.remove("?");
        // Every rule evaluates every input anew.
        of_inputs
            .times(Poly::constant(1.0) + Bound::literal(rules).size.fixed)
            .and(of_rules)
    }

    fn text(&mut self, node: Node<'_, '_>) -> Bound {
        let grammar = match node.parent().map(|parent| parent.tag_name().name()) {
            Some(
                "inputEntry" | "inputValues" | "outputValues" | "allowedValues"
                | "defaultOutputEntry",
            ) => Grammar::UnaryTests,
            Some("inputExpression" | "outputEntry" | "literalExpression") => Grammar::Expression,
            _ => return Bound::literal(0),
        };
        let source = node.text().unwrap_or_default();
        if node.children().count() > 1 {
            let advice = "Write the expression without comments or marks of XML inside";
            self.fault(
                node,
                Fault::new("dmn-text", "a text is in several pieces", advice),
            );
        }
        if source.trim().is_empty() {
            return self.empty(node);
        }
        match check(source, grammar, self.names, &self.around) {
            Ok(facts) => {
                self.reads.extend(facts.reads.into_keys());
                self.splits |= facts.splits;
                if let Ok(seen) = scan(source) {
                    self.members.extend(seen.names);
                    self.calls
                        .extend(seen.calls.into_iter().map(|(name, _)| name));
                }
                let tested = grammar == Grammar::UnaryTests
                    || node
                        .parent()
                        .is_some_and(|parent| is(&parent, "inputExpression"));
                if tested {
                    facts.bound.dropped()
                } else {
                    facts.bound
                }
            }
            Err(fault) => {
                self.fault(node, fault);
                Bound::literal(0)
            }
        }
    }

    /// An empty cell means "any" on the left and null on the right; an empty input has no meaning.
    fn empty(&mut self, node: Node<'_, '_>) -> Bound {
        let parent = node.parent().map(|parent| parent.tag_name().name());
        if matches!(parent, Some("inputExpression" | "literalExpression")) {
            self.fault(
                node,
                Fault::new(
                    "feel-parse",
                    "the expression is empty",
                    "Write an expression, or `null`",
                ),
            );
        }
        Bound::literal(0)
    }

    fn fault(&mut self, node: Node<'_, '_>, fault: Fault) {
        let near = node.ancestors().find_map(|node| node.attribute("id"));
        let own = self.place.rsplit('#').next();
        let place = match near.filter(|id| Some(*id) != own) {
            Some(id) => format!("{}/{id}", self.place),
            None => self.place.to_owned(),
        };
        self.faults.push(fault.within(place, Some(line(&node))));
    }
}
