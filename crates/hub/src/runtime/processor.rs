//! Records in, decisions made, one transaction. The only place where instances change.

use std::{
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use halsonav_bus::{Consumer, Delivered, codec};
use halsonav_domain::{CaseId, Envelope, Kind, Problem, Reference, Timestamp, Topic};
use halsonav_engine::{Input, Instance, Library, Rejection, WaitingFor};
use halsonav_storage::{CaseChange, DueTimer, HubIncident, StoredInstance, Writer};
use serde_json::Value;

use super::{Core, bus_problem, fold, intake, store_problem};

/// Consumer group of the engine.
const GROUP: &str = "engine";
/// Broadcast of a signal; its data are name and variables.
const SIGNAL: &str = "signal";

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
enum Item {
    Fact(Envelope),
    Timer(DueTimer),
}

/// What a transaction has to tell once it is committed.
#[derive(Default)]
struct Report {
    steps: usize,
    signals: Vec<(CaseId, String, Value)>,
    dropped: usize,
    rejected: usize,
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

fn advance(
    core: &Core,
    tx: &mut Writer,
    stored: &StoredInstance,
    items: Vec<Item>,
    now: Timestamp,
    report: &mut Report,
) -> halsonav_storage::Result<Option<CaseChange>> {
    if items.is_empty() {
        return Ok(None);
    }
    let mut instance: Option<Instance> = match stored.revision {
        0 => None,
        _ => match serde_json::from_slice(&stored.state) {
            Ok(instance) => Some(instance),
            Err(_) => {
                let problem = Problem::new(
                    Kind::Internal,
                    "HUB-INTAKE-004",
                    "the stored instance cannot be read",
                );
                park_all(tx, stored, items, &problem, now)?;
                return Ok(None);
            }
        },
    };
    let mut change = CaseChange::new(
        stored.case.no,
        stored.case.id,
        stored.revision,
        stored.revision,
        Vec::new(),
        now,
    );
    let mut told = fold::Told::default();
    let mut queue = items.into_iter();
    while let Some(item) = queue.next() {
        // A timer that came due is spent, whatever comes of it; a cycle arms its next one itself.
        if let Item::Timer(timer) = &item {
            change.disarm.push(timer.timer);
        }
        match step(core, stored, &mut instance, &item, now) {
            Ok(effects) => {
                change.revision += 1;
                report.steps += 1;
                fold::fold(
                    &mut change,
                    effects,
                    &|kind| core.adapters.contacts(kind),
                    &mut told,
                );
            }
            Err(Stop::Rejected(rejection)) => {
                report.rejected += 1;
                tracing::debug!(case = %stored.case.id, %rejection, "input rejected");
            }
            Err(Stop::Parked(problem)) => {
                let rest = std::iter::once(item).chain(queue.by_ref()).collect();
                park_all(tx, stored, rest, &problem, now)?;
                break;
            }
        }
        // What a neighbour or a person told is kept, even when the process no longer asks for it.
        if let Item::Fact(envelope) = &item {
            aside(tx, stored, envelope, &mut change)?;
        }
    }
    settle(core, instance.as_ref(), &mut change, told, report)?;
    Ok((change.revision > stored.revision
        || !change.records.is_empty()
        || !change.disarm.is_empty())
    .then_some(change))
}

/// Why an item did not become a step.
enum Stop {
    /// The engine has an answer: it does not apply.
    Rejected(Rejection),
    /// It can never be read, or our own fault came to light: it stops its case.
    Parked(Problem),
}

fn step(
    core: &Core,
    stored: &StoredInstance,
    instance: &mut Option<Instance>,
    item: &Item,
    now: Timestamp,
) -> Result<Vec<halsonav_engine::Effect>, Stop> {
    let input = match item {
        Item::Timer(timer) => Input::TimerDue { timer: timer.timer },
        Item::Fact(envelope) if envelope.kind == SIGNAL => signal(envelope)?,
        Item::Fact(envelope) => match intake::meaning(envelope, core.message_ttl())
            .map_err(Stop::Parked)?
        {
            intake::Meaning::Step(input) => input,
            intake::Meaning::Open(_) if instance.is_some() => {
                return Err(Stop::Rejected(Rejection::DuplicateMessage));
            }
            intake::Meaning::Open(variables) => {
                let process = &stored.case.definition;
                let started = guarded(|| {
                    halsonav_engine::start(
                        &core.library(),
                        &process.id,
                        stored.case.id,
                        variables,
                        now,
                    )
                })?;
                let (fresh, effects) = started
                    .map_err(|r| Stop::Parked(Problem::new(r.kind(), r.code(), r.to_string())))?;
                *instance = Some(fresh);
                return Ok(effects);
            }
        },
    };
    let running = instance.as_mut().ok_or_else(|| {
        Stop::Parked(Problem::new(
            Kind::Conflict,
            "HUB-INTAKE-005",
            "a fact came before the case was opened",
        ))
    })?;
    guarded(|| halsonav_engine::step(&core.library(), running, &input, now))?
        .map_err(Stop::Rejected)
}

fn signal(envelope: &Envelope) -> Result<Input, Stop> {
    let name = envelope
        .data
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    Ok(Input::Signal {
        name,
        variables: envelope
            .data
            .get("variables")
            .cloned()
            .unwrap_or(Value::Null),
    })
}

/// One bug never stops a partition: a panic parks the message that caused it.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Stop> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        Stop::Parked(Problem::new(
            Kind::Internal,
            "HUB-INTAKE-006",
            "the engine failed on this message",
        ))
    })
}

