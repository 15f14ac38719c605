//! `halsonav cohort import|show`.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Subcommand;
use halsonav_domain::RoundId;
use serde_json::json;

use super::{Answer, Context, one, output::table};
use crate::{
    clock::{SystemClock, Time},
    cohort,
    runtime::{Parts, store_problem},
    site,
};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the list of listed residents and open a case for everybody the cohort table invites.
    Import {
        /// CSV or JSON lines, as the roster adapter's README has it.
        file: PathBuf,
    },
    /// Show the ledger of the round.
    Show,
}

pub async fn run(context: &Context, command: Command) -> Answer {
    let (config, region) = site::settings(context, None)?;
    let round = RoundId(region.round.id.clone());
    match command {
        Command::Import { file } => {
            let core = site::assemble(
                config,
                region,
                &Parts::none(),
                Time::of(Arc::new(SystemClock)),
            )?;
            let imported = cohort::import(&core, &file, &cohort::random_ids, !context.output.json)
                .await
                .map_err(one)?;
            context.output.result(&json!(imported), || imported.text());
            Ok(if imported.faults.is_empty() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            })
        }
        Command::Show => {
            let storage = site::store(&config).map_err(one)?;
            let totals = storage
                .read(|r| r.totals(Some(&round)))
                .map_err(|e| one(store_problem(e)))?;
            let ended: serde_json::Map<_, _> = totals
                .ended
                .iter()
                .map(|(outcome, n)| (outcome.clone(), json!(n)))
                .collect();
            let value = json!({
                "round": round, "invited": totals.invited, "waiting": totals.waiting, "incidents": totals.incident,
                "ended": ended, "unaccounted": totals.unaccounted,
            });
            context.output.result(&value, || {
                let mut rows = vec![
                    vec!["invited".to_owned(), totals.invited.to_string()],
                    vec!["waiting".to_owned(), totals.waiting.to_string()],
                    vec!["incident".to_owned(), totals.incident.to_string()],
                ];
                rows.extend(
                    totals
                        .ended
                        .iter()
                        .map(|(outcome, n)| vec![format!("ended: {outcome}"), n.to_string()]),
                );
                rows.push(vec![
                    "unaccounted".to_owned(),
                    totals.unaccounted.to_string(),
                ]);
                table(&["ROUND", &round.0], &rows)
            });
            Ok(ExitCode::SUCCESS)
        }
    }
}
