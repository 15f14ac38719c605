//! The adapters of a running hub, found by name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use halsonav_adapter::{Adapter, Listener, Operation, Outbound, Poller};
use halsonav_domain::{CommandKind, Topic};

/// Every adapter, the hub's own workers in the same shape, and what is known of those that run
/// elsewhere.
#[derive(Default)]
pub struct Registry {
    adapters: BTreeMap<String, Arc<dyn Adapter>>,
    lanes: BTreeMap<String, Arc<dyn Outbound>>,
    known: BTreeMap<String, &'static [Operation]>,
    outside: BTreeSet<String>,
}

impl Registry {
    /// Adds an adapter.
    pub fn add(&mut self, adapter: Arc<dyn Adapter>) {
        if let Some(outbound) = adapter.clone().outbound() {
            self.add_worker(adapter.name(), outbound);
        }
        self.adapters.insert(adapter.name().to_owned(), adapter);
    }

    /// Adds a worker of the hub's own.
    pub fn add_worker(&mut self, name: &str, worker: Arc<dyn Outbound>) {
        self.know(name, worker.operations());
        self.lanes.insert(name.to_owned(), worker);
    }

    /// Adds the lane of an adapter that is a program of its own, behind the topics.
    pub fn add_outside(&mut self, name: &str, gate: Arc<dyn Outbound>) {
        self.outside.insert(name.to_owned());
        self.add_worker(name, gate);
    }

    /// Notes what an adapter can do that another process runs.
    pub fn know(&mut self, name: &str, operations: &'static [Operation]) {
        self.known.insert(name.to_owned(), operations);
    }

    /// Who carries out commands here, by the first word of their kind.
    pub fn lanes(&self) -> impl Iterator<Item = (&str, &Arc<dyn Outbound>)> {
        self.lanes.iter().map(|(name, lane)| (name.as_str(), lane))
    }

    /// Every adapter that runs here.
    pub fn adapters(&self) -> impl Iterator<Item = &Arc<dyn Adapter>> {
        self.adapters.values()
    }

    /// Names of all lanes, wherever they run.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    /// Whether an adapter of this name is set up, here or elsewhere.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.known.contains_key(name)
    }

    /// Whether the adapter is a program of its own, whose word comes as an event.
    #[must_use]
    pub fn is_outside(&self, name: &str) -> bool {
        self.outside.contains(name)
    }

    /// Whether a neighbour stands behind the lane; the hub's own work and what goes to programs
    /// outside need none.
    #[must_use]
    pub fn is_neighbour(&self, name: &str) -> bool {
        self.adapters.contains_key(name)
    }

    /// Where the relay puts an adapter's commands, and its lane takes them. The commands of an
    /// adapter outside pass the gate first, on a topic that is not for it.
    #[must_use]
    pub fn topic(&self, adapter: &str) -> Topic {
        if self.is_outside(adapter) {
            Topic::Intents(adapter.to_owned())
        } else {
            Topic::Commands(adapter.to_owned())
        }
    }

    /// Every socket on which a neighbour calls.
    #[must_use]
    pub fn listeners(&self) -> Vec<(&'static str, Arc<dyn Listener>)> {
        self.adapters
            .values()
            .flat_map(|a| a.clone().listeners().into_iter().map(|l| (a.name(), l)))
            .collect()
    }

    /// Every place to fetch from.
    #[must_use]
    pub fn pollers(&self) -> Vec<Arc<dyn Poller>> {
        self.adapters
            .values()
            .flat_map(|adapter| adapter.clone().pollers())
            .collect()
    }

    /// The operation behind a job type.
    #[must_use]
    pub fn operation(&self, kind: &str) -> Option<&'static Operation> {
        let kind: CommandKind = kind.parse().ok()?;
        self.known
            .get(kind.adapter())?
            .iter()
            .find(|operation| operation.name == kind.operation())
    }

    /// Whether a job of this type reaches the resident.
    #[must_use]
    pub fn contacts(&self, kind: &str) -> bool {
        // What is not known must not slip past the gate.
        self.operation(kind)
            .is_none_or(|operation| operation.contact)
    }
}
