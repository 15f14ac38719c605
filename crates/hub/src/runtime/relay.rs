//! From the outbox to the bus.

use std::{collections::BTreeMap, sync::Arc};

use halsonav_bus::codec;
use halsonav_domain::Problem;
use halsonav_storage::{Effect, Outbox, Reader, Writer};

use super::{Core, bus_problem, chore::Turned, store_problem};
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

    /// One batch of effects.
    ///
    /// # Errors
    /// When store or bus fail; the same batch comes again.
    pub async fn turn(&self) -> Result<Turned, Problem> {
        let now = self.core.schedule.now();
        let read = move |r: &mut Reader| r.outbox(now, BATCH);
        let read = self.core.storage.read_async(read).await;
        let Outbox { free, due, later } = read.map_err(store_problem)?;
        // All of it before the rest, so that a lane that starts goes on in its order.
        if !free.is_empty() {
            let count = free.len();
            let let_go = move |tx: &mut Writer| tx.let_go(&free);
            let let_go = self.core.storage.write_async(let_go).await;
            let_go.map_err(store_problem)?;
            return Ok(Turned::and_more(count, now));
        }
        let count = due.len();
        if count > 0 {
            self.publish(due).await?;
        }
        Ok(Turned::batch(count, BATCH, now, later))
    }

    async fn publish(&self, effects: Vec<Effect>) -> Result<(), Problem> {
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
        self.core
            .storage
            .write_async(move |tx| tx.mark_published(&effects))
            .await
            .map_err(store_problem)?;
        crash::point("relay.marked", "").await;
        Ok(())
    }
}
