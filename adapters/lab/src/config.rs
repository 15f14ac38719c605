//! `[adapters.lab]`.

use std::{fs, net::SocketAddr, path::PathBuf, time::Duration};

use halsonav_domain::Problem;
use halsonav_hl7::{Endpoint, Sender, Settings, tls};
use rustls_pki_types::ServerName;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Error;

/// How to reach the lab system, and how it reaches us.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Host of the lab system.
    pub host: String,
    /// Its MLLP port.
    pub port: u16,
    /// Where we listen for results.
    pub listen: SocketAddr,
    /// MSH-3 of what we send, and MSH-5 of what we expect.
    #[serde(default = "application")]
    pub application: String,
    /// MSH-4 of what we send: the region or unit.
    #[serde(default)]
    pub facility: String,
    /// MSH-5 of what we send: the lab system.
    #[serde(default)]
    pub lab_application: String,
    /// MSH-6 of what we send: the lab.
    #[serde(default)]
    pub lab_facility: String,
    /// MSH-11: `P` production, `T` training, `D` debugging.
    #[serde(default = "processing_id")]
    pub processing_id: String,
    /// Senders that may deliver results; anyone who can connect when empty.
    #[serde(default)]
    pub allowed: Vec<AllowedSender>,
    /// Seconds to wait for an acknowledgement.
    #[serde(default = "ack_timeout_s")]
    pub ack_timeout_s: u64,
    /// Seconds to wait for a connection.
    #[serde(default = "connect_timeout_s")]
    pub connect_timeout_s: u64,
    /// Connections at once.
    #[serde(default = "connections")]
    pub connections: usize,
    /// The lab knows a repeated placer order number and makes one order of it.
    #[serde(default = "deduplicates")]
    pub deduplicates: bool,
    /// TLS towards the lab system.
    #[serde(default)]
    pub tls: Option<Tls>,
    /// TLS where we listen.
    #[serde(default)]
    pub listen_tls: Option<ListenTls>,
}

/// A sender of results by its MSH-3 and MSH-4.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowedSender {
    /// MSH-3.
    pub application: String,
    /// MSH-4.
    pub facility: String,
}

/// TLS as a client. Files are PEM.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificate authorities of the lab system.
    pub ca: PathBuf,
    /// Name in the lab system's certificate; `host` when absent.
    #[serde(default)]
    pub server_name: Option<String>,
    /// Our certificate with its chain, when the lab system asks for one.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// Its key.
    #[serde(default)]
    pub key: Option<PathBuf>,
}

/// TLS as a server. Files are PEM.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListenTls {
    /// Our certificate with its chain.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Authorities of the clients that may connect; without it no certificate is asked for.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
}

fn application() -> String {
    "HALSONAV".to_owned()
}

fn processing_id() -> String {
    "P".to_owned()
}

fn ack_timeout_s() -> u64 {
    30
}

fn connect_timeout_s() -> u64 {
    5
}

fn connections() -> usize {
    1
}

fn deduplicates() -> bool {
    true
}

impl Config {
    pub(crate) fn endpoint(&self) -> Result<Endpoint, Problem> {
        self.check()?;
        let mut endpoint = Endpoint::new(self.host.clone(), self.port);
        endpoint.ack_timeout = Duration::from_secs(self.ack_timeout_s);
        endpoint.connect_timeout = Duration::from_secs(self.connect_timeout_s);
        endpoint.connections = self.connections;
        if let Some(settings) = &self.tls {
            let ca = read(&settings.ca)?;
            let identity = match (&settings.certificate, &settings.key) {
                (Some(certificate), Some(key)) => Some((read(certificate)?, read(key)?)),
                (None, None) => None,
                _ => {
                    return Err(
                        Error::Setting("tls.certificate and tls.key belong together").into(),
                    );
                }
            };
            let identity = identity
                .as_ref()
                .map(|(chain, key)| (chain.as_slice(), key.as_slice()));
            let config = tls::client(&ca, identity).map_err(Error::Tls)?;
            let name = settings
                .server_name
                .clone()
                .unwrap_or_else(|| self.host.clone());
            let name = ServerName::try_from(name)
                .map_err(|_| Error::Setting("tls.server_name is not a name"))?;
            endpoint.tls = Some((config, name));
        }
        Ok(endpoint)
    }

    pub(crate) fn inbound(&self) -> Result<Settings, Problem> {
        let sender = |allowed: &AllowedSender| Sender {
            application: allowed.application.clone(),
            facility: allowed.facility.clone(),
        };
        let tls = match &self.listen_tls {
            None => None,
            Some(settings) => {
                let (chain, key) = (read(&settings.certificate)?, read(&settings.key)?);
                let ca = settings.client_ca.as_deref().map(read).transpose()?;
                Some(tls::server(&chain, &key, ca.as_deref()).map_err(Error::Tls)?)
            }
        };
        Ok(Settings {
            allowed: self.allowed.iter().map(sender).collect(),
            tls,
            ..Settings::default()
        })
    }

    fn check(&self) -> Result<(), Error> {
        let faults = [
            (self.host.is_empty(), "host is empty"),
            (self.port == 0, "port is 0"),
            (self.ack_timeout_s == 0, "ack_timeout_s is 0"),
            (self.connect_timeout_s == 0, "connect_timeout_s is 0"),
            (self.connections == 0, "connections is 0"),
            (self.application.is_empty(), "application is empty"),
            (
                !["P", "T", "D"].contains(&self.processing_id.as_str()),
                "processing_id is not P, T or D",
            ),
        ];
        match faults.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, fault)) => Err(Error::Setting(fault)),
            None => Ok(()),
        }
    }
}

fn read(path: impl AsRef<std::path::Path>) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::File(error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: &str, expect: Option<&str>) {
        let text = format!("host = 'lis'\nport = 2575\nlisten = '127.0.0.1:0'\n{change}");
        let config: Config = toml::from_str(&text).expect("reads");
        let found = config
            .endpoint()
            .and_then(|_| config.inbound().map(|_| ()))
            .err();
        assert_eq!(
            found.map(|problem| problem.message).as_deref(),
            expect,
            "{change}"
        );
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        check("", None);
        check("ack_timeout_s = 0", Some("ack_timeout_s is 0"));
        check(
            "processing_id = 'X'",
            Some("processing_id is not P, T or D"),
        );
        check(
            "tls = { ca = '/nowhere/ca.pem' }",
            Some("a certificate or key cannot be read: entity not found"),
        );
        assert!(
            toml::from_str::<Config>("host = 'lis'\nport = 1\nlisten = '127.0.0.1:0'\nhots = 1")
                .is_err()
        );
    }

    #[test]
    fn the_example_is_right() {
        let example: toml::Table =
            toml::from_str(include_str!("../config.example.toml")).expect("reads");
        let config: Config = example["adapters"]["lab"]
            .clone()
            .try_into()
            .expect("a configuration");
        assert!(config.check().is_ok() && config.allowed.len() == 1);
    }
}
