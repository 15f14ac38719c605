//! From the outbox to the bus.

use std::{collections::BTreeMap, sync::Arc};

use halsonav_bus::codec;
use halsonav_domain::{Problem, Timestamp};

use super::{Core, bus_problem, store_problem};
use crate::crash;

/// Effects put on the bus in one turn.
const BATCH: u32 = 1000;

/// Publishes what was decided. An effect counts as published only once the bus has it; a crash
/// between the two publishes it again, and the dispatcher's claim sees that.
pub struct Relay {
    core: Arc<Core>,
}

impl Relay {
    /// A relay over the hub's outbox.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// One batch; how many effects went out.
    ///
    /// # Errors
    /// When store or bus fail; the same batch comes again.
    pub async fn turn(&self) -> Result<usize, Problem> {
        let now = self.core.schedule.now();
        let (free, effects) = self
            .core
            .storage
            .read_async(move |r| Ok((r.set_aside(now, BATCH)?, r.publishable(now, BATCH)?)))
            .await
            .map_err(store_problem)?;
        // All of it before the rest, so that a lane that starts goes on in its order.
        if !free.is_empty() {
            let count = free.len();
            let let_go = self
                .core
                .storage
                .write_async(move |tx| tx.let_go(&free))
                .await;
            return let_go.map(|()| count).map_err(store_problem);
        }
        if effects.is_empty() {
            return Ok(0);
        }
        let mut lanes: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for effect in &effects {
            let record = codec::command(&effect.command).map_err(bus_problem)?;
            lanes
                .entry(effect.command.kind.adapter().to_owned())
                .or_default()
                .push(record);
        }
        for (adapter, records) in lanes {
            let topic = self.core.adapters.topic(&adapter);
            self.core
                .bus
                .publish(&topic, records)
                .await
                .map_err(bus_problem)?;
            crash::point("relay.published", &adapter).await;
        }
        let count = effects.len();
        self.core
            .storage
            .write_async(move |tx| tx.mark_published(&effects))
            .await
            .map_err(store_problem)?;
        crash::point("relay.marked", "").await;
        Ok(count)
    }

    /// When there is something to publish next.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn next(&self) -> Result<Option<Timestamp>, Problem> {
        let now = self.core.schedule.now();
        self.core
            .storage
            .read_async(move |r| r.next_publish(now))
            .await
            .map_err(store_problem)
    }
}
