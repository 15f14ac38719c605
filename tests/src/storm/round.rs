//! What a finished round of the demo leaves.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{Plan, folder};
use crate::processes::halsonav;

/// A round that has come to its end.
pub(super) struct Round {
    told: Value,
    /// How each case ended, by the case. Not when: who finds out a day later that somebody has died is
    /// no worse for it.
    ledger: BTreeMap<String, String>,
}

impl Round {
    /// The round as it is when nothing goes wrong: in one process, on what is embedded.
    pub(super) fn calm(plan: &Plan, seed: u64) -> Result<Self> {
        let out = folder(plan, &format!("{seed}-calm"))?;
        let output = command(plan, seed, &out).output()?;
        Self::read(out, &output)
    }

    /// Reads what a run has said and left.
    pub(super) fn read(out: PathBuf, output: &Output) -> Result<Self> {
        let err = String::from_utf8_lossy(&output.stderr);
        let told = serde_json::from_slice(&output.stdout)
            .with_context(|| format!("not one JSON object, but: {err}"))?;
        ensure!(output.status.success(), "{told} {err}");
        let text = fs::read_to_string(out.join("ledger.csv"))?;
        let ledger = text
            .lines()
            .filter_map(|line| line.split_once(','))
            .filter_map(|(case, rest)| Some((case.to_owned(), rest.rsplit_once(',')?.0.to_owned())))
            .collect();
        Ok(Self { told, ledger })
    }

    /// A number that was told.
    pub(super) fn number(&self, name: &str) -> u64 {
        self.told[name].as_u64().unwrap_or(u64::MAX)
    }

    /// Cases that stand otherwise there, or not at all.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        let cases = self.ledger.keys().chain(other.ledger.keys());
        let mut different: Vec<String> = cases
            .filter(|case| self.ledger.get(*case) != other.ledger.get(*case))
            .map(|case| {
                let of = |round: &Self| round.ledger.get(case).cloned().unwrap_or_default();
                format!("{case}: {} / {}", of(self), of(other))
            })
            .collect();
        different.sort();
        different.dedup();
        different
    }
}

/// The demo of a seed, with nothing of the caller's settings.
pub(super) fn command(plan: &Plan, seed: u64, out: &std::path::Path) -> Command {
    let mut command = halsonav(&plan.binary);
    command
        .args(["demo", "--json", "--seed", &seed.to_string()])
        .args(["--residents", &plan.residents.to_string()])
        .arg("--out")
        .arg(out)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
