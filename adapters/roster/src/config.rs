//! `[adapters.roster]`.

use halsonav_rivta::ClientConfig;
use schemars::JsonSchema;
use serde::Deserialize;

/// How the population register is reached.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The register, or the platform in front of it.
    pub register: ClientConfig,
    /// Its logical address.
    #[serde(default = "national")]
    pub logical_address: String,
    /// How much to ask for.
    #[serde(default)]
    pub profile: Profile,
}

/// Profiles of the contract (TKB chapter 8). Both tell what the gate needs.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Deserialize, JsonSchema)]
pub enum Profile {
    /// Identity, name, address, protection. Whoever does not want paper is not known.
    P2,
    /// The same, with optoutPaperNotification (and contact details, which are not read).
    #[default]
    P3,
}

impl Profile {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::P2 => "P2",
            Self::P3 => "P3",
        }
    }
}

fn national() -> String {
    "SE165565594230-1000".to_owned()
}
