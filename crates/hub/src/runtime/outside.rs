//! Adapters of others: programs in any language, behind the topics alone. The gate is asked here as
//! for any adapter; then the command goes on the topic that the program reads.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{Delivery, Disclosure, Operation, Outbound, Reconciled};
use halsonav_bus::{Bus, codec};
use halsonav_domain::{CommandId, Done, Outcome, Topic};
use serde_json::Value;

use super::bus_problem;
use crate::config::region::{Deed, Program};

/// Commands put on the topic at once.
const BATCH: usize = 500;

/// The lane of one such program.
pub struct Outside {
    bus: Arc<dyn Bus>,
    topic: Topic,
    operations: &'static [Operation],
}

impl Outside {
    /// A lane that hands commands on to `halsonav.commands.<name>`.
    #[must_use]
    pub fn new(bus: Arc<dyn Bus>, name: &str, program: &Program) -> Self {
        let deed = |(name, deed): (&String, &Deed)| Operation {
            // Once for each start: the vocabulary of a region is as lasting as the process.
            name: Box::leak(name.clone().into_boxed_str()),
            contact: deed.contact,
            disclosure: Disclosure::None,
            idempotent: true,
            batch: BATCH,
        };
        let operations: Vec<_> = program.operations.iter().map(deed).collect();
        Self {
            bus,
            topic: Topic::Commands(name.to_owned()),
            operations: operations.leak(),
        }
    }
}

#[async_trait]
impl Outbound for Outside {
    fn operations(&self) -> &'static [Operation] {
        self.operations
    }

    /// `Done` says that the bus has it. What the program makes of it comes as an event.
    async fn deliver(&self, _: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let records: Result<Vec<_>, _> = batch
            .iter()
            .map(|delivery| codec::command(&delivery.command))
            .collect();
        let handed = match records {
            Ok(records) => self.bus.publish(&self.topic, records).await,
            Err(error) => Err(error),
        };
        let outcome = |delivery: Delivery| {
            let outcome = match &handed {
                Ok(()) => Done::new(Value::Null).into(),
                Err(error) => bus_problem(error.clone()).into(),
            };
            (delivery.command.id, outcome)
        };
        batch.into_iter().map(outcome).collect()
    }

    /// The program knows a repeated command id, as its contract says.
    async fn reconcile(&self, _: &str, _: &Delivery) -> Reconciled {
        Reconciled::Absent
    }
}
