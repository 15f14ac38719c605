//! One step under way: the agenda of moves, and the budget that ends it.

use halsonav_domain::Timestamp;
use serde_json::{Map, Value};

use super::Rejection;
use super::incident::Failure;
use crate::graph::{Definition, FlowIx, Node, NodeIx, NodeKind};
use crate::instance::{Item, Op, Part, Phase};
use crate::library::Edition;
use crate::{Effect, Instance, Library};

/// Moves per input. More is an endless loop, or near enough.
pub(super) const BUDGET: u32 = 10_000;
/// Items per instance: a timer that goes on adding jobs nobody does must not grow for ever.
const MAX_ITEMS: usize = 10_000;

/// Told of every flow taken.
pub(super) type Trace<'a> = &'a mut dyn FnMut(&Definition, FlowIx);

/// The instance, while an input is applied to it.
pub(super) struct Run<'a> {
    pub(super) library: &'a Library,
    pub(super) instance: &'a mut Instance,
    /// By the instance's pins.
    pub(super) editions: Vec<&'a Edition>,
    pub(super) now: Timestamp,
    pub(super) effects: Vec<Effect>,
    pub(super) budget: u32,
    pub(super) trace: Option<Trace<'a>>,
}

impl<'a> Run<'a> {
    pub(super) fn new(
        library: &'a Library,
        instance: &'a mut Instance,
        now: Timestamp,
        trace: Option<Trace<'a>>,
    ) -> Result<Self, Rejection> {
        let mut editions = Vec::with_capacity(instance.pins.len());
        for pin in &instance.pins {
            let edition = library.edition(&pin.0, pin.1);
            editions.push(edition.ok_or_else(|| Rejection::UnknownProcess {
                process: pin.0.clone(),
                version: Some(pin.1),
            })?);
        }
        if !fits(instance, &editions) {
            return Err(Rejection::Unfit);
        }
        Ok(Self {
            library,
            instance,
            editions,
            now,
            effects: Vec::new(),
            budget: BUDGET,
            trace,
        })
    }

    pub(super) fn key(&mut self) -> u64 {
        let key = self.instance.next;
        self.instance.next += 1;
        key
    }

