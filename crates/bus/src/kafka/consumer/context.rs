//! Rebalances, as the client tells them on the worker's thread.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rdkafka::{
    TopicPartitionList,
    client::ClientContext,
    config::RDKafkaLogLevel,
    consumer::{BaseConsumer, CommitMode, Consumer as _, ConsumerContext, RebalanceProtocol},
    error::KafkaError,
    topic_partition_list::Offset,
    types::RDKafkaRespErr,
};

use super::{Client, Place, Shared};
use crate::{
    Error,
    kafka::context::{failed, says_misled},
};

/// Of one client. A client that was given up may still tell things; then nothing here is touched.
pub(super) struct Context {
    pub(super) base: crate::kafka::context::Context,
    pub(super) shared: Arc<Shared>,
    pub(super) limit: Duration,
    /// The client was given up.
    pub(super) over: AtomicBool,
    /// The client cannot be trusted any more.
    pub(super) misled: AtomicBool,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, area: &str, text: &str) {
        if says_misled(level, area) {
            self.misled.store(true, Ordering::Relaxed);
        }
        self.base.log(level, area, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.base.error(error, reason);
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        client: &BaseConsumer<Self>,
        event: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        let result = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assign(client, list),
            _ => self.revoke(client, list),
        };
        if let Err(error) = result {
            self.shared.desk().spoilt = Some(error);
        }
    }
}

impl Context {
    /// Takes partitions on, each from where the group is.
    fn assign(&self, client: &Client, list: &mut TopicPartitionList) -> Result<(), Error> {
        let begun = match self.over.load(Ordering::Relaxed) {
            true => Ok(Vec::new()),
            false => self.begin(client, list),
        };
        // Also when that failed: the client must hear that we have heard. It then goes on from what
        // it finds committed, or not at all.
        let assigned = match client.rebalance_protocol() {
            RebalanceProtocol::Cooperative => client.incremental_assign(list),
            _ => client.assign(list),
        };
        assigned.map_err(failed("take partitions on"))?;
        let begun = begun?;
        let mut desk = self.shared.desk();
        for (place, offset) in &begun {
            desk.assign(*place, *offset);
        }
        drop(desk);
        tracing::info!(
            group = self.shared.subject.group,
            partitions = begun.len(),
            "assigned"
        );
        Ok(())
    }

    /// Lets partitions go. What is on the desk of them goes first, so that none of it is taken or
    /// committed once somebody else has them.
    fn revoke(&self, client: &Client, list: &TopicPartitionList) -> Result<(), Error> {
        if !self.over.load(Ordering::Relaxed) {
            let mut desk = self.shared.desk();
            for one in list.elements() {
                if let Some(place) = self.shared.subject.place(one.topic(), one.partition()) {
                    desk.revoke(place);
                }
            }
            drop(desk);
            tracing::info!(
                group = self.shared.subject.group,
                partitions = list.count(),
                lost = client.assignment_lost(),
                "revoked"
            );
        }
        let let_go = match client.rebalance_protocol() {
            RebalanceProtocol::Cooperative => client.incremental_unassign(list),
            _ => client.unassign(),
        };
        let_go.map_err(failed("let partitions go"))
    }

    /// Sets the offsets of `list`. A group that has committed nothing begins with the oldest record
    /// kept, and that is committed at once: from then on, records that are deleted before the group
    /// has read them are an error and no new beginning.
    fn begin(
        &self,
        client: &Client,
        list: &mut TopicPartitionList,
    ) -> Result<Vec<(Place, i64)>, Error> {
        let asked = client
            .committed_offsets(list.clone(), self.limit)
            .map_err(failed("ask for committed offsets"))?;
        let mut begun = Vec::new();
        let mut fresh = Vec::new();
        for one in asked.elements() {
            one.error().map_err(failed("ask for committed offsets"))?;
            let (topic, partition) = (one.topic(), one.partition());
            let Some(place) = self.shared.subject.place(topic, partition) else {
                continue;
            };
            let offset = match one.offset() {
                Offset::Offset(offset) => offset,
                _ => {
                    let (oldest, _) = client
                        .fetch_watermarks(topic, partition, self.limit)
                        .map_err(failed("ask for the oldest record"))?;
                    fresh.push((place, oldest));
                    self.tell_beginning(topic, partition, oldest);
                    oldest
                }
            };
            list.set_partition_offset(topic, partition, Offset::Offset(offset))
                .map_err(failed("take partitions on"))?;
            begun.push((place, offset));
        }
        if !fresh.is_empty() {
            client
                .commit(&self.shared.subject.list(&fresh), CommitMode::Async)
                .map_err(failed("commit"))?;
        }
        Ok(begun)
    }

    fn tell_beginning(&self, topic: &str, partition: i32, oldest: i64) {
        let group = self.shared.subject.group.as_str();
        if oldest > 0 {
            tracing::warn!(
                code = "HUB-BUS-018",
                group,
                topic,
                partition,
                oldest,
                "a group without a position begins with the oldest record kept; older ones are gone"
            );
        }
    }
}
