//! Settings of the adapter.

use halsonav_domain::{HsaId, Kind, Problem};
use halsonav_rivta::{ClientConfig, ServerConfig};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[adapters.booking]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where the booking system, or the service platform before it, is called. The contract
    /// promises one call a second and no more: set `calls_per_second` accordingly.
    pub client: ClientConfig,
    /// On whose behalf the hub calls.
    #[serde(default)]
    pub actor: ActorConfig,
    /// Units whose bookings are ours, by HSA-id; all units when empty.
    #[serde(default)]
    pub units: Vec<HsaId>,
    /// Time types (`timeTypeID`) whose bookings are ours; all when empty.
    #[serde(default)]
    pub time_types: Vec<String>,
    /// Days per question when the first free time is looked for.
    #[serde(default = "search_days")]
    pub search_days: u16,
    /// How many days ahead it is looked for when the command sets no limit.
    #[serde(default = "horizon_days")]
    pub horizon_days: u16,
    /// How many free times are tried when others take them first.
    #[serde(default = "tries")]
    pub tries: u16,
    /// Where the hub is told of bookings (ProcessNotification); absent, it is not told.
    #[serde(default)]
    pub notifications: Option<ServerConfig>,
}

/// The `Actor` header.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ActorConfig {
    /// The resident, with the personal identity number of the case.
    #[default]
    Resident,
    /// The hub as an agent, with this HSA-id.
    Agent(HsaId),
}

fn search_days() -> u16 {
    7
}

fn horizon_days() -> u16 {
    120
}

fn tries() -> u16 {
    5
}

impl Config {
    /// # Errors
    /// `Invalid`, code `HUB-BOOKING-005`, naming the setting.
    pub(crate) fn verify(&self) -> Result<(), Problem> {
        let bad = |text: &str| Err(Problem::new(Kind::Invalid, "HUB-BOOKING-005", text));
        if !(1..=92).contains(&self.search_days) {
            return bad("search_days must be between 1 and 92");
        }
        if !(1..=730).contains(&self.horizon_days) {
            return bad("horizon_days must be between 1 and 730");
        }
        if !(1..=50).contains(&self.tries) {
            return bad("tries must be between 1 and 50");
        }
        if matches!(&self.actor, ActorConfig::Agent(id) if id.as_str().is_empty()) {
            return bad("actor.agent must be an HSA-id");
        }
        Ok(())
    }
}
