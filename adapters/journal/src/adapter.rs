//! The adapter.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Build, Delivery, Disclosure, Operation, Outbound, Reconciled, payload,
};
use halsonav_domain::{
    CommandId, Done, Kind, Outcome, Problem,
    command::journal::{Document, Documented},
};
use serde_json::json;

use crate::{
    Config,
    call::Failure,
    client::{Client, Found, Kept},
    compose,
};

const OPERATIONS: &[Operation] = &[Operation {
    name: "document",
    contact: false,
    disclosure: Disclosure::Full,
    idempotent: true,
    batch: 1,
}];

/// The journal, as the hub sees it.
#[derive(Debug)]
pub struct Journal {
    client: Client,
    config: Config,
}

impl Build for Journal {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn build(config: Config) -> Result<Self, Problem> {
        Ok(Self {
            client: Client::new(&config)?,
            config,
        })
    }
}

#[async_trait]
impl Adapter for Journal {
    fn name(&self) -> &'static str {
        "journal"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    async fn check(&self) -> Result<(), Problem> {
        self.client.reach().await.map_err(|failure| failure.problem)
    }
}

#[async_trait]
impl Outbound for Journal {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in batch {
            let outcome = match operation {
                "document" => self.document(&delivery).await,
                _ => Err(Problem::new(
                    Kind::Invalid,
                    "HUB-JOURNAL-010",
                    format!("journal has no operation {operation}"),
                )),
            };
            outcomes.push((delivery.command.id, outcome.unwrap_or_else(Outcome::from)));
        }
        outcomes
    }

    async fn reconcile(&self, _operation: &str, delivery: &Delivery) -> Reconciled {
        let id = delivery.command.id.to_string();
        match self.client.find(&id).await {
            Ok(Found::Ours) => Reconciled::Settled(documented(id)),
            Ok(Found::Nothing) => Reconciled::Absent,
            // Somebody removed it: whether it is to be written again is for a person to say.
            Ok(Found::Gone) => Reconciled::Unknowable,
            Err(failure) => Reconciled::Later(failure.problem),
        }
    }
}

impl Journal {
    async fn document(&self, delivery: &Delivery) -> Result<Outcome, Problem> {
        let document: Document = payload(&delivery.command)?;
        let identity = delivery.identity.as_ref().ok_or_else(|| {
            Problem::new(
                Kind::Internal,
                "HUB-JOURNAL-011",
                "the command came without a person",
            )
        })?;
        let bundle = compose::bundle(delivery, &document, identity, &self.config)?;
        let body = serde_json::to_vec(&bundle).map_err(|_| {
            Problem::new(
                Kind::Internal,
                "HUB-JOURNAL-012",
                "the document cannot be written as JSON",
            )
        })?;
        if body.len() > self.config.max_bytes {
            let message = format!("the document has {} bytes, more than max_bytes", body.len());
            return Err(Problem::new(Kind::Invalid, "HUB-JOURNAL-013", message));
        }
        let id = delivery.command.id.to_string();
        Ok(match self.client.put(&id, body).await {
            Ok(Kept::Now) => documented(id),
            Ok(Kept::Before) => self.already(id).await,
            Err(failure) => failure.into(),
        })
    }

    /// The journal says that it is there already: Done if it is ours, seen with our own eyes.
    async fn already(&self, id: String) -> Outcome {
        match self.client.find(&id).await {
            Ok(Found::Ours) => documented(id),
            Ok(Found::Nothing | Found::Gone) => Failure::certain(
                Kind::Conflict,
                "HUB-JOURNAL-909",
                "the journal reports a conflict but does not have the document",
            )
            .into(),
            Err(failure) => Outcome::Unknown(failure.problem),
        }
    }
}

fn documented(id: String) -> Outcome {
    let result = json!(Documented {
        document_id: id.clone()
    });
    Done::new(result).referring("document", id).into()
}
