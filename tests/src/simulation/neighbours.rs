//! Neighbours that are slow, deaf and sometimes lie.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav::rehearsal::Register;
use halsonav_adapter::{Delivery, Disclosure, Operation, Outbound, Reconciled};
use halsonav_domain::{
    CommandId, Done, Kind, Outcome, PersonId, PersonRecord, Problem, Reference, Timestamp,
};
use serde_json::{Value, json};

use super::truth::Truth;

const fn operation(name: &'static str, contact: bool, idempotent: bool, batch: usize) -> Operation {
    Operation {
        name,
        contact,
        disclosure: Disclosure::PersonId,
        idempotent,
        batch,
    }
}

/// What each neighbour can do: as the real adapters say of theirs.
const ADAPTERS: &[(&str, &[Operation])] = &[
    ("roster", &[operation("lookup", false, true, 500)]),
    (
        "messaging",
        &[
            operation("check", false, true, 1),
            operation("send", true, false, 1),
            operation("status", false, true, 1),
        ],
    ),
    (
        "print",
        &[
            operation("letter", true, false, 500),
            operation("recall", false, true, 50),
        ],
    ),
    (
        "booking",
        &[
            operation("lookup", false, true, 1),
            operation("book", false, false, 1),
            operation("rebook", false, false, 1),
            operation("cancel", false, true, 1),
        ],
    ),
    (
        "forms",
        &[
            operation("request", true, false, 100),
            operation("cancel", false, true, 1),
        ],
    ),
    (
        "lab",
        &[
            operation("order", false, true, 1),
            operation("cancel", false, true, 1),
        ],
    ),
    ("journal", &[operation("document", false, true, 1)]),
    ("research", &[operation("contribute", false, true, 500)]),
];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> {
    ADAPTERS.iter().map(|(name, _)| *name)
}

/// All of them, in one world.
#[must_use]
pub fn all(truth: &Arc<Truth>) -> Vec<(String, Arc<dyn Outbound>)> {
    let one = |(name, operations): &(&'static str, &'static [Operation])| {
        let neighbour = Neighbour {
            name,
            operations,
            truth: truth.clone(),
        };
        ((*name).to_owned(), Arc::new(neighbour) as Arc<dyn Outbound>)
    };
    ADAPTERS.iter().map(one).collect()
}

struct Neighbour {
    name: &'static str,
    operations: &'static [Operation],
    truth: Arc<Truth>,
}

fn problem(kind: Kind) -> Problem {
    Problem::new(kind, "HUB-SIM-001", "the simulated neighbour")
}

#[async_trait]
impl Outbound for Neighbour {
    fn operations(&self) -> &'static [Operation] {
        self.operations
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let Some(operation) = self.operations.iter().find(|o| o.name == operation) else {
            return Vec::new();
        };
        let mut answers = Vec::new();
        for delivery in batch {
            let id = delivery.command.id;
            let truth = &self.truth;
            if truth.goes_wrong(50) {
                answers.push((id, Outcome::Failed(problem(Kind::Unavailable))));
                continue;
            }
            if truth.goes_wrong(8) {
                answers.push((id, Outcome::Failed(problem(Kind::Denied))));
                continue;
            }
            if truth.goes_wrong(15) {
                // Nothing happened, and nobody can tell.
                answers.push((id, Outcome::Unknown(problem(Kind::Unavailable))));
                continue;
            }
            self.act(operation, &delivery);
            if truth.goes_wrong(30) {
                answers.push((id, Outcome::Unknown(problem(Kind::Unavailable))));
            } else if truth.goes_wrong(10) {
                // It says nothing at all.
            } else {
                answers.push((id, self.answer(operation, &delivery)));
                if truth.goes_wrong(10) {
                    // It says a second thing about the same, and something about nothing.
                    answers.push((id, Outcome::Failed(problem(Kind::Internal))));
                    answers.push((
                        CommandId::derive(delivery.command.case, 1 << 40),
                        Done::new(Value::Null).into(),
                    ));
                }
            }
        }
        answers
    }

    async fn reconcile(&self, operation: &str, delivery: &Delivery) -> Reconciled {
        let Some(operation) = self.operations.iter().find(|o| o.name == operation) else {
            return Reconciled::Unknowable;
        };
        if self.truth.goes_wrong(200) {
            return Reconciled::Later(problem(Kind::Unavailable));
        }
        if self.truth.goes_wrong(50) {
            return Reconciled::Unknowable;
        }
        match self.truth.effect(&delivery.command.id) {
            Some(_) => Reconciled::Settled(self.answer(operation, delivery)),
            None => Reconciled::Absent,
        }
    }
}

