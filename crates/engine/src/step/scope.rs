//! Scopes that end, and what is taken down with them.

use std::mem::take;

use serde_json::Map;

use super::run::Run;
use crate::Effect;
use crate::instance::{Item, Op, ROOT};

impl Run<'_> {
    /// Takes down everything in `top`, and `top` itself if asked: jobs withdrawn, subscriptions and
    /// timers closed, incidents resolved, tokens gone. No output mapping, no compensation.
    pub(super) fn terminate(&mut self, top: u64, itself: bool) {
        let mut doomed = Vec::new();
        if itself {
            doomed.push(top);
        }
        for (&key, item) in self.instance.items.range(top.saturating_add(1)..) {
            if item.parent == top || doomed.binary_search(&item.parent).is_ok() {
                doomed.push(key);
            }
        }
        let gone = |key: u64| doomed.binary_search(&key).is_ok();
        self.instance.agenda.retain(|op| match *op {
            Op::Enter { parent, .. } => parent != top && !gone(parent),
            Op::Inner { body } => body != top && !gone(body),
            Op::Ended { scope } => !gone(scope),
            Op::Poll { .. } => true,
        });
        self.instance
            .joins
            .retain(|&(scope, _)| scope != top && !gone(scope));
        let waits = self
            .instance
            .waits
            .iter()
            .filter(|(_, wait)| gone(wait.owner));
        let waits: Vec<u64> = waits.map(|(&key, _)| key).collect();
        let incidents = self
            .instance
            .incidents
            .iter()
            .filter(|(_, incident)| gone(incident.item));
        let incidents: Vec<u64> = incidents.map(|(&key, _)| key).collect();
        for &key in &doomed {
            if let Some(Item { job: Some(job), .. }) = self.instance.items.remove(&key) {
                self.effects.push(Effect::Withdraw { key: job });
            }
        }
        for key in waits {
            self.close_one(key);
        }
        for key in incidents {
            self.resolve(key);
        }
        if let Some(item) = self.item(top) {
            item.live = 0;
            if let Some(scope) = item.scope_mut() {
                scope.arrived.clear();
            }
        }
    }

    /// The instance's own process has no token left.
    pub(super) fn finish(&mut self) {
        let ending = take(&mut self.instance.ending);
        let (end, outcome) =
            ending.map_or_else(Default::default, |ending| (ending.end, ending.outcome));
        self.end(outcome, end);
    }

    /// Ends the instance; nothing follows.
    pub(super) fn end(&mut self, outcome: Option<String>, end: String) {
        let variables = self
            .item(ROOT)
            .map(|root| take(&mut root.variables))
            .unwrap_or_default();
        self.terminate(ROOT, true);
        let ended = || "ended".to_owned();
        for letter in take(&mut self.instance.buffer) {
            self.effects.push(Effect::Dropped {
                id: letter.id,
                name: letter.name,
                why: ended(),
            });
        }
        for input in take(&mut self.instance.queue) {
            let (id, name) = super::apply::name(&input);
            self.effects.push(Effect::Dropped {
                id,
                name,
                why: ended(),
            });
        }
        self.instance.agenda.clear();
        self.instance.seen.clear();
        self.instance.stalled = None;
        self.instance.suspended = false;
        self.instance.ended = true;
        self.effects.push(Effect::Finished {
            outcome,
            end,
            variables,
        });
    }

    /// A called process has no token left.
    pub(super) fn child_ended(&mut self, child: u64) {
        self.close(child, |_| true);
        let Some(item) = self.instance.items.remove(&child) else {
            return;
        };
        let Some(node) = self.node(item.parent) else {
            return;
        };
        let all = matches!(&node.kind, crate::graph::NodeKind::Call(call) if call.propagate_out);
        let out = all || !node.io.outputs.is_empty();
        self.complete(item.parent, if out { item.variables } else { Map::new() });
    }
}
