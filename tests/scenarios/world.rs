//! One case and neighbours that answer by script.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use halsonav_domain::{CaseId, Kind, Problem, Timestamp};
use halsonav_engine::{Coverage, Effect, Input, Instance, Library, Operator, WaitingFor};
use halsonav_expression::calendar::{self, Duration};
use serde_json::{Map, Value, json};

use crate::region::Region;

/// The first day of the round.
const START: &str = "2026-01-12T06:00:00Z";

/// The case, and the correlation key of most messages.
pub const CASE: &str = "00000000-0000-8000-8000-000000000001";

/// How a neighbour answers a kind of command.
#[derive(Clone)]
pub enum Answer {
    /// With this result.
    Done(Value),
    /// With a BPMN error and what it carries, once; afterwards as it would otherwise.
    Refused(String, Value),
    /// With a failure that retries do not mend.
    Failed,
    /// Not yet.
    Never,
}

/// What one stimulus led to, a line each.
pub type Told = Result<Vec<String>, String>;

pub struct World {
    library: Arc<Library>,
    instance: Instance,
    now: Timestamp,
    pub coverage: Coverage,
    answers: BTreeMap<String, Answer>,
    /// Open jobs and work items: key, element, kind (none for a work item).
    open: BTreeMap<u64, (String, Option<String>)>,
    timers: BTreeMap<u64, Timestamp>,
    incidents: BTreeMap<u64, String>,
    pub ended: Option<String>,
    counted: u64,
    /// The region's forms until the case is first asked for what is missing; after that, nothing is.
    unasked: Value,
    /// What the last stimulus led to.
    told: Vec<String>,
}

impl World {
    /// Opens the case.
    pub fn start(
        region: Region,
        answers: BTreeMap<String, Answer>,
        coverage: Coverage,
    ) -> Result<(Self, Vec<String>), String> {
        let now: Timestamp = START.parse().unwrap();
        let variables = json!({
            "age": 50, "sex": "woman", "year": 2026, "round": "2026", "language": "sv",
            "unit": "SE2321000999-VC01", "unitName": "Vårdcentralen Björken",
            "caseId": CASE, "invitation": null, "region": region.switches,
        });
        let variables = variables.as_object().cloned().unwrap_or_default();
        let process = region.process.clone();
        let unasked = variables["region"]["forms"].clone();
        let library = region.library;
        let mut coverage = coverage;
        let case: CaseId = CASE.parse().unwrap();
        let (instance, effects) = coverage
            .start(&library, &process, case, variables, now)
            .map_err(|rejection| rejection.to_string())?;
        let mut world = Self {
            library,
            instance,
            now,
            coverage,
            answers,
            open: BTreeMap::new(),
            timers: BTreeMap::new(),
            incidents: BTreeMap::new(),
            ended: None,
            counted: 0,
            unasked,
            told: Vec::new(),
        };
        world.follow(effects)?;
        let told = std::mem::take(&mut world.told);
        Ok((world, told))
    }

    pub fn script(&mut self, kind: &str, answer: Answer) {
        self.answers.insert(kind.to_owned(), answer);
    }

    /// One input, and all that follows at once.
    pub fn input(&mut self, input: &Input) -> Told {
        let effects = self.step(input)?;
        self.follow(effects)?;
        Ok(std::mem::take(&mut self.told))
    }

    pub fn message(&mut self, name: &str, key: &str, variables: Value) -> Told {
        self.counted += 1;
        let expires = Some(self.now + jiff::SignedDuration::from_hours(24 * 60));
        self.input(&Input::Message {
            id: format!("message-{}", self.counted),
            name: name.to_owned(),
            correlation: key.to_owned(),
            variables,
            expires,
        })
    }

    /// A person does a work item, or a neighbour answers at last.
    pub fn complete(&mut self, element: &str, variables: Value) -> Told {
        let job = self.job(element)?;
        self.input(&Input::Completed { job, variables })
    }

    pub fn operate(&mut self, retry: bool, element: &str, variables: Value) -> Told {
        let known = self.incidents.iter().find(|(_, known)| *known == element);
        let incident = *known.ok_or(format!("no incident at {element}"))?.0;
        let operator = if retry {
            Operator::Retry {
                incident,
                variables,
            }
        } else {
            Operator::Skip {
                incident,
                variables,
            }
        };
        self.input(&Input::Operator(operator))
    }

