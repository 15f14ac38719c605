//! Values measured at the unit.

use actix_web::{HttpResponse, post, web};
use halsonav_domain::{Timestamp, event::Observation};
use halsonav_storage::{Case, Record};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    access::Caller,
    body::Told,
    once::{Accepted, Doing, Names, once},
    problem::Fault,
    state::State,
};

/// The fact that something was measured outside of a work item.
pub(crate) const MEASURED: &str = "measurements.taken";

/// Values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measurements {
    /// Measured values.
    observations: Vec<Measured>,
}

/// A measured value.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// `height`, `weight`, `waist`, `hip`, `systolic`, `diastolic`, or a code of the lab such as `NPU27300`.
    code: String,
    /// The value.
    value: f64,
    /// Its unit: `cm`, `kg`, `mm[Hg]`, `mmol/L` …
    unit: String,
    /// When taken.
    #[serde(default)]
    taken: Option<Timestamp>,
}

/// Codes measured at a visit: unit, lowest and highest value of a living adult. Outside of these it
/// is a slip of the hand, such as height in metres.
const VISIT: &[(&str, &str, f64, f64)] = &[
    ("height", "cm", 50.0, 260.0),
    ("weight", "kg", 20.0, 400.0),
    ("waist", "cm", 30.0, 300.0),
    ("hip", "cm", 30.0, 300.0),
    ("systolic", "mm[Hg]", 50.0, 320.0),
    ("diastolic", "mm[Hg]", 20.0, 220.0),
];

const MOST: usize = 200;

/// Checks values as they stand in a JSON list; answers them as they go on the bus.
///
/// # Errors
/// Everything that is wrong, by place and code, never by value.
pub(crate) fn check(list: &[Measured], now: Timestamp) -> Result<Vec<Observation>, Fault> {
    let mut faults = Vec::new();
    if list.is_empty() || list.len() > MOST {
        faults.push(format!("1 to {MOST} values are taken"));
    }
    for (place, one) in list.iter().enumerate().take(MOST) {
        let mut fault = |what: &str| faults.push(format!("observations[{place}]: {what}"));
        let coded = (1..=32).contains(&one.code.len())
            && one
                .code
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !coded {
            fault("code has 1 to 32 letters, digits, -, _ and .");
        }
        if one.unit.is_empty() || one.unit.len() > 20 {
            fault("unit has 1 to 20 characters");
        }
        if one.taken.is_some_and(|taken| taken > now) {
            fault("taken is in the future");
        }
        if let Some((code, unit, low, high)) = VISIT.iter().find(|(code, ..)| *code == one.code) {
            if one.unit != *unit {
                fault(&format!("{code} is measured in {unit}"));
            } else if !(*low..=*high).contains(&one.value) {
                fault(&format!("{code} is between {low} and {high} {unit}"));
            }
        }
    }
    if !faults.is_empty() {
        return Err(Fault::unacceptable().with(faults));
    }
    Ok(list.iter().map(|one| observation(one, now)).collect())
}

fn observation(one: &Measured, now: Timestamp) -> Observation {
    Observation {
        code: one.code.clone(),
        value: one.value,
        unit: one.unit.clone(),
        taken: Some(one.taken.unwrap_or(now)),
        status: Some("final".to_owned()),
        comparator: None,
    }
}

/// Values measured at the unit: height, weight, waist, hip, blood pressure. They join those that are
/// there; a code measured again replaces the earlier value.
#[utoipa::path(tag = "records", params(("case" = Uuid, Path)), request_body = Measurements, responses((status = 202, description = "Published", body = Accepted)))]
#[post("/v1/cases/{case}/measurements")]
pub(crate) async fn measurements(
    state: web::Data<State>,
    caller: Caller,
    id: web::Path<String>,
    told: Told<Measurements>,
) -> Result<HttpResponse, Fault> {
    let case = state.case(&caller, &id).await?;
    let measured = check(&told.value.observations, state.now())?;
    once(&state, &caller, &told.ticket, async |names| {
        Ok(doing(&state, &caller, &case, &names, measured))
    })
    .await
}

fn doing(
    state: &State,
    caller: &Caller,
    case: &Case,
    names: &Names,
    measured: Vec<Observation>,
) -> Doing {
    let event = names.fact(MEASURED, Some(case.id), json!({ "observations": measured }));
    let (no, id, at) = (case.no, case.id, state.now());
    let mut doing = Doing::one(
        event,
        vec![state.entry(caller, "alter", "add-measurements", case)],
    );
    // The process decides nothing on values; that they are kept does not wait for it.
    doing.then = Some(Box::new(move |tx| {
        let known = tx
            .records(&id, Some("measurements"))?
            .into_iter()
            .find(|record| record.key == "visit");
        let data = json!({ "observations": joined(known.map(|record| record.data), &measured) });
        let record = Record {
            kind: "measurements".to_owned(),
            key: "visit".to_owned(),
            at,
            data,
        };
        tx.put_records(&[(no, record)])
    }));
    doing
}

fn joined(known: Option<Value>, measured: &[Observation]) -> Vec<Value> {
    let known = known
        .and_then(|data| data.get("observations").and_then(Value::as_array).cloned())
        .unwrap_or_default();
    let stays = |one: &Value| {
        measured
            .iter()
            .all(|new| one.get("code").and_then(Value::as_str) != Some(&new.code))
    };
    known
        .into_iter()
        .filter(stays)
        .chain(measured.iter().map(|one| json!(one)))
        .collect()
}
