//! Records in, decisions made, one transaction. The only place where instances change.

use std::{
    collections::{HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use futures::future::join_all;
use halsonav_bus::{Consumer, Delivered, codec};
use halsonav_domain::{CaseId, Envelope, Kind, Problem, Timestamp, Topic};
use halsonav_storage::{HubIncident, StoredInstance, Writer};
use serde_json::Value;

use super::{Core, advance::advance, bus_problem, core::ENGINE, store_problem};
use crate::crash;

/// Records that are one transaction however many could be had.
const SMALL: usize = 32;
/// First word of what operators say.
const OPERATOR: &str = "operator.";
/// Broadcast of a signal; its data are name and variables.
pub(super) const SIGNAL: &str = "signal";

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

/// What a transaction has to tell once it is committed.
#[derive(Default)]
pub(super) struct Report {
    pub(super) steps: usize,
    pub(super) signals: Vec<(CaseId, String, Value)>,
    pub(super) dropped: usize,
    pub(super) rejected: usize,
    /// Incidents that were opened: case, element and code.
    pub(super) incidents: Vec<(CaseId, String, String)>,
}

impl Report {
    fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.dropped += other.dropped;
        self.rejected += other.rejected;
        self.signals.extend(other.signals);
        self.incidents.extend(other.incidents);
    }
}

/// Shares records out by key, in order; none of the shares is empty.
fn shares(delivered: Vec<Delivered>, count: usize) -> Vec<Arc<[Delivered]>> {
    // A transaction has its price: small batches are not worth several.
    let count = count.clamp(1, delivered.len().div_ceil(SMALL).max(1));
    if count == 1 {
        return vec![delivered.into()];
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
    shares.into_iter().map(Into::into).collect()
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
        let batch = self.core.config.engine.batch;
        let delivered = self.consumer.poll(batch, wait).await.map_err(bus_problem)?;
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

    /// Makes the batch durable: one transaction, or several at once where the store takes them. A case
    /// is in one of them, so its order holds. If one fails the whole batch comes again, and what the
    /// others wrote is known as seen.
    async fn store(
        &self,
        delivered: Vec<Delivered>,
        now: Timestamp,
    ) -> halsonav_storage::Result<Report> {
        let share = |records: Arc<[Delivered]>| {
            let core = self.core.clone();
            self.core
                .storage
                .write_async(move |tx| transact(&core, tx, &records, now))
        };
        let shares = shares(delivered, self.core.shares);
        let mut sum = Report::default();
        for report in join_all(shares.into_iter().map(share)).await {
            sum.add(report?);
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

fn transact(
    core: &Core,
    tx: &mut Writer,
    delivered: &[Delivered],
    now: Timestamp,
) -> halsonav_storage::Result<Report> {
    let mut report = Report::default();
    let mut order: Vec<CaseId> = Vec::new();
    let mut facts: HashMap<CaseId, Vec<Envelope>> = HashMap::new();
    let mut add = |case: CaseId, fact: Envelope| {
        facts
            .entry(case)
            .or_insert_with(|| {
                order.push(case);
                Vec::new()
            })
            .push(fact);
    };
    for record in delivered {
        match codec::read_event(&record.record) {
            Ok(envelope) => match envelope.subject {
                Some(case) => add(case, envelope),
                None => {
                    for case in addressees(tx, &envelope)? {
                        let subject = Some(case);
                        add(
                            case,
                            Envelope {
                                subject,
                                ..envelope.clone()
                            },
                        );
                    }
                }
            },
            Err(error) => unreadable(tx, &error.to_string(), now)?,
        }
    }
    let loaded = tx.load_instances(&order)?;
    let known: HashSet<CaseId> = loaded.iter().map(|stored| stored.case.id).collect();
    for case in order.iter().filter(|case| !known.contains(case)) {
        tracing::warn!(%case, code = "HUB-INTAKE-002", "facts about a case that is not here");
        report.rejected += facts.remove(case).map_or(0, |list| list.len());
    }
    fresh(tx, &loaded, &mut facts, now)?;
    let numbers: Vec<_> = loaded.iter().map(|stored| stored.case.no).collect();
    let stopped = tx.stopped(&numbers)?;
    let mut changes = Vec::with_capacity(loaded.len());
    for stored in &loaded {
        let mut mine = facts.remove(&stored.case.id).unwrap_or_default();
        if stopped.contains(&stored.case.no) {
            // An operator's word is what gets a stopped case going again.
            let (orders, rest) = mine
                .into_iter()
                .partition(|fact| fact.kind.starts_with(OPERATOR));
            behind(tx, stored, rest, now)?;
            mine = orders;
        }
        changes.extend(advance(core, tx, stored, mine, now, &mut report)?);
    }
    tx.apply(&changes)?;
    Ok(report)
}

/// A message that names no case goes to those who wait for it.
fn addressees(tx: &mut Writer, envelope: &Envelope) -> halsonav_storage::Result<Vec<CaseId>> {
    match &envelope.correlationkey {
        Some(key) => tx.awaiting_message(&envelope.kind, key),
        None => Ok(Vec::new()),
    }
}

fn unreadable(tx: &mut Writer, message: &str, at: Timestamp) -> halsonav_storage::Result<()> {
    let incident = HubIncident {
        case: None,
        element: "bus".to_owned(),
        kind: Kind::Invalid,
        code: "HUB-INTAKE-003".to_owned(),
        message: format!("a record on the events topic cannot be read: {message}"),
        at,
    };
    tx.open_incident(&incident).map(drop)
}

/// Leaves out the facts that were seen before.
fn fresh(
    tx: &mut Writer,
    loaded: &[StoredInstance],
    facts: &mut HashMap<CaseId, Vec<Envelope>>,
    now: Timestamp,
) -> halsonav_storage::Result<()> {
    let mut keys = Vec::new();
    for stored in loaded {
        for fact in facts.get(&stored.case.id).into_iter().flatten() {
            keys.push((Some(stored.case.no), fact.source.as_str(), fact.id.as_str()));
        }
    }
    let mut first = tx.first_seen(&keys, now)?.into_iter();
    drop(keys);
    for stored in loaded {
        if let Some(list) = facts.get_mut(&stored.case.id) {
            list.retain(|_| first.next().unwrap_or(true));
        }
    }
    Ok(())
}

/// A parked message stops its own case: what comes later waits behind it, in order.
fn behind(
    tx: &mut Writer,
    stored: &StoredInstance,
    facts: Vec<Envelope>,
    now: Timestamp,
) -> halsonav_storage::Result<()> {
    for fact in facts {
        tx.park(
            Some(stored.case.no),
            &fact,
            "HUB-PARKED-BEHIND",
            "waits behind a parked message",
            now,
        )?;
    }
    Ok(())
}