    pub(super) fn definition(&self, pin: u32) -> &'a Definition {
        &self.editions[pin as usize].definition
    }

    /// The node that the item is at; `None` for a process or an item that is gone.
    pub(super) fn node(&self, key: u64) -> Option<&'a Node> {
        let item = self.instance.items.get(&key)?;
        Some(self.definition(item.definition).node(item.node?))
    }

    pub(super) fn item(&mut self, key: u64) -> Option<&mut Item> {
        self.instance.items.get_mut(&key)
    }

    /// Id of the element, or of the process.
    pub(super) fn element(&self, key: u64) -> String {
        match self.node(key) {
            Some(node) => node.id.clone(),
            None => {
                let pin = self
                    .instance
                    .items
                    .get(&key)
                    .map_or(0, |item| item.definition);
                self.definition(pin).id.clone()
            }
        }
    }

    /// Puts a token to rest at `node` in `parent`. The token is counted already.
    pub(super) fn spawn(
        &mut self,
        parent: u64,
        node: NodeIx,
        variables: Map<String, Value>,
    ) -> u64 {
        let definition = self
            .instance
            .items
            .get(&parent)
            .map_or(0, |item| item.definition);
        let key = self.key();
        let item = Item {
            parent,
            definition,
            node: Some(node),
            variables,
            ..Item::default()
        };
        self.instance.items.insert(key, item);
        key
    }

    pub(super) fn plan(&mut self, op: Op) {
        self.instance.agenda.push_back(op);
    }

    pub(super) fn took(&mut self, definition: &Definition, flow: FlowIx) {
        if let Some(trace) = &mut self.trace {
            trace(definition, flow);
        }
    }

    /// One more token in `parent`.
    pub(super) fn grow(&mut self, parent: u64) {
        if let Some(item) = self.item(parent) {
            item.live += 1;
        }
    }

    /// One token less in `parent`.
    pub(super) fn shrink(&mut self, parent: u64) {
        if let Some(item) = self.item(parent) {
            item.live = item.live.saturating_sub(1);
            if item.live == 0 {
                self.plan(Op::Ended { scope: parent });
            }
        }
    }

    /// Moves until nothing moves, the budget is spent or the instance is over.
    pub(super) fn run(&mut self) {
        loop {
            while let Some(op) = self.instance.agenda.pop_front() {
                let full = self.instance.items.len() >= MAX_ITEMS;
                if self.budget == 0 || full && matches!(op, Op::Enter { .. } | Op::Inner { .. }) {
                    self.instance.agenda.push_front(op);
                    self.stall(if full {
                        Failure::crowded()
                    } else {
                        Failure::endless()
                    });
                    return;
                }
                self.budget -= 1;
                self.perform(op);
                if self.instance.stalled.is_some() {
                    return;
                }
            }
            if self.instance.ended || !self.join_inclusive() {
                return;
            }
        }
    }

    fn perform(&mut self, op: Op) {
        match op {
            Op::Enter { parent, node, flow } => self.enter(parent, node, flow),
            Op::Inner { body } => self.next_inner(body),
            Op::Ended { scope } => self.ended(scope),
            Op::Poll { wait } => self.poll(wait),
        }
    }

    /// A scope, or the queue of a compensation throw, may have come to its end.
    fn ended(&mut self, key: u64) {
        let Some(item) = self.instance.items.get(&key) else {
            return;
        };
        if item.live > 0 || item.phase != Phase::Active {
            return;
        }
        match (&item.part, item.node, item.parent) {
            (Part::Undo(_), ..) => self.next_undo(key),
            (Part::Scope(_), None, 0) => self.finish(),
            (Part::Scope(_), None, _) => self.child_ended(key),
            (Part::Scope(_), Some(_), _) => self.complete(key, Map::new()),
            (Part::Plain | Part::Body(_), ..) => {}
        }
    }

    /// A token comes to a node.
    fn enter(&mut self, parent: u64, node: NodeIx, flow: Option<FlowIx>) {
        let Some(scope) = self.instance.items.get(&parent) else {
            return;
        };
        let here = self.definition(scope.definition).node(node);
        if let (Some(flow), Some(_)) = (flow, scope.scope())
            && here.incoming.len() > 1
        {
            match here.kind {
                NodeKind::Parallel => return self.join_parallel(parent, node, flow),
                NodeKind::Inclusive => return self.wait_inclusive(parent, node, flow),
                _ => {}
            }
        }
        let key = self.spawn(parent, node, Map::new());
        self.activate(key);
    }
}

/// Whether every index in the stored instance is one in its definitions. Guards against a store that
/// was tampered with; costs a comparison per token.
fn fits(instance: &Instance, editions: &[&Edition]) -> bool {
    let known = |pin: u32| {
        editions
            .get(pin as usize)
            .map(|edition| &edition.definition)
    };
    let items = instance.items.values().all(|item| {
        known(item.definition).is_some_and(|definition| {
            let node = item
                .node
                .is_none_or(|node| (node as usize) < definition.nodes.len());
            let scope = item.scope().is_none_or(|scope| {
                let flows = scope.arrived.iter().map(|(flow, _)| *flow as usize);
                (scope.ix as usize) < definition.scopes.len()
                    && flows.max().is_none_or(|flow| flow < definition.flows.len())
            });
            node && scope
        })
    });
    let waits = instance.waits.values().all(|wait| {
        let owner = instance
            .items
            .get(&wait.owner)
            .and_then(|item| known(item.definition));
        owner.is_some_and(|definition| (wait.node as usize) < definition.nodes.len())
    });
    items && waits
}