    /// Time passes, and what comes due comes due in order.
    pub fn wait(&mut self, duration: &str) -> Told {
        let duration = Duration::parse(duration).map_err(|_| format!("no duration: {duration}"))?;
        self.until(duration.add(self.now, calendar::stockholm()))
    }

    pub fn until(&mut self, moment: Timestamp) -> Told {
        let mut told = Vec::new();
        while let Some((due, timer)) = self.timers.iter().map(|(key, due)| (*due, *key)).min()
            && due <= moment
        {
            self.now = self.now.max(due);
            self.timers.remove(&timer);
            told.extend(self.input(&Input::TimerDue { timer })?);
        }
        self.now = self.now.max(moment);
        Ok(told)
    }

    /// A case that stands just where this one does, and covers for itself.
    pub fn copy(&self) -> Self {
        Self {
            library: self.library.clone(),
            instance: self.instance.clone(),
            unasked: self.unasked.clone(),
            coverage: Coverage::new(),
            answers: self.answers.clone(),
            open: self.open.clone(),
            timers: self.timers.clone(),
            incidents: self.incidents.clone(),
            ended: self.ended.clone(),
            told: Vec::new(),
            ..*self
        }
    }

    /// Whether it waits for this message now.
    pub fn listens(&self, name: &str) -> bool {
        let mut waiting = self.instance.waiting(&self.library).into_iter();
        waiting.any(|w| matches!(&w.what, WaitingFor::Message { message, .. } if message == name))
    }

    /// A variable of the case.
    pub fn variable(&self, name: &str) -> Value {
        let variables = self.instance.variables();
        variables
            .and_then(|v| v.get(name))
            .cloned()
            .unwrap_or_default()
    }

    pub fn work(&self) -> impl Iterator<Item = &str> {
        let items = self.open.values().filter(|(_, kind)| kind.is_none());
        items.map(|(element, _)| element.as_str())
    }

    fn job(&self, element: &str) -> Result<u64, String> {
        let named = |(of, kind): &(String, Option<String>)| {
            of == element || kind.as_deref() == Some(element)
        };
        let mut found = self.open.iter().filter(|(_, job)| named(job));
        let first = found.next().map(|(key, _)| *key);
        first.ok_or_else(|| format!("nothing open at {element}: {:?}", self.open.values()))
    }

    fn step(&mut self, input: &Input) -> Result<Vec<Effect>, String> {
        let result = self
            .coverage
            .step(&self.library, &mut self.instance, input, self.now);
        let effects = result.map_err(|rejection| format!("{input:?} was rejected: {rejection}"))?;
        if let Input::Completed { job, .. }
        | Input::Refused { job, .. }
        | Input::Failed { job, .. } = input
        {
            self.open.remove(job);
        }
        Ok(effects)
    }

    /// Answers what was asked, and what follows from the answers, until all is quiet.
    fn follow(&mut self, effects: Vec<Effect>) -> Result<(), String> {
        let mut asked = VecDeque::new();
        self.note(effects, &mut asked);
        let mut steps = 0;
        while let Some((key, kind, payload)) = asked.pop_front() {
            if !self.open.contains_key(&key) {
                continue; // withdrawn meanwhile
            }
            let Some(input) = self.answer(key, &kind, &payload)? else {
                continue;
            };
            let effects = self.step(&input)?;
            self.note(effects, &mut asked);
            steps += 1;
            if steps > 500 {
                return Err("it goes on and on".to_owned());
            }
        }
        let quiet = self.open.is_empty() && self.timers.is_empty() && self.incidents.is_empty();
        if self.ended.is_none() && quiet && self.instance.waiting(&self.library).is_empty() {
            return Err("nothing can move it".to_owned());
        }
        Ok(())
    }

    fn answer(&mut self, job: u64, kind: &str, payload: &Value) -> Result<Option<Input>, String> {
        if let Some(Answer::Refused(code, variables)) = self.answers.get(kind).cloned() {
            self.answers.remove(kind);
            return Ok(Some(Input::Refused {
                job,
                code,
                variables,
            }));
        }
        Ok(match self.answers.get(kind) {
            Some(Answer::Never) => None,
            Some(Answer::Failed) => {
                let problem = Problem::new(Kind::Unavailable, "HUB-TEST-001", "no answer");
                Some(Input::Failed {
                    job,
                    problem,
                    outcome_unknown: false,
                })
            }
            Some(Answer::Done(variables)) => Some(Input::Completed {
                job,
                variables: variables.clone(),
            }),
            _ => Some(Input::Completed {
                job,
                variables: self.ordinary(kind, payload)?,
            }),
        })
    }

