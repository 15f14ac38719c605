//! A client's settings.

use std::path::{Path, PathBuf};

use halsonav_domain::HsaId;
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Error;

/// How to reach a producer, or the platform in front of it.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientConfig {
    /// Address of the service, `https://…`. `http://` only to the loopback address.
    pub endpoint: String,
    /// The authority that their certificate must come from (PEM file).
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Our certificate, followed by its intermediates (PEM file).
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Our private key (PEM file).
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// How long to wait for a whole answer. The contracts promise answers in 3 to 30 s.
    #[serde(default = "default_timeout_ms")]
    pub timeout_ms: u64,
    /// Calls a second that the producer wants at most, evenly spaced; no limit when absent.
    #[serde(default)]
    pub calls_per_second: Option<f64>,
    /// Calls at the same time.
    #[serde(default = "default_max_in_flight")]
    pub max_in_flight: usize,
    /// Largest answer that is read, in bytes.
    #[serde(default = "default_max_response")]
    pub max_response: usize,
    /// HSA-id of the first consumer (`x-rivta-original-serviceconsumer-hsaid`), where we are trusted to say so.
    #[serde(default)]
    pub original_consumer: Option<HsaId>,
    /// HSA-id of the principal (`x-rivta-acting-on-behalf-of-hsaid`), which platforms demand of a supplier's system.
    #[serde(default)]
    pub on_behalf_of: Option<HsaId>,
}

fn default_timeout_ms() -> u64 {
    30_000
}

fn default_max_in_flight() -> usize {
    8
}

fn default_max_response() -> usize {
    16 << 20
}

impl ClientConfig {
    /// A client of `endpoint` with everything else as by default.
    #[must_use]
    pub fn to(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            ca: None,
            certificate: None,
            key: None,
            timeout_ms: default_timeout_ms(),
            calls_per_second: None,
            max_in_flight: default_max_in_flight(),
            max_response: default_max_response(),
            original_consumer: None,
            on_behalf_of: None,
        }
    }

    /// The same with mutual TLS.
    #[must_use]
    pub fn with_tls(
        mut self,
        ca: impl Into<PathBuf>,
        certificate: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.ca = Some(ca.into());
        self.certificate = Some(certificate.into());
        self.key = Some(key.into());
        self
    }

    pub(super) fn url(&self) -> Result<Url, Error> {
        let setting = |text: &str| Error::Setting(text.to_owned());
        let url = Url::parse(&self.endpoint).map_err(|_| setting("endpoint is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(setting("endpoint must not hold a user or a password"));
        }
        if self.timeout_ms == 0 {
            return Err(setting("timeout_ms must be positive"));
        }
        match url.scheme() {
            "https" if self.credentials()?.is_none() => {
                Err(setting("https needs ca, certificate and key"))
            }
            "https" => Ok(url),
            "http" if self.credentials()?.is_some() => {
                Err(setting("ca, certificate and key need https"))
            }
            "http" if is_loopback(&url) => Ok(url),
            "http" => Err(setting("http is for the loopback address only")),
            _ => Err(setting("endpoint must be https")),
        }
    }

    pub(super) fn credentials(&self) -> Result<Option<(&Path, &Path, &Path)>, Error> {
        match (&self.ca, &self.certificate, &self.key) {
            (Some(ca), Some(certificate), Some(key)) => Ok(Some((ca, certificate, key))),
            (None, None, None) => Ok(None),
            _ => Err(Error::Setting(
                "ca, certificate and key belong together".to_owned(),
            )),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_at_home() {
        for good in [
            "http://127.0.0.1:1/x",
            "http://localhost/x",
            "http://[::1]:1/",
        ] {
            assert!(ClientConfig::to(good).url().is_ok(), "{good}");
        }
        for bad in [
            "http://192.0.2.1/",
            "http://example.org/",
            "https://127.0.0.1/",
            "ftp://localhost/",
            "nonsense",
            "",
            "http://u:p@localhost/",
            "http://localhost.example.org/",
        ] {
            assert!(ClientConfig::to(bad).url().is_err(), "{bad}");
        }
        let tls = |endpoint| ClientConfig::to(endpoint).with_tls("a", "b", "c").url();
        assert!(tls("https://example.org/vp").is_ok());
        assert!(tls("http://localhost/vp").is_err());
    }
}
