//! From a fact on the bus to an input of the engine, and to what the API will show of it.

use halsonav_domain::{
    CaseId, Envelope, Kind, Problem, Timestamp,
    event::{
        BookingCancelled, BookingChanged, BookingMade, CommandDone, CommandFailed, CommandRefused,
        ConsentGiven, Event, FormCompleted, LabResult, WorkItemCompleted,
    },
};
use halsonav_engine::{Input, Operator};
use halsonav_storage::Record;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::timers::{self, TIMER_DUE};

/// The fact that opens a case; its data are the variables the instance starts with.
const CASE_OPENED: &str = "case.opened";

/// The fact that opens `case`, whose instance starts with the variables in `data`.
#[must_use]
pub fn case_opened(case: CaseId, data: Value, now: Timestamp) -> Envelope {
    let id = case.to_string();
    Envelope::new("/cohort", id, CASE_OPENED, Some(case), now, data)
}

/// What a fact means to the instance of its case.
#[derive(Clone, PartialEq, Debug)]
pub enum Meaning {
    /// Start the instance with these variables.
    Open(Map<String, Value>),
    /// Step it.
    Step(Input),
}

/// Reads the fact.
///
/// # Errors
/// `Invalid`, `HUB-INTAKE-001`: the data does not have the shape of its type. The message names the
/// type, not the data.
pub fn meaning(envelope: &Envelope, ttl: jiff::SignedDuration) -> Result<Meaning, Problem> {
    let input = match envelope.kind.as_str() {
        CASE_OPENED => return Ok(Meaning::Open(read(envelope)?)),
        TIMER_DUE => timers::input(envelope).ok_or_else(|| shape(envelope))?,
        CommandDone::TYPE => {
            let done: CommandDone = read(envelope)?;
            Input::Completed {
                job: done.job,
                variables: object(done.result),
            }
        }
        CommandRefused::TYPE => {
            let refused: CommandRefused = read(envelope)?;
            Input::Refused {
                job: refused.job,
                code: refused.code,
                variables: object(refused.result),
            }
        }
        CommandFailed::TYPE => {
            let failed: CommandFailed = read(envelope)?;
            Input::Failed {
                job: failed.job,
                problem: failed.problem,
                outcome_unknown: failed.outcome_unknown,
            }
        }
        WorkItemCompleted::TYPE => {
            let done: WorkItemCompleted = read(envelope)?;
            Input::Completed {
                job: done.job,
                variables: control(done.result),
            }
        }
        kind if kind.starts_with("operator.") => Input::Operator(operator(envelope)?),
        name => Input::Message {
            id: format!("{}#{}", envelope.source, envelope.id),
            name: name.to_owned(),
            correlation: correlation(envelope),
            variables: control(envelope.data.clone()),
            expires: envelope.time.checked_add(ttl).ok(),
        },
    };
    Ok(Meaning::Step(input))
}

/// The key that the fact itself carries; a change of a booking is about that booking; anything else
/// is about the case.
fn correlation(envelope: &Envelope) -> String {
    let of_booking = matches!(
        envelope.kind.as_str(),
        BookingChanged::TYPE | BookingCancelled::TYPE
    );
    let booking = envelope
        .data
        .get("bookingId")
        .and_then(Value::as_str)
        .filter(|_| of_booking);
    envelope
        .correlationkey
        .clone()
        .or_else(|| booking.map(str::to_owned))
        .or_else(|| envelope.subject.map(|case| case.to_string()))
        .unwrap_or_default()
}

fn read<T: DeserializeOwned>(envelope: &Envelope) -> Result<T, Problem> {
    T::deserialize(&envelope.data).map_err(|_| shape(envelope))
}

fn shape(envelope: &Envelope) -> Problem {
    let message = format!(
        "the data of {} does not have the shape of its type",
        envelope.kind
    );
    Problem::new(Kind::Invalid, "HUB-INTAKE-001", message)
}

/// What an operator's fact holds.
#[derive(Deserialize)]
struct Order {
    #[serde(default)]
    incident: u64,
    #[serde(default)]
    scope: u64,
    #[serde(default)]
    variables: Value,
    #[serde(default)]
    reason: String,
}

fn operator(envelope: &Envelope) -> Result<Operator, Problem> {
    let order: Order = read(envelope)?;
    Ok(match envelope.kind.as_str() {
        "operator.retry" => Operator::Retry {
            incident: order.incident,
            variables: object(order.variables),
        },
        "operator.skip" => Operator::Skip {
            incident: order.incident,
            variables: object(order.variables),
        },
        "operator.cancel" => Operator::Cancel {
            reason: order.reason,
        },
        "operator.suspend" => Operator::Suspend,
        "operator.resume" => Operator::Resume,
        "operator.set-variables" => Operator::SetVariables {
            scope: order.scope,
            variables: object(order.variables),
        },
        _ => return Err(shape(envelope)),
    })
}

fn object(value: Value) -> Value {
    if value.is_object() {
        value
    } else {
        Value::Null
    }
}

/// Health data the process does not decide on: kept as records, not as variables, so that an
/// instance stays small and an incident shows nothing of it.
const KEPT_APART: &[&str] = &["answers", "observations"];

fn control(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            for name in KEPT_APART {
                fields.remove(*name);
            }
            Value::Object(fields)
        }
        _ => Value::Null,
    }
}

