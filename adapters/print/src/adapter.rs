//! The adapter.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Build, Delivery, Disclosure, Operation, Outbound, Poller, Reconciled,
};
use halsonav_domain::{CommandId, Kind, Outcome, Problem};
use tokio::sync::Mutex;

use crate::{
    Config,
    account::Account,
    receive::Round,
    whereabouts::{IN, Waiting},
};

/// The vendor may know a letter again, but we do not build upon it: after a crash the hub asks first.
const OPERATIONS: &[Operation] = &[
    Operation {
        name: "letter",
        contact: true,
        disclosure: Disclosure::Full,
        idempotent: false,
        batch: 500,
    },
    Operation {
        name: "recall",
        contact: false,
        disclosure: Disclosure::None,
        idempotent: true,
        batch: 50,
    },
];

/// The print vendor, as the hub sees it.
pub struct Print {
    pub(crate) account: Account,
    pub(crate) config: Config,
    pub(crate) waiting: Mutex<Waiting>,
}

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Print({}:{})", self.config.host, self.config.port)
    }
}

impl Build for Print {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = OPERATIONS;

    fn build(config: Config) -> Result<Self, Problem> {
        config.check()?;
        Ok(Self {
            account: Account::new(&config)?,
            config,
            waiting: Mutex::default(),
        })
    }
}

#[async_trait]
impl Adapter for Print {
    fn name(&self) -> &'static str {
        "print"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    fn pollers(self: Arc<Self>) -> Vec<Arc<dyn Poller>> {
        vec![Arc::new(Round { print: self })]
    }

    async fn check(&self) -> Result<(), Problem> {
        let mut visit = self.account.visit().await?;
        if visit.has(IN).await? {
            return Ok(());
        }
        let message = "the vendor's account has no folder in: is folder right?";
        Err(Problem::new(Kind::NotFound, "HUB-PRINT-006", message))
    }
}

#[async_trait]
impl Outbound for Print {
    fn operations(&self) -> &'static [Operation] {
        OPERATIONS
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        if operation == "letter" {
            return self.letters(batch).await;
        }
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in batch {
            let outcome = match operation {
                "recall" => self.recall(&delivery).await,
                _ => {
                    let message = format!("print has no operation {operation}");
                    Err(Problem::new(Kind::Invalid, "HUB-PRINT-010", message))
                }
            };
            outcomes.push((delivery.command.id, outcome.unwrap_or_else(Outcome::from)));
        }
        outcomes
    }

    async fn reconcile(&self, operation: &str, delivery: &Delivery) -> Reconciled {
        match operation {
            "letter" => self.reconcile_letter(delivery.command.id).await,
            // Asking again harms nothing.
            _ => Reconciled::Absent,
        }
    }
}