    /// What a neighbour answers when all is well.
    fn ordinary(&mut self, kind: &str, payload: &Value) -> Result<Value, String> {
        self.counted += 1;
        let n = self.counted;
        Ok(match kind {
            "roster.lookup" => json!({
                "status": "active", "protection": "none", "paperOptOut": false, "hasAddress": true, "testPerson": false,
            }),
            "messaging.check" => json!({ "active": true }),
            "messaging.send" => json!({ "messageId": format!("message-{n}") }),
            "messaging.status" => json!({ "read": false }),
            "print.letter" => json!({ "letterId": format!("letter-{n}") }),
            "print.recall" => json!({ "recalled": true }),
            "booking.book" => json!({
                "bookingId": "B2",
                "start": payload["start"].as_str().unwrap_or("2026-05-04T07:00:00Z"),
                "end": "2026-05-04T08:00:00Z",
            }),
            "booking.cancel" | "lab.cancel" => json!({ "cancelled": true }),
            "forms.request" => {
                json!({ "formId": format!("form-{}", payload["template"].as_str().unwrap_or("?")) })
            }
            "forms.cancel" => json!({}),
            "lab.order" => json!({ "orderId": "O1" }),
            "case.readiness" => {
                json!({ "formsMissing": std::mem::replace(&mut self.unasked, json!([])), "labMissing": false })
            }
            "profile.draw" => json!({ "instrument": payload["instrument"] }),
            "journal.document" => json!({ "documentId": "D1" }),
            "research.contribute" => json!({ "accepted": true }),
            _ => return Err(format!("no neighbour answers '{kind}'")),
        })
    }

    fn note(&mut self, effects: Vec<Effect>, asked: &mut VecDeque<(u64, String, Value)>) {
        for effect in effects {
            match effect {
                Effect::Job {
                    key,
                    element,
                    kind,
                    payload,
                    ..
                } => {
                    self.told.push(command(&kind, &payload));
                    self.open.insert(key, (element, Some(kind.clone())));
                    asked.push_back((key, kind, payload));
                }
                Effect::WorkItem { key, element, .. } => {
                    self.told.push(format!("work {element}"));
                    self.open.insert(key, (element, None));
                }
                Effect::Withdraw { key } => {
                    if let Some((element, _)) = self.open.remove(&key) {
                        self.told.push(format!("withdraw {element}"));
                    }
                }
                Effect::Arm { timer, due, .. } => {
                    self.timers.insert(timer, due);
                }
                Effect::Disarm { timer } => {
                    self.timers.remove(&timer);
                }
                Effect::Incident {
                    key, element, code, ..
                } => {
                    self.told.push(format!("incident {element} {code}"));
                    self.incidents.insert(key, element);
                }
                Effect::Resolve { incident } => {
                    self.incidents.remove(&incident);
                }
                Effect::Dropped { name, why, .. } => {
                    self.told.push(format!("dropped {name} {why}"))
                }
                Effect::Finished { outcome, end, .. } => self.end(outcome.unwrap_or(end)),
                _ => {}
            }
        }
    }

    fn end(&mut self, outcome: String) {
        self.told.push(format!("end {outcome}"));
        self.open.clear();
        self.timers.clear();
        self.ended = Some(outcome);
    }
}

/// A command with what tells it apart.
fn command(kind: &str, payload: &Value) -> String {
    let of = |name: &str| payload[name].as_str();
    let telling = [
        "template",
        "bookingId",
        "orderId",
        "letterId",
        "formId",
        "graphic",
    ];
    let empty = Map::new();
    let enclosed = payload
        .as_object()
        .unwrap_or(&empty)
        .contains_key("enclosures");
    match telling.iter().find_map(|name| of(name)) {
        Some(what) if enclosed => format!("{kind} {what} with forms"),
        Some(what) => format!("{kind} {what}"),
        None => kind.to_owned(),
    }
}
