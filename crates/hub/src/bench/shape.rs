//! The processes that are run, and what happens to their instances.

use std::{collections::BTreeMap, sync::Arc};

use halsonav_domain::{
    CaseId, Envelope, Kind, Problem, Timestamp,
    event::{BookingMade, CommandDone, Event as _},
};
use halsonav_engine::{
    Anything, Deployment, Effect, Input, Instance, Library, Rejection, load, start, step,
};
use halsonav_expression::Decisions;
use serde_json::{Map, Value, json};

use crate::{config::Region, definitions};

/// Service → message or deadline → service → choice.
const SMALL: &str = include_str!("small.bpmn");
/// No process asks for more before its first wait for the resident.
const LONGEST: usize = 64;

/// A process that is ready to run.
pub struct Shape {
    /// Holds the process.
    pub library: Arc<Library>,
    /// Its decision tables.
    pub decisions: Arc<Decisions>,
    /// Its id.
    pub process: String,
    /// What an instance starts with, beside its case.
    variables: Map<String, Value>,
}

impl Shape {
    /// The small one, the same on every site.
    ///
    /// # Errors
    /// None that a test of this crate would not have found.
    pub fn small() -> Result<Self, Vec<Problem>> {
        let decisions = Arc::new(Decisions::empty());
        let loaded = load(SMALL, &decisions, &Anything).map_err(|faults| {
            faults
                .iter()
                .map(|fault| definitions::problem("small.bpmn", fault))
                .collect::<Vec<_>>()
        })?;
        let deployment = Deployment {
            definitions: loaded.definitions,
            decisions,
        };
        let variables = json!({ "language": "sv", "age": 50, "unit": "SE2321000999-VC01" });
        Self::deployed(deployment, "bench", variables)
    }

    /// The region's own.
    ///
    /// # Errors
    /// Every fault of its process files and tables.
    pub fn of_region(region: &Region) -> Result<Self, Vec<Problem>> {
        let loaded = definitions::read(region, &|_| true)?;
        let unit = region.units.first();
        let variables = json!({
            "round": region.round.id,
            "year": region.round.year,
            "age": 50,
            "sex": "woman",
            "unit": unit.map(|unit| &unit.hsa_id),
            "unitName": unit.map(|unit| &unit.name),
            "language": "sv",
            "invitation": null,
            "region": region.switches,
        });
        Self::deployed(loaded.deployment, &region.process, variables)
    }

    fn deployed(
        mut deployment: Deployment,
        process: &str,
        variables: Value,
    ) -> Result<Self, Vec<Problem>> {
        for definition in &mut deployment.definitions {
            definition.version = 1;
        }
        let decisions = deployment.decisions.clone();
        let mut library = Library::new();
        library
            .add(deployment)
            .map_err(|clash| vec![Problem::new(clash.kind(), clash.code(), clash.to_string())])?;
        let variables = match variables {
            Value::Object(variables) => variables,
            _ => Map::new(),
        };
        Ok(Self {
            library: Arc::new(library),
            decisions,
            process: process.to_owned(),
            variables,
        })
    }

    /// What the instance of `case` starts with.
    #[must_use]
    pub fn variables(&self, case: CaseId) -> Map<String, Value> {
        let mut variables = self.variables.clone();
        variables.insert("caseId".to_owned(), json!(case));
        variables
    }

    /// Starts the instance of `case`.
    ///
    /// # Errors
    /// `HUB-BENCH-003`.
    pub fn start(&self, case: CaseId, now: Timestamp) -> Result<Run<'_>, Problem> {
        let variables = self.variables(case);
        let (instance, effects) =
            start(&self.library, &self.process, case, variables, now).map_err(|r| refused(&r))?;
        let mut run = Run {
            shape: self,
            case,
            now,
            instance,
            jobs: Vec::new(),
            items: Vec::new(),
            timers: BTreeMap::new(),
        };
        run.note(effects)?;
        Ok(run)
    }
}

/// An instance, with the jobs it has asked for.
pub struct Run<'a> {
    shape: &'a Shape,
    /// Its case.
    pub case: CaseId,
    /// What time it is for it.
    pub now: Timestamp,
    /// The instance itself.
    pub instance: Instance,
    jobs: Vec<(u64, String, Value)>,
    /// Open work items, by element.
    pub items: Vec<(u64, String)>,
    /// Armed timers: when they are due, and the element.
    pub timers: BTreeMap<u64, (Timestamp, String)>,
}

