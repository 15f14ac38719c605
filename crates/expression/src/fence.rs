//! What a parsed expression may do: a walk over its tree that refuses the rest.
//!
//! On the way it notes which variables are read, and bounds how much work there can be.

mod calls;
mod loops;
mod tree;

use std::collections::{BTreeMap, BTreeSet};

use dsntk_feel_parser::AstNode;

use crate::Fault;
use crate::bound::{Bound, Meter, Poly};
use crate::json::Shape;
use crate::scan::too_deep;
use tree::children;

/// Deepest tree: `1 + 1 + …` is as deep as it is long.
const MAX_DEPTH: usize = 160;

/// What is known of an expression once it has passed.
#[derive(Clone, Debug)]
pub struct Facts {
    /// What it reads from the scope.
    pub reads: BTreeMap<String, Shape>,
    /// How much it can do.
    pub bound: Bound,
    /// Whether it makes lists of what was no list, so that the longest list is not the measure.
    pub splits: bool,
}

/// Names an expression may use beside the scope's.
#[derive(Clone, Default, Debug)]
pub struct Surroundings {
    /// Functions, such as business knowledge models, with what a call costs.
    pub functions: BTreeMap<String, Bound>,
    /// Values made before, such as entries of a boxed context.
    pub locals: BTreeMap<String, Bound>,
}

/// Walks over the tree.
///
/// # Errors
/// `feel-too-deep`, `feel-function`, `feel-external-function`, `feel-clock`, `feel-range`,
/// `feel-pattern`, `feel-growth`, `feel-name`.
pub fn inspect(tree: &AstNode, around: &Surroundings) -> Result<Facts, Fault> {
    let mut walk = Walk {
        around,
        iterates: iterates(tree, 0)?,
        locals: Vec::new(),
        loops: 0,
        reads: BTreeMap::new(),
        built_in: BTreeSet::new(),
        splits: false,
    };
    let bound = walk.value(tree)?;
    if let Some(name) = walk
        .built_in
        .iter()
        .find(|name| walk.reads.contains_key(*name))
    {
        return Err(Fault::new(
            "feel-name",
            format!("`{name}` is a function and a variable in the same expression"),
            "Give the variable another name",
        ));
    }
    if !bound.allows(&Meter::MODEST) {
        return Err(Fault::new(
            "feel-growth",
            "the expression would grow or loop beyond all limits",
            "Use fewer loops inside each other, and do not build a value out of many copies of itself",
        ));
    }
    Ok(Facts {
        reads: walk.reads,
        bound,
        splits: walk.splits,
    })
}

struct Local {
    name: String,
    bound: Bound,
    length: Poly,
}

struct Walk<'a> {
    around: &'a Surroundings,
    iterates: bool,
    locals: Vec<Local>,
    loops: usize,
    reads: BTreeMap<String, Shape>,
    built_in: BTreeSet<String>,
    splits: bool,
}

