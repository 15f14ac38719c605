//! Configuration: typed, layered, checked before anything starts.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use halsonav_domain::{Kind, Problem};
use serde::{Deserialize, Serialize};

pub mod region;
pub mod tree;

use crate::runtime::{Parts, Role};

pub use region::Region;
pub use tree::Tree;

/// Layer 1 and the manual.
pub const DEFAULT: &str = include_str!("../../../../config/default.toml");

/// Everything a site decides. Field by field in `config/default.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub hub: Hub,
    pub run: Run,
    pub storage: Storage,
    pub bus: Bus,
    pub kafka: toml::Table,
    pub lease: Lease,
    pub clock: Clock,
    pub http: Http,
    pub monitor: Monitor,
    pub auth: Auth,
    pub log: Log,
    pub traces: Traces,
    pub engine: Engine,
    pub gate: Gate,
    pub sweep: Sweep,
    pub retry: Retry,
    pub keep: Keep,
    pub adapters: toml::Table,
}

macro_rules! section {
    ($name:ident { $($field:ident : $kind:ty),* $(,)? }) => {
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $(pub $field: $kind),* }
    };
}
section!(Hub {
    region: String,
    data: PathBuf,
    vault_key: String,
});
section!(Run {
    roles: BTreeSet<Role>,
    adapters: BTreeSet<String>,
});
section!(Storage {
    url: String,
    url_file: String,
    writers: u32,
    readers: u32,
});
section!(Bus { kind: BusKind });
section!(Lease { ttl_s: u64 });
section!(Clock {
    kind: ClockKind,
    label: usize,
});
section!(Http {
    listen: String,
    body_limit: usize
});
section!(Monitor { listen: String });
section!(Auth {
    issuer: String,
    audience: String,
    jwks: String,
    leeway_s: u64
});
section!(Log {
    format: String,
    level: String
});
section!(Traces {
    collector: String,
    sample: f64
});
section!(Engine {
    batch: usize,
    message_ttl_days: i64
});
section!(Gate { max_age_h: i64 });
section!(Sweep { every_h: i64 });
section!(Keep {
    every_h: i64,
    seen_days: u32,
    answers_days: u32,
    log_days: u32
});
section!(Retry {
    first_s: u32,
    longest_s: u32,
    attempts: u32
});

/// Where records are carried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BusKind {
    /// The embedded log under `hub.data`: one process.
    Log,
    /// Apache Kafka.
    Kafka,
}

/// Whose time it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClockKind {
    /// The machine's.
    System,
    /// One that stands in the store and is set there: rehearsals with several processes.
    Shared,
}

impl Config {
    /// What this process does.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let some = &self.run.adapters;
        Parts {
            roles: self.run.roles.clone(),
            adapters: (!some.is_empty()).then(|| some.clone()),
        }
    }
}

/// Reads the layers: default, the site's file, the environment.
///
/// # Errors
/// `HUB-CONFIG-004`, naming key and layer.
pub fn load(site: Option<&Path>) -> Result<Config, Problem> {
    let mut layers = Figment::from(Toml::string(DEFAULT));
    if let Some(path) = site {
        if !path.is_file() {
            let message = format!("{} is not a file", path.display());
            return Err(Problem::new(Kind::NotFound, "HUB-CONFIG-004", message));
        }
        layers = layers.merge(Toml::file_exact(path));
    }
    layers
        .merge(
            Env::prefixed("HALSONAV_")
                .filter(|key| key.as_str().contains("__"))
                .split("__"),
        )
        .extract()
        .map_err(|error| Problem::new(Kind::Invalid, "HUB-CONFIG-004", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_is_a_valid_configuration() {
        let config = load(None).expect("default.toml fills every field");
        assert_eq!(config.hub.region, "demo");
        let kafka: halsonav_bus::kafka::Settings = config
            .kafka
            .try_into()
            .expect("every key of the bus, and no other");
        assert_eq!(kafka, halsonav_bus::kafka::Settings::default());
    }
}
