//! Records in, decisions made and written, offsets committed.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use halsonav_bus::{Consumer, Delivered, codec};
use halsonav_domain::{Problem, Timestamp, Topic};
use tokio::task::JoinSet;

use super::{Core, bus_problem, core::ENGINE, report::Report, store_problem, take::take};
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

    /// Takes what lies on the bus, at most so much as is one turn. Does not wait unless `wait` says so.
    ///
    /// # Errors
    /// When store or bus fail; nothing is lost, the same records come again.
    pub async fn turn(&mut self, wait: Option<Duration>) -> Result<Turn, Problem> {
        let delivered = self.poll(wait).await?;
        self.take(delivered).await
    }

    /// The records of one turn. Waiting for them may be broken off.
    ///
    /// # Errors
    /// When the bus fails.
    pub async fn poll(&mut self, wait: Option<Duration>) -> Result<Vec<Delivered>, Problem> {
        self.consumer.poll(TURN, wait).await.map_err(bus_problem)
    }

    /// Takes them to their cases, and commits their offsets.
    ///
    /// # Errors
    /// As [`Processor::turn`].
    pub async fn take(&mut self, delivered: Vec<Delivered>) -> Result<Turn, Problem> {
        let now = self.core.clock.now();
        let inputs = delivered.len();
        if inputs == 0 {
            return Ok(Turn::default());
        }
        let kind = first_kind(&delivered);
        crash::point("processor.polled", &kind).await;
        let (report, stored) = self.store(delivered, now).await;
        crash::point("processor.stored", &kind).await;
        // Also when some of it failed: what is written is known as seen when it comes again.
        report.tell();
        self.core
            .metrics
            .steps(report.steps, report.dropped, report.rejected);
        if !report.signals.is_empty() {
            self.core.tell_news().await;
        }
        if let Err(problem) = stored.map_err(store_problem) {
            // With the next commit what was not stored would be taken for done.
            self.consumer.rewind().await.map_err(bus_problem)?;
            return Err(problem);
        }
        self.consumer.commit().await.map_err(bus_problem)?;
        crash::point("processor.committed", &kind).await;
        Ok(Turn {
            inputs,
            steps: report.steps,
        })
    }

    /// Leaves the group, so that another engine need not wait to have the partitions.
    pub async fn leave(self) {
        if let Err(error) = self.consumer.close().await {
            tracing::warn!(code = error.code(), %error, "the engine could not leave its group");
        }
    }

    /// Makes the records durable, in several transactions where they are many. A case is in one share,
    /// and a share is taken in order, so the case's order holds. If one fails all of them come again, and
    /// what the others wrote is known as seen; the report is about that.
    async fn store(
        &self,
        delivered: Vec<Delivered>,
        now: Timestamp,
    ) -> (Report, halsonav_storage::Result<()>) {
        let mut shares = shares(delivered, self.core.shares);
        if shares.len() == 1 {
            let only = shares.pop().unwrap_or_default();
            return take_share(self.core.clone(), only, now).await;
        }
        // Each on a thread of its own, since even to let go of what was taken costs time.
        let mut taking = JoinSet::new();
        for share in shares {
            taking.spawn(take_share(self.core.clone(), share, now));
        }
        let (mut sum, mut stored) = (Report::default(), Ok(()));
        while let Some(share) = taking.join_next().await {
            let panicked = || (Report::default(), Err(halsonav_storage::Error::Panicked));
            let (report, of_share) = share.unwrap_or_else(|_| panicked());
            sum.add(&report);
            stored = stored.and(of_share);
        }
        (sum, stored)
    }
}

async fn take_share(
    core: Arc<Core>,
    records: Vec<Delivered>,
    now: Timestamp,
) -> (Report, halsonav_storage::Result<()>) {
    let mut sum = Report::default();
    // Of one size: a small transaction at the end costs as much as a large one.
    let count = records.len().div_ceil(core.config.engine.batch.max(1));
    let size = records.len().div_ceil(count.max(1));
    let mut records = records.into_iter();
    while records.len() > 0 {
        match take(&core, records.by_ref().take(size).collect(), now).await {
            Ok(report) => sum.add(&report),
            Err(error) => return (sum, Err(error)),
        }
        crash::point("processor.shared", "").await;
    }
    (sum, Ok(()))
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
