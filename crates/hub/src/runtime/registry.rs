//! The adapters of a running hub, found by name.

use std::{collections::BTreeMap, sync::Arc};

use halsonav_adapter::{Adapter, Listener, Operation, Outbound, Poller};
use halsonav_domain::CommandKind;

/// Every adapter, and the hub's own workers in the same shape.
#[derive(Default)]
pub struct Registry {
    adapters: BTreeMap<String, Arc<dyn Adapter>>,
    lanes: BTreeMap<String, Arc<dyn Outbound>>,
}

impl Registry {
    /// Adds an adapter.
    pub fn add(&mut self, adapter: Arc<dyn Adapter>) {
        if let Some(outbound) = adapter.clone().outbound() {
            self.lanes.insert(adapter.name().to_owned(), outbound);
        }
        self.adapters.insert(adapter.name().to_owned(), adapter);
    }

    /// Adds a worker of the hub's own.
    pub fn add_worker(&mut self, name: &str, worker: Arc<dyn Outbound>) {
        self.lanes.insert(name.to_owned(), worker);
    }

    /// Who carries out commands, by the first word of their kind.
    pub fn lanes(&self) -> impl Iterator<Item = (&str, &Arc<dyn Outbound>)> {
        self.lanes.iter().map(|(name, lane)| (name.as_str(), lane))
    }

    /// Every adapter.
    pub fn adapters(&self) -> impl Iterator<Item = &Arc<dyn Adapter>> {
        self.adapters.values()
    }

    /// Whether an adapter of this name is set up.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.adapters.contains_key(name)
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
        self.lanes
            .get(kind.adapter())?
            .operations()
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
