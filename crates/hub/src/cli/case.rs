//! `halsonav case list|show`.

use std::process::ExitCode;

use clap::Subcommand;
use halsonav_domain::{CaseId, HsaId, Kind, Problem};
use halsonav_storage::{Case, CaseFilter, CaseState};
use serde_json::{Value, json};

use super::{Answer, Context, one, output::table};
use crate::{runtime::store_problem, site};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List cases.
    List {
        /// waiting, ended or incident.
        #[arg(long)]
        state: Option<String>,
        /// How they ended.
        #[arg(long)]
        outcome: Option<String>,
        /// Unit by HSA-id.
        #[arg(long)]
        unit: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one case: where it stands, what it has passed, what it waits for.
    Show {
        /// Case id.
        case: String,
    },
}

pub fn run(context: &Context, command: Command) -> Answer {
    let (config, _) = site::settings(context, None)?;
    let storage = site::store(&config).map_err(one)?;
    match command {
        Command::List {
            state,
            outcome,
            unit,
            limit,
        } => {
            let filter = CaseFilter {
                state: state.as_deref().map(read_state).transpose().map_err(one)?,
                outcome,
                units: unit.map(|unit| vec![HsaId::new(&unit)]),
                ..CaseFilter::default()
            };
            let cases = storage
                .read(|r| r.cases(&filter, None, limit))
                .map_err(|e| one(store_problem(e)))?;
            let list: Vec<Value> = cases.iter().map(shown).collect();
            context.output.result(&json!({ "cases": list }), || {
                let rows: Vec<_> = cases.iter().map(row).collect();
                table(
                    &["CASE", "UNIT", "STATE", "OUTCOME", "WAITS AT", "UNTIL"],
                    &rows,
                )
            });
        }
        Command::Show { case } => {
            let id: CaseId = case.parse().map_err(|_| one(not_found()))?;
            let (case, milestones, effects) = storage
                .read(|r| {
                    let Some(case) = r.case(&id)? else {
                        return Ok(None);
                    };
                    Ok(Some((case, r.milestones(&id)?, r.effects_of(&id)?)))
                })
                .map_err(|e| one(store_problem(e)))?
                .ok_or_else(|| one(not_found()))?;
            let mut value = shown(&case);
            value["milestones"] = milestones
                .iter()
                .map(|m| json!({ "name": m.name, "at": m.at }))
                .collect();
            value["effects"] = effects
                .iter()
                .map(|e| json!({ "kind": e.command.kind, "state": e.state, "attempts": e.attempts, "problem": e.problem }))
                .collect();
            context.output.result(&value, || {
                serde_json::to_string_pretty(&value).unwrap_or_default()
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_state(text: &str) -> Result<CaseState, Problem> {
    [CaseState::Waiting, CaseState::Ended, CaseState::Incident]
        .into_iter()
        .find(|state| state.as_str() == text)
        .ok_or_else(|| {
            Problem::new(
                Kind::Invalid,
                "HUB-CLI-001",
                "a state is waiting, ended or incident",
            )
        })
}

fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "HUB-CLI-002", "no such case")
}

fn shown(case: &Case) -> Value {
    json!({
        "id": case.id, "round": case.round, "unit": case.unit, "state": case.ledger.state, "outcome": case.ledger.outcome,
        "waitingFor": case.ledger.waiting_for, "nextWake": case.ledger.next_wake, "started": case.started, "ended": case.ended,
        "definition": { "id": case.definition.id, "version": case.definition.version },
    })
}

fn row(case: &Case) -> Vec<String> {
    vec![
        case.id.to_string(),
        case.unit.to_string(),
        case.ledger.state.as_str().to_owned(),
        case.ledger.outcome.clone().unwrap_or_default(),
        case.ledger.waiting_for.clone().unwrap_or_default(),
        case.ledger
            .next_wake
            .map(|at| at.to_string())
            .unwrap_or_default(),
    ]
}
