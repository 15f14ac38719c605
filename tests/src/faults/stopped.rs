//! An operator stops a lane while the hub runs, and starts it again days later.

use std::fs;

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Outcome, Plan, stand};
use crate::processes::halsonav;

/// Every resident of the round is asked about there on the first morning.
const LANE: &str = "messaging";
/// How long it is stopped.
const DAYS: i64 = 3;

/// The command line, on the data of a round that runs.
struct Operator<'a> {
    plan: &'a Plan,
    settings: std::path::PathBuf,
}

impl<'a> Operator<'a> {
    fn of(plan: &'a Plan, name: &str) -> Result<Self> {
        let settings = plan.dir.join(format!("{name}.toml"));
        let data = plan.dir.join(name).join("data");
        let text = format!(
            "[hub]\nregion = \"demo\"\ndata = {data:?}\n[adapters.{LANE}]\n",
            data = data.display().to_string()
        );
        fs::write(&settings, text)?;
        Ok(Self { plan, settings })
    }

    fn does(&self, arguments: &[&str]) -> Result<Value> {
        let output = halsonav(&self.plan.binary)
            .args(["lane", "--json", "--config"])
            .arg(&self.settings)
            .args(arguments)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "lane {arguments:?}: {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// How many commands wait in the lane.
    fn waiting(&self) -> Result<u64> {
        let told = self.does(&["list"])?;
        let lanes = told["lanes"].as_array();
        let lane = lanes
            .into_iter()
            .flatten()
            .find(|lane| lane["adapter"] == LANE);
        Ok(lane.map_or(0, |lane| lane["waiting"].as_u64().unwrap_or(0)))
    }
}

/// From when `lane stop` has answered no byte goes there; what waits is counted, and all of it goes when
/// the lane starts.
pub(super) fn run(plan: &Plan, seed: u64, outcome: &mut Outcome) -> Result<()> {
    let name = "stopped";
    let operator = Operator::of(plan, &format!("{seed}-{name}"))?;
    let mut starts: Option<Timestamp> = None;
    let (mut waited, mut leaked, mut runs) = (0, 0, false);
    let (round, stand) = stand::run(plan, name, seed, |stand| {
        let now: Timestamp = stand.now.parse()?;
        let Some(until) = starts else {
            operator.does(&["stop", LANE, "--why", "a test"])?;
            starts = Some(now + SignedDuration::from_hours(24 * DAYS));
            return Ok(Vec::new());
        };
        if !runs {
            waited = waited.max(operator.waiting()?);
            leaked = stand.counts(LANE)?.bytes_out;
        }
        if !runs && now >= until {
            runs = true;
            operator.does(&["start", LANE])?;
        }
        Ok(Vec::new())
    })?;
    let name = format!("seed {seed}, a lane stopped");
    outcome.judge(&name, &round);
    outcome.waited += waited;
    if leaked > 0 {
        outcome.breach(format!(
            "{name}: {leaked} bytes went to {LANE} though it was stopped"
        ));
    }
    if waited == 0 || stand.counts(LANE)?.bytes_out == 0 {
        outcome.breach(format!(
            "{name}: nothing waited or nothing went later: nothing is proven"
        ));
    }
    for what in ["waiting", "incidents", "open_incidents"] {
        if round.number(what) > 0 {
            outcome.breach(format!("{name}: {what} is {}", round.number(what)));
        }
    }
    Ok(())
}