impl Neighbour {
    fn act(&self, operation: &Operation, delivery: &Delivery) {
        let command = &delivery.command;
        // INV-P3: who the command is about, and whose data it has, are one person.
        let number = delivery.identity.as_ref().map(|who| &who.person_id);
        let people = self.truth.people();
        if people.get(&command.case).map(|person| &person.number) != number {
            let breach = format!(
                "{} of {} has another person's data",
                command.kind, command.case
            );
            self.truth.breach(breach);
        }
        let payload = command.payload.clone();
        let kind = command.kind.to_string();
        let name = self.truth.dice(&command.id.to_string(), 1_000_000_000);
        let result = || made(&kind, name, &payload);
        let (contact, dedup) = (operation.contact, operation.idempotent);
        self.truth
            .done(command.id, &kind, command.case, contact, dedup, result);
    }

    fn answer(&self, operation: &Operation, delivery: &Delivery) -> Outcome {
        let command = &delivery.command;
        let result = self.truth.effect(&command.id).map(|effect| effect.result);
        let mut done = Done::new(result.unwrap_or(Value::Null));
        if self.name == "roster" {
            let number = delivery.identity.as_ref().map(|who| &who.person_id);
            let record = number.and_then(|n| self.truth.record(n, delivery.now));
            let Some(record) = record else {
                return Outcome::Failed(problem(Kind::NotFound));
            };
            done.result = json!({
                "status": record.status, "protection": record.protection, "paperOptOut": false,
                "hasAddress": true, "testPerson": false,
            });
            done.person = Some(Box::new(record));
        }
        let reference = match (self.name, operation.name) {
            ("print", "letter") => Some(("letter", "letterId")),
            ("booking", "book") => Some(("booking", "bookingId")),
            ("forms", "request") => Some(("form", "formId")),
            ("lab", "order") => Some(("order", "orderId")),
            _ => None,
        };
        if let Some((kind, field)) = reference
            && let Some(value) = done.result[field].as_str()
        {
            done.references.push(Reference {
                kind: kind.to_owned(),
                value: value.to_owned(),
            });
        }
        done.into()
    }
}

/// What a neighbour answers when all is well, and then always the same about the same command.
fn made(kind: &str, name: usize, payload: &Value) -> Value {
    match kind {
        "messaging.check" => json!({ "active": !name.is_multiple_of(3) }),
        "messaging.send" => json!({ "messageId": format!("M{name}") }),
        "messaging.status" => json!({ "read": name.is_multiple_of(2) }),
        "print.letter" => json!({ "letterId": format!("L{name}"), "jobId": "J" }),
        "print.recall" => json!({ "recalled": true }),
        "booking.book" | "booking.rebook" => json!({
            "bookingId": format!("B{name}"),
            "start": payload["notBefore"].as_str().unwrap_or("2026-05-04T07:00:00Z"),
            "end": "2026-12-04T08:00:00Z",
        }),
        "booking.cancel" | "lab.cancel" | "forms.cancel" => json!({ "cancelled": true }),
        "forms.request" => json!({ "formId": format!("F{name}") }),
        "lab.order" => json!({ "orderId": format!("O{name}") }),
        "journal.document" => json!({ "documentId": format!("D{name}") }),
        "research.contribute" => json!({ "accepted": true }),
        _ => Value::Null,
    }
}

/// The population register, also for whoever asks outside the process.
pub struct Population(pub Arc<Truth>);

#[async_trait]
impl Register for Population {
    async fn lookup(
        &self,
        people: &[PersonId],
        now: Timestamp,
    ) -> Vec<Result<PersonRecord, Problem>> {
        let answer = |number: &PersonId| match self.0.goes_wrong(80) {
            true => Err(problem(Kind::Unavailable)),
            false => self
                .0
                .record(number, now)
                .ok_or_else(|| problem(Kind::NotFound)),
        };
        people.iter().map(answer).collect()
    }
}
