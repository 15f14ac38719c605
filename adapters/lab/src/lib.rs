//! Lab orders and results as HL7 v2 over MLLP.
//!
//! `lab.order` and `lab.cancel` go out as `OML^O21`, and come back as an acknowledgement or an
//! `ORL^O22`. Results come in as `ORU^R01` on a listener, are matched to a case, and become
//! `lab.result`. A result whose person is not the person of its order is never filed.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Build, Delivery, Disclosure, Inlet, Listener, Operation, Outbound, Reconciled, Stop,
};
use halsonav_domain::{CommandId, Outcome, Problem};
use halsonav_hl7::Server;
use tokio::{net::TcpListener, sync::oneshot};

mod client;
mod config;
mod error;
mod number;
mod receive;
mod report;
mod translate;
mod value;

pub use config::{AllowedSender, Config, ListenTls, Tls};
pub use error::Error;

/// The adapter.
pub struct Lab {
    config: Config,
    client: halsonav_hl7::Client,
    inbound: halsonav_hl7::Settings,
}

#[async_trait]
impl Adapter for Lab {
    fn name(&self) -> &'static str {
        "lab"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    fn listeners(self: Arc<Self>) -> Vec<Arc<dyn Listener>> {
        vec![self]
    }

    async fn check(&self) -> Result<(), Problem> {
        Ok(self.client.check().await.map_err(Error::Away)?)
    }
}

impl Build for Lab {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = &DEDUPLICATED;

    fn build(config: Config) -> Result<Self, Problem> {
        let (endpoint, inbound) = (config.endpoint()?, config.inbound()?);
        Ok(Self {
            config,
            client: halsonav_hl7::Client::new(endpoint),
            inbound,
        })
    }
}

const fn operations(idempotent: bool) -> [Operation; 2] {
    let order = Operation {
        name: "order",
        contact: false,
        disclosure: Disclosure::Full,
        idempotent,
        batch: 1,
    };
    // A second cancellation finds nothing left to cancel, whatever the lab remembers.
    let cancel = Operation {
        name: "cancel",
        disclosure: Disclosure::PersonId,
        idempotent: true,
        ..order
    };
    [order, cancel]
}

static DEDUPLICATED: [Operation; 2] = operations(true);
static NOT_DEDUPLICATED: [Operation; 2] = operations(false);

#[async_trait]
impl Outbound for Lab {
    fn operations(&self) -> &'static [Operation] {
        if self.config.deduplicates {
            &DEDUPLICATED
        } else {
            &NOT_DEDUPLICATED
        }
    }

    async fn deliver(&self, operation: &str, batch: Vec<Delivery>) -> Vec<(CommandId, Outcome)> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for delivery in batch {
            let outcome = client::deliver(&self.client, &self.config, operation, &delivery).await;
            outcomes.push((delivery.command.id, outcome));
        }
        outcomes
    }

    /// The protocol has no question about an order. A lab that knows a repeated order number acts
    /// once, so that sending again is as safe as if nothing were there.
    async fn reconcile(&self, operation: &str, _: &Delivery) -> Reconciled {
        let idempotent = |known: &&Operation| known.name == operation && known.idempotent;
        match self.operations().iter().find(idempotent) {
            Some(_) => Reconciled::Absent,
            None => Reconciled::Unknowable,
        }
    }
}

#[async_trait]
impl Listener for Lab {
    async fn listen(
        &self,
        inlet: Inlet,
        bound: oneshot::Sender<std::net::SocketAddr>,
        stop: Stop,
    ) -> Result<(), Problem> {
        let listener = TcpListener::bind(self.config.listen)
            .await
            .map_err(|error| Error::Bind(error.kind()))?;
        let address = listener
            .local_addr()
            .map_err(|error| Error::Bind(error.kind()))?;
        // Whoever wanted to know may be gone; the address is then of no use to anybody.
        let _ = bound.send(address);
        let handler = Arc::new(receive::Receiver::new(inlet));
        Server::new(self.inbound.clone(), handler)
            .serve(listener, stop.cancelled())
            .await;
        Ok(())
    }
}
