//! Multi-instance activities: one body, an inner instance per element.

use serde_json::{Map, Value};

use super::activate::named;
use super::incident::Failure;
use super::run::Run;
use crate::graph::{Node, NodeKind, Repeat};
use crate::instance::{Body, Item, Op, Part, Phase};

/// Elements of one collection. Each is a running element in the instance's state.
const MAX_ELEMENTS: usize = 1_000;

impl Run<'_> {
    /// Evaluates the collection once and starts the first inner instance, or all of them.
    pub(super) fn begin_body(
        &mut self,
        key: u64,
        node: &Node,
        repeat: &Repeat,
    ) -> Result<(), Failure> {
        let mut rest = self.elements(key, repeat)?;
        let waits = self.prepare(key, node)?;
        let total = u32::try_from(rest.len()).unwrap_or(u32::MAX);
        let outputs = if repeat.output.is_some() {
            vec![Value::Null; rest.len()]
        } else {
            Vec::new()
        };
        rest.reverse();
        if let Some(item) = self.item(key) {
            item.part = Part::Body(Box::new(Body {
                total,
                rest,
                outputs,
                ..Body::default()
            }));
            item.live = 0;
        }
        if total == 0 {
            self.complete_body(key);
            return Ok(());
        }
        self.open_all(key, waits);
        for _ in 0..if repeat.sequential { 1 } else { total } {
            self.plan(Op::Inner { body: key });
        }
        Ok(())
    }

    fn elements(&self, key: u64, repeat: &Repeat) -> Result<Vec<Value>, Failure> {
        let elements = match repeat.collection.evaluate(&self.env(key, &[]))? {
            Value::Array(elements) if !repeat.counted => elements,
            Value::Number(number) if repeat.counted => {
                let exact = number.as_u64().or_else(|| {
                    let number = number
                        .as_f64()
                        .filter(|n| n.fract() == 0.0 && (0.0..1e9).contains(n))?;
                    format!("{number}").parse().ok()
                });
                let count = exact.ok_or_else(Failure::no_collection)?;
                if count > MAX_ELEMENTS as u64 {
                    return Err(Failure::large_collection(MAX_ELEMENTS));
                }
                (1..=count).map(Value::from).collect()
            }
            _ => return Err(Failure::no_collection()),
        };
        if elements.len() > MAX_ELEMENTS {
            return Err(Failure::large_collection(MAX_ELEMENTS));
        }
        Ok(elements)
    }

    pub(super) fn next_inner(&mut self, key: u64) {
        let Some(repeat) = self.node(key).and_then(|node| node.repeat.as_ref()) else {
            return;
        };
        let Some(item) = self.item(key) else { return };
        let Some(node) = item.node else { return };
        let Some(body) = item.body_mut() else { return };
        let Some(element) = body.rest.pop() else {
            return;
        };
        let index = body.started;
        body.started += 1;
        item.live += 1;
        let mut variables = named("loopCounter", Value::from(index + 1));
        if let Some(name) = &repeat.element {
            variables.insert(name.clone(), element);
        }
        let inner = self.spawn(key, node, variables);
        if let Some(item) = self.item(inner) {
            item.index = Some(index);
        }
        self.activate(inner);
    }

    /// An inner instance is done. `stop`: the completion condition holds.
    pub(super) fn inner_done(&mut self, key: u64, element: Option<Value>, stop: bool) {
        self.close(key, |_| true);
        let Some(mut item) = self.instance.items.remove(&key) else {
            return;
        };
        let (parent, index) = (item.parent, item.index.unwrap_or_default());
        let parts = item
            .scope_mut()
            .map(|scope| std::mem::take(&mut scope.done));
        let sequential = self.node(parent).and_then(|node| node.repeat.as_ref());
        let sequential = sequential.is_some_and(|repeat| repeat.sequential);
        let Some(around) = self.item(parent) else {
            return;
        };
        around.live = around.live.saturating_sub(1);
        let Some(body) = around.body_mut() else {
            return;
        };
        body.done += 1;
        body.parts.extend(parts.unwrap_or_default());
        if let (Some(element), Some(place)) = (element, body.outputs.get_mut(index as usize)) {
            *place = element;
        }
        if stop || body.done == body.total {
            self.terminate(parent, false);
            self.complete_body(parent);
        } else if sequential {
            self.plan(Op::Inner { body: parent });
        }
    }

    /// The output collection becomes visible only now.
    fn complete_body(&mut self, key: u64) {
        let output = self
            .node(key)
            .and_then(|node| node.repeat.as_ref()?.output.as_ref());
        let outputs = self
            .item(key)
            .and_then(Item::body_mut)
            .map(|body| std::mem::take(&mut body.outputs));
        let result = match (output, outputs) {
            (Some((name, _)), Some(outputs)) => named(name, Value::Array(outputs)),
            _ => Map::new(),
        };
        self.complete(key, result);
    }

    /// An operator goes past the element: whatever it was, it now counts as done.
    pub(super) fn skip(&mut self, key: u64, variables: Map<String, Value>) {
        let Some(item) = self.instance.items.get(&key) else {
            return;
        };
        let (phase, inner) = (item.phase, item.index.is_some());
        let Some(node) = self.node(key) else { return };
        self.terminate(key, false);
        if let Some(job) = self.item(key).and_then(|item| item.job.take()) {
            self.effects.push(crate::Effect::Withdraw { key: job });
        }
        match phase {
            Phase::Enter | Phase::Active => self.complete(key, variables),
            Phase::Output => {
                self.instance.merge(key, variables);
                if inner {
                    self.inner_done(key, None, false)
                } else {
                    self.leave(key, node, Default::default())
                }
            }
            Phase::Flow => {
                self.instance.merge(key, variables);
                let gateway = matches!(node.kind, NodeKind::Exclusive | NodeKind::Inclusive);
                match node.default {
                    Some(default) => self.take(key, &[default]),
                    None if gateway => {}
                    None => self.take(key, &node.outgoing),
                }
            }
        }
    }
}