/// What a fact changes besides the instance: what the API shows, and the resident's own will.
fn aside(
    tx: &mut Writer,
    stored: &StoredInstance,
    envelope: &Envelope,
    change: &mut CaseChange,
) -> halsonav_storage::Result<()> {
    for record in intake::records(envelope) {
        change
            .records
            .retain(|known| (&known.kind, &known.key) != (&record.kind, &record.key));
        change.records.push(record);
    }
    if envelope.kind == "resident.opted-out" {
        tx.opt_out(&stored.case.subject, "all", true)?;
    }
    if envelope.kind == "booking.made" {
        // A booking of the resident's own making: its later changes are known by it.
        let value = envelope
            .data
            .get("bookingId")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        tx.note_reference(
            stored.case.no,
            &Reference {
                kind: "booking".to_owned(),
                value,
            },
            envelope.time,
        )?;
    }
    if let Some(kind) = intake::settles(&envelope.kind) {
        let value = envelope
            .data
            .get(kind.1)
            .and_then(Value::as_str)
            .unwrap_or_default();
        tx.settle_reference(kind.0, value)?;
    }
    Ok(())
}

fn park_all(
    tx: &mut Writer,
    stored: &StoredInstance,
    items: Vec<Item>,
    problem: &Problem,
    now: Timestamp,
) -> halsonav_storage::Result<()> {
    let mut first = true;
    for item in items {
        if let Item::Fact(envelope) = item {
            let code = if first {
                problem.code.as_str()
            } else {
                "HUB-PARKED-BEHIND"
            };
            tx.park(Some(stored.case.no), &envelope, code, &problem.message, now)?;
            first = false;
        }
    }
    let incident = HubIncident {
        case: Some(stored.case.id),
        element: "intake".to_owned(),
        kind: problem.kind,
        code: problem.code.clone(),
        message: problem.message.clone(),
        at: now,
    };
    tx.open_incident(&incident).map(drop)
}

/// Writes the state and the ledger of an instance that was stepped.
fn settle(
    core: &Core,
    instance: Option<&Instance>,
    change: &mut CaseChange,
    told: fold::Told,
    report: &mut Report,
) -> halsonav_storage::Result<()> {
    let Some(instance) = instance.filter(|_| change.revision > change.expected) else {
        return Ok(());
    };
    change.state =
        serde_json::to_vec(instance).map_err(|_| halsonav_storage::Error::Corrupt("instance"))?;
    report.dropped += told.dropped.len();
    for (name, variables) in told.signals {
        report.signals.push((change.id, name, variables));
    }
    for (job, kind) in told.unknown_kinds {
        tracing::error!(case = %change.id, job, kind, code = "HUB-INTAKE-007", "no adapter knows this kind of job");
    }
    if change.ledger.is_none() {
        change.ledger = Some(standing(core, instance));
    }
    Ok(())
}

/// Where the case stands, in the words of the ledger.
fn standing(core: &Core, instance: &Instance) -> halsonav_storage::Ledger {
    let library: &Library = &core.library();
    let (mut incidents, mut wake, mut waiting_for) = (0, None::<Timestamp>, None::<(u8, String)>);
    for waiting in instance.waiting(library) {
        let rank = match waiting.what {
            WaitingFor::Incident { .. } => {
                incidents += 1;
                0
            }
            WaitingFor::WorkItem => 1,
            WaitingFor::Job => 2,
            WaitingFor::Message { .. } => 4,
            WaitingFor::Signal { .. } => 5,
            WaitingFor::Timer { due } => {
                wake = Some(wake.map_or(due, |earliest| earliest.min(due)));
                3
            }
        };
        if waiting_for.as_ref().is_none_or(|(best, _)| rank < *best) {
            waiting_for = Some((rank, waiting.element));
        }
    }
    fold::standing(incidents, waiting_for.map(|(_, element)| element), wake)
}
