//! Runs a folder of process files against the traces that are expected of them.
//!
//! `cargo run --release -p halsonav-engine --example try_traces -- FOLDER`
//!
//! Beside each `NAME.bpmn` lies `NAME.json`: `[{"variables": {…}, "trace": ["a", "b"]}]`. A job adds
//! its type to the trace and is done; `error:CODE` throws, `wait:PT10S` takes its time, `send:NAME`
//! sends a message, `nothing:` leaves no trace. With `"par": true` the file's other processes are
//! started first. Traces are compared as multisets. `ERROR_DEPLOYMENT` means refused at load,
//! `ERROR_RUNTIME` an incident.
#![allow(clippy::disallowed_methods, reason = "an example reads files")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use halsonav_domain::{CaseId, Timestamp};
use halsonav_engine::graph::Trigger;
use halsonav_engine::{
    Anything, Deployment, Effect, Input, Instance, Library, load, start, start_at, step,
};
use halsonav_expression::{Decisions, calendar};
use serde_json::{Map, Value};

type Failed = Box<dyn std::error::Error>;

fn main() -> Result<(), Failed> {
    let folder = std::env::args().nth(1).ok_or("give a folder")?;
    let mut files: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "bpmn")
    });
    files.sort();
    let (mut tests, mut good_tests, mut cases, mut good_cases) = (0, 0, 0, 0);
    for file in files {
        let Ok(expected) = std::fs::read_to_string(file.with_extension("json")) else {
            continue;
        };
        let expected: Vec<Value> = serde_json::from_str(&expected)?;
        let mut good = 0;
        for case in &expected {
            let wanted = words(&case["trace"]);
            let variables = case["variables"].as_object().cloned().unwrap_or_default();
            let found = run(&file, variables, case["par"] == true);
            if found == wanted {
                good += 1;
            } else {
                println!(
                    "{}: wanted {wanted:?}, found {found:?}",
                    file.file_stem().unwrap_or_default().display()
                );
            }
        }
        tests += 1;
        good_tests += usize::from(good == expected.len());
        cases += expected.len();
        good_cases += good;
    }
    println!("{good_tests}/{tests} files, {good_cases}/{cases} cases");
    Ok(())
}

fn words(list: &Value) -> Vec<String> {
    let words = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.sort();
    words
}

fn run(file: &Path, variables: Map<String, Value>, all: bool) -> Vec<String> {
    let xml = std::fs::read_to_string(file).unwrap_or_default();
    let loaded = match load(&xml, &Decisions::empty(), &Anything) {
        Ok(loaded) => loaded,
        Err(faults) => {
            let rules = faults
                .iter()
                .filter(|fault| fault.is_error())
                .map(|fault| fault.rule);
            let mut trace: Vec<String> = rules.map(|rule| format!("refused {rule}")).collect();
            trace.sort();
            trace.dedup();
            trace.push("ERROR_DEPLOYMENT".to_owned());
            return trace;
        }
    };
    let plain = loaded.definitions.iter().filter(|definition| {
        let scope = definition.scope(0);
        scope.start.is_some() || !scope.implicit_starts.is_empty()
    });
    let mut plain: Vec<String> = plain.map(|definition| definition.id.clone()).collect();
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    plain.sort_by_key(|id| **id == *name);
    if !all {
        plain = plain.split_off(plain.len().saturating_sub(1));
    }
    let mut library = Library::new();
    let deployment = Deployment {
        definitions: loaded.definitions,
        decisions: Arc::new(Decisions::empty()),
    };
    if library.add(deployment).is_err() {
        return vec!["clash".to_owned()];
    }
    let mut town = Town {
        library: &library,
        now: Timestamp::UNIX_EPOCH,
        instances: Vec::new(),
        trace: Vec::new(),
        due: BTreeMap::new(),
        sent: 0,
    };
    for process in plain {
        town.begin(&process, None, variables.clone());
    }
    town.live();
    town.trace.sort();
    town.trace
}

/// All instances, and what is going to happen to them, by time.
struct Town<'a> {
    library: &'a Library,
    now: Timestamp,
    instances: Vec<Instance>,
    trace: Vec<String>,
    due: BTreeMap<(Timestamp, u64), (usize, Input)>,
    sent: u64,
}

