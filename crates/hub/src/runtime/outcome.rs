//! What an adapter's word means: for the effect, for the process, for the record.

use halsonav_domain::{
    CommandId, Done, Envelope, Kind, Outcome, PersonRecord, Problem, Timestamp,
    event::{CommandDone, CommandFailed, CommandRefused, Event},
    trace::TRACEPARENT,
};
use halsonav_storage::{Document, EffectNo, Epoch, Ready, Record, Settled, Settlement};
use serde_json::{Value, json};

use super::{Core, prepare::Keep};

/// The BPMN error of the gate.
const NOT_CONTACTABLE: &str = "not-contactable";
/// The fact on the documentation topic. It says where the document is, not what is in it.
const DOCUMENTED: &str = "documentation.written";

/// What the dispatcher does next with one effect.
#[derive(Debug)]
pub enum Verdict {
    /// Its turn is over.
    Settled(Box<Ending>),
    /// Its outcome is not known: the neighbour is asked.
    Lost(Box<Ready>),
}

/// The end of one turn of an effect.
#[derive(Debug)]
pub struct Ending {
    /// For the store; the epoch is filled in by the dispatcher.
    pub settlement: Settlement,
    /// For the process, unless the effect is tried again.
    pub fact: Vec<Envelope>,
    /// For the vault.
    pub person: Vec<PersonRecord>,
    /// For the record.
    pub keep: Vec<Keep>,
    /// For journal systems that listen.
    pub documented: Option<Envelope>,
    /// Credentials or permissions are wrong: the whole lane waits, for a human or until then.
    pub denied: Option<(Problem, Timestamp)>,
}

fn ending(effect: EffectNo, settled: Settled) -> Ending {
    let settlement = Settlement {
        effect,
        epoch: Epoch(0),
        settled,
        references: Vec::new(),
    };
    Ending {
        settlement,
        fact: Vec::new(),
        person: Vec::new(),
        keep: Vec::new(),
        documented: None,
        denied: None,
    }
}

/// Judges one outcome.
#[must_use]
pub fn judge(core: &Core, ready: Ready, outcome: Outcome) -> Verdict {
    match outcome {
        // The bus has it; what comes of it is the program's to say.
        Outcome::Done(_)
            if core
                .adapters
                .is_outside(ready.effect.command.kind.adapter()) =>
        {
            Verdict::Settled(Box::new(ending(ready.effect.no, Settled::Handed)))
        }
        Outcome::Done(done) => Verdict::Settled(Box::new(done_with(core, &ready, done))),
        Outcome::Refused { code, result } => {
            let data = CommandRefused {
                job: ready.effect.job,
                code: code.clone(),
                result,
            }
            .data();
            let mut ending = ending(ready.effect.no, Settled::Refused(code));
            ending
                .fact
                .push(fact(core, &ready, CommandRefused::TYPE, data));
            Verdict::Settled(Box::new(ending))
        }
        Outcome::Failed(problem) => failed(core, ready, problem),
        Outcome::Unknown(_) => Verdict::Lost(Box::new(ready)),
    }
}

fn failed(core: &Core, ready: Ready, problem: Problem) -> Verdict {
    let again = match problem.kind {
        Kind::Unavailable => ready.attempt < core.config.retry.attempts,
        // The lane waits for a human; the effect waits with it.
        Kind::Denied => true,
        _ => false,
    };
    if !again {
        return Verdict::Settled(Box::new(given_up(core, &ready, problem, false)));
    }
    let at = problem.retry_after_s.map_or_else(
        || core.after(ready.attempt),
        |s| core.clock.now() + jiff::SignedDuration::from_secs(i64::from(s)),
    );
    let mut ending = ending(ready.effect.no, Settled::Retry(at, problem.code.clone()));
    ending.denied = (problem.kind == Kind::Denied).then_some((problem, at));
    Verdict::Settled(Box::new(ending))
}

fn given_up(core: &Core, ready: &Ready, problem: Problem, outcome_unknown: bool) -> Ending {
    let settled = if outcome_unknown {
        Settled::Unknown(problem.code.clone())
    } else {
        Settled::Failed(problem.code.clone())
    };
    let data = CommandFailed {
        job: ready.effect.job,
        outcome_unknown,
        problem,
    }
    .data();
    let mut ending = ending(ready.effect.no, settled);
    ending
        .fact
        .push(fact(core, ready, CommandFailed::TYPE, data));
    ending
}

/// The neighbour cannot tell: only a human may ask for it again.
#[must_use]
pub fn unknowable(core: &Core, ready: Ready) -> Verdict {
    let message = format!(
        "{}: sent, no answer, and the neighbour cannot tell",
        ready.effect.command.kind
    );
    let problem = Problem::new(Kind::Unavailable, "HUB-DISPATCH-006", message);
    Verdict::Settled(Box::new(given_up(core, &ready, problem, true)))
}

/// The neighbour has nothing of it: it is sent again by way of the claim, since the person may have
/// died, or the lane been stopped, since it was claimed.
#[must_use]
pub fn absent(core: &Core, ready: &Ready) -> Verdict {
    let message = format!(
        "{}: sent, no answer, and nothing of it is there",
        ready.effect.command.kind
    );
    let problem = Problem::new(Kind::Unavailable, "HUB-DISPATCH-009", message);
    if ready.attempt >= core.config.retry.attempts {
        return Verdict::Settled(Box::new(given_up(core, ready, problem, false)));
    }
    // What an earlier life left in hand has waited already.
    let at = match ready.reconcile {
        true => core.clock.now(),
        false => core.after(ready.attempt),
    };
    let settled = Settled::Retry(at, problem.code);
    Verdict::Settled(Box::new(ending(ready.effect.no, settled)))
}

