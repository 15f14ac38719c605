//! `halsonav incident list|retry|skip`.

use std::process::ExitCode;

use clap::Subcommand;
use halsonav_bus::codec;
use halsonav_domain::{Clock as _, Envelope, Kind, Problem, Topic};
use halsonav_storage::{Incident, IncidentFilter, IncidentNo, Storage};
use serde_json::{Value, json};

use super::{Answer, Context, one, output::table};
use crate::{
    clock::SystemClock,
    config::Config,
    runtime::{bus_problem, store_problem},
    site,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what needs a human.
    List {
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Try again what failed, with corrected variables if given.
    Retry {
        /// Number of the incident.
        no: i64,
        /// Variables to set first, as a JSON object.
        #[arg(long, default_value = "{}")]
        variables: String,
    },
    /// Go on behind what failed, with these variables as its result.
    Skip {
        /// Number of the incident.
        no: i64,
        /// Stands in for the result, as a JSON object.
        #[arg(long, default_value = "{}")]
        variables: String,
    },
}

pub async fn run(context: &Context, command: Command) -> Answer {
    let (config, _) = site::settings(context, None)?;
    let storage = site::store(&config).map_err(one)?;
    match command {
        Command::List { limit } => list(context, &storage, limit),
        Command::Retry { no, variables } => {
            order(context, &config, &storage, no, "operator.retry", &variables).await
        }
        Command::Skip { no, variables } => {
            order(context, &config, &storage, no, "operator.skip", &variables).await
        }
    }
}

fn list(context: &Context, storage: &Storage, limit: u32) -> Answer {
    let incidents = storage
        .read(|r| r.incidents(&IncidentFilter::default(), None, limit))
        .map_err(|e| one(store_problem(e)))?;
    let list: Vec<Value> = incidents.iter().map(shown).collect();
    context.output.result(&json!({ "incidents": list }), || {
        let rows: Vec<_> = incidents
            .iter()
            .map(|i| {
                let case = i.case.map(|case| case.to_string()).unwrap_or_default();
                vec![
                    i.no.0.to_string(),
                    case,
                    i.element.clone(),
                    i.code.clone(),
                    i.message.clone(),
                    i.opened.to_string(),
                ]
            })
            .collect();
        table(&["NO", "CASE", "AT", "CODE", "WHAT", "SINCE"], &rows)
    });
    Ok(ExitCode::SUCCESS)
}

fn shown(incident: &Incident) -> Value {
    json!({
        "no": incident.no, "case": incident.case, "element": incident.element, "code": incident.code,
        "message": incident.message, "kind": incident.kind, "opened": incident.opened,
    })
}

/// Puts the order on the bus. The embedded log has one owner, so the hub must not be running; a
/// running hub takes the same order through its API.
async fn order(
    context: &Context,
    config: &Config,
    storage: &Storage,
    no: i64,
    kind: &str,
    variables: &str,
) -> Answer {
    let variables: Value = serde_json::from_str(variables)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| {
            one(Problem::new(
                Kind::Invalid,
                "HUB-CLI-003",
                "--variables takes a JSON object",
            ))
        })?;
    let incident = storage
        .read(|r| r.incident(IncidentNo(no)))
        .map_err(|e| one(store_problem(e)))?
        .filter(|incident| incident.resolved.is_none())
        .ok_or_else(|| {
            one(Problem::new(
                Kind::NotFound,
                "HUB-CLI-004",
                "no open incident with this number",
            ))
        })?;
    let (Some(case), Some(key)) = (incident.case, incident.key) else {
        let message =
            "this incident is not of a process: mend its cause, it is tried again by itself";
        return Err(one(Problem::new(Kind::Conflict, "HUB-CLI-005", message)));
    };
    let (bus, _) = site::bus(config).map_err(|problem| {
        let message = format!("{problem}; a running hub takes this order through its API");
        one(Problem::new(problem.kind, "HUB-CLI-006", message))
    })?;
    let now = SystemClock.now();
    let id = format!("cli-{no}-{}", now.as_millisecond());
    let fact = Envelope::new(
        "/cli",
        id,
        kind,
        Some(case),
        now,
        json!({ "incident": key, "variables": variables }),
    );
    let record = codec::event(&fact).map_err(|e| one(bus_problem(e)))?;
    bus.publish(&Topic::Events, vec![record])
        .await
        .map_err(|e| one(bus_problem(e)))?;
    context.output.result(&json!({ "accepted": no }), || {
        format!("incident {no}: accepted; done when the hub runs")
    });
    Ok(ExitCode::SUCCESS)
}
