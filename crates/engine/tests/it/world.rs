//! One instance and what the world around it knows, with the laws that hold after every input.

use std::collections::BTreeMap;
use std::sync::Arc;

use halsonav_domain::{CaseId, Kind, Problem, Timestamp};
use halsonav_engine::{
    Anything, Coverage, Deployment, Effect, Input, Instance, Library, Operator, Rejection,
    WaitingFor, load,
};
use halsonav_expression::Decisions;
use serde_json::{Map, Value, json};

/// When every scenario begins: a winter morning in Sweden.
pub const START: &str = "2026-01-10T08:00:00Z";

/// What is open, as told by the effects.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Open {
    pub jobs: BTreeMap<u64, String>,
    pub timers: BTreeMap<u64, (Timestamp, String)>,
    pub messages: BTreeMap<u64, (String, String, String)>,
    pub signals: BTreeMap<u64, (String, String)>,
    pub incidents: BTreeMap<u64, String>,
}

pub struct World {
    pub library: Library,
    pub instance: Instance,
    pub now: Timestamp,
    pub open: Open,
    pub coverage: Coverage,
    pub payloads: BTreeMap<String, Value>,
    pub ended: Option<(Option<String>, String, Map<String, Value>)>,
    messages: u64,
    recorded: Vec<Input>,
}

/// A library of these process files, each a deployment with its version counted up.
pub fn library(files: &[&str]) -> Library {
    let mut library = Library::new();
    for (xml, version) in files.iter().zip(1..) {
        let loaded = load(xml, &Decisions::empty(), &Anything);
        let mut definitions = loaded
            .unwrap_or_else(|faults| panic!("{faults:#?}"))
            .definitions;
        for definition in &mut definitions {
            definition.version = version;
        }
        let deployment = Deployment {
            definitions,
            decisions: Arc::new(Decisions::empty()),
        };
        library.add(deployment).expect("no clash");
    }
    library
}

pub fn case() -> CaseId {
    "00000000-0000-8000-8000-000000000007"
        .parse()
        .expect("an id")
}

impl World {
    pub fn start(library: Library, process: &str, variables: &Value) -> (Self, Vec<Effect>) {
        let now: Timestamp = START.parse().unwrap();
        let variables = variables.as_object().cloned().unwrap_or_default();
        let mut coverage = Coverage::new();
        let started = coverage.start(&library, process, case(), variables.clone(), now);
        let (instance, effects) = started.expect("startable");
        let again = halsonav_engine::start(&library, process, case(), variables, now);
        assert_eq!(
            again.expect("startable"),
            (instance.clone(), effects.clone()),
            "start is not a function"
        );
        let mut world = Self {
            library,
            instance,
            now,
            open: Open::default(),
            coverage,
            payloads: BTreeMap::new(),
            ended: None,
            messages: 0,
            recorded: Vec::new(),
        };
        world.note(&effects);
        world.laws();
        (world, effects)
    }

    /// Applies the input. It comes to a copy that was stored and loaded, too, and then once more.
    pub fn step(&mut self, input: &Input) -> Result<Vec<Effect>, Rejection> {
        let before = self.instance.clone();
        let stored = serde_json::to_string(&before).unwrap();
        let mut loaded: Instance = serde_json::from_str(&stored).unwrap();
        assert_eq!(loaded, before, "storing changes the instance");
        let result = self
            .coverage
            .step(&self.library, &mut self.instance, input, self.now);
        let other = halsonav_engine::step(&self.library, &mut loaded, input, self.now);
        assert_eq!(
            (&other, &loaded),
            (&result, &self.instance),
            "step is not a function"
        );
        match &result {
            Err(_) => assert_eq!(self.instance, before, "a rejection changed the instance"),
            Ok(effects) => {
                assert_eq!(self.instance.revision(), before.revision() + 1);
                self.recorded.push(input.clone());
                self.note(effects);
                if !self.instance.is_suspended() {
                    self.answered();
                }
                self.laws();
                self.again(input);
            }
        }
        result
    }

    /// What was answered, or recorded as answered until now, is not open any more.
    fn answered(&mut self) {
        for input in self.recorded.drain(..) {
            match input {
                Input::Completed { job, .. }
                | Input::Refused { job, .. }
                | Input::Failed { job, .. } => {
                    self.open.jobs.remove(&job);
                }
                Input::TimerDue { timer } => {
                    self.open.timers.remove(&timer);
                }
                _ => {}
            }
        }
    }

    /// The same input a second time is rejected, or is an operator's.
    fn again(&self, input: &Input) {
        if matches!(input, Input::Operator(_) | Input::Signal { .. }) {
            return;
        }
        let mut copy = self.instance.clone();
        let result = halsonav_engine::step(&self.library, &mut copy, input, self.now);
        assert!(
            result.is_err(),
            "a duplicate had effects: {input:?}: {result:?}"
        );
    }

