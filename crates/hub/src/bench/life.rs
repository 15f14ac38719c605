//! What happens to a case of the region's own process from its invitation to its end, when residents,
//! neighbours and people at work do what they mostly do.

use std::collections::VecDeque;

use halsonav_domain::{
    CaseId, Envelope, Problem, Timestamp,
    event::{BookingMade, Event as _, FormCompleted, LabResult, WorkItemCompleted},
};
use halsonav_engine::Input;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::shape::{Run, fact, unfit};
use crate::runtime::TIMER_DUE;

/// No life is longer.
const LONGEST: usize = 200;

/// A message: type, key if it is not the case, content.
type ToCome = (&'static str, Option<&'static str>, Value);

/// How a resident's year goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// Books, answers the forms, leaves samples, comes.
    Held,
    /// Does nothing, and declines when a nurse phones.
    Declined,
}

/// Something that happens to a case.
#[derive(Clone, Debug)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    input: Input,
    /// Whose work item or timer it is.
    of: Option<Of>,
}

#[derive(Clone, Debug)]
enum Of {
    Item,
    Timer(String, Timestamp),
}

impl Life {
    /// Everything that happens after the start of its instance, in order.
    ///
    /// # Errors
    /// `HUB-BENCH-003` when the process does not come to an end by it.
    pub fn of(self, run: &mut Run<'_>) -> Result<Vec<Happening>, Problem> {
        let mut to_come = self.to_come(run.now);
        let mut all = Vec::new();
        while !run.instance.is_ended() {
            if all.len() == LONGEST {
                return Err(unfit("a life does not come to its end"));
            }
            let next = self.next(run, &mut to_come)?;
            run.step(&next.input)?;
            all.push(next);
        }
        Ok(all)
    }

    fn to_come(self, start: Timestamp) -> VecDeque<ToCome> {
        let visit = start + SignedDuration::from_hours(24 * 42);
        match self {
            Self::Declined => VecDeque::new(),
            Self::Held => [
                (
                    BookingMade::TYPE,
                    None,
                    json!({ "bookingId": "B-1", "start": visit, "end": visit + SignedDuration::from_hours(1) }),
                ),
                form("levnadsvanor"),
                form("halsa"),
                (LabResult::TYPE, None, samples()),
            ]
            .into(),
        }
    }

    /// Jobs are answered, work items done, then the resident acts; and when nobody does anything, time
    /// passes until a timer is due.
    fn next(self, run: &mut Run<'_>, to_come: &mut VecDeque<ToCome>) -> Result<Happening, Problem> {
        let happening = |at, input, of| Happening { at, input, of };
        if let Some(kind) = run.asked() {
            let mut input = run.next(false);
            if let (Input::Completed { variables, .. }, "case.readiness") = (&mut input, kind) {
                let missing = to_come.iter().filter_map(|(_, key, _)| *key);
                variables["formsMissing"] = missing.collect();
            }
            return Ok(happening(run.now, input, None));
        }
        if let Some((job, element)) = run.items.first() {
            let input = Input::Completed {
                job: *job,
                variables: self.work(element),
            };
            return Ok(happening(run.now, input, Some(Of::Item)));
        }
        if let Some((name, key, variables)) = to_come.pop_front() {
            let input = Input::Message {
                id: format!("/bench#{}", run.instance.revision()),
                name: name.to_owned(),
                correlation: key.map_or_else(|| run.case.to_string(), str::to_owned),
                variables,
                expires: None,
            };
            return Ok(happening(run.now, input, None));
        }
        let first = run.timers.iter().min_by_key(|(_, (due, _))| *due);
        let (timer, (due, element)) = first.ok_or_else(|| unfit("a case waits for nothing"))?;
        let (timer, due, of) = (*timer, *due, Of::Timer(element.clone(), *due));
        run.now = run.now.max(due);
        Ok(happening(run.now, Input::TimerDue { timer }, Some(of)))
    }

    fn work(self, element: &str) -> Value {
        match (self, element) {
            (Self::Held, "Dialogue") => json!({
                "outcome": "held", "held": "2026-03-02", "leader": "SE2321000999-L1", "summary": "Samtal hölls.",
                "measures": [], "consent": false,
                "observations": [
                    { "code": "8302-2", "value": 178.0, "unit": "cm" },
                    { "code": "29463-7", "value": 82.5, "unit": "kg" },
                    { "code": "8480-6", "value": 128.0, "unit": "mm[Hg]" },
                    { "code": "8462-4", "value": 82.0, "unit": "mm[Hg]" },
                ],
            }),
            _ => json!({ "outcome": "declined" }),
        }
    }
}

impl Happening {
    /// It, as the fact about `case` that comes on the bus; `n` sets apart what is the same.
    #[must_use]
    pub fn fact(&self, case: CaseId, n: usize) -> Option<Envelope> {
        let at = self.at;
        let id = format!("{case}-{n}");
        match (&self.input, &self.of) {
            (Input::Completed { job, variables }, Some(Of::Item)) => {
                let data = json!({ "job": job, "result": variables });
                let kind = WorkItemCompleted::TYPE;
                Some(Envelope::new("/api", id, kind, Some(case), at, data))
            }
            (Input::TimerDue { timer }, Some(Of::Timer(element, due))) => {
                let data = json!({ "timer": timer, "element": element, "due": due });
                Some(Envelope::new(
                    "/scheduler",
                    id,
                    TIMER_DUE,
                    Some(case),
                    at,
                    data,
                ))
            }
            (input, _) => fact(input, case, n, at),
        }
    }
}

fn form(template: &'static str) -> ToCome {
    let answers =
        json!({ "tobak": "aldrig", "alkohol": "1-4", "rorelse": "150", "frukt": "dagligen" });
    let data =
        json!({ "formId": template, "template": template, "mode": "digital", "answers": answers });
    (FormCompleted::TYPE, Some(template), data)
}

fn samples() -> Value {
    let codes = [
        "NPU27300", "NPU02195", "NPU01566", "NPU01567", "NPU01568", "NPU04094",
    ];
    let values = codes.map(|code| json!({ "code": code, "value": 4.9, "unit": "mmol/L" }));
    json!({ "orderId": "O-1", "complete": true, "observations": values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bench::shape::Shape,
        config::{Tree, region},
    };

    #[test]
    fn lives_come_to_their_end_and_hold_what_they_are_said_to() {
        let tree = Tree::load(None).expect("the shipped tree");
        let region = region::load(&tree, "demo").expect("demo");
        let shape = Shape::of_region(&region).unwrap_or_else(|problems| panic!("{problems:?}"));
        let case = CaseId(uuid::Uuid::from_u128(7));
        let start = "2026-01-12T07:00:00Z".parse().expect("a time");
        for (life, is_visited) in [(Life::Held, true), (Life::Declined, false)] {
            let mut run = shape.start(case, start).expect("starts");
            let all = life
                .of(&mut run)
                .unwrap_or_else(|problem| panic!("{life:?}: {problem}"));
            let facts: Vec<_> = all.iter().filter_map(|one| one.fact(case, 0)).collect();
            assert_eq!(facts.len(), all.len());
            let samples = facts.iter().any(|fact| fact.kind == LabResult::TYPE);
            let works = facts
                .iter()
                .any(|fact| fact.kind == WorkItemCompleted::TYPE);
            assert_eq!((samples, works), (is_visited, true), "{life:?}");
        }
    }
}
