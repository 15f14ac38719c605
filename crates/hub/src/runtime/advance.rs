//! One case in one batch: its instance is stepped through what came, in order, and what follows is
//! gathered in one change.

use std::panic::{AssertUnwindSafe, catch_unwind};

use halsonav_domain::{Envelope, Kind, Problem, Reference, Timestamp};
use halsonav_engine::{Input, Instance, Library, Rejection, WaitingFor};
use halsonav_storage::{CaseChange, HubIncident, StoredInstance, Writer};
use serde_json::Value;

use super::{
    Core, fold, intake,
    processor::{Item, Report, SIGNAL},
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
    items: Vec<Item>,
    now: Timestamp,
    report: &mut Report,
) -> halsonav_storage::Result<Option<CaseChange>> {
    if items.is_empty() {
        return Ok(None);
    }
    let mut instance = match decode(stored) {
        Ok(instance) => instance,
        Err(problem) => {
            park_all(tx, stored, items, &problem, now)?;
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
                if let (Item::Fact(late), Rejection::Ended | Rejection::UnknownJob(_)) =
                    (&item, &rejection)
                {
                    change.effects.extend(undo(late));
                }
            }
            Err(Stop::Parked(problem)) => {
                let rest = std::iter::once(item).chain(queue.by_ref()).collect();
                park_all(tx, stored, rest, &problem, now)?;
                break;
            }
        }
        // What a neighbour or a person told is kept, even when the process no longer asks for it.
        if let Item::Fact(envelope) = &item {
            change.consumed.extend(intake::answered(envelope));
            aside(tx, stored, envelope, &mut change)?;
        }
    }
    settle(core, instance.as_ref(), &mut change, told, report)?;
    Ok(worth_storing(stored, change))
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
