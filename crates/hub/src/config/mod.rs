//! Configuration: typed, layered, checked before anything starts.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use halsonav_domain::{Kind, Problem};
use serde::Deserialize;

pub mod region;
pub mod tree;

pub use region::Region;
pub use tree::Tree;

/// Layer 1 and the manual.
pub const DEFAULT: &str = include_str!("../../../../config/default.toml");

/// Everything a site decides. Field by field in `config/default.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub hub: Hub,
    pub http: Http,
    pub auth: Auth,
    pub log: Log,
    pub engine: Engine,
    pub gate: Gate,
    pub sweep: Sweep,
    pub retry: Retry,
    pub adapters: toml::Table,
}

macro_rules! section {
    ($name:ident { $($field:ident : $kind:ty),* $(,)? }) => {
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name { $(pub $field: $kind),* }
    };
}
section!(Hub {
    region: String,
    data: PathBuf
});
section!(Http {
    listen: String,
    body_limit: usize
});
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
section!(Engine {
    batch: usize,
    message_ttl_days: i64
});
section!(Gate { max_age_h: i64 });
section!(Sweep { every_h: i64 });
section!(Retry {
    first_s: u32,
    longest_s: u32,
    attempts: u32
});

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
    }
}
