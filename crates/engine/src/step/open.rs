//! Subscriptions and timers: opened together, closed together.

use halsonav_expression::calendar::{self, Cycle, Duration};
use serde_json::Value;

use super::incident::Failure;
use super::run::Run;
use crate::Effect;
use crate::graph::{Definition, MessageRef, Node, NodeIx, NodeKind, TimerDef, Trigger};
use crate::instance::{For, Op, Repetition, Wait};

impl Run<'_> {
    /// Opens everything that the item's element waits for: its own event, its boundary events, the
    /// event sub-processes in it. Expressions see the element's locals. All or nothing.
    pub(super) fn open(&mut self, key: u64, node: &Node) -> Result<(), Failure> {
        let waits = self.prepare(key, node)?;
        self.open_all(key, waits);
        Ok(())
    }

    pub(super) fn prepare(&self, key: u64, node: &Node) -> Result<Vec<(NodeIx, For)>, Failure> {
        let mut waits = Vec::new();
        let Some(item) = self.instance.items.get(&key) else {
            return Ok(waits);
        };
        let definition = self.definition(item.definition);
        // The body of a multi-instance activity has the boundary events; each inner instance waits for
        // its own event, which another value of the same variable may name.
        let body = node.repeat.is_some() && item.index.is_none();
        match &node.kind {
            _ if body => {}
            NodeKind::Catch(trigger) => waits.extend(self.wait(key, item.node, trigger)?),
            NodeKind::EventBased => {
                for &flow in &node.outgoing {
                    let target = definition.flow(flow).target;
                    if let NodeKind::Catch(trigger) = &definition.node(target).kind {
                        waits.extend(self.wait(key, Some(target), trigger)?);
                    }
                }
            }
            NodeKind::SubProcess(scope) | NodeKind::EventSubProcess { scope, .. }
                if item.scope().is_some() =>
            {
                waits = self.prepare_scope(key, definition, *scope)?;
            }
            _ => {}
        }
        if item.index.is_none() {
            for &boundary in &node.boundaries {
                if let NodeKind::Boundary { trigger, .. } = &definition.node(boundary).kind {
                    waits.extend(self.wait(key, Some(boundary), trigger)?);
                }
            }
        }
        Ok(waits)
    }

    /// The starts of the event sub-processes in a scope.
    pub(super) fn prepare_scope(
        &self,
        key: u64,
        definition: &Definition,
        scope: u32,
    ) -> Result<Vec<(NodeIx, For)>, Failure> {
        let mut waits = Vec::new();
        for &node in &definition.scope(scope).event_subprocesses {
            if let NodeKind::EventSubProcess { start, .. } = definition.node(node).kind
                && let NodeKind::Start(Some(trigger)) = &definition.node(start).kind
            {
                waits.extend(self.wait(key, Some(start), trigger)?);
            }
        }
        Ok(waits)
    }

    fn wait(
        &self,
        key: u64,
        node: Option<NodeIx>,
        trigger: &Trigger,
    ) -> Result<Option<(NodeIx, For)>, Failure> {
        let what = match trigger {
            Trigger::Message(message) => Some(self.message(key, message)?),
            Trigger::Timer(timer) => self.timer(key, timer)?,
            Trigger::Signal(name) => Some(For::Signal(name.text(&self.env(key, &[]))?)),
            Trigger::Error(_)
            | Trigger::Escalation(_)
            | Trigger::Compensation(_)
            | Trigger::Link(_) => None,
        };
        Ok(node.zip(what))
    }

    fn message(&self, key: u64, message: &MessageRef) -> Result<For, Failure> {
        let env = self.env(key, &[]);
        let name = message.name.text(&env)?;
        let correlation = match &message.correlation {
            Some(expression) => expression.evaluate(&env)?,
            None => Value::Null,
        };
        let correlation = match correlation {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return Err(Failure::no_key(&name)),
        };
        Ok(For::Message { name, correlation })
    }

    fn timer(&self, key: u64, timer: &TimerDef) -> Result<Option<For>, Failure> {
        let env = self.env(key, &[]);
        let bad = |fault: halsonav_expression::Fault| Failure::timer(fault.rule);
        let due = match timer {
            TimerDef::Date(template) => calendar::moment(&template.text(&env)?).map_err(bad)?,
            TimerDef::Duration(template) => {
                let duration = Duration::parse(&template.text(&env)?).map_err(bad)?;
                duration.add(self.now, calendar::stockholm()).max(self.now)
            }
            TimerDef::Cycle(template) => {
                let text = template.text(&env)?;
                let cycle = Cycle::parse(&text).map_err(bad)?;
                let Some(due) = cycle.occurrence(0, self.now) else {
                    return Ok(None);
                };
                let repetition = Repetition {
                    cycle: text,
                    anchor: self.now,
                    occurrence: 0,
                    left: cycle.times(),
                };
                return Ok(Some(For::Timer {
                    due,
                    repetition: Some(repetition),
                }));
            }
        };
        Ok(Some(For::Timer {
            due,
            repetition: None,
        }))
    }

    pub(super) fn open_all(&mut self, owner: u64, waits: Vec<(NodeIx, For)>) {
        for (node, what) in waits {
            self.open_one(Wait { owner, node, what });
        }
    }

    pub(super) fn open_one(&mut self, wait: Wait) {
        let Some(owner) = self.instance.items.get(&wait.owner) else {
            return;
        };
        let element = self.definition(owner.definition).node(wait.node).id.clone();
        let key = self.key();
        self.effects.push(match &wait.what {
            For::Timer { due, .. } => Effect::Arm {
                timer: key,
                due: *due,
                element,
            },
            For::Signal(signal) => Effect::SubscribeSignal {
                key,
                signal: signal.clone(),
                element,
            },
            For::Message { name, correlation } => Effect::Subscribe {
                key,
                message: name.clone(),
                correlation: correlation.clone(),
                element,
            },
        });
        if matches!(wait.what, For::Message { .. }) && !self.instance.buffer.is_empty() {
            self.plan(Op::Poll { wait: key });
        }
        self.instance.waits.insert(key, wait);
    }

    /// Closes those of the item's waits whose event is `of`.
    pub(super) fn close(&mut self, owner: u64, of: impl Fn(&NodeKind) -> bool) {
        let Some(item) = self.instance.items.get(&owner) else {
            return;
        };
        let definition = self.definition(item.definition);
        let owned = self
            .instance
            .waits
            .iter()
            .filter(|(_, wait)| wait.owner == owner);
        let owned = owned.filter(|(_, wait)| of(&definition.node(wait.node).kind));
        let keys: Vec<u64> = owned.map(|(&key, _)| key).collect();
        for key in keys {
            self.close_one(key);
        }
    }

    pub(super) fn close_one(&mut self, key: u64) {
        match self.instance.waits.remove(&key).map(|wait| wait.what) {
            Some(For::Timer { .. }) => self.effects.push(Effect::Disarm { timer: key }),
            Some(For::Signal(_)) => self.effects.push(Effect::UnsubscribeSignal { key }),
            Some(For::Message { .. }) => self.effects.push(Effect::Unsubscribe { key }),
            None => {}
        }
    }
}
