//! `halsonav lane list|stop|start`.

use std::process::ExitCode;

use clap::Subcommand;
use halsonav_domain::{Clock as _, Kind, Problem};
use halsonav_storage::{EffectState, LaneRow, LaneStop, Storage};
use serde_json::{Value, json};

use super::{Answer, Context, one, order, output::table};
use crate::{adapters, clock::SystemClock, runtime::store_problem, site};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List lanes: which are stopped, by whom and why, and how many commands wait.
    List,
    /// Stop the commands of an adapter. When this has answered nothing new leaves.
    Stop {
        /// The adapter.
        adapter: String,
        /// For those who read it later. No personal data.
        #[arg(long, default_value = "")]
        why: String,
    },
    /// Start them again, in the order in which they were decided.
    Start {
        /// The adapter.
        adapter: String,
    },
}

pub fn run(context: &Context, command: Command) -> Answer {
    let (config, region) = site::settings(context, None)?;
    let lanes = adapters::lanes(&config, &region);
    let known = |adapter: &str| {
        let there = lanes.iter().any(|lane| lane == adapter);
        let message = format!(
            "no adapter '{adapter}' is set up; lanes: {}",
            lanes.join(", ")
        );
        there
            .then_some(())
            .ok_or_else(|| one(Problem::new(Kind::NotFound, "HUB-CLI-008", message)))
    };
    let storage = site::store(&config).map_err(one)?;
    match command {
        Command::List => list(context, &storage, &lanes),
        Command::Stop { adapter, why } => {
            known(&adapter)?;
            stop(context, &storage, adapter, why)
        }
        Command::Start { adapter } => {
            known(&adapter)?;
            start(context, &storage, adapter)
        }
    }
}

fn list(context: &Context, storage: &Storage, lanes: &[String]) -> Answer {
    let now = SystemClock.now();
    let (stops, counts) = storage
        .read(|r| Ok((r.lane_stops(now)?, r.lanes()?)))
        .map_err(|e| one(store_problem(e)))?;
    let shown: Vec<_> = lanes
        .iter()
        .map(|lane| {
            let stop = stops.iter().find(|stop| stop.adapter == *lane);
            Shown::new(lane, stop, &counts)
        })
        .collect();
    let list: Vec<Value> = shown.iter().map(Shown::json).collect();
    context.output.result(&json!({ "lanes": list }), || {
        let rows: Vec<_> = shown.iter().map(Shown::row).collect();
        let head = [
            "LANE", "STATE", "WAIT", "IN HAND", "SINCE", "UNTIL", "BY", "WHY",
        ];
        table(&head, &rows)
    });
    Ok(ExitCode::SUCCESS)
}

/// A lane as it is told.
struct Shown<'a> {
    adapter: &'a str,
    stop: Option<&'a LaneStop>,
    waiting: u64,
    in_hand: u64,
}

impl<'a> Shown<'a> {
    fn new(adapter: &'a str, stop: Option<&'a LaneStop>, counts: &[LaneRow]) -> Self {
        let count = |wanted: &dyn Fn(EffectState) -> bool| {
            let of_lane = counts.iter().filter(|row| row.adapter == adapter);
            let rows = of_lane.filter(|row| wanted(row.state));
            rows.map(|row| row.effects).sum()
        };
        let in_hand = |state| matches!(state, EffectState::Sending | EffectState::Handed);
        Self {
            adapter,
            stop,
            waiting: count(&|state| state.is_under_way() && !in_hand(state)),
            in_hand: count(&in_hand),
        }
    }

    fn state(&self) -> &'static str {
        self.stop.map_or("running", |_| "stopped")
    }

    fn json(&self) -> Value {
        let mut lane = json!({
            "adapter": self.adapter, "state": self.state(), "waiting": self.waiting, "inHand": self.in_hand,
        });
        if let Some(stop) = self.stop {
            lane["since"] = json!(stop.at);
            lane["until"] = json!(stop.until);
            lane["by"] = json!(stop.by);
            lane["why"] = json!(stop.why);
        }
        lane
    }

    fn row(&self) -> Vec<String> {
        let told = |text: &dyn Fn(&LaneStop) -> String| self.stop.map(text).unwrap_or_default();
        vec![
            self.adapter.to_owned(),
            self.state().to_owned(),
            self.waiting.to_string(),
            self.in_hand.to_string(),
            told(&|stop| stop.at.to_string()),
            told(&|stop| stop.until.map(|at| at.to_string()).unwrap_or_default()),
            told(&|stop| stop.by.clone()),
            told(&|stop| stop.why.clone()),
        ]
    }
}

fn stop(context: &Context, storage: &Storage, adapter: String, why: String) -> Answer {
    let stop = LaneStop {
        adapter,
        at: SystemClock.now(),
        until: None,
        by: order::by(),
        why,
    };
    let told = stop.clone();
    let changed = storage
        .write(move |tx| {
            let detail = json!({ "adapter": stop.adapter, "reason": stop.why });
            tx.audit(&[order::entry("stop-lane", &stop.by, stop.at, detail)])?;
            tx.stop_lane(&stop)
        })
        .map_err(|e| one(store_problem(e)))?;
    let value = json!({ "stopped": told.adapter, "changed": changed });
    context.output.result(&value, || match changed {
        true => format!("{}: stopped; what was in hand is finished", told.adapter),
        false => format!("{}: was stopped already", told.adapter),
    });
    Ok(ExitCode::SUCCESS)
}

fn start(context: &Context, storage: &Storage, adapter: String) -> Answer {
    let (lane, by, at) = (adapter.clone(), order::by(), SystemClock.now());
    let changed = storage
        .write(move |tx| {
            tx.audit(&[order::entry(
                "start-lane",
                &by,
                at,
                json!({ "adapter": lane }),
            )])?;
            tx.start_lane(&lane, &by, at)
        })
        .map_err(|e| one(store_problem(e)))?;
    let value = json!({ "started": adapter, "changed": changed });
    context.output.result(&value, || match changed {
        true => format!("{adapter}: started"),
        false => format!("{adapter}: was not stopped"),
    });
    Ok(ExitCode::SUCCESS)
}
