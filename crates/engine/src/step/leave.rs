//! An element is done: output mapping, milestone, the way on.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::incident::Failure;
use super::run::Run;
use crate::Effect;
use crate::graph::{Definition, FlowIx, Node, NodeKind, Throw};
use crate::instance::{Ending, Item, Op, Part, Phase};

/// Everything about a completion that had to be evaluated. Nothing is changed until it all is.
#[derive(Default)]
struct Weighed {
    /// Variables, and the item from which they go outwards.
    document: Map<String, Value>,
    from: u64,
    properties: BTreeMap<String, Value>,
    /// Of an inner instance: its output element, and whether the rest is cancelled.
    element: Option<Value>,
    stop: bool,
}

impl Run<'_> {
    /// The element has its result.
    pub(super) fn complete(&mut self, key: u64, result: Map<String, Value>) {
        match self.weigh(key, &result) {
            Ok(mut weighed) => {
                if weighed.from == key && weighed.document.is_empty() {
                    weighed.document = result;
                }
                self.settle_output(key, weighed);
            }
            Err(failure) => {
                if let Some(item) = self.item(key) {
                    item.result = result;
                }
                self.fail(key, Phase::Output, failure);
            }
        }
    }

    fn weigh(&self, key: u64, result: &Map<String, Value>) -> Result<Weighed, Failure> {
        let mut weighed = Weighed {
            from: key,
            ..Weighed::default()
        };
        let Some((item, node)) = self.instance.items.get(&key).zip(self.node(key)) else {
            return Ok(weighed);
        };
        let body = matches!(item.part, Part::Body(_));
        let undo = self
            .instance
            .items
            .get(&item.parent)
            .map(|parent| &parent.part);
        if body || matches!(undo, Some(Part::Undo(_))) {
            weighed.from = item.parent;
            weighed.document.clone_from(result);
        }
        if !body && !node.io.outputs.is_empty() {
            weighed.from = item.parent;
            weighed.document = self.outputs(key, &node.io.outputs, result)?;
        }
        let over = [&weighed.document, result];
        if item.index.is_some() {
            let (element, stop) = self.weigh_inner(key, item, node, &over)?;
            (weighed.element, weighed.stop) = (element, stop);
        } else {
            weighed.properties = self.properties(key, node, &over)?;
            self.check_records(item, node)?;
        }
        Ok(weighed)
    }

    pub(super) fn properties(
        &self,
        key: u64,
        node: &Node,
        over: &[&Map<String, Value>],
    ) -> Result<BTreeMap<String, Value>, Failure> {
        let mut properties = BTreeMap::new();
        for (name, template) in &node.properties {
            properties.insert(name.clone(), template.value(&self.env(key, over))?);
        }
        Ok(properties)
    }

    fn weigh_inner(
        &self,
        key: u64,
        item: &Item,
        node: &Node,
        over: &[&Map<String, Value>; 2],
    ) -> Result<(Option<Value>, bool), Failure> {
        let Some(repeat) = &node.repeat else {
            return Ok((None, false));
        };
        let element = match &repeat.output {
            Some((_, expression)) => Some(expression.evaluate(&self.env(key, over))?),
            None => None,
        };
        let stop = match (&repeat.completion, self.instance.items.get(&item.parent)) {
            (
                Some(condition),
                Some(Item {
                    part: Part::Body(body),
                    live,
                    ..
                }),
            ) => {
                let numbers = json!({
                    "numberOfInstances": body.total,
                    "numberOfActiveInstances": live.saturating_sub(1),
                    "numberOfCompletedInstances": body.done + 1,
                    "numberOfTerminatedInstances": 0,
                });
                let numbers = numbers.as_object().cloned().unwrap_or_default();
                condition.condition(&self.env(key, &[&numbers, over[0], over[1]]))?
            }
            _ => false,
        };
        Ok((element, stop))
    }

    fn settle_output(&mut self, key: u64, weighed: Weighed) {
        self.instance.merge(weighed.from, weighed.document);
        let Some(node) = self.node(key) else { return };
        if self
            .instance
            .items
            .get(&key)
            .is_some_and(|item| item.index.is_some())
        {
            return self.inner_done(key, weighed.element, weighed.stop);
        }
        self.leave(key, node, weighed.properties);
    }

    /// Behind the output mapping: the completion is a fact.
    pub(super) fn leave(&mut self, key: u64, node: &Node, properties: BTreeMap<String, Value>) {
        let aside = matches!(node.kind, NodeKind::EventSubProcess { .. }) || node.for_compensation;
        if node.outgoing.is_empty()
            && !aside
            && !matches!(node.kind, NodeKind::Throw(Throw::Link(_)))
        {
            self.note_end(key, node, &properties);
        }
        self.reached(node, properties);
        self.record(key, node);
        self.close(key, |_| true);
        self.depart(key);
    }

    pub(super) fn reached(&mut self, node: &Node, properties: BTreeMap<String, Value>) {
        let (element, name) = (node.id.clone(), node.name.clone());
        self.effects.push(Effect::Reached {
            element,
            name,
            properties,
        });
    }

    /// Takes the ways on.
    pub(super) fn depart(&mut self, key: u64) {
        let Some(node) = self.node(key) else { return };
        let parent = self.instance.items.get(&key).map_or(0, |item| item.parent);
        match node.kind {
            NodeKind::End(Throw::Terminate) => {
                self.terminate(parent, false);
                return self.plan(Op::Ended { scope: parent });
            }
            NodeKind::Throw(Throw::Link(target)) => {
                self.instance.items.remove(&key);
                return self.plan(Op::Enter {
                    parent,
                    node: target,
                    flow: None,
                });
            }
            _ => {}
        }
        match self.choose(key, node) {
            Ok(flows) => self.take(key, &flows),
            Err(failure) => self.fail(key, Phase::Flow, failure),
        }
    }

    /// The token leaves by these flows, or is gone if there are none.
    pub(super) fn take(&mut self, key: u64, flows: &[FlowIx]) {
        let Some(item) = self.instance.items.remove(&key) else {
            return;
        };
        let definition: &Definition = self.definition(item.definition);
        for (at, &flow) in flows.iter().enumerate() {
            if at > 0 {
                self.grow(item.parent);
            }
            self.took(definition, flow);
            let node = definition.flow(flow).target;
            self.plan(Op::Enter {
                parent: item.parent,
                node,
                flow: Some(flow),
            });
        }
        if flows.is_empty() {
            self.shrink(item.parent);
        }
    }

    /// Which flows are taken; conditions in document order.
    fn choose<'n>(&self, key: u64, node: &'n Node) -> Result<Cow<'n, [FlowIx]>, Failure> {
        let definition = self
            .instance
            .items
            .get(&key)
            .map(|item| self.definition(item.definition));
        let Some(definition) = definition else {
            return Ok(Cow::Borrowed(&[]));
        };
        let condition = |flow: &FlowIx| definition.flow(*flow).condition.as_ref();
        let plain =
            node.default.is_none() && node.outgoing.iter().all(|flow| condition(flow).is_none());
        if plain || matches!(node.kind, NodeKind::Parallel | NodeKind::EventBased) {
            return Ok(Cow::Borrowed(&node.outgoing));
        }
        let exclusive = matches!(node.kind, NodeKind::Exclusive);
        let (mut taken, mut met) = (Vec::new(), false);
        for flow in node
            .outgoing
            .iter()
            .filter(|&&flow| node.default != Some(flow))
        {
            let take = match condition(flow) {
                Some(condition) => {
                    let holds = condition.condition(&self.env(key, &[]))?;
                    met |= holds;
                    holds
                }
                None => true,
            };
            if take {
                taken.push(*flow);
                if exclusive {
                    return Ok(Cow::Owned(taken));
                }
            }
        }
        if !met && let Some(default) = node.default {
            taken.push(default);
        }
        if taken.is_empty() {
            return Err(Failure::no_flow());
        }
        Ok(Cow::Owned(taken))
    }

    /// Remembers the end that speaks for the instance: the last one reached in its own process. An
    /// end without the property `outcome` does not replace one with it, and the end of a
    /// non-interrupting event sub-process speaks only if it has one.
    fn note_end(&mut self, key: u64, node: &Node, properties: &BTreeMap<String, Value>) {
        let mut at = self.instance.items.get(&key).map_or(0, |item| item.parent);
        let mut aside = false;
        while let Some(item) = self.instance.items.get(&at) {
            match self.node(at).map(|node| &node.kind) {
                None if item.parent == 0 => break,
                Some(NodeKind::EventSubProcess { interrupting, .. }) => aside |= !interrupting,
                _ => return,
            }
            at = item.parent;
        }
        let outcome = properties.get("outcome").and_then(|value| match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
        let known = self.instance.ending.as_ref();
        if outcome.is_some() || !aside && known.is_none_or(|ending| ending.outcome.is_none()) {
            self.instance.ending = Some(Ending {
                end: node.id.clone(),
                outcome,
            });
        }
    }
}