impl Run<'_> {
    /// What happens next: an answer to the oldest job, or else the resident books. The small shape
    /// goes round once more if `again`.
    #[must_use]
    pub fn next(&self, again: bool) -> Input {
        match self.jobs.first() {
            Some((job, kind, payload)) => Input::Completed {
                job: *job,
                variables: answer(kind, payload),
            },
            None => Input::Message {
                id: format!("/bench#{}", self.instance.revision()),
                name: BookingMade::TYPE.to_owned(),
                correlation: self.case.to_string(),
                variables: json!({ "bookingId": "B-1", "again": again }),
                expires: None,
            },
        }
    }

    /// The oldest job that nobody has answered: its kind.
    #[must_use]
    pub fn asked(&self) -> Option<&str> {
        self.jobs.first().map(|(_, kind, _)| kind.as_str())
    }

    /// Lets it happen.
    ///
    /// # Errors
    /// `HUB-BENCH-003` when the engine rejects it or opens an incident.
    pub fn step(&mut self, input: &Input) -> Result<(), Problem> {
        if let Input::Completed { job, .. } = input {
            self.jobs.retain(|(key, ..)| key != job);
            self.items.retain(|(key, _)| key != job);
        }
        if let Input::TimerDue { timer } = input {
            self.timers.remove(timer);
        }
        let effects = step(&self.shape.library, &mut self.instance, input, self.now)
            .map_err(|rejection| refused(&rejection))?;
        self.note(effects)
    }

    /// Answers every job until none is open: now it waits for the resident. Tells what happened.
    ///
    /// # Errors
    /// As [`Run::step`]; also when there is no end of jobs.
    pub fn reach_first_wait(&mut self) -> Result<Vec<Input>, Problem> {
        let mut taken = Vec::new();
        while !self.jobs.is_empty() {
            if taken.len() == LONGEST {
                return Err(unfit("the process does not come to a wait"));
            }
            let input = self.next(false);
            self.step(&input)?;
            taken.push(input);
        }
        Ok(taken)
    }

    fn note(&mut self, effects: Vec<Effect>) -> Result<(), Problem> {
        for effect in effects {
            match effect {
                Effect::Job {
                    key, kind, payload, ..
                } => self.jobs.push((key, kind, payload)),
                Effect::WorkItem { key, element, .. } => self.items.push((key, element)),
                Effect::Withdraw { key } => {
                    self.jobs.retain(|(job, ..)| *job != key);
                    self.items.retain(|(item, _)| *item != key);
                }
                Effect::Arm {
                    timer,
                    due,
                    element,
                } => {
                    self.timers.insert(timer, (due, element));
                }
                Effect::Disarm { timer } => {
                    self.timers.remove(&timer);
                }
                Effect::Incident { element, code, .. } => {
                    return Err(unfit(&format!("{code} at {element}")));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What a neighbour answers when all is well. Fields that a task does not map are ignored by it.
fn answer(kind: &str, payload: &Value) -> Value {
    match kind {
        "roster.lookup" => json!({
            "status": "active", "protection": "none", "paperOptOut": false, "hasAddress": true, "testPerson": false,
        }),
        "messaging.check" => json!({ "active": true }),
        "messaging.send" => json!({ "messageId": "0191f6a2-5c1f-7d3e-8a70-3c2f9e1b4d55" }),
        "print.letter" => {
            json!({ "letterId": "0191f6a2-5c1f-7d3e-8a70-3c2f9e1b4d56", "jobId": "J-1" })
        }
        "messaging.status" => json!({ "read": false }),
        "print.recall" => json!({ "recalled": true }),
        "booking.cancel" | "lab.cancel" | "forms.cancel" => json!({ "cancelled": true }),
        "case.readiness" => json!({ "formsMissing": [], "labMissing": [] }),
        "forms.request" => json!({ "formId": payload["template"] }),
        "lab.order" => json!({ "orderId": "O-1" }),
        "profile.draw" => json!({ "instrument": "halsokurva" }),
        "journal.document" => json!({ "documentId": "D-1" }),
        _ => json!({ "accepted": true }),
    }
}

/// The input as the fact that a neighbour would put on the bus. `n` sets apart what is the same.
#[must_use]
pub fn fact(input: &Input, case: CaseId, n: usize, now: Timestamp) -> Option<Envelope> {
    let id = format!("{case}-{n}");
    match input {
        Input::Completed { job, variables } => {
            let data = json!({ "job": job, "result": variables });
            Some(Envelope::new(
                "/adapters/bench",
                id,
                CommandDone::TYPE,
                Some(case),
                now,
                data,
            ))
        }
        Input::Message {
            name,
            variables,
            correlation,
            ..
        } => {
            let data = variables.clone();
            let mut fact = Envelope::new("/adapters/bench", id, name, Some(case), now, data);
            if correlation.parse::<CaseId>().is_err() {
                fact.correlationkey = Some(correlation.clone());
            }
            Some(fact)
        }
        _ => None,
    }
}

fn refused(rejection: &Rejection) -> Problem {
    unfit(&format!("the engine rejects what should fit: {rejection}"))
}

/// A measurement that would not measure what it says.
pub fn unfit(message: &str) -> Problem {
    Problem::new(Kind::Internal, "HUB-BENCH-003", message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Tree, region};

    fn case() -> CaseId {
        CaseId(uuid::Uuid::from_u128(7))
    }

    #[test]
    fn the_small_shape_goes_round_and_ends() {
        let shape = Shape::small().expect("it is sound");
        let mut run = shape.start(case(), Timestamp::UNIX_EPOCH).expect("starts");
        for again in [true, false] {
            for _ in 0..3 {
                assert!(!run.instance.is_ended());
                let input = run.next(again);
                run.step(&input).expect("fits");
            }
        }
        assert!(run.instance.is_ended());
    }

    #[test]
    fn the_region_s_process_comes_to_a_wait() {
        let tree = Tree::load(None).expect("the shipped tree");
        let region = region::load(&tree, "demo").expect("demo");
        let shape = Shape::of_region(&region).unwrap_or_else(|problems| panic!("{problems:?}"));
        let mut run = shape.start(case(), Timestamp::UNIX_EPOCH).expect("starts");
        let taken = run.reach_first_wait().expect("waits");
        assert!(taken.len() >= 3, "{taken:?}");
        assert!(run.instance.next_due().is_some());
    }
}