impl Town<'_> {
    fn begin(&mut self, process: &str, element: Option<&str>, variables: Map<String, Value>) {
        let id: CaseId = match "00000000-0000-8000-8000-000000000001".parse() {
            Ok(id) => id,
            Err(_) => return,
        };
        let begun = match element {
            None => start(self.library, process, id, variables, self.now),
            Some(element) => start_at(
                self.library,
                process,
                element,
                id,
                variables,
                Map::new(),
                self.now,
            ),
        };
        match begun {
            Ok((instance, effects)) => {
                self.instances.push(instance);
                self.follow(self.instances.len() - 1, effects);
            }
            Err(rejection) => self.trace.push(rejection.to_string()),
        }
    }

    fn live(&mut self) {
        let end = Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(10);
        while let Some(((due, _), (at, input))) = self.due.pop_first() {
            if due > end || self.trace.len() > 1_000 {
                return;
            }
            self.now = self.now.max(due);
            if let Ok(effects) = step(self.library, &mut self.instances[at], &input, self.now) {
                self.follow(at, effects);
            }
        }
    }

    fn plan(&mut self, due: Timestamp, at: usize, input: Input) {
        self.sent += 1;
        self.due.insert((due, self.sent), (at, input));
    }

    fn follow(&mut self, at: usize, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Job { key, kind, .. } => self.work(at, key, &kind),
                Effect::WorkItem { key, .. } => {
                    self.plan(
                        self.now,
                        at,
                        Input::Completed {
                            job: key,
                            variables: Value::Null,
                        },
                    );
                }
                Effect::Arm { timer, due, .. } => self.plan(due, at, Input::TimerDue { timer }),
                Effect::Signal { name, variables } => {
                    for other in (0..self.instances.len()).filter(|&other| other != at) {
                        self.plan(
                            self.now,
                            other,
                            Input::Signal {
                                name: name.clone(),
                                variables: variables.clone(),
                            },
                        );
                    }
                    self.begin_by(|trigger| matches!(trigger, Trigger::Signal(known) if known.literal() == Some(&name)));
                }
                Effect::Incident { code, .. } if code != "HUB-ENGINE-013" => {
                    self.trace.push("ERROR_RUNTIME".to_owned())
                }
                _ => {}
            }
        }
    }

    fn work(&mut self, at: usize, job: u64, kind: &str) {
        let done = Input::Completed {
            job,
            variables: Value::Null,
        };
        match kind.split_once(':') {
            Some(("error", code)) => {
                self.plan(
                    self.now,
                    at,
                    Input::Refused {
                        job,
                        code: code.to_owned(),
                        variables: Value::Null,
                    },
                );
            }
            Some(("wait", time)) => {
                let time = calendar::Duration::parse(time)
                    .map(|time| time.add(self.now, calendar::stockholm()));
                self.plan(time.unwrap_or(self.now), at, done);
            }
            Some(("send", name)) => {
                self.plan(self.now, at, done);
                for other in 0..self.instances.len() {
                    let (id, name, correlation) =
                        (self.sent.to_string(), name.to_owned(), "k".to_owned());
                    let input = Input::Message {
                        id,
                        name,
                        correlation,
                        variables: Value::Null,
                        expires: None,
                    };
                    self.plan(self.now, other, input);
                }
                self.begin_by(|trigger| matches!(trigger, Trigger::Message(known) if known.name.literal() == Some(name)));
            }
            Some(("nothing", _)) => self.plan(self.now, at, done),
            _ => {
                self.trace.push(kind.to_owned());
                self.plan(self.now, at, done);
            }
        }
    }

    fn begin_by(&mut self, fits: impl Fn(&Trigger) -> bool) {
        let starts = self.library.starts().filter(|start| fits(start.trigger));
        let starts: Vec<(String, String)> = starts
            .map(|start| (start.definition.id.clone(), start.element().to_owned()))
            .collect();
        for (process, element) in starts {
            self.begin(&process, Some(&element), Map::new());
        }
    }
}
