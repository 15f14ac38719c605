//! An element begins: input mapping, subscriptions, and what it does.

use serde_json::{Map, Value};

use super::incident::Failure;
use super::run::Run;
use crate::graph::{Node, NodeKind, ScopeIx, Throw, Trigger};
use crate::instance::{Op, Phase, Scope};

impl Run<'_> {
    /// Begins the item's element, or parks it with an incident and nothing begun.
    pub(super) fn activate(&mut self, key: u64) {
        if let Some(item) = self.item(key) {
            item.phase = Phase::Active;
        }
        if let Err(failure) = self.begin(key) {
            self.fail(key, Phase::Enter, failure);
        }
    }

    /// Everything that can fail comes before anything that can be seen.
    fn begin(&mut self, key: u64) -> Result<(), Failure> {
        let Some(node) = self.node(key) else {
            return Ok(());
        };
        let inner = self
            .instance
            .items
            .get(&key)
            .is_some_and(|item| item.index.is_some());
        if let (Some(repeat), false) = (&node.repeat, inner) {
            return self.begin_body(key, node, repeat);
        }
        self.inputs(key, &node.io.inputs)?;
        match &node.kind {
            NodeKind::Exclusive | NodeKind::Parallel | NodeKind::Inclusive => self.pass(key),
            NodeKind::Start(_)
            | NodeKind::Boundary { .. }
            | NodeKind::Pass
            | NodeKind::Catch(Trigger::Link(_))
            | NodeKind::End(Throw::None | Throw::Terminate)
            | NodeKind::Throw(Throw::None | Throw::Terminate | Throw::Link(_))
            | NodeKind::End(Throw::Link(_)) => self.complete(key, Map::new()),
            NodeKind::Catch(_) => self.open(key, node)?,
            NodeKind::EventBased => self.open(key, node)?,
            NodeKind::Job(job)
            | NodeKind::End(Throw::Message(job))
            | NodeKind::Throw(Throw::Message(job)) => {
                let effect = self.job(key, node, job)?;
                self.ask(key, node, effect)?;
            }
            NodeKind::User(user) => {
                let effect = self.work_item(key, node, user)?;
                self.ask(key, node, effect)?;
            }
            NodeKind::Script { expression, result } => {
                let value = expression.evaluate(&self.env(key, &[]))?;
                self.complete(key, named(result, value));
            }
            NodeKind::Decision { decision, result } => {
                let id = decision.text(&self.env(key, &[]))?;
                let pin = self
                    .instance
                    .items
                    .get(&key)
                    .map_or(0, |item| item.definition);
                let decisions = &self.editions[pin as usize].decisions;
                let value = decisions.evaluate(&id, &self.env(key, &[]))?;
                self.complete(key, named(result, value));
            }
            NodeKind::End(throw) | NodeKind::Throw(throw) => self.throw(key, throw)?,
            NodeKind::SubProcess(scope) => self.begin_scope(key, node, *scope)?,
            NodeKind::EventSubProcess { scope, start, .. } => {
                self.begin_scope(key, node, *scope)?;
                let payload = self.item(key).map(|item| std::mem::take(&mut item.result));
                self.grow(key);
                let start = self.spawn(key, *start, Map::new());
                self.complete(start, payload.unwrap_or_default());
            }
            NodeKind::Call(call) => self.begin_call(key, node, call)?,
        }
        Ok(())
    }

    /// A gateway: nothing but choosing the way on.
    fn pass(&mut self, key: u64) {
        self.complete(key, Map::new());
    }

    /// Makes the item a scope and starts its plain start event, unless it is started by an event.
    fn begin_scope(&mut self, key: u64, node: &Node, ix: ScopeIx) -> Result<(), Failure> {
        if let Some(item) = self.item(key) {
            item.part = Scope::part(ix);
            item.live = 0;
        }
        self.open(key, node)?;
        if matches!(node.kind, NodeKind::SubProcess(_)) {
            self.start_tokens(key, ix);
        }
        Ok(())
    }

    /// Puts a token on the plain start event of a scope, or on every node without a way in.
    pub(super) fn start_tokens(&mut self, key: u64, ix: ScopeIx) {
        let pin = self
            .instance
            .items
            .get(&key)
            .map_or(0, |item| item.definition);
        let scope = self.definition(pin).scope(ix);
        let starts: &[u32] = match &scope.start {
            Some(start) => std::slice::from_ref(start),
            None => &scope.implicit_starts,
        };
        for &node in starts {
            self.grow(key);
            self.plan(Op::Enter {
                parent: key,
                node,
                flow: None,
            });
        }
        if starts.is_empty() {
            self.plan(Op::Ended { scope: key });
        }
    }
}

pub(super) fn named(name: &str, value: Value) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert(name.to_owned(), value);
    map
}
