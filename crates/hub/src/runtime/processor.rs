//! Records in, decisions made and written, offsets committed. The only place where instances change.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use halsonav_bus::{Consumer, Delivered, codec};
use halsonav_domain::{Envelope, Problem, Timestamp, Topic};

use super::{
    Core, bus_problem, core::ENGINE, decide::SIGNAL, report::Report, store_problem, take::take,
};
use crate::crash;

/// Records that are one transaction however many could be had.
const SMALL: usize = 32;
/// Records taken in one turn, at most. Many transactions: while one share writes, another decides, and
/// only the first and the last of them have to wait.
const TURN: usize = 8192;

/// Takes facts to the instances they concern.
pub struct Processor {
    core: Arc<Core>,
    consumer: Box<dyn Consumer>,
}

/// What one turn did.
#[derive(Clone, Copy, Default, Debug)]
pub struct Turn {
    /// Facts taken.
    pub inputs: usize,
    /// Steps that changed an instance.
    pub steps: usize,
}

/// Shares records out by key, in order; none of the shares is empty.
fn shares(delivered: Vec<Delivered>, count: usize) -> Vec<Vec<Delivered>> {
    // A transaction has its price: small batches are not worth several.
    let count = count.clamp(1, delivered.len().div_ceil(SMALL).max(1));
    if count == 1 {
        return vec![delivered];
    }
    let mut shares = vec![Vec::new(); count];
    for record in delivered {
        let key = record.record.key.as_deref().unwrap_or_default();
        let mut hash = DefaultHasher::new();
        key.hash(&mut hash);
        let share = usize::try_from(hash.finish() % count as u64).unwrap_or(0);
        shares[share].push(record);
    }
    shares.retain(|share| !share.is_empty());
    shares
}

impl Processor {
    /// Joins the events topic.
    ///
    /// # Errors
    /// When the bus refuses.
    pub fn new(core: Arc<Core>) -> Result<Self, Problem> {
        let consumer = core
            .bus
            .subscribe(ENGINE, &[Topic::Events])
            .map_err(bus_problem)?;
        Ok(Self { core, consumer })
    }

    /// One batch of what lies on the bus. Does not wait unless `wait` says so.
    ///
    /// # Errors
    /// When store or bus fail; nothing is lost, the same batch comes again.
    pub async fn turn(&mut self, wait: Option<Duration>) -> Result<Turn, Problem> {
        let delivered = self.consumer.poll(TURN, wait).await.map_err(bus_problem)?;
        let now = self.core.clock.now();
        let inputs = delivered.len();
        if inputs == 0 {
            return Ok(Turn::default());
        }
        let kind = first_kind(&delivered);
        crash::point("processor.polled", &kind).await;
        let report = match self.store(delivered, now).await {
            Ok(report) => report,
            Err(error) => {
                self.consumer.rewind().await.map_err(bus_problem)?;
                return Err(store_problem(error));
            }
        };
        crash::point("processor.stored", &kind).await;
        for (case, element, code) in &report.incidents {
            tracing::warn!(%case, element, code, "a case needs an operator");
        }
        self.broadcast(&report, now).await?;
        self.consumer.commit().await.map_err(bus_problem)?;
        crash::point("processor.committed", &kind).await;
        self.core
            .metrics
            .steps(report.steps, report.dropped, report.rejected);
        Ok(Turn {
            inputs,
            steps: report.steps,
        })
    }

    /// Leaves the group, so that another engine need not wait to have the partitions.
    pub async fn leave(self) {
        if let Err(error) = self.consumer.close().await {
            tracing::warn!(%error, "the engine could not leave its group");
        }
    }

    /// Makes the batch durable, in several transactions where it is large. A case is in one share, and
    /// a share is taken in order, so the case's order holds. If one fails the whole batch comes again,
    /// and what the others wrote is known as seen.
    async fn store(
        &self,
        delivered: Vec<Delivered>,
        now: Timestamp,
    ) -> halsonav_storage::Result<Report> {
        let shares = shares(delivered, self.core.shares);
        let mut taking = Vec::with_capacity(shares.len());
        for share in shares {
            // Each on a thread of its own, since even to let go of what was taken costs time.
            taking.push(tokio::spawn(take_share(self.core.clone(), share, now)));
        }
        let mut sum = Report::default();
        for report in join_all(taking).await {
            sum.add(&report.unwrap_or(Err(halsonav_storage::Error::Panicked))?);
        }
        Ok(sum)
    }

    /// Signals go to every other instance as facts of their own.
    async fn broadcast(&self, report: &Report, now: Timestamp) -> Result<(), Problem> {
        for (from, name, variables) in &report.signals {
            let mut after = None;
            loop {
                let (wanted, at) = (name.clone(), after);
                let page = self
                    .core
                    .storage
                    .read_async(move |r| r.awaiting_signal(&wanted, at, 1000))
                    .await
                    .map_err(store_problem)?;
                let Some((last, _)) = page.last() else { break };
                after = Some(*last);
                let data = serde_json::json!({ "name": name, "variables": variables });
                let facts = page
                    .iter()
                    .filter(|(_, case)| case != from)
                    .map(|(_, case)| {
                        let id = format!("{from}-{name}-{}-{case}", now.as_millisecond());
                        Envelope::new("/engine", id, SIGNAL, Some(*case), now, data.clone())
                    });
                self.core.publish(facts.collect()).await?;
            }
        }
        Ok(())
    }
}

async fn take_share(
    core: Arc<Core>,
    mut records: Vec<Delivered>,
    now: Timestamp,
) -> halsonav_storage::Result<Report> {
    let mut sum = Report::default();
    // Of one size: a small transaction at the end costs as much as a large one.
    let count = records.len().div_ceil(core.config.engine.batch.max(1));
    let size = records.len().div_ceil(count.max(1));
    while !records.is_empty() {
        let rest = records.split_off(records.len().min(size));
        sum.add(&take(&core, records, now).await?);
        records = rest;
    }
    Ok(sum)
}

/// What the batch begins with; for whoever looks at crash points.
fn first_kind(delivered: &[Delivered]) -> String {
    if !cfg!(debug_assertions) {
        return String::new();
    }
    let first = delivered
        .first()
        .map(|first| codec::read_event(&first.record));
    first
        .and_then(Result::ok)
        .map_or_else(String::new, |fact| fact.kind)
}
