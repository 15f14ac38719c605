//! The adapter.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Build, Delivery, Disclosure, Operation, Outbound, Reconciled, payload,
};
use halsonav_domain::{
    CommandId, Done, Kind, Outcome, PersonId, PersonRecord, Problem, Timestamp,
    command::roster::{LookedUp, Lookup},
};
use halsonav_rivta::Client;

use crate::{
    Config,
    register::{self, Register},
    translate::GET_PERSONS,
};

/// `roster.lookup`. Persons are asked for by hundreds: one call takes 500.
const OPERATIONS: &[Operation] = &[Operation {
    name: "lookup",
    contact: false,
    disclosure: Disclosure::PersonId,
    idempotent: true,
    batch: register::BATCH,
}];

/// The population register, as the hub sees it.
#[derive(Debug)]
pub struct Roster {
    register: Register,
}

impl Build for Roster {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn build(config: Config) -> Result<Self, Problem> {
        if config.logical_address.trim().is_empty() {
            return Err(Problem::new(
                Kind::Invalid,
                "HUB-ROSTER-201",
                "logical_address is empty",
            ));
        }
        let client = Client::new(&config.register)?;
        Ok(Self {
            register: Register::new(client, config.logical_address, config.profile),
        })
    }
}

impl Roster {
    /// What the register has about each of `ids`, in their order. One call for every 500.
    ///
    /// A person that the register does not have is a record with status `Unknown`. A problem means
    /// that nothing is known: hold, never assume.
    pub async fn lookup(
        &self,
        ids: &[PersonId],
        now: Timestamp,
    ) -> Vec<Result<PersonRecord, Problem>> {
        self.register.lookup(ids, now).await
    }
}

#[async_trait]
impl Adapter for Roster {
    fn name(&self) -> &'static str {
        "roster"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    async fn check(&self) -> Result<(), Problem> {
        self.register
            .client()
            .reach(&GET_PERSONS, self.register.logical_address(), "ROSTER")
            .await
    }
}

#[async_trait]
impl Outbound for Roster {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        let (mut asked, mut ids) = (Vec::new(), Vec::new());
        let mut now = Timestamp::UNIX_EPOCH;
        for delivery in batch {
            match person(operation, &delivery) {
                Ok(id) => {
                    now = now.max(delivery.now);
                    asked.push(delivery.command.id);
                    ids.push(id);
                }
                Err(problem) => outcomes.push((delivery.command.id, problem.into())),
            }
        }
        let answers = self.register.lookup(&ids, now).await;
        outcomes.extend(
            asked
                .into_iter()
                .zip(answers)
                .map(|(id, answer)| (id, answer.map_or_else(Outcome::from, done))),
        );
        outcomes
    }

    /// Asking twice does no harm.
    async fn reconcile(&self, _operation: &str, _delivery: &Delivery) -> Reconciled {
        Reconciled::Absent
    }
}

fn person(operation: &str, delivery: &Delivery) -> Result<PersonId, Problem> {
    if operation != "lookup" {
        return Err(Problem::new(
            Kind::Invalid,
            "HUB-ROSTER-202",
            format!("roster has no operation {operation}"),
        ));
    }
    payload::<Lookup>(&delivery.command)?;
    let identity = delivery.identity.as_ref();
    identity
        .map(|identity| identity.person_id.clone())
        .ok_or_else(|| {
            Problem::new(
                Kind::Internal,
                "HUB-ROSTER-203",
                "the command came without a person",
            )
        })
}

fn done(record: PersonRecord) -> Outcome {
    let result = LookedUp {
        status: record.status,
        protection: record.protection,
        paper_opt_out: record.paper_opt_out,
        has_address: record
            .address
            .as_ref()
            .is_some_and(halsonav_domain::Address::is_deliverable),
        test_person: record.test_person,
    };
    match serde_json::to_value(result) {
        Ok(result) => Outcome::Done(Done {
            result,
            references: Vec::new(),
            person: Some(Box::new(record)),
        }),
        Err(error) => Problem::new(Kind::Internal, "HUB-ROSTER-204", error.to_string()).into(),
    }
}
