//! Something that was waited for has happened.

use halsonav_domain::Timestamp;
use halsonav_expression::calendar::{self, Cycle};
use serde_json::{Map, Value};

use super::run::Run;
use crate::graph::{Definition, NodeIx, NodeKind};
use crate::instance::{For, Item, Repetition, Wait};

impl Run<'_> {
    /// The wait is over, or goes on if its event can happen again.
    pub(super) fn trigger(&mut self, key: u64, payload: Map<String, Value>) {
        let Some(wait) = self.instance.waits.get(&key) else {
            return;
        };
        let (owner, node) = (wait.owner, wait.node);
        if matches!(wait.what, For::Timer { .. })
            && let Some(wait) = self.instance.waits.remove(&key)
        {
            self.rearm(wait);
        }
        self.fire(owner, node, payload, Map::new());
    }

    /// Arms the next occurrence of a repetition.
    ///
    /// Occurrences are counted from the anchor. Those that passed while nobody looked (an outage, a
    /// suspension) are made up for by the one firing now, so that a resident gets one reminder and
    /// not a burst; they do not use up the number of firings.
    fn rearm(&mut self, wait: Wait) {
        let For::Timer {
            due,
            repetition: Some(repetition),
        } = wait.what
        else {
            return;
        };
        let left = repetition.left.map(|left| left.saturating_sub(1));
        let Ok(cycle) = Cycle::parse(&repetition.cycle) else {
            return;
        };
        if left == Some(0) {
            return;
        }
        let at = |k: u64| occurrence(&cycle, &repetition, k);
        let mut next = repetition.occurrence.saturating_add(1);
        if at(next) <= self.now {
            let mut reach: u64 = 1;
            while at(next.saturating_add(reach)) <= self.now && reach < 1 << 40 {
                reach *= 2;
            }
            let (mut low, mut high) = (next, next.saturating_add(reach));
            while low + 1 < high {
                let middle = low + (high - low) / 2;
                if at(middle) <= self.now {
                    low = middle
                } else {
                    high = middle
                }
            }
            next = high;
        }
        let next_due = at(next);
        if next_due > due {
            let repetition = Repetition {
                occurrence: next,
                left,
                ..repetition
            };
            let what = For::Timer {
                due: next_due,
                repetition: Some(repetition),
            };
            self.open_one(Wait { what, ..wait });
        }
    }

    /// Lets the event at `node` happen to `owner`: the catching item, the host of a boundary event,
    /// or the scope of an event sub-process. `locals` are variables of the event alone.
    pub(super) fn fire(
        &mut self,
        owner: u64,
        node: NodeIx,
        payload: Map<String, Value>,
        locals: Map<String, Value>,
    ) {
        let Some(item) = self.instance.items.get(&owner) else {
            return;
        };
        let (parent, at, definition) = (item.parent, item.node, self.definition(item.definition));
        match definition.node(node).kind {
            NodeKind::Catch(_) => {
                self.close(owner, |kind| !matches!(kind, NodeKind::Boundary { .. }));
                if at != Some(node) {
                    self.leave_gateway(owner, node, definition);
                }
                if let Some(item) = self.item(owner) {
                    item.variables.extend(locals);
                }
                self.complete(owner, payload);
            }
            NodeKind::Boundary { interrupting, .. } => {
                if interrupting {
                    self.terminate(owner, true);
                } else {
                    self.grow(parent);
                }
                let event = self.spawn(parent, node, locals);
                self.complete(event, payload);
            }
            NodeKind::Start(Some(_)) => self.fire_event_subprocess(owner, node, payload, locals),
            _ => {}
        }
    }

    /// The token at an event-based gateway moves to the event that happened.
    fn leave_gateway(&mut self, key: u64, event: NodeIx, definition: &Definition) {
        let Some(gateway) = self.node(key) else {
            return;
        };
        let mut flows = gateway.outgoing.iter();
        if let Some(&flow) = flows.find(|&&flow| definition.flow(flow).target == event) {
            self.took(definition, flow);
        }
        self.reached(gateway, std::collections::BTreeMap::new());
        if let Some(item) = self.item(key) {
            item.node = Some(event);
        }
    }

    fn fire_event_subprocess(
        &mut self,
        owner: u64,
        start: NodeIx,
        payload: Map<String, Value>,
        locals: Map<String, Value>,
    ) {
        let Some(item) = self.instance.items.get(&owner) else {
            return;
        };
        let definition = self.definition(item.definition);
        let Some(host) = definition.scope(definition.node(start).scope).host else {
            return;
        };
        if matches!(
            definition.node(host).kind,
            NodeKind::EventSubProcess {
                interrupting: true,
                ..
            }
        ) {
            self.terminate(owner, false);
            self.close(owner, |kind| matches!(kind, NodeKind::Start(_)));
            if let Some(scope) = self.item(owner).and_then(Item::scope_mut) {
                scope.interrupted = true;
            }
        }
        self.grow(owner);
        let key = self.spawn(owner, host, locals);
        if let Some(item) = self.item(key) {
            item.result = payload;
        }
        self.activate(key);
    }
}

/// The `k`-th occurrence, the number of firings aside.
fn occurrence(cycle: &Cycle, repetition: &Repetition, k: u64) -> Timestamp {
    let zone = calendar::stockholm();
    match cycle.start() {
        Some(start) => cycle.every().add_times(k, start, zone),
        None => cycle
            .every()
            .add_times(k.saturating_add(1), repetition.anchor, zone),
    }
}