impl Walk<'_> {
    fn value(&mut self, node: &AstNode) -> Result<Bound, Fault> {
        match node {
            AstNode::Name(name) => self.name(name.as_str()),
            AstNode::Path(base, _) => match path(node) {
                Some(names) if !self.is_local(names[0]) => self.read(&names),
                _ => self.value(base),
            },
            AstNode::Context(entries) => self.context(entries),
            AstNode::Range(start, end) => {
                if self.iterates && loops::literal_length(node).is_none() {
                    return Err(loops::open_range());
                }
                Ok(self.value(start)?.and(self.value(end)?))
            }
            AstNode::In(left, right) => {
                let left = self.value(left)?;
                Ok(left.and(self.test(right)?).scalar().with_work(Poly::list()))
            }
            AstNode::Filter(list, condition) => self.filter(list, condition),
            AstNode::For(contexts, body) => self.repeat(contexts, body, true),
            AstNode::Some(contexts, body) | AstNode::Every(contexts, body) => {
                self.repeat(contexts, body, false)
            }
            AstNode::FunctionInvocation(function, arguments) => self.call(function, arguments),
            AstNode::FunctionDefinition(_, body) => Err(calls::definition(body)),
            AstNode::InstanceOf(value, _) => Ok(self.value(value)?.scalar()),
            AstNode::NamedParameter(_, value) | AstNode::ContextEntry(_, value) => {
                self.value(value)
            }
            AstNode::String(text) | AstNode::At(text) => Ok(Bound::literal(text.len())),
            AstNode::Add(..)
            | AstNode::If(..)
            | AstNode::List(_)
            | AstNode::ExpressionList(_)
            | AstNode::CommaList(_)
            | AstNode::EvaluatedExpression(_)
            | AstNode::Out(..) => self.all(&children(node)),
            // Comparisons and arithmetic.
            _ => Ok(self.all(&children(node))?.scalar()),
        }
    }

    fn all(&mut self, nodes: &[&AstNode]) -> Result<Bound, Fault> {
        let mut bound = Bound::literal(1);
        for node in nodes {
            bound = bound.and(self.value(node)?);
        }
        Ok(bound)
    }

    /// The right side of `in`, where a range is only compared with and may have any ends.
    fn test(&mut self, node: &AstNode) -> Result<Bound, Fault> {
        match node {
            AstNode::Range(start, end) => Ok(self.value(start)?.and(self.value(end)?)),
            AstNode::ExpressionList(items)
            | AstNode::NegatedList(items)
            | AstNode::CommaList(items)
            | AstNode::List(items) => {
                let mut bound = Bound::literal(1);
                for item in items {
                    bound = bound.and(self.test(item)?);
                }
                Ok(bound)
            }
            _ => self.value(node),
        }
    }

    fn name(&mut self, name: &str) -> Result<Bound, Fault> {
        if let Some(local) = self.local(name) {
            return Ok(local.bound.looked_up());
        }
        if let Some(bound) = self.around.locals.get(name) {
            return Ok(bound.looked_up());
        }
        if self.around.functions.contains_key(name) {
            return Err(calls::passed_around(name));
        }
        if name == "partial" && self.loops > 0 {
            return Err(loops::partial());
        }
        self.read(&[name])
    }

    fn read(&mut self, path: &[&str]) -> Result<Bound, Fault> {
        if let [first, rest @ ..] = path {
            if let Some(bound) = self.around.locals.get(*first) {
                return Ok(bound.looked_up());
            }
            if self.around.functions.contains_key(*first) {
                return Err(calls::passed_around(first));
            }
            self.reads
                .entry((*first).to_owned())
                .or_insert_with(Shape::none)
                .add(rest);
        }
        Ok(Bound::variable())
    }

    fn context(&mut self, entries: &[AstNode]) -> Result<Bound, Fault> {
        let outer = self.locals.len();
        let mut bound = Bound::literal(1);
        for entry in entries {
            let AstNode::ContextEntry(key, value) = entry else {
                bound = bound.and(self.value(entry)?);
                continue;
            };
            let entry = self.value(value)?;
            bound = bound.and(entry);
            if let AstNode::ContextEntryKey(name) = key.as_ref() {
                let length = self.length(value, &entry);
                bound = bound.and(Bound::literal(name.as_str().len()));
                self.locals.push(Local {
                    name: name.as_str().to_owned(),
                    bound: entry,
                    length,
                });
            }
        }
        self.locals.truncate(outer);
        Ok(bound)
    }

    fn local(&self, name: &str) -> Option<&Local> {
        self.locals.iter().rev().find(|local| local.name == name)
    }

    fn is_local(&self, name: &str) -> bool {
        self.local(name).is_some()
    }
}

/// `a.b.c` as its names, if the path begins with a name.
fn path(node: &AstNode) -> Option<Vec<&str>> {
    match node {
        AstNode::Name(name) => Some(vec![name.as_str()]),
        AstNode::Path(base, member) => {
            let mut names = path(base)?;
            let AstNode::Name(member) = member.as_ref() else {
                return None;
            };
            names.push(member.as_str());
            Some(names)
        }
        _ => None,
    }
}

/// Whether there is a loop in it; and not deeper than allowed.
fn iterates(node: &AstNode, depth: usize) -> Result<bool, Fault> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let mut found = matches!(
        node,
        AstNode::For(..) | AstNode::Some(..) | AstNode::Every(..) | AstNode::Filter(..)
    );
    for child in children(node) {
        found |= iterates(child, depth + 1)?;
    }
    Ok(found)
}
