//! The HTTP API: OpenAPI 3.1, problem+json, JWT.
//!
//! A library without a binary: the hub hands in its store, its clock and a [`Door`], and calls
//! [`serve`]. What changes a case is published as a fact through the door and answered with 202
//! when it is durable; nothing here writes an instance. What is read comes from the store, and
//! every reading of a person's data leaves an entry in the audit log before the answer goes out.
//!
//! A request meets, in this order: the token, before anything of its body is read; the table of
//! roles ([`ROUTES`]); the limits; the units that the caller works for. A case of another unit is
//! answered like one that does not exist.

mod access;
mod body;
mod door;
mod guard;
mod numbers;
mod once;
mod openapi;
mod page;
mod problem;
mod routes;
mod server;
mod settings;
mod state;
mod suppress;
mod token;
mod trail;

use std::sync::Arc;

use halsonav_domain::Clock;
use halsonav_storage::Storage;

pub use access::{ROUTES, Role, Route};
pub use door::{Cohort, Door, ExportOrder, Format, Part, Remedy, Slot, Upload};
pub use server::{monitor, serve};
pub use settings::{Settings, Unit};
pub use token::Keys;

/// What the hub hands in.
#[derive(Clone)]
pub struct Api {
    /// What is read.
    pub storage: Storage,
    /// Where facts go.
    pub door: Arc<dyn Door>,
    /// The hub's clock.
    pub clock: Arc<dyn Clock>,
    /// The site's decisions.
    pub settings: Settings,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Api")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// The contract: OpenAPI 3.1 as JSON, which `GET /openapi.json` answers and `contracts/` keeps.
#[must_use]
pub fn contract() -> &'static str {
    openapi::text()
}
