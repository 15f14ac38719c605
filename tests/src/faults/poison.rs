//! Records on the topic of events that are none, or are not for this version: their own case stops, or
//! nobody's.

use anyhow::Result;
use serde_json::{Value, json};

use super::{Outcome, Plan, stand};
use crate::round::Round;

/// Cases that get an event which cannot be taken.
const VICTIMS: usize = 2;

/// An event of a case, of a version of CloudEvents and with data.
fn event(case: &str, version: &str, data: &Value) -> Value {
    json!({
        "key": case,
        "headers": [
            ["ce_specversion", version], ["ce_id", format!("poison-{case}-{version}")],
            ["ce_source", "/poison"], ["ce_type", "work-item.completed"], ["ce_subject", case],
            ["ce_time", "2026-01-12T06:00:00Z"], ["content-type", "application/json"],
        ],
        "value": data.to_string(),
    })
}

/// Everybody else ends as on a calm day.
pub(super) fn run(plan: &Plan, seed: u64, calm: &Round, outcome: &mut Outcome) -> Result<()> {
    let cases: Vec<&str> = calm.cases().collect();
    let victims: Vec<&str> = cases.iter().copied().take(VICTIMS).collect();
    let bystander = cases.last().copied().unwrap_or_default();
    let mut records = vec![
        json!({ "key": bystander, "value": "no event" }),
        event(bystander, "2.0", &json!({ "formId": "f" })),
    ];
    records.extend(
        victims
            .iter()
            .map(|case| event(case, "1.0", &json!("no object"))),
    );
    let poison = records.len() as u64;
    let (round, _) = stand::run(plan, "poison", seed, |stand| {
        let now = stand.hours == 2;
        Ok(if now { records.clone() } else { Vec::new() })
    })?;
    let name = format!("seed {seed}, poison");
    outcome.judge(&name, &round);
    outcome.poison += poison;
    let (nobodys, parked) = (
        round.incidents("HUB-INTAKE-003"),
        round.incidents("HUB-INTAKE-001"),
    );
    if nobodys != 1 || parked != victims.len() as u64 {
        outcome.breach(format!(
            "{name}: {nobodys} incidents of the topic and {parked} of cases, for {} cases",
            victims.len()
        ));
    }
    for (case, what) in calm.differences(&round) {
        if !victims.contains(&case.as_str()) {
            outcome.breach(format!("{name}: another case ends otherwise: {what}"));
        }
    }
    Ok(())
}
