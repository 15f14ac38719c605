//! `halsonav topics plan|apply`.

use std::process::ExitCode;

use clap::Subcommand;
use halsonav_bus::kafka::topics::{self, Plan};
use halsonav_domain::{Kind, Problem};
use serde_json::json;

use super::{Answer, Context, one};
use crate::{config::BusKind, runtime::bus_problem, site};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show what would be made or changed.
    Plan,
    /// Make and change it.
    Apply {
        /// Also add partitions to topics that are there: what is keyed alike may then be out of order
        /// for as long as old records wait. Stop the hub and let it finish first.
        #[arg(long)]
        repartition: bool,
    },
}

pub async fn run(context: &Context, command: Command) -> Answer {
    let (config, region) = site::settings(context, None)?;
    if config.bus.kind != BusKind::Kafka {
        let message = "bus.kind is not kafka: the embedded log makes its topics itself";
        return Err(one(Problem::new(Kind::Invalid, "HUB-CLI-007", message)));
    }
    let settings = site::kafka(&config).map_err(one)?;
    let failed = |error| one(bus_problem(error));
    let wanted = site::topics(&config, &region)?;
    let mut plan = topics::plan(&settings, &wanted).await.map_err(failed)?;
    if matches!(command, Command::Apply { repartition: true }) {
        plan = plan.repartition();
    }
    let applied = matches!(command, Command::Apply { .. });
    if applied {
        topics::apply(&settings, &plan).await.map_err(failed)?;
    }
    let shown = json!({ "plan": plan, "applied": applied });
    context.output.result(&shown, || text(&plan, applied));
    Ok(ExitCode::SUCCESS)
}

fn text(plan: &Plan, applied: bool) -> String {
    match (plan.is_empty(), applied) {
        (true, _) => "the topics are as they should be".to_owned(),
        (false, true) => format!("{plan}\ndone"),
        (false, false) => plan.to_string(),
    }
}
