//! What a site decides about the API.

use std::{fmt, time::Duration};

use halsonav_domain::HsaId;
use serde::Serialize;
use utoipa::ToSchema;

use crate::token::Keys;

/// The site's decisions. [`Settings::new`] has sound ones for all but the first three.
#[derive(Clone)]
pub struct Settings {
    /// What a token's `aud` must name.
    pub audience: String,
    /// What a token's `iss` must be.
    pub issuer: String,
    /// The issuer's public keys. No other key is ever asked for or fetched.
    pub keys: Keys,
    /// How far the issuer's clock may be from ours.
    pub leeway: Duration,
    /// How long a token may be valid at most.
    pub max_lifetime: Duration,
    /// Largest body of a request, in bytes.
    pub body_limit: usize,
    /// Largest roster file, in bytes.
    pub upload_limit: usize,
    /// A request that takes longer is given up. Safe, because it may be repeated under its key.
    pub request_timeout: Duration,
    /// Statistics show no count of people between 1 and one less than this.
    pub smallest_count: u64,
    /// The care units, with names for people.
    pub units: Vec<Unit>,
    /// Forms that can be answered.
    pub forms: Vec<String>,
    /// Certificate and key of this end; `None` where a proxy ends TLS.
    pub tls: Option<rustls::ServerConfig>,
    /// Threads that answer.
    pub workers: usize,
}

/// A care unit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Unit {
    /// HSA-id.
    #[schema(value_type = String)]
    pub hsa_id: HsaId,
    /// Its name.
    pub name: String,
}

impl Settings {
    /// The usual decisions: 30 s of leeway, tokens of at most 24 h, 1 MiB bodies, 64 MiB roster
    /// files, counts below 5 hidden, metrics by token, no TLS.
    #[must_use]
    pub fn new(audience: impl Into<String>, issuer: impl Into<String>, keys: Keys) -> Self {
        Self {
            audience: audience.into(),
            issuer: issuer.into(),
            keys,
            leeway: Duration::from_secs(30),
            max_lifetime: Duration::from_secs(24 * 3600),
            body_limit: 1 << 20,
            upload_limit: 64 << 20,
            request_timeout: Duration::from_secs(60),
            smallest_count: 5,
            units: Vec::new(),
            forms: Vec::new(),
            tls: None,
            workers: 2,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("audience", &self.audience)
            .field("issuer", &self.issuer)
            .field("keys", &self.keys)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}