/// The neighbour could not be asked now: again later, and asked before anything is sent.
#[must_use]
pub fn asked_later(core: &Core, ready: &Ready, problem: &Problem) -> Verdict {
    let settled = Settled::Ask(core.after(ready.attempt), problem.code.clone());
    Verdict::Settled(Box::new(ending(ready.effect.no, settled)))
}

fn done_with(core: &Core, ready: &Ready, mut done: Done) -> Ending {
    let mut ending = ending(ready.effect.no, Settled::Done);
    ending.keep = keep(ready, &mut done.result, core.clock.now());
    if ready.effect.command.kind.as_str() == "journal.document" {
        let data = json!({ "documentId": done.result.get("documentId"), "kind": "dialogue", "unit": ready.effect.command.unit });
        ending.documented = Some(fact(core, ready, DOCUMENTED, data));
    }
    let data = CommandDone {
        job: ready.effect.job,
        result: done.result,
    }
    .data();
    ending.fact.push(fact(core, ready, CommandDone::TYPE, data));
    ending.person.extend(done.person.map(|person| *person));
    ending.settlement.references = done.references;
    ending
}

/// The person must not be contacted: the process takes another way.
#[must_use]
pub fn refused_by_gate(
    effect: EffectNo,
    case: halsonav_domain::CaseId,
    job: u64,
    command: CommandId,
    reason: &str,
    now: Timestamp,
) -> Verdict {
    let data = CommandRefused {
        job,
        code: NOT_CONTACTABLE.to_owned(),
        result: json!({ "reason": reason }),
    }
    .data();
    let mut ending = ending(effect, Settled::Refused(format!("gate-{reason}")));
    ending.fact.push(Envelope::new(
        "/gate",
        command.to_string(),
        CommandRefused::TYPE,
        Some(case),
        now,
        data,
    ));
    Verdict::Settled(Box::new(ending))
}

/// This one contact falls away; the process goes on.
#[must_use]
pub fn skipped_by_gate(
    effect: EffectNo,
    case: halsonav_domain::CaseId,
    job: u64,
    command: CommandId,
    reason: &str,
    now: Timestamp,
) -> Verdict {
    let data = CommandDone {
        job,
        result: json!({ "skipped": reason }),
    }
    .data();
    let mut ending = ending(effect, Settled::Refused(format!("gate-{reason}")));
    ending.fact.push(Envelope::new(
        "/gate",
        command.to_string(),
        CommandDone::TYPE,
        Some(case),
        now,
        data,
    ));
    Verdict::Settled(Box::new(ending))
}

fn fact(core: &Core, ready: &Ready, kind: &str, data: Value) -> Envelope {
    let command = &ready.effect.command;
    let source = format!("/adapters/{}", command.kind.adapter());
    let mut fact = Envelope::new(
        &source,
        command.id.to_string(),
        kind,
        Some(command.case),
        core.clock.now(),
        data,
    );
    fact.traceparent = command.headers.get(TRACEPARENT).cloned();
    fact
}

/// What the API will show of it.
fn keep(ready: &Ready, result: &mut Value, at: Timestamp) -> Vec<Keep> {
    let command = &ready.effect.command;
    let case = ready.effect.case;
    let record = |kind: &str, key: &str, data: Value| {
        Keep::Record(
            case,
            Record {
                kind: kind.to_owned(),
                key: key.to_owned(),
                at,
                data,
            },
        )
    };
    let template = command
        .payload
        .get("template")
        .cloned()
        .unwrap_or(Value::Null);
    let text = |value: &Value, field: &str| {
        value
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    match command.kind.as_str() {
        "messaging.send" => {
            let id = text(result, "messageId");
            vec![record(
                "message",
                &id,
                json!({ "messageId": id, "template": template }),
            )]
        }
        "print.letter" => {
            let id = text(result, "letterId");
            vec![record(
                "letter",
                &id,
                json!({ "letterId": id, "template": template, "status": "handed-over" }),
            )]
        }
        "booking.book" | "booking.rebook" => {
            let mut shown = result.clone();
            shown["status"] = json!("booked");
            vec![record("booking", &text(result, "bookingId"), shown)]
        }
        "lab.order" => vec![record("order", &text(result, "orderId"), result.clone())],
        "journal.document" => vec![record(
            "document",
            &text(result, "documentId"),
            result.clone(),
        )],
        "research.contribute" => vec![record("contribution", "research", command.payload.clone())],
        "profile.draw" => {
            let svg = result
                .as_object_mut()
                .and_then(|fields| fields.remove("svg"));
            let levels = result
                .as_object_mut()
                .and_then(|fields| fields.remove("levels"))
                .unwrap_or(Value::Null);
            let shown = json!({ "instrument": result["instrument"], "levels": levels });
            let document = Document {
                kind: "profile".to_owned(),
                key: "profile".to_owned(),
                media_type: "image/svg+xml".to_owned(),
                at,
                bytes: svg
                    .and_then(|svg| svg.as_str().map(|text| text.as_bytes().to_vec()))
                    .unwrap_or_default(),
            };
            vec![
                record("profile", "profile", shown),
                Keep::Document(case, document),
            ]
        }
        _ => Vec::new(),
    }
}

/// The metric label of an outcome.
#[must_use]
pub fn word(settled: &Settled) -> &'static str {
    match settled {
        Settled::Done => "done",
        Settled::Refused(_) => "refused",
        Settled::Failed(_) => "failed",
        Settled::Retry(..) => "retry",
        Settled::Ask(..) => "ask",
        Settled::Unknown(_) => "unknown",
        Settled::Handed => "handed",
    }
}
