//! How people at work do what the hub asks of them: phone, meet, type in, look into returns.

use std::{collections::HashMap, sync::Arc};

use halsonav_domain::{
    CaseId, Envelope, Problem, SubjectId, Timestamp,
    event::{Event, Observation, WorkItemCompleted},
};
use halsonav_storage::{CaseFilter, WorkItem, WorkItemNo, WorkState};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    agenda::{Act, Agenda},
    dice::Dice,
    population::Answer,
    residents::Residents,
    world::World,
};
use crate::runtime::{Core, store_problem};

/// Nurses, leaders, assistants and coordinators of every unit.
#[derive(Default)]
pub struct Staff {
    seen: Option<WorkItemNo>,
    people: HashMap<CaseId, usize>,
}

impl Staff {
    /// Learns which person is behind each case: at work one knows whom one meets.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn learn(&mut self, world: &World, core: &Core) -> Result<(), Problem> {
        let numbers: Vec<_> = (0..world.people.len())
            .filter_map(|ordinal| {
                Some((
                    halsonav_domain::PersonId::parse(&world.people[ordinal].person_id).ok()?,
                    ordinal,
                ))
            })
            .collect();
        self.people = core
            .storage
            .read_async(move |r| {
                let mut ordinals: HashMap<SubjectId, usize> = HashMap::new();
                for (number, ordinal) in &numbers {
                    if let Some(subject) = r.subject_of_person(number)? {
                        ordinals.insert(subject, *ordinal);
                    }
                }
                let (mut people, mut after) = (HashMap::new(), None);
                loop {
                    let page = r.cases(&CaseFilter::default(), after, 5000)?;
                    let Some(last) = page.last() else {
                        return Ok(people);
                    };
                    after = Some(last.no);
                    people.extend(
                        page.iter()
                            .filter_map(|case| Some((case.id, *ordinals.get(&case.subject)?))),
                    );
                }
            })
            .await
            .map_err(store_problem)?;
        Ok(())
    }

    /// The person behind a case.
    #[must_use]
    pub fn person(&self, case: &CaseId) -> Option<usize> {
        self.people.get(case).copied()
    }

    /// Looks at the work list and plans when each new item is done.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look(
        &mut self,
        core: &Core,
        residents: &Residents,
        agenda: &mut Agenda,
    ) -> Result<(), Problem> {
        loop {
            let after = self.seen;
            let items = core
                .storage
                .read_async(move |r| r.new_work_items(after, 1000))
                .await
                .map_err(store_problem)?;
            let Some(last) = items.last() else {
                return Ok(());
            };
            self.seen = Some(last.no);
            for item in &items {
                let dice = self.dice(residents, item);
                let at = when(residents, dice, item);
                agenda.plan(at, Act::Work(item.no.0));
            }
        }
    }

    /// Does one work item, if it is still wanted.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn work(
        &self,
        world: &World,
        core: &Arc<Core>,
        residents: &Residents,
        no: i64,
    ) -> Result<(), Problem> {
        let item = core
            .storage
            .read_async(move |r| r.work_item(WorkItemNo(no)))
            .await
            .map_err(store_problem)?;
        let Some(item) =
            item.filter(|item| matches!(item.state, WorkState::Open | WorkState::Claimed))
        else {
            return Ok(());
        };
        let now = core.clock.now();
        let result = self.result(world, residents, &item, now);
        let data = WorkItemCompleted {
            job: item.job,
            result: result.clone(),
        }
        .data();
        let id = format!("work-item-{no}");
        core.publish(vec![Envelope::new(
            "/api",
            id,
            WorkItemCompleted::TYPE,
            Some(item.case),
            now,
            data,
        )])
        .await?;
        core.storage
            .write_async(move |tx| {
                tx.complete_work_item(
                    item.no,
                    item.revision,
                    "demo",
                    &json!({ "outcome": result["outcome"] }),
                    now,
                )
            })
            .await
            .or_else(|error| {
                if error.kind() == halsonav_domain::Kind::Conflict {
                    Ok(())
                } else {
                    Err(error)
                }
            })
            .map_err(store_problem)
    }

    fn dice(&self, residents: &Residents, item: &WorkItem) -> Dice {
        residents.dice(self.person(&item.case).unwrap_or(0))
    }

    fn result(
        &self,
        world: &World,
        residents: &Residents,
        item: &WorkItem,
        now: Timestamp,
    ) -> Value {
        let ordinal = self.person(&item.case).unwrap_or(0);
        let dice = residents.dice(ordinal);
        let text = |field: &str| {
            item.payload
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        match item.form.as_deref().unwrap_or_default() {
            "call" => {
                json!({ "outcome": call(residents.answer(world, ordinal), dice, &item.payload) })
            }
            "visit" => visit(residents, ordinal, dice, item, now),
            "paper-form" | "assisted-form" => {
                let form = text("form");
                let mode = if item.form.as_deref() == Some("paper-form") {
                    "paper"
                } else {
                    "assisted"
                };
                json!({ "outcome": "entered", "form": form, "mode": mode, "answers": residents.answers(ordinal, &form) })
            }
            "manual-contact" => match dice.unit("manual") {
                x if x < 0.3 => json!({ "outcome": "booked" }),
                x if x < 0.7 => json!({ "outcome": "declined" }),
                _ => json!({ "outcome": "not-reached" }),
            },
            "returned-letter" => json!({ "outcome": "filed" }),
            "rejected-letter" => json!({ "outcome": "resend" }),
            _ => json!({ "outcome": "done" }),
        }
    }
}

