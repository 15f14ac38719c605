//! Compensation: what was completed is undone, last first, one after the other.

use halsonav_expression::{Expression, Template};
use serde_json::{Map, Value};

use super::incident::Failure;
use super::run::Run;
use crate::graph::{Definition, Node, NodeIx, NodeKind, Trigger};
use crate::instance::{Item, Op, Part, Record};

/// Completions to compensate, in one scope.
const MAX_RECORDS: usize = 1_000;

impl Run<'_> {
    /// Refuses the completion if there is no room to remember it.
    pub(super) fn check_records(&self, item: &Item, node: &Node) -> Result<(), Failure> {
        let full = self.instance.items.get(&item.parent).and_then(Item::scope);
        let full = full.is_some_and(|scope| scope.done.len() >= MAX_RECORDS);
        if full && (handler(self.definition(item.definition), node).is_some() || has_parts(item)) {
            return Err(Failure::many_records());
        }
        Ok(())
    }

    /// Remembers a completed activity, with what its handler may read.
    pub(super) fn record(&mut self, key: u64, node: &Node) {
        let Some(item) = self.instance.items.get_mut(&key) else {
            return;
        };
        let (parent, pin) = (item.parent, item.definition);
        let parts = match &mut item.part {
            Part::Scope(scope) => std::mem::take(&mut scope.done),
            Part::Body(body) => std::mem::take(&mut body.parts),
            Part::Plain | Part::Undo(_) => Vec::new(),
        };
        let Some(node_ix) = item.node else { return };
        let definition = self.definition(pin);
        let handler = handler(definition, node);
        if handler.is_none() && parts.is_empty()
            || matches!(node.kind, NodeKind::EventSubProcess { .. })
        {
            // What an event sub-process did is compensated with the scope it is in.
            return self.keep(parent, parts);
        }
        let variables = handler.map(|handler| self.snapshot(key, definition.node(handler)));
        let variables = variables.unwrap_or_default();
        self.keep(
            parent,
            vec![Record {
                node: node_ix,
                handler,
                variables,
                parts,
            }],
        );
    }

    fn keep(&mut self, scope: u64, records: Vec<Record>) {
        if let Some(scope) = self.item(scope).and_then(Item::scope_mut) {
            scope.done.extend(records);
        }
    }

    /// What the handler reads, as it is now: only that if it has input mappings, else everything.
    fn snapshot(&self, key: u64, handler: &Node) -> Map<String, Value> {
        if handler.io.inputs.is_empty() {
            return self.instance.visible(key);
        }
        let read = handler
            .io
            .inputs
            .iter()
            .filter_map(|mapping| match &mapping.source {
                Template::Expression(expression) => Some(expression),
                Template::Literal(_) => None,
            });
        let names = read.flat_map(Expression::variables);
        let known = names
            .filter_map(|name| Some((name.clone(), self.instance.variable(key, name)?.clone())));
        known.collect()
    }

    /// Collects what is to be undone and begins with the last.
    pub(super) fn compensate(&mut self, key: u64, activity: Option<NodeIx>) {
        let mut at = self.instance.items.get(&key).map_or(0, |item| item.parent);
        let mut scopes = vec![at];
        // Thrown in an event sub-process, it is about the scope that the event happened to.
        while matches!(
            self.node(at).map(|node| &node.kind),
            Some(NodeKind::EventSubProcess { .. })
        ) {
            at = self.instance.items.get(&at).map_or(0, |item| item.parent);
            scopes.push(at);
        }
        let mut stack = Vec::new();
        for scope in scopes.into_iter().rev() {
            let Some(scope) = self.item(scope).and_then(Item::scope_mut) else {
                continue;
            };
            let matching = |record: &mut Record| activity.is_none_or(|node| record.node == node);
            flatten(scope.done.extract_if(.., matching).collect(), &mut stack);
        }
        if let Some(item) = self.item(key) {
            item.part = Part::Undo(stack);
            item.live = 0;
        }
        self.plan(Op::Ended { scope: key });
    }

    /// Runs the next handler, or goes on if there is none.
    pub(super) fn next_undo(&mut self, key: u64) {
        let Some(Item {
            part: Part::Undo(stack),
            ..
        }) = self.item(key)
        else {
            return;
        };
        let Some(record) = stack.pop() else {
            if let Some(item) = self.item(key) {
                item.part = Part::Plain;
            }
            return self.complete(key, Map::new());
        };
        let Some(handler) = record.handler else {
            return self.plan(Op::Ended { scope: key });
        };
        self.grow(key);
        let handler = self.spawn(key, handler, record.variables);
        self.activate(handler);
    }
}

fn has_parts(item: &Item) -> bool {
    match &item.part {
        Part::Scope(scope) => !scope.done.is_empty(),
        Part::Body(body) => !body.parts.is_empty(),
        Part::Plain | Part::Undo(_) => false,
    }
}

/// The compensation handler of an activity.
fn handler(definition: &Definition, node: &Node) -> Option<NodeIx> {
    node.boundaries
        .iter()
        .find_map(|&boundary| match definition.node(boundary).kind {
            NodeKind::Boundary {
                trigger: Trigger::Compensation(handler),
                ..
            } => Some(handler),
            _ => None,
        })
}

/// A sub-process without a handler of its own is its parts.
fn flatten(records: Vec<Record>, into: &mut Vec<Record>) {
    for record in records {
        if record.handler.is_some() {
            into.push(record);
        } else {
            flatten(record.parts, into);
        }
    }
}
