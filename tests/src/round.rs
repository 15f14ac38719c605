//! What a finished round of the demo leaves.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::processes::halsonav;

/// A round that has come to its end.
#[derive(Debug)]
pub struct Round {
    told: Value,
    /// How each case ended, by the case. Not when: who finds out a day later that somebody has died is
    /// no worse for it.
    ledger: BTreeMap<String, String>,
}

impl Round {
    /// The round of a seed as it is when nothing goes wrong: in one process, on what is embedded.
    ///
    /// # Errors
    /// When it cannot be run or does not end well.
    pub fn calm(binary: &Path, dir: &Path, seed: u64, residents: usize) -> Result<Self> {
        let out = empty(dir, &format!("{seed}-calm"))?;
        let output = command(binary, &out, seed, residents).output()?;
        let err = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{err}");
        Self::read(&out, &output)
    }

    /// Reads what a run has said and left, well or not.
    ///
    /// # Errors
    /// When it did not come to its end.
    pub fn read(out: &Path, output: &Output) -> Result<Self> {
        let err = String::from_utf8_lossy(&output.stderr);
        let text = String::from_utf8_lossy(&output.stdout);
        let told: Value = serde_json::from_str(text.lines().last().unwrap_or_default())
            .with_context(|| format!("not one JSON object, but: {err}"))?;
        ensure!(told["invited"].is_u64(), "{told} {err}");
        let text = fs::read_to_string(out.join("ledger.csv"))?;
        let ledger = text
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(','))
            .filter_map(|(case, rest)| Some((case.to_owned(), rest.rsplit_once(',')?.0.to_owned())))
            .collect();
        Ok(Self { told, ledger })
    }

    /// A number that was told.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.told[name].as_u64().unwrap_or(u64::MAX)
    }

    /// Open incidents with this code.
    #[must_use]
    pub fn incidents(&self, code: &str) -> u64 {
        self.told["incident_codes"][code].as_u64().unwrap_or(0)
    }

    /// Cases that have ended, however.
    #[must_use]
    pub fn ended(&self) -> u64 {
        let ended = self.told["ended"].as_object();
        ended
            .into_iter()
            .flatten()
            .filter_map(|(_, n)| n.as_u64())
            .sum()
    }

    /// Cases, in an order that says nothing.
    pub fn cases(&self) -> impl Iterator<Item = &str> {
        self.ledger.keys().map(String::as_str)
    }

    /// Cases that stand otherwise there, or not at all; each with both.
    #[must_use]
    pub fn differences(&self, other: &Self) -> BTreeMap<String, String> {
        let cases = self.ledger.keys().chain(other.ledger.keys());
        cases
            .filter(|case| self.ledger.get(*case) != other.ledger.get(*case))
            .map(|case| {
                let of = |round: &Self| round.ledger.get(case).cloned().unwrap_or_default();
                (
                    case.clone(),
                    format!("{case}: {} / {}", of(self), of(other)),
                )
            })
            .collect()
    }
}

/// The demo of a seed, with nothing of the caller's settings.
#[must_use]
pub fn command(binary: &Path, out: &Path, seed: u64, residents: usize) -> Command {
    let mut command = halsonav(binary);
    command
        .args(["demo", "--json", "--seed", &seed.to_string()])
        .args(["--residents", &residents.to_string()])
        .arg("--out")
        .arg(out)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A folder that is not there yet, in one that is.
///
/// # Errors
/// When it cannot be made so.
pub fn empty(dir: &Path, name: &str) -> Result<PathBuf> {
    let path = dir.join(name);
    if path.exists() {
        fs::remove_dir_all(&path)?;
    }
    fs::create_dir_all(dir)?;
    ensure!(path != Path::new("/"), "no folder of its own");
    Ok(path)
}
