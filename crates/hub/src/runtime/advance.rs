//! One case in one batch: its instance is stepped through what came, in order, and what follows is
//! gathered in one change.

use std::panic::{AssertUnwindSafe, catch_unwind};

use halsonav_domain::{
    Envelope, Kind, Problem, Reference, Timestamp,
    event::{CommandDone, CommandRefused, Event},
    trace::{TRACEPARENT, is_traceparent},
};
use halsonav_engine::{Effect, Input, Instance, Library, Rejection, WaitingFor};
use halsonav_storage::{CaseChange, HubIncident, Settled, StoredInstance, Writer};
use serde_json::{Map, Value};

use super::{
    Core, fold, intake,
    processor::{Report, SIGNAL},
    timers,
    undo::undo,
};

/// Takes what came for one case to its instance.
///
/// # Errors
/// Those of the store; what the engine rejects is counted, what cannot be read is parked.
pub(super) fn advance(
    core: &Core,
    tx: &mut Writer,
    stored: &StoredInstance,
    facts: Vec<Envelope>,
    now: Timestamp,
    report: &mut Report,
) -> halsonav_storage::Result<Option<CaseChange>> {
    if facts.is_empty() {
        return Ok(None);
    }
    let mut instance = match decode(stored) {
        Ok(instance) => instance,
        Err(problem) => {
            park_all(tx, stored, facts, &problem, report, now)?;
            return Ok(None);
        }
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
    let mut queue = facts.into_iter();
    while let Some(fact) = queue.next() {
        match step(core, stored, &mut instance, &fact, now) {
            Ok(mut effects) => {
                change.revision += 1;
                report.steps += 1;
                traced(&fact, &mut effects);
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
                turned_away(&fact, &rejection, &mut change);
            }
            Err(Stop::Parked(problem)) => {
                let rest = std::iter::once(fact).chain(queue.by_ref()).collect();
                park_all(tx, stored, rest, &problem, report, now)?;
                break;
            }
        }
        // What a neighbour or a person told is kept, even when the process no longer asks for it.
        change.consumed.extend(intake::answered(&fact));
        change.disarm.extend(timers::spent(&fact));
        aside(core, tx, stored, &fact, &mut change)?;
    }
    settle(core, instance.as_ref(), &mut change, told, report)?;
    Ok(worth_storing(stored, change))
}

/// What is asked for because of a fact belongs to its trace.
fn traced(fact: &Envelope, effects: &mut [Effect]) {
    let Some(trace) = fact.traceparent.as_deref().filter(|t| is_traceparent(t)) else {
        return;
    };
    for effect in effects {
        if let Effect::Job { headers, .. } = effect {
            headers.insert(TRACEPARENT.to_owned(), trace.to_owned());
        }
    }
}

/// What is still to be done about a fact that the engine would not have.
fn turned_away(fact: &Envelope, rejection: &Rejection, change: &mut CaseChange) {
    match rejection {
        Rejection::Ended | Rejection::UnknownJob(_) => change.effects.extend(undo(fact)),
        Rejection::NotDue { timer, due } => change.arm.extend(timers::again(fact, *timer, *due)),
        _ => {}
    }
}

/// The stored instance; nothing before the first step.
fn decode(stored: &StoredInstance) -> Result<Option<Instance>, Problem> {
    if stored.revision == 0 {
        return Ok(None);
    }
    serde_json::from_slice(&stored.state)
        .map(Some)
        .map_err(|_| {
            let message = "the stored instance cannot be read";
            Problem::new(Kind::Internal, "HUB-INTAKE-004", message)
        })
}

/// The change, if it says anything. Without a step the instance stays as it is and only what
/// stands beside it is written.
fn worth_storing(stored: &StoredInstance, mut change: CaseChange) -> Option<CaseChange> {
    if change.revision > stored.revision {
        return Some(change);
    }
    let notes = change.records.len() + change.disarm.len() + change.consumed.len();
    if notes + change.effects.len() == 0 || stored.revision == 0 {
        return None;
    }
    change.revision += 1;
    change.state.clone_from(&stored.state);
    Some(change)
}

/// Why a fact did not become a step.
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
    fact: &Envelope,
    now: Timestamp,
) -> Result<Vec<Effect>, Stop> {
    let meaning = match fact.kind.as_str() {
        SIGNAL => intake::Meaning::Step(signal(fact)),
        _ => intake::meaning(fact, core.message_ttl()).map_err(Stop::Parked)?,
    };
    let input = match meaning {
        intake::Meaning::Step(input) => input,
        intake::Meaning::Open(_) if instance.is_some() => {
            return Err(Stop::Rejected(Rejection::DuplicateMessage));
        }
        intake::Meaning::Open(variables) => {
            let (fresh, effects) = start(core, stored, variables, now)?;
            *instance = Some(fresh);
            return Ok(effects);
        }
    };
    let running = instance.as_mut().ok_or_else(|| {
        Stop::Parked(Problem::new(
            Kind::Conflict,
            "HUB-INTAKE-005",
            "a fact came before the case was opened",
        ))
    })?;
    let now = timers::clock(&input, fact, now);
    guarded(|| halsonav_engine::step(&core.library(), running, &input, now))?.map_err(|rejection| {
        match rejection {
            // What cannot be recorded now must not be lost: it waits outside, in order.
            Rejection::QueueFull => Stop::Parked(Problem::new(
                rejection.kind(),
                rejection.code(),
                rejection.to_string(),
            )),
            rejection => Stop::Rejected(rejection),
        }
    })
}

