//! One case in one batch: its instance is stepped through what came, in order, and what follows is
//! gathered. Nothing is written here and nothing asked, so that it may be done before the transaction,
//! on a thread of its own, and be thrown away.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use halsonav_domain::{
    CaseId, Envelope, Kind, Problem, Reference, Timestamp,
    event::{CommandDone, CommandRefused, Event},
    trace::{TRACEPARENT, is_traceparent},
};
use halsonav_engine::{Effect, Input, Instance, Library, Rejection, WaitingFor};
use halsonav_storage::{CaseChange, CaseNo, HubIncident, Settled, StoredInstance};
use serde_json::{Map, Value};

use super::{Core, fold, intake, note::Note, report::Report, timers, undo::undo};
use crate::spans::Begun;

/// Broadcast of a signal; its data are name and variables.
pub(super) const SIGNAL: &str = "signal";

/// What was decided on one case.
#[derive(Debug)]
pub(super) struct Decision {
    /// The case.
    pub(super) case: CaseNo,
    /// The revision of the instance that it was decided on.
    pub(super) revision: u64,
    /// What becomes of its instance.
    pub(super) change: Option<CaseChange>,
    /// What else there is to write, before the change.
    pub(super) notes: Vec<Note>,
    /// What there is to tell once it is written.
    pub(super) report: Report,
}

impl Decision {
    /// Nothing so far.
    fn on(stored: &StoredInstance) -> Self {
        Self {
            case: stored.case.no,
            revision: stored.revision,
            change: None,
            notes: Vec::new(),
            report: Report::default(),
        }
    }

    /// These can never be read, or our own fault came to light: they stop their case.
    fn park(&mut self, case: CaseId, facts: Vec<Envelope>, problem: &Problem, now: Timestamp) {
        let incident = HubIncident {
            case: Some(case),
            element: "intake".to_owned(),
            kind: problem.kind,
            code: problem.code.clone(),
            message: problem.message.clone(),
            at: now,
        };
        let (element, code) = (incident.element.clone(), incident.code.clone());
        self.report.incidents.push((case, element, code));
        self.notes
            .extend(Note::park(facts, &problem.code, &problem.message));
        self.notes.push(Note::Incident(incident));
    }
}

/// Takes what came for one case to its instance.
///
/// # Errors
/// `Corrupt` when an instance cannot be encoded; what the engine rejects is counted, what cannot be
/// read is parked.
pub(super) fn decide(
    core: &Core,
    library: &Library,
    stored: &StoredInstance,
    facts: &[&Envelope],
    now: Timestamp,
) -> halsonav_storage::Result<Decision> {
    let (no, id) = (stored.case.no, stored.case.id);
    let mut decision = Decision::on(stored);
    if facts.is_empty() {
        return Ok(decision);
    }
    let all = |facts: &[&Envelope]| facts.iter().copied().cloned().collect();
    let mut instance = match decode(stored) {
        Ok(instance) => instance,
        Err(problem) => {
            decision.park(id, all(facts), &problem, now);
            return Ok(decision);
        }
    };
    let mut change = CaseChange::new(no, id, stored.revision, stored.revision, Vec::new(), now);
    let mut told = fold::Told::default();
    for (n, fact) in facts.iter().enumerate() {
        let span = core.spans.step(fact, id).map(Arc::new);
        match step(core, library, stored, &mut instance, fact, now) {
            Ok(mut effects) => {
                change.revision += 1;
                decision.report.steps += 1;
                traced(fact, span.as_deref(), &mut effects);
                decision.report.spans.extend(span);
                let contacts = |kind: &str| core.adapters.contacts(kind);
                fold::fold(&mut change, effects, &contacts, &mut told);
            }
            Err(Stop::Rejected(rejection)) => {
                decision.report.rejected += 1;
                tracing::debug!(case = %id, %rejection, "input rejected");
                turned_away(fact, &rejection, &mut change);
            }
            Err(Stop::Parked(problem)) => {
                decision.park(id, all(&facts[n..]), &problem, now);
                break;
            }
        }
        // What a neighbour or a person told is kept, even when the process no longer asks for it.
        change.consumed.extend(intake::answered(fact));
        change.disarm.extend(timers::spent(fact));
        aside(core, stored, fact, &mut change, &mut decision.notes);
    }
    settle(
        library,
        instance.as_ref(),
        &mut change,
        told,
        &mut decision.report,
    )?;
    decision.change = worth_storing(stored, change);
    Ok(decision)
}

/// What is asked for because of a fact belongs to its trace.
fn traced(fact: &Envelope, span: Option<&Begun>, effects: &mut [Effect]) {
    let handed_on = || fact.traceparent.clone().filter(|t| is_traceparent(t));
    let ours = span.map(Begun::traceparent).filter(|t| is_traceparent(t));
    let Some(trace) = ours.or_else(handed_on) else {
        return;
    };
    for effect in effects {
        if let Effect::Job { headers, .. } = effect {
            headers.insert(TRACEPARENT.to_owned(), trace.clone());
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
    let beside = change.records.len() + change.references.len() + change.references_over.len();
    let spent = change.disarm.len() + change.consumed.len();
    if beside + spent + change.effects.len() == 0 || stored.revision == 0 {
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
    library: &Library,
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
            let (fresh, effects) = start(library, stored, variables, now)?;
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
    guarded(|| halsonav_engine::step(library, running, &input, now))?.map_err(|rejection| {
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
    library: &Library,
    stored: &StoredInstance,
    variables: Map<String, Value>,
    now: Timestamp,
) -> Result<(Instance, Vec<Effect>), Stop> {
    let process = &stored.case.definition;
    let started =
        guarded(|| halsonav_engine::start(library, &process.id, stored.case.id, variables, now))?;
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
    stored: &StoredInstance,
    fact: &Envelope,
    change: &mut CaseChange,
    notes: &mut Vec<Note>,
) {
    for record in intake::records(fact) {
        change
            .records
            .retain(|known| (&known.kind, &known.key) != (&record.kind, &record.key));
        change.records.push(record);
    }
    let reference = |kind: &str, field: &str| {
        let value = fact.data.get(field).and_then(Value::as_str);
        Reference {
            kind: kind.to_owned(),
            value: value.unwrap_or_default().to_owned(),
        }
    };
    if fact.kind == "booking.made" {
        // A booking of the resident's own making: its later changes are known by it.
        change.references.push(reference("booking", "bookingId"));
    }
    if let Some((kind, field)) = intake::settles(&fact.kind) {
        change.references_over.push(reference(kind, field));
    }
    if fact.kind == "resident.opted-out" {
        notes.push(Note::OptedOut(stored.case.subject));
    }
    if let Some((job, settled)) = outside(core, fact) {
        notes.push(Note::Settled(job, settled));
    }
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

/// Writes the state and the ledger of an instance that was stepped.
fn settle(
    library: &Library,
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
        report.unknown.push((change.id, job, kind));
    }
    if change.ledger.is_none() {
        change.ledger = Some(standing(library, instance));
    }
    Ok(())
}

/// Where the case stands, in the words of the ledger.
fn standing(library: &Library, instance: &Instance) -> halsonav_storage::Ledger {
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