/// What tells a work item from others of the same person, whatever number it got.
fn asked(item: &WorkItem) -> String {
    let form = item.form.as_deref().unwrap_or_default();
    let about = item
        .payload
        .get("form")
        .and_then(Value::as_str)
        .unwrap_or_default();
    format!("work {form} {about} {}", item.created.as_second())
}

fn when(residents: &Residents, dice: Dice, item: &WorkItem) -> Timestamp {
    let question = asked(item);
    let hour = 9 + dice.roll(&question) % 7;
    match item.form.as_deref().unwrap_or_default() {
        "call" => residents.daytime(item.created, dice.between(&question, 1, 4), hour),
        "visit" => item.created + SignedDuration::from_hours(1),
        "paper-form" => residents.daytime(item.created, dice.between(&question, 5, 9), hour),
        "assisted-form" => item.created,
        "manual-contact" => residents.daytime(item.created, dice.between(&question, 3, 10), hour),
        _ => residents.daytime(item.created, dice.between(&question, 1, 3), hour),
    }
}

fn call(answer: Answer, dice: Dice, payload: &Value) -> &'static str {
    let attempt = payload.get("attempt").and_then(Value::as_u64).unwrap_or(1);
    match answer {
        _ if attempt == 1 && dice.chance("not at home", 0.3) => "not-reached",
        Answer::Books | Answer::Phones | Answer::YesWhenPhoned
            if attempt == 1 && dice.chance("thinks it over", 0.1) =>
        {
            "undecided"
        }
        Answer::Books | Answer::Phones | Answer::YesWhenPhoned => "booked",
        Answer::Declines | Answer::OptsOut | Answer::NoWhenPhoned => "declined",
        Answer::Silent => "not-reached",
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "centimetres and kilograms of people"
)]
fn visit(
    residents: &Residents,
    ordinal: usize,
    dice: Dice,
    item: &WorkItem,
    now: Timestamp,
) -> Value {
    if dice.chance(&format!("no-show {}", asked(item)), 0.05) {
        return json!({ "outcome": "no-show" });
    }
    let measured = |code: &str, low: u64, high: u64, unit: &str| Observation {
        code: code.to_owned(),
        value: dice.between(code, low, high) as f64,
        unit: unit.to_owned(),
        taken: Some(now),
        status: Some("final".to_owned()),
        comparator: None,
    };
    let observations = [
        measured("height", 152, 198, "cm"),
        measured("weight", 52, 118, "kg"),
        measured("waist", 68, 122, "cm"),
        measured("hip", 86, 124, "cm"),
        measured("systolic", 108, 168, "mm[Hg]"),
        measured("diastolic", 62, 102, "mm[Hg]"),
    ];
    let form = item
        .payload
        .get("additionalForm")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let asks = item
        .payload
        .get("askConsent")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    json!({
        "outcome": "held",
        "held": now,
        "leader": format!("{}-L{}", item.unit, dice.between("leader", 1, 3)),
        "observations": observations,
        "additionalForm": form,
        "answers": residents.answers(ordinal, form),
        "measures": if dice.chance("advice", 0.6) { json!(["DV132"]) } else { json!([]) },
        "summary": "Samtal om levnadsvanor enligt metoden. Uppföljning vid behov.",
        "consent": asks && dice.chance("consent", 0.62),
    })
}