fn start(
    core: &Core,
    stored: &StoredInstance,
    variables: Map<String, Value>,
    now: Timestamp,
) -> Result<(Instance, Vec<Effect>), Stop> {
    let process = &stored.case.definition;
    let started = guarded(|| {
        halsonav_engine::start(&core.library(), &process.id, stored.case.id, variables, now)
    })?;
    started.map_err(|r| Stop::Parked(Problem::new(r.kind(), r.code(), r.to_string())))
}

fn signal(fact: &Envelope) -> Input {
    let text = |field: &str| fact.data.get(field).and_then(Value::as_str);
    Input::Signal {
        name: text("name").unwrap_or_default().to_owned(),
        variables: fact.data.get("variables").cloned().unwrap_or(Value::Null),
    }
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
    core: &Core,
    tx: &mut Writer,
    stored: &StoredInstance,
    envelope: &Envelope,
    change: &mut CaseChange,
) -> halsonav_storage::Result<()> {
    let now = change.at;
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
    if let Some((job, settled)) = outside(core, envelope) {
        tx.settle_outside(stored.case.no, job, &settled, now)?;
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

/// What a program outside says became of its command.
fn outside(core: &Core, fact: &Envelope) -> Option<(u64, Settled)> {
    let adapter = fact.source.strip_prefix("/adapters/")?;
    let job = intake::answered(fact).filter(|_| core.adapters.is_outside(adapter))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let settled = match fact.kind.as_str() {
        CommandDone::TYPE => Settled::Done,
        CommandRefused::TYPE => Settled::Refused(text(&fact.data["code"])),
        _ if fact.data["outcomeUnknown"] == true => {
            Settled::Unknown(text(&fact.data["problem"]["code"]))
        }
        _ => Settled::Failed(text(&fact.data["problem"]["code"])),
    };
    Some((job, settled))
}

fn park_all(
    tx: &mut Writer,
    stored: &StoredInstance,
    facts: Vec<Envelope>,
    problem: &Problem,
    report: &mut Report,
    now: Timestamp,
) -> halsonav_storage::Result<()> {
    let mut code = problem.code.as_str();
    for fact in facts {
        tx.park(Some(stored.case.no), &fact, code, &problem.message, now)?;
        code = "HUB-PARKED-BEHIND";
    }
    let incident = HubIncident {
        case: Some(stored.case.id),
        element: "intake".to_owned(),
        kind: problem.kind,
        code: problem.code.clone(),
        message: problem.message.clone(),
        at: now,
    };
    report.incidents.push((
        stored.case.id,
        incident.element.clone(),
        incident.code.clone(),
    ));
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
    for incident in &change.incidents {
        report
            .incidents
            .push((change.id, incident.element.clone(), incident.code.clone()));
    }
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
