//! `[adapters.journal]`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use halsonav_domain::{HsaId, Kind, Problem};
use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

/// How the journal system is reached.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Service base URL of its FHIR R4 interface, `https://…`. `http://` only to the loopback address.
    pub base: String,
    /// The authority that its certificate must come from (PEM file). Required with `https`.
    #[serde(default)]
    pub ca: Option<PathBuf>,
    /// Our certificate for mutual TLS, followed by its intermediates (PEM file).
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Our private key (PEM file).
    #[serde(default)]
    pub key: Option<PathBuf>,
    /// File with a bearer token. Read at each call, so that it can be renewed in place.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// How long to wait for a whole answer.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
    /// Documents under way at the same time.
    #[serde(default = "max_in_flight")]
    pub max_in_flight: usize,
    /// Largest document that is sent, in bytes.
    #[serde(default = "max_bytes")]
    pub max_bytes: usize,
    /// Names of units by HSA-id, for the reader of the document.
    #[serde(default)]
    pub units: BTreeMap<HsaId, String>,
    /// Canonical address before a form's name, such as `https://forms.example.org/Questionnaire/`.
    /// Without it the answers name their form in text only.
    #[serde(default)]
    pub questionnaires: Option<String>,
}

fn timeout_ms() -> u64 {
    30_000
}

fn max_in_flight() -> usize {
    8
}

fn max_bytes() -> usize {
    5 << 20
}

impl Config {
    /// A journal at `base` with everything else as by default.
    #[must_use]
    pub fn to(base: impl Into<String>) -> Self {
        Self {
            base: base.into(),
            ca: None,
            certificate: None,
            key: None,
            token_file: None,
            timeout_ms: timeout_ms(),
            max_in_flight: max_in_flight(),
            max_bytes: max_bytes(),
            units: BTreeMap::new(),
            questionnaires: None,
        }
    }

    /// Everything that can be told without the network; answers the base with a slash at its end.
    pub(crate) fn verify(&self) -> Result<Url, Problem> {
        let bad =
            |code: &str, message: &str| Err(Problem::new(Kind::Invalid, code, message.to_owned()));
        let Ok(mut url) = Url::parse(&self.base) else {
            return bad("HUB-JOURNAL-001", "base is not a URL");
        };
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return bad(
                "HUB-JOURNAL-001",
                "base must hold no user, password, query or fragment",
            );
        }
        let mutual = self.mutual()?.is_some();
        match url.scheme() {
            "https" if self.ca.is_none() => return bad("HUB-JOURNAL-002", "https needs ca"),
            "https" if !mutual && self.token_file.is_none() => {
                return bad(
                    "HUB-JOURNAL-002",
                    "https needs certificate and key, or token_file",
                );
            }
            "https" => {}
            "http" if !is_loopback(&url) => {
                return bad("HUB-JOURNAL-001", "http is for the loopback address only");
            }
            "http" if mutual || self.ca.is_some() => {
                return bad("HUB-JOURNAL-002", "ca, certificate and key need https");
            }
            "http" => {}
            _ => return bad("HUB-JOURNAL-001", "base must be https"),
        }
        if self.timeout_ms == 0 || self.max_in_flight == 0 || self.max_bytes == 0 {
            return bad(
                "HUB-JOURNAL-003",
                "timeout_ms, max_in_flight and max_bytes must be positive",
            );
        }
        let canonical = |text: &String| Url::parse(text).is_ok();
        if !self.questionnaires.as_ref().is_none_or(canonical) {
            return bad("HUB-JOURNAL-003", "questionnaires must be an absolute URL");
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(url)
    }

    /// Our certificate and key.
    pub(crate) fn mutual(&self) -> Result<Option<(&Path, &Path)>, Problem> {
        match (&self.certificate, &self.key) {
            (Some(certificate), Some(key)) => Ok(Some((certificate, key))),
            (None, None) => Ok(None),
            _ => Err(Problem::new(
                Kind::Invalid,
                "HUB-JOURNAL-002",
                "certificate and key belong together",
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
    fn plain_http_stays_at_home_and_nobody_comes_without_credentials() {
        let check = |base: &str| Config::to(base).verify().map(|url| url.to_string()).ok();
        assert_eq!(
            check("http://127.0.0.1:1/fhir").as_deref(),
            Some("http://127.0.0.1:1/fhir/")
        );
        for bad in [
            "http://192.0.2.1/",
            "https://example.org/fhir",
            "http://u:p@localhost/",
            "http://localhost/?a=b",
            "http://localhost.example.org/",
            "ftp://localhost/",
            "",
        ] {
            assert_eq!(check(bad), None, "{bad}");
        }
        let mut config = Config::to("https://example.org/fhir");
        config.ca = Some("ca.pem".into());
        assert!(config.verify().is_err());
        config.token_file = Some("token".into());
        assert!(config.verify().is_ok());
        config.certificate = Some("a.pem".into());
        assert!(config.verify().is_err());
    }
}