/// What the API shows of a fact, if anything.
#[must_use]
pub fn records(envelope: &Envelope) -> Vec<Record> {
    let at = envelope.time;
    let data = &envelope.data;
    match envelope.kind.as_str() {
        FormCompleted::TYPE => vec![record("form", text(data, "template"), at, data.clone())],
        LabResult::TYPE => vec![record("lab", text(data, "orderId"), at, data.clone())],
        BookingMade::TYPE | BookingChanged::TYPE => vec![booking(data, at, "booked")],
        BookingCancelled::TYPE => vec![booking(data, at, "cancelled")],
        ConsentGiven::TYPE => vec![record("consent", text(data, "project"), at, data.clone())],
        WorkItemCompleted::TYPE => visit(&data["result"], at),
        kind if kind.starts_with("letter.") => {
            let mut shown = data.clone();
            shown["status"] = json!(kind.trim_start_matches("letter."));
            vec![record("letter", text(data, "letterId"), at, shown)]
        }
        _ => Vec::new(),
    }
}

/// The job whose outcome a fact tells: with it, the job's effect is over for the process.
#[must_use]
pub fn answered(envelope: &Envelope) -> Option<u64> {
    let outcome = matches!(
        envelope.kind.as_str(),
        CommandDone::TYPE | CommandRefused::TYPE | CommandFailed::TYPE
    );
    envelope
        .data
        .get("job")
        .and_then(Value::as_u64)
        .filter(|_| outcome)
}

/// The reference that a fact settles, so that no poller asks about it again: kind, and the field with its value.
#[must_use]
pub fn settles(kind: &str) -> Option<(&'static str, &'static str)> {
    match kind {
        FormCompleted::TYPE => Some(("form", "formId")),
        "letter.rejected" | "letter.returned" => Some(("letter", "letterId")),
        _ => None,
    }
}

fn booking(data: &Value, at: Timestamp, status: &str) -> Record {
    let mut shown = data.clone();
    shown["status"] = json!(status);
    record("booking", text(data, "bookingId"), at, shown)
}

/// What people at work wrote down: measurements, answers on paper or with help, consent.
fn visit(result: &Value, at: Timestamp) -> Vec<Record> {
    let mut records = Vec::new();
    if let Some(observations) = result
        .get("observations")
        .filter(|list| list.as_array().is_some_and(|l| !l.is_empty()))
    {
        records.push(record(
            "measurements",
            "visit",
            at,
            json!({ "observations": observations }),
        ));
    }
    if let Some(answers) = result.get("answers").filter(|answers| answers.is_object()) {
        let template = result
            .get("form")
            .or_else(|| result.get("additionalForm"))
            .and_then(Value::as_str)
            .unwrap_or("visit");
        let mode = result
            .get("mode")
            .and_then(Value::as_str)
            .unwrap_or("assisted");
        records.push(record(
            "form",
            template,
            at,
            json!({ "template": template, "answers": answers, "mode": mode }),
        ));
    }
    if let Some(consent) = result.get("consent").and_then(Value::as_bool) {
        records.push(record(
            "consent",
            "research",
            at,
            json!({ "project": "research", "given": consent }),
        ));
    }
    records
}

fn text<'a>(data: &'a Value, field: &str) -> &'a str {
    data.get(field).and_then(Value::as_str).unwrap_or("")
}

fn record(kind: &str, key: &str, at: Timestamp, data: Value) -> Record {
    Record {
        kind: kind.to_owned(),
        key: key.to_owned(),
        at,
        data,
    }
}

#[cfg(test)]
mod tests {
    use halsonav_domain::CaseId;

    use super::*;

    fn envelope(kind: &str, data: Value) -> Envelope {
        Envelope::new(
            "/test",
            "1",
            kind,
            Some(CaseId(uuid::Uuid::from_u128(1))),
            Timestamp::UNIX_EPOCH,
            data,
        )
    }

    fn step(kind: &str, data: Value) -> Input {
        match meaning(&envelope(kind, data), jiff::SignedDuration::from_hours(24))
            .expect("it has a meaning")
        {
            Meaning::Step(input) => input,
            Meaning::Open(_) => panic!("not an opening"),
        }
    }

    #[test]
    fn answers_and_values_stay_out_of_the_process() {
        let data = json!({ "formId": "F1", "template": "halsa", "answers": { "smoke": "daily" }, "mode": "digital" });
        match step("form.completed", data.clone()) {
            Input::Message {
                variables,
                correlation,
                ..
            } => {
                assert_eq!(
                    variables,
                    json!({ "formId": "F1", "template": "halsa", "mode": "digital" })
                );
                assert_eq!(correlation, "00000000-0000-0000-0000-000000000001");
            }
            other => panic!("{other:?}"),
        }
        let kept = records(&envelope("form.completed", data));
        assert_eq!(kept[0].data["answers"]["smoke"], "daily");
    }

    #[test]
    fn an_unknown_fact_is_a_message_and_a_misshapen_one_is_refused() {
        assert!(matches!(
            step("something.else", json!({})),
            Input::Message { .. }
        ));
        let wrong = meaning(
            &envelope("command.done", json!({ "job": "seven" })),
            jiff::SignedDuration::ZERO,
        );
        assert_eq!(wrong.expect_err("misshapen").code, "HUB-INTAKE-001");
    }

    #[test]
    fn a_visit_leaves_measurements_answers_and_consent() {
        let result = json!({ "outcome": "held", "consent": true, "observations": [{ "code": "height", "value": 180.0, "unit": "cm" }],
            "answers": { "goal": "walk" }, "additionalForm": "tillaggsfragor" });
        let kinds: Vec<_> = records(&envelope(
            "work-item.completed",
            json!({ "job": 1, "result": result }),
        ))
        .into_iter()
        .map(|r| r.kind)
        .collect();
        assert_eq!(kinds, ["measurements", "form", "consent"]);
    }
}
