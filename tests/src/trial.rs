//! A trial: fake neighbours and a hub, each a process, on the machine's own clock. How they are started,
//! and how it is seen what came of it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    path::Path,
    process::{Child, Command},
};

use serde_json::Value;

/// A process of the trial. It is killed with its owner.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts it; what it logs is in `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> io::Result<Self> {
        Ok(Self(command.stderr(File::create(log)?).spawn()?))
    }

    /// Kills it.
    ///
    /// # Errors
    /// When it cannot be.
    pub fn kill(&mut self) -> io::Result<()> {
        self.0.kill()?;
        self.0.wait().map(drop)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.kill();
    }
}

/// How often each message has come to the inbox of the neighbours in this folder.
#[must_use]
pub fn messages(neighbours: &Path) -> BTreeMap<String, u64> {
    let tape = fs::read_to_string(neighbours.join("inbox.jsonl")).unwrap_or_default();
    let mut found = BTreeMap::new();
    for line in tape.lines() {
        // The last line may just be written.
        let entry: Value = serde_json::from_str(line).unwrap_or_default();
        if let Some(thread) = entry.pointer("/Received/thread").and_then(Value::as_str) {
            *found.entry(thread.to_owned()).or_default() += 1;
        }
    }
    found
}

/// Of the cases that `case list` tells, how many wait for neither a resident, a person at work nor the
/// calendar.
#[must_use]
pub fn on_their_way(cases: &[Value]) -> usize {
    let by_people = ["ManualContact", "Call"].map(Value::from);
    let on_its_way = cases.iter().filter(|case| {
        case["state"] == "waiting"
            && case["nextWake"].is_null()
            && !by_people.contains(&case["waitingFor"])
    });
    on_its_way.count()
}
