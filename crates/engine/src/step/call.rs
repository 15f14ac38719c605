//! Call activities: another process inside this instance, on a version pinned when it is called.

use serde_json::Map;

use super::incident::Failure;
use super::run::Run;
use crate::graph::{Call, Node};
use crate::instance::{Item, Pin, Scope};
use crate::library::Edition;

/// Processes that call each other.
const MAX_DEPTH: usize = 16;

impl<'a> Run<'a> {
    pub(super) fn begin_call(&mut self, key: u64, node: &Node, call: &Call) -> Result<(), Failure> {
        let process = call.process.text(&self.env(key, &[]))?;
        let Some(item) = self.instance.items.get(&key) else {
            return Ok(());
        };
        let caller = self.editions[item.definition as usize];
        let called = self.library.bound(&process, &call.binding, caller);
        let called = called.ok_or_else(|| Failure::no_process(&process))?;
        let starts = called.definition.scope(0);
        if starts.start.is_none() && starts.implicit_starts.is_empty() {
            return Err(Failure::no_process(&process));
        }
        if self.depth(key) >= MAX_DEPTH {
            return Err(Failure::too_deep());
        }
        let variables = if call.propagate_in {
            self.instance.visible(key)
        } else {
            item.variables.clone()
        };
        let waits = self.prepare(key, node)?;
        let definition = self.pin(called);
        let child = self.key();
        let item = Item {
            parent: key,
            definition,
            variables,
            part: Scope::part(0),
            ..Item::default()
        };
        self.instance.items.insert(child, item);
        match self.prepare_scope(child, &called.definition, 0) {
            Ok(inside) => {
                self.open_all(key, waits);
                self.open_all(child, inside);
                self.start_tokens(child, 0);
                Ok(())
            }
            Err(failure) => {
                self.instance.items.remove(&child);
                Err(failure)
            }
        }
    }

    /// How many processes the item is in.
    fn depth(&self, mut key: u64) -> usize {
        let mut depth = 0;
        while let Some(item) = self.instance.items.get(&key) {
            depth += usize::from(item.node.is_none());
            key = item.parent;
        }
        depth
    }

    /// Index of the edition among the instance's pins.
    fn pin(&mut self, edition: &'a Edition) -> u32 {
        let definition = &edition.definition;
        let known = self.instance.pins.iter();
        let known = known
            .zip(0..)
            .find(|(pin, _)| pin.0 == definition.id && pin.1 == definition.version);
        if let Some((_, ix)) = known {
            return ix;
        }
        self.instance
            .pins
            .push(Pin(definition.id.clone(), definition.version));
        self.editions.push(edition);
        u32::try_from(self.editions.len() - 1).unwrap_or(u32::MAX)
    }

    /// The process's variables when an instance begins.
    pub(super) fn root(variables: Map<String, serde_json::Value>) -> Item {
        Item {
            variables,
            part: Scope::part(0),
            ..Item::default()
        }
    }
}
