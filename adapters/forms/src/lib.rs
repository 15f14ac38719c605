//! 1177 Formulärhantering: forminteraction 2.
//!
//! The hub asks the form engine to place forms with residents ([`Outbound`]); the engine tells when
//! one is answered ([`Listener`]), and the hub also asks now and then ([`Poller`]), since the
//! engine need not tell. Both ways lead to one `form.completed` under one id.

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_adapter::{Adapter, Build, Listener, Operation, Outbound, Poller};
use halsonav_domain::Problem;
use halsonav_rivta::Client;

mod answers;
mod config;
mod deliver;
mod error;
mod receive;
mod translate;

pub use config::{Config, Poll, Template};
pub use receive::Received;

/// The adapter.
#[derive(Debug)]
pub struct Forms {
    config: Config,
    client: Client,
    received: Received,
}

impl Forms {
    /// What became of the notifications received.
    #[must_use]
    pub fn received(&self) -> &Received {
        &self.received
    }
}

#[async_trait]
impl Adapter for Forms {
    fn name(&self) -> &'static str {
        "forms"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    fn listeners(self: Arc<Self>) -> Vec<Arc<dyn Listener>> {
        let Some(server) = self.config.notifications.clone() else {
            return Vec::new();
        };
        vec![Arc::new(receive::Endpoint {
            forms: self,
            server,
        })]
    }

    fn pollers(self: Arc<Self>) -> Vec<Arc<dyn Poller>> {
        if self.config.poll.every_minutes == 0 {
            return Vec::new();
        }
        vec![Arc::new(receive::Round { forms: self })]
    }

    async fn check(&self) -> Result<(), Problem> {
        self.client
            .reach(&translate::GET_FORMS, self.config.engine.as_str(), "FORMS")
            .await
    }
}

impl Build for Forms {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = crate::deliver::OPERATIONS;

    fn build(config: Config) -> Result<Self, Problem> {
        config.verify()?;
        let client = Client::new(&config.client)?;
        Ok(Self {
            config,
            client,
            received: Received::default(),
        })
    }
}
