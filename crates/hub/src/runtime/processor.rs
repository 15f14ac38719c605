//! Records in, decisions made, one transaction. The only place where instances change.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use halsonav_bus::{Consumer, Delivered, codec};
use halsonav_domain::{CaseId, Envelope, Kind, Problem, Timestamp, Topic};
use halsonav_storage::{DueTimer, HubIncident, StoredInstance, Writer};
use serde_json::Value;

use super::{Core, advance::advance, bus_problem, store_problem};

/// Consumer group of the engine.
const GROUP: &str = "engine";
/// Broadcast of a signal; its data are name and variables.
pub(super) const SIGNAL: &str = "signal";

/// Takes facts and due timers to the instances they concern.
pub struct Processor {
    core: Arc<Core>,
    consumer: Box<dyn Consumer>,
}

/// What one turn did.
#[derive(Clone, Copy, Default, Debug)]
pub struct Turn {
    /// Facts and timers taken.
    pub inputs: usize,
    /// Steps that changed an instance.
    pub steps: usize,
}

/// One thing for one case.
pub(super) enum Item {
    Fact(Envelope),
    Timer(DueTimer),
}

/// What a transaction has to tell once it is committed.
#[derive(Default)]
pub(super) struct Report {
    pub(super) steps: usize,
    pub(super) signals: Vec<(CaseId, String, Value)>,
    pub(super) dropped: usize,
    pub(super) rejected: usize,
}

impl Processor {
    /// Joins the events topic.
    ///
    /// # Errors
    /// When the bus refuses.
    pub fn new(core: Arc<Core>) -> Result<Self, Problem> {
        let consumer = core
            .bus
            .subscribe(GROUP, &[Topic::Events])
            .map_err(bus_problem)?;
        Ok(Self { core, consumer })
    }

    /// One batch: what lies on the bus and the timers due now. Does not wait unless `wait` says so.
    ///
    /// # Errors
    /// When store or bus fail; nothing is lost, the same batch comes again.
    pub async fn turn(&mut self, wait: Option<Duration>) -> Result<Turn, Problem> {
        let batch = self.core.config.engine.batch;
        let now = self.core.clock.now();
        let delivered = self.consumer.poll(batch, wait).await.map_err(bus_problem)?;
        let limit = u32::try_from(batch).unwrap_or(u32::MAX);
        let timers = self
            .core
            .storage
            .read_async(move |r| r.due_timers(now, limit))
            .await
            .map_err(store_problem)?;
        let inputs = delivered.len() + timers.len();
        if inputs == 0 {
            return Ok(Turn::default());
        }
        let core = self.core.clone();
        let report = self
            .core
            .storage
            .write_async(move |tx| transact(&core, tx, &delivered, timers, now))
            .await;
        let report = match report {
            Ok(report) => report,
            Err(error) => {
                self.consumer.rewind().await.map_err(bus_problem)?;
                return Err(store_problem(error));
            }
        };
        self.broadcast(&report, now).await?;
        self.consumer.commit().await.map_err(bus_problem)?;
        self.core
            .metrics
            .steps(report.steps, report.dropped, report.rejected);
        Ok(Turn {
            inputs,
            steps: report.steps,
        })
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

fn transact(
    core: &Core,
    tx: &mut Writer,
    delivered: &[Delivered],
    timers: Vec<DueTimer>,
    now: Timestamp,
) -> halsonav_storage::Result<Report> {
    let mut report = Report::default();
    let mut order: Vec<CaseId> = Vec::new();
    let mut items: HashMap<CaseId, Vec<Item>> = HashMap::new();
    let mut add = |case: CaseId, item: Item| {
        items
            .entry(case)
            .or_insert_with(|| {
                order.push(case);
                Vec::new()
            })
            .push(item);
    };
    for record in delivered {
        match codec::read_event(&record.record) {
            Ok(envelope) => match envelope.subject {
                Some(case) => add(case, Item::Fact(envelope)),
                None => {
                    for case in addressees(tx, &envelope)? {
                        add(
                            case,
                            Item::Fact(Envelope {
                                subject: Some(case),
                                ..envelope.clone()
                            }),
                        );
                    }
                }
            },
            Err(error) => unreadable(tx, &error.to_string(), now)?,
        }
    }
    for timer in timers {
        add(timer.case, Item::Timer(timer));
    }
    let loaded = tx.load_instances(&order)?;
    let known: HashSet<CaseId> = loaded.iter().map(|stored| stored.case.id).collect();
    for case in order.iter().filter(|case| !known.contains(case)) {
        tracing::warn!(%case, code = "HUB-INTAKE-002", "facts about a case that is not here");
        report.rejected += items.remove(case).map_or(0, |list| list.len());
    }
    fresh(tx, &loaded, &mut items, now)?;
    let numbers: Vec<_> = loaded.iter().map(|stored| stored.case.no).collect();
    let stopped = tx.stopped(&numbers)?;
    let mut changes = Vec::with_capacity(loaded.len());
    for stored in &loaded {
        let mine = items.remove(&stored.case.id).unwrap_or_default();
        if stopped.contains(&stored.case.no) {
            behind(tx, stored, mine, now)?;
        } else if let Some(change) = advance(core, tx, stored, mine, now, &mut report)? {
            changes.push(change);
        }
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
    items: &mut HashMap<CaseId, Vec<Item>>,
    now: Timestamp,
) -> halsonav_storage::Result<()> {
    let mut keys = Vec::new();
    for stored in loaded {
        for item in items.get(&stored.case.id).into_iter().flatten() {
            if let Item::Fact(envelope) = item {
                keys.push((
                    Some(stored.case.no),
                    envelope.source.as_str(),
                    envelope.id.as_str(),
                ));
            }
        }
    }
    let mut first = tx.first_seen(&keys, now)?.into_iter();
    drop(keys);
    for stored in loaded {
        if let Some(list) = items.get_mut(&stored.case.id) {
            list.retain(|item| matches!(item, Item::Timer(_)) || first.next().unwrap_or(true));
        }
    }
    Ok(())
}

/// A parked message stops its own case: what comes later waits behind it, in order.
fn behind(
    tx: &mut Writer,
    stored: &StoredInstance,
    items: Vec<Item>,
    now: Timestamp,
) -> halsonav_storage::Result<()> {
    for item in items {
        if let Item::Fact(envelope) = item {
            tx.park(
                Some(stored.case.no),
                &envelope,
                "HUB-PARKED-BEHIND",
                "waits behind a parked message",
                now,
            )?;
        }
    }
    Ok(())
}
