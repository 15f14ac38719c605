//! Reads a run and holds it against what happens.

use std::collections::BTreeMap;

use halsonav_domain::Timestamp;
use halsonav_engine::Coverage;
use serde_json::{Map, Value};

use crate::{
    anytime,
    region::Region,
    world::{Answer, CASE, Told, World},
};

/// What a run gave.
pub struct Ran {
    pub coverage: Coverage,
    /// The run's lines with what really happened under each.
    pub lines: String,
    /// Interruptions tried.
    pub interrupted: usize,
}

/// Plays the lines of one run.
pub fn play(lines: &str, coverage: Coverage) -> Result<Ran, String> {
    let mut run = Run {
        region: ("demo".to_owned(), Vec::new()),
        answers: BTreeMap::new(),
        coverage: Some(coverage),
        world: None,
    };
    let mut ran = String::new();
    let mut interrupted = 0;
    for line in lines.lines().filter(|line| !line.starts_with('-')) {
        ran.push_str(line);
        ran.push('\n');
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let told = run.act(line).map_err(|why| format!("{line}: {why}"))?;
        let Some(told) = told else { continue };
        for line in &told {
            ran.push_str(&format!("- {line}\n"));
        }
        if let Some(world) = &run.world {
            interrupted +=
                anytime::interrupt(world).map_err(|why| format!("after: {line}: {why}"))?;
        }
    }
    let world = run.world.ok_or("it never starts")?;
    if world.ended.is_none() {
        return Err(format!("it does not come to an end\n{ran}"));
    }
    Ok(Ran {
        coverage: world.coverage,
        lines: ran,
        interrupted,
    })
}

struct Run {
    region: (String, Vec<(String, Value)>),
    answers: BTreeMap<String, Answer>,
    coverage: Option<Coverage>,
    world: Option<World>,
}

impl Run {
    fn act(&mut self, line: &str) -> Result<Option<Vec<String>>, String> {
        let (head, data) = match line.find('{') {
            Some(at) => (
                &line[..at],
                serde_json::from_str(&line[at..]).map_err(|e| e.to_string())?,
            ),
            None => (line, Value::Null),
        };
        let words: Vec<&str> = head.split_whitespace().collect();
        match words.as_slice() {
            ["region", name, changes @ ..] => {
                let changes = changes
                    .iter()
                    .map(|change| switch(change))
                    .collect::<Result<_, _>>()?;
                self.region = ((*name).to_owned(), changes);
                Ok(None)
            }
            ["answer", kind] => self.script(kind, Answer::Done(data)),
            ["refuse", kind, code] => self.script(kind, Answer::Refused((*code).to_owned(), data)),
            ["fail", kind] => self.script(kind, Answer::Failed),
            ["hold", kind] => self.script(kind, Answer::Never),
            ["start"] => {
                let region = Region::read(&self.region.0, &self.region.1);
                let coverage = self.coverage.take().ok_or("it starts twice")?;
                let (world, told) = World::start(region, self.answers.clone(), coverage)?;
                self.world = Some(world);
                Ok(Some(told))
            }
            _ => self.go_on(&words, data).map(Some),
        }
    }

    fn go_on(&mut self, words: &[&str], data: Value) -> Told {
        let world = self.world.as_mut().ok_or("start comes first")?;
        match words {
            ["do", element] => world.complete(element, data),
            ["message", name] => world.message(name, CASE, data),
            ["message", name, key] => world.message(name, key, data),
            ["wait", duration] => world.wait(duration),
            ["until", moment] => {
                world.until(moment.parse::<Timestamp>().map_err(|e| e.to_string())?)
            }
            ["retry", element] => world.operate(true, element, data),
            ["skip", element] => world.operate(false, element, data),
            ["has"] => {
                for (name, value) in data.as_object().unwrap_or(&Map::new()) {
                    if world.variable(name) != *value {
                        return Err(format!("{name} is {}", world.variable(name)));
                    }
                }
                Ok(Vec::new())
            }
            _ => Err("no such word".to_owned()),
        }
    }

    fn script(&mut self, kind: &str, answer: Answer) -> Result<Option<Vec<String>>, String> {
        match &mut self.world {
            Some(world) => world.script(kind, answer),
            None => {
                self.answers.insert(kind.to_owned(), answer);
            }
        }
        Ok(None)
    }
}

/// `name=value`, the value as in JSON.
fn switch(change: &str) -> Result<(String, Value), String> {
    let (name, value) = change.split_once('=').ok_or("a switch is name=value")?;
    let value = serde_json::from_str(value).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value))
}
