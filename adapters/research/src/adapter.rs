//! The adapter: consent is checked here, whatever the process thinks.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Build, Delivery, Disclosure, Operation, Outbound, Reconciled, payload,
};
use halsonav_domain::{
    Command, CommandId, Done, Kind, Outcome, Problem,
    command::research::{Contribute, Contributed},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

const OPERATIONS: &[Operation] = &[Operation {
    name: "contribute",
    contact: false,
    disclosure: Disclosure::None,
    idempotent: true,
    batch: 500,
}];

/// `[adapters.research]`: nothing to set. The project stands in the region's `[research]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {}

/// Takes contributions. It has no neighbour: what is contributed stays in the hub until the export.
#[derive(Debug)]
pub struct Research;

impl Build for Research {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn build(_config: Config) -> Result<Self, Problem> {
        Ok(Self)
    }
}

#[async_trait]
impl Adapter for Research {
    fn name(&self) -> &'static str {
        "research"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    async fn check(&self) -> Result<(), Problem> {
        Ok(())
    }
}

#[async_trait]
impl Outbound for Research {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let answer = |delivery: Delivery| {
            let outcome = match operation {
                "contribute" => contribute(&delivery.command),
                _ => Err(Problem::new(
                    Kind::Invalid,
                    "HUB-RESEARCH-010",
                    format!("research has no operation {operation}"),
                )),
            };
            (delivery.command.id, outcome.unwrap_or_else(Outcome::from))
        };
        batch.into_iter().map(answer).collect()
    }

    /// The answer depends on the command alone, and nothing is done outside.
    async fn reconcile(&self, _operation: &str, _delivery: &Delivery) -> Reconciled {
        Reconciled::Absent
    }
}

/// Consent that is null, missing from the answer or anything but `true` is no consent.
fn contribute(command: &Command) -> Result<Outcome, Problem> {
    let consent = command.payload.get("consent");
    if consent.is_some_and(|consent| *consent != Value::Bool(true)) {
        return Ok(Outcome::Refused {
            code: "no-consent".to_owned(),
            result: json!(Contributed { accepted: false }),
        });
    }
    payload::<Contribute>(command)?;
    Ok(Done::new(json!(Contributed { accepted: true })).into())
}
