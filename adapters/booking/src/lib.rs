//! 1177 Tidbokning: crm:scheduling 1.1.
//!
//! The hub is a consumer of the booking system: it looks for free times, books, moves, cancels and
//! looks up ([`Outbound`]), and it is told by Engagemangsindex of what residents and units do
//! themselves ([`Listener`]). Every question about a person carries both headers, LogicalAddress
//! (the unit) and Actor.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use halsonav_adapter::{Adapter, Build, Listener, Operation, Outbound};
use halsonav_domain::{HsaId, Problem};
use halsonav_rivta::Client;

mod ask;
mod config;
mod deliver;
mod echo;
mod error;
mod receive;
mod reconcile;
mod translate;

pub use config::{ActorConfig, Config};
pub use receive::Received;
pub use translate::Timeslot;

/// The adapter.
#[derive(Debug)]
pub struct Booking {
    config: Config,
    client: Client,
    echoes: echo::Echoes,
    received: Received,
    /// One change at a time per unit: our own commands do not race for one time, and news waits
    /// until it is known whether it is an echo.
    lanes: Mutex<HashMap<HsaId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Booking {
    /// What became of the engagements received.
    #[must_use]
    pub fn received(&self) -> &Received {
        &self.received
    }

    fn lane(&self, unit: &HsaId) -> Arc<tokio::sync::Mutex<()>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lanes.entry(unit.clone()).or_default())
    }
}

#[async_trait]
impl Adapter for Booking {
    fn name(&self) -> &'static str {
        "booking"
    }

    fn outbound(self: Arc<Self>) -> Option<Arc<dyn Outbound>> {
        Some(self)
    }

    fn listeners(self: Arc<Self>) -> Vec<Arc<dyn Listener>> {
        let Some(server) = self.config.notifications.clone() else {
            return Vec::new();
        };
        vec![Arc::new(receive::Endpoint {
            booking: self,
            server,
        })]
    }

    async fn check(&self) -> Result<(), Problem> {
        let unit = self.config.units.first().map_or("", HsaId::as_str);
        self.client
            .reach(&translate::GET_BOOKING_DETAILS, unit, "BOOKING")
            .await
    }
}

impl Build for Booking {
    type Config = Config;

    const OPERATIONS: &'static [Operation] = crate::deliver::OPERATIONS;

    fn build(config: Config) -> Result<Self, Problem> {
        config.verify()?;
        let client = Client::new(&config.client)?;
        let (echoes, received, lanes) = Default::default();
        Ok(Self {
            config,
            client,
            echoes,
            received,
            lanes,
        })
    }
}
