//! Joins. Tokens wait in the scope instance, counted per flow they came by.

use serde_json::Map;

use super::run::Run;
use crate::graph::{FlowIx, NodeIx};
use crate::instance::Item;

impl Run<'_> {
    /// Passes once there is a token on every way in; takes one from each.
    pub(super) fn join_parallel(&mut self, parent: u64, node: NodeIx, flow: FlowIx) {
        let Some(item) = self.instance.items.get(&parent) else {
            return;
        };
        let incoming = &self.definition(item.definition).node(node).incoming;
        let Some(scope) = self.item(parent).and_then(Item::scope_mut) else {
            return;
        };
        scope.arrive(flow);
        if incoming.iter().all(|&flow| scope.waiting(flow) > 0) {
            for &flow in incoming {
                scope.take(flow);
            }
            self.pass_join(parent, node, incoming.len());
        }
    }

    /// `tokens` become one.
    fn pass_join(&mut self, parent: u64, node: NodeIx, tokens: usize) {
        if let Some(item) = self.item(parent) {
            let spare = u32::try_from(tokens.saturating_sub(1)).unwrap_or(u32::MAX);
            item.live = item.live.saturating_sub(spare);
        }
        let key = self.spawn(parent, node, Map::new());
        self.activate(key);
    }

    /// A token waits at an inclusive join. Whether it passes is decided when nothing else moves.
    pub(super) fn wait_inclusive(&mut self, parent: u64, node: NodeIx, flow: FlowIx) {
        let Some(scope) = self.item(parent).and_then(Item::scope_mut) else {
            return;
        };
        scope.arrive(flow);
        if !self.instance.joins.contains(&(parent, node)) {
            self.instance.joins.push((parent, node));
        }
    }

    /// Lets one inclusive join pass that waits for nothing more. False if there is none.
    ///
    /// Called whenever the agenda is empty, so that every token is at rest: a join is looked at
    /// again after anything that moves or dies.
    pub(super) fn join_inclusive(&mut self) -> bool {
        let ready = self
            .instance
            .joins
            .iter()
            .position(|&(parent, node)| self.is_ready(parent, node));
        let Some(at) = ready else { return false };
        let (parent, node) = self.instance.joins.remove(at);
        let Some(item) = self.instance.items.get(&parent) else {
            return true;
        };
        let incoming = &self.definition(item.definition).node(node).incoming;
        let Some(scope) = self.item(parent).and_then(Item::scope_mut) else {
            return true;
        };
        let tokens = incoming.iter().filter(|&&flow| scope.take(flow)).count();
        if incoming.iter().any(|&flow| scope.waiting(flow) > 0) {
            self.instance.joins.push((parent, node));
        }
        if tokens > 0 {
            self.pass_join(parent, node, tokens);
        }
        true
    }

    /// BPMN 2.0 §13.4.3: no token elsewhere in the scope can come by a way in that is still empty,
    /// without passing the join, unless it can also come by one that has a token.
    fn is_ready(&self, parent: u64, join: NodeIx) -> bool {
        let Some(item) = self.instance.items.get(&parent) else {
            return true;
        };
        let Some(scope) = item.scope() else {
            return true;
        };
        let edition = self.editions[item.definition as usize];
        let definition = &edition.definition;
        let incoming = &definition.node(join).incoming;
        let waiting: Vec<bool> = incoming
            .iter()
            .map(|&flow| scope.waiting(flow) > 0)
            .collect();
        let holds = |from: NodeIx| {
            let row = edition.reach.row(join, from).iter().zip(&waiting);
            let (mut empty, mut full) = (false, false);
            for (&comes, &waits) in row {
                empty |= comes && !waits;
                full |= comes && waits;
            }
            empty && !full
        };
        let resting = self
            .instance
            .items
            .range(parent + 1..)
            .map(|(_, item)| item);
        let resting = resting
            .filter(|item| item.parent == parent)
            .filter_map(|item| item.node);
        let joining = scope
            .arrived
            .iter()
            .map(|&(flow, _)| definition.flow(flow).target);
        !resting
            .chain(joining.filter(|&node| node != join))
            .any(holds)
    }
}