    fn note(&mut self, effects: &[Effect]) {
        for effect in effects {
            assert!(self.ended.is_none(), "an effect after the end: {effect:?}");
            let fresh = match effect.clone() {
                Effect::Job {
                    key,
                    element,
                    payload,
                    ..
                }
                | Effect::WorkItem {
                    key,
                    element,
                    payload,
                    ..
                } => {
                    self.payloads.insert(element.clone(), payload);
                    self.open.jobs.insert(key, element).is_none()
                }
                Effect::Withdraw { key } => {
                    self.open.jobs.remove(&key);
                    true
                }
                Effect::Arm {
                    timer,
                    due,
                    element,
                } => self.open.timers.insert(timer, (due, element)).is_none(),
                Effect::Disarm { timer } => self.open.timers.remove(&timer).is_some(),
                Effect::Subscribe {
                    key,
                    message,
                    correlation,
                    element,
                } => self
                    .open
                    .messages
                    .insert(key, (message, correlation, element))
                    .is_none(),
                Effect::Unsubscribe { key } => self.open.messages.remove(&key).is_some(),
                Effect::SubscribeSignal {
                    key,
                    signal,
                    element,
                } => self.open.signals.insert(key, (signal, element)).is_none(),
                Effect::UnsubscribeSignal { key } => self.open.signals.remove(&key).is_some(),
                Effect::Incident { key, element, .. } => {
                    self.open.incidents.insert(key, element).is_none()
                }
                Effect::Resolve { incident } => self.open.incidents.remove(&incident).is_some(),
                Effect::Finished {
                    outcome,
                    end,
                    variables,
                } => {
                    self.ended = Some((outcome, end, variables));
                    true
                }
                Effect::Signal { .. } | Effect::Reached { .. } | Effect::Dropped { .. } => true,
            };
            assert!(fresh, "opened twice or closed twice: {effect:?}");
        }
    }

    /// No ghosts: what the instance waits for is what the world was told, and nothing else.
    fn laws(&self) {
        let mut held = Open::default();
        for waiting in self.instance.waiting(&self.library) {
            let (key, element) = (waiting.key, waiting.element);
            match waiting.what {
                WaitingFor::Job | WaitingFor::WorkItem => {
                    held.jobs.insert(key, element);
                }
                WaitingFor::Timer { due } => {
                    held.timers.insert(key, (due, element));
                }
                WaitingFor::Message {
                    message,
                    correlation,
                } => {
                    held.messages.insert(key, (message, correlation, element));
                }
                WaitingFor::Signal { signal } => {
                    held.signals.insert(key, (signal, element));
                }
                WaitingFor::Incident { .. } => {
                    held.incidents.insert(key, element);
                }
            }
        }
        // A failed job has its answer; the instance keeps its key for a late success.
        held.jobs
            .retain(|key, _| self.open.jobs.contains_key(key) || self.open.incidents.is_empty());
        assert_eq!(held, self.open, "the instance and the world disagree");
        assert_eq!(self.ended.is_some(), self.instance.is_ended());
        if self.ended.is_some() {
            assert_eq!(
                self.open,
                Open::default(),
                "something is open after the end"
            );
        } else if !self.instance.is_suspended() {
            assert_ne!(self.open, Open::default(), "nothing can move it");
        }
    }

    pub fn job(&self, element: &str) -> u64 {
        let (name, nth) = element
            .split_once('#')
            .map_or((element, 0), |(name, n)| (name, n.parse().unwrap()));
        let jobs = self.open.jobs.iter().filter(|(_, known)| *known == name);
        *jobs
            .map(|(key, _)| key)
            .nth(nth)
            .unwrap_or_else(|| panic!("no job {element}: {:?}", self.open.jobs))
    }

    pub fn complete(&mut self, element: &str, variables: Value) -> Result<Vec<Effect>, Rejection> {
        let job = self.job(element);
        self.step(&Input::Completed { job, variables })
    }

    pub fn message(&mut self, name: &str, key: &str, variables: Value, days: Option<i64>) -> Input {
        self.messages += 1;
        let expires = days.map(|days| self.now + jiff::SignedDuration::from_hours(24 * days));
        let id = format!("m{}", self.messages);
        Input::Message {
            id,
            name: name.into(),
            correlation: key.into(),
            variables,
            expires,
        }
    }

    /// Moves the clock and fires what comes due, in order.
    pub fn pass(&mut self, until: Timestamp) -> Vec<Effect> {
        let mut effects = Vec::new();
        let sent = |world: &Self, timer| world.recorded.contains(&Input::TimerDue { timer });
        let next = |world: &Self| {
            let timers = world.open.timers.iter().map(|(key, (due, _))| (*due, *key));
            timers.filter(|(_, timer)| !sent(world, *timer)).min()
        };
        while let Some((due, timer)) = next(self)
            && due <= until
        {
            self.now = self.now.max(due);
            effects.extend(
                self.step(&Input::TimerDue { timer })
                    .expect("the timer is due"),
            );
        }
        self.now = self.now.max(until);
        effects
    }

    pub fn incident(&self, element: &str) -> u64 {
        let incidents = &self.open.incidents;
        let known = incidents.iter().find(|(_, known)| *known == element);
        *known
            .unwrap_or_else(|| panic!("no incident at {element}: {incidents:?}"))
            .0
    }

    pub fn operate(&mut self, operator: Operator) -> Result<Vec<Effect>, Rejection> {
        self.step(&Input::Operator(operator))
    }

    pub fn fail(&mut self, element: &str, unknown: bool) -> Result<Vec<Effect>, Rejection> {
        let problem = Problem::new(Kind::Unavailable, "HUB-TEST-001", "no answer");
        let job = self.job(element);
        self.step(&Input::Failed {
            job,
            problem,
            outcome_unknown: unknown,
        })
    }

    /// The process's variables, now or when it ended.
    pub fn variables(&self) -> Value {
        let ended = self.ended.as_ref().map(|(_, _, variables)| variables);
        let variables = ended.or_else(|| self.instance.variables());
        variables.map_or(json!(null), |variables| Value::Object(variables.clone()))
    }
}
