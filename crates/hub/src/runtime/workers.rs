//! What the hub does for itself, in the shape of an adapter so that it is asked in the same way:
//! `case.readiness` and `profile.draw`.

use async_trait::async_trait;
use halsonav_adapter::{Delivery, Disclosure, Operation, Outbound, Reconciled, payload};
use halsonav_domain::{CommandId, Done, Kind, Outcome, Problem, command::profile::Draw};
use halsonav_profile::{Inputs, Instruments, Sex, score, svg};
use serde_json::{Value, json};

const fn operation(name: &'static str) -> Operation {
    Operation {
        name,
        contact: false,
        disclosure: Disclosure::None,
        idempotent: true,
        batch: 100,
    }
}

/// `case`: what the hub knows of the case itself.
#[derive(Debug)]
pub struct CaseWorker {
    /// Forms that a dialogue should have, and whether samples belong to it.
    pub wanted: Wanted,
}

/// What a prepared dialogue has.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Forms by name.
    pub forms: Vec<String>,
    /// Analyses by code; none when the region takes no samples.
    pub analyses: Vec<String>,
}

#[async_trait]
impl Outbound for CaseWorker {
    fn operations(&self) -> &'static [Operation] {
        const { &[operation("readiness")] }
    }

    async fn deliver(&self, _: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        batch
            .into_iter()
            .map(|delivery| (delivery.command.id, self.readiness(&delivery).into()))
            .collect()
    }

    async fn reconcile(&self, _: &str, _: &Delivery) -> Reconciled {
        Reconciled::Absent
    }
}

impl CaseWorker {
    fn readiness(&self, delivery: &Delivery) -> Done {
        let given = &delivery.command.payload;
        let has = |code: &str| {
            let list = given.get("observations").and_then(Value::as_array);
            list.is_some_and(|list| {
                list.iter()
                    .any(|one| one.get("code").and_then(Value::as_str) == Some(code))
            })
        };
        let answered = |form: &String| {
            given
                .get("forms")
                .and_then(|forms| forms.get(form))
                .is_some()
        };
        let forms: Vec<_> = self
            .wanted
            .forms
            .iter()
            .filter(|form| !answered(form))
            .collect();
        let lab: Vec<_> = self
            .wanted
            .analyses
            .iter()
            .filter(|code| !has(code))
            .collect();
        Done::new(json!({ "formsMissing": forms, "labMissing": lab }))
    }
}

/// `profile`: levels and picture. The module can be left out of a region: then nobody asks.
#[derive(Debug)]
pub struct ProfileWorker {
    /// The region's scoring tables.
    pub instruments: Instruments,
}

#[async_trait]
impl Outbound for ProfileWorker {
    fn operations(&self) -> &'static [Operation] {
        const { &[operation("draw")] }
    }

    async fn deliver(&self, _: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let drawn = |delivery: &Delivery| match self.draw(delivery) {
            Ok(done) => done.into(),
            Err(problem) => problem.into(),
        };
        batch
            .iter()
            .map(|delivery| (delivery.command.id, drawn(delivery)))
            .collect()
    }

    async fn reconcile(&self, _: &str, _: &Delivery) -> Reconciled {
        Reconciled::Absent
    }
}

impl ProfileWorker {
    fn draw(&self, delivery: &Delivery) -> Result<Done, Problem> {
        let draw: Draw = payload(&delivery.command)?;
        let day = delivery.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let instrument = self.instruments.get(&draw.instrument, day).ok_or_else(|| {
            Problem::new(
                Kind::Invalid,
                "HUB-WORKER-001",
                format!("no instrument '{}' is in force", draw.instrument),
            )
        })?;
        if instrument.graphic.as_str() != draw.graphic {
            let message = format!(
                "instrument '{}' is not for the graphic '{}'",
                draw.instrument, draw.graphic
            );
            return Err(Problem::new(Kind::Invalid, "HUB-WORKER-002", message));
        }
        let inputs = Inputs {
            forms: draw.forms,
            observations: serde_json::from_value(json!(draw.observations)).unwrap_or_default(),
            sex: match draw.sex.as_deref() {
                Some("woman") => Some(Sex::Woman),
                Some("man") => Some(Sex::Man),
                _ => None,
            },
            age: None,
            at: day,
        };
        let profile = score(instrument, &inputs);
        let picture = svg::draw(&profile);
        let levels = serde_json::to_value(&profile.levels).unwrap_or(Value::Null);
        let instrument = format!("{} {}", profile.instrument, profile.version);
        Ok(Done::new(
            json!({ "instrument": instrument, "levels": levels, "svg": picture }),
        ))
    }
}
