//! The processes of the hub, as the demo starts them and starts them again.

use std::{
    fs,
    path::PathBuf,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::Plan;
use crate::{
    processes::children,
    round::{self, Round},
    site::Site,
};

const LOOK: Duration = Duration::from_millis(50);
/// The longest beginning.
const BEGIN: Duration = Duration::from_secs(60);

/// A round over four processes, which are begun anew when they die.
pub(super) struct Crew {
    out: PathBuf,
    demo: Child,
}

impl Crew {
    pub(super) fn start(plan: &Plan, seed: u64, site: &Site<'_>) -> Result<Self> {
        let out = round::empty(&plan.dir, &format!("{seed}-storm"))?;
        let settings = out.with_extension("toml");
        site.write(&settings)?;
        let demo = round::command(&plan.binary, &out, seed, plan.residents)
            .args(["--processes", "4", "--respawn", "--config"])
            .arg(settings)
            .spawn()?;
        let mut crew = Self { out, demo };
        // Nothing to hurt before everybody is there.
        crew.gets_on(BEGIN)?;
        Ok(crew)
    }

    pub(super) fn runs(&mut self) -> Result<bool> {
        Ok(self.demo.try_wait()?.is_none())
    }

    /// Processes of the hub that there are now.
    pub(super) fn processes(&self) -> Result<Vec<String>> {
        Ok(children(self.demo.id())?)
    }

    /// The clock of the round: it moves when everything due before has been done.
    fn stands(&self) -> Option<String> {
        let text = fs::read_to_string(self.out.join("run.json")).ok()?;
        let state: serde_json::Value = serde_json::from_str(&text).ok()?;
        Some(state["now"].to_string())
    }

    /// How long it takes, but at most `limit`, until the round has got on twice: the first time may
    /// have been done before.
    pub(super) fn gets_on(&mut self, limit: Duration) -> Result<Duration> {
        let begun = Instant::now();
        for _ in 0..2 {
            let at = self.stands();
            while self.stands().is_none_or(|now| Some(now) == at) {
                if !self.runs()? || begun.elapsed() > limit {
                    return Ok(begun.elapsed());
                }
                thread::sleep(LOOK);
            }
        }
        Ok(begun.elapsed())
    }

    /// Waits for its end.
    pub(super) fn finish(self) -> Result<Round> {
        let output = self.demo.wait_with_output()?;
        Round::read(&self.out, &output)
    }
}
