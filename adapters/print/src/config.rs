//! `[adapters.print]`.

use std::{collections::BTreeMap, path::PathBuf};

use halsonav_domain::{HsaId, Kind, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the vendor is reached, and how letters are to be made.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The vendor's SFTP server: name or address.
    pub host: String,
    /// Its port.
    #[serde(default = "ssh")]
    pub port: u16,
    /// Our account there.
    pub user: String,
    /// File with our private key, OpenSSH or PKCS#8, without a passphrase.
    pub key: PathBuf,
    /// The server's host keys, each as `SHA256:…` or as a line `ssh-ed25519 AAAA…`. Several while
    /// the vendor changes keys. No other server is spoken to.
    pub host_keys: Vec<String>,
    /// The folder of the account that holds `in`, `receipts` and `status`.
    #[serde(default = "here")]
    pub folder: String,
    /// Longest wait for an answer, in milliseconds.
    #[serde(default = "patience")]
    pub timeout_ms: u64,
    /// How often status files are fetched.
    #[serde(default = "often")]
    pub poll_minutes: u32,
    /// Largest package. A batch that needs more becomes several.
    #[serde(default = "largest")]
    pub max_job_mb: u64,
    /// The vendor's name, as it stands in the manifest.
    pub vendor: String,
    /// The vendor's name of the product.
    #[serde(default = "letter")]
    pub product: String,
    /// Envelope.
    #[serde(default)]
    pub envelope: Envelope,
    /// Postage.
    #[serde(default)]
    pub postage: Postage,
    /// Colour of the print.
    #[serde(default)]
    pub colour: Colour,
    /// Sides of the paper.
    #[serde(default)]
    pub sides: Sides,
    /// Where undeliverable letters go, line by line.
    pub return_address: Vec<String>,
    /// The same for single units, by HSA-id.
    #[serde(default)]
    pub return_addresses: BTreeMap<HsaId, Vec<String>>,
}

/// Envelope with window.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize, JsonSchema)]
pub enum Envelope {
    /// A4 folded once.
    #[default]
    C5,
    /// A4 flat.
    C4,
    /// A4 folded twice.
    #[serde(rename = "C65")]
    C65,
}

/// Postage.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Postage {
    /// Delivered within two working days.
    Priority,
    /// Slower and cheaper.
    #[default]
    Economy,
}

/// Colour of the print.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// Black only.
    Black,
    /// Four colours.
    #[default]
    Colour,
}

/// Sides of the paper.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sides {
    /// One.
    Simplex,
    /// Both.
    #[default]
    Duplex,
}

impl Config {
    /// Everything that can be told without the network.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let invalid = |code: &str, message: &str| Err(Problem::new(Kind::Invalid, code, message));
        let empty = |text: &str| text.trim().is_empty();
        if empty(&self.host) || empty(&self.user) || empty(&self.vendor) || empty(&self.folder) {
            return invalid(
                "HUB-PRINT-001",
                "host, user, vendor and folder must not be empty",
            );
        }
        if self.host_keys.is_empty() {
            return invalid(
                "HUB-PRINT-002",
                "host_keys must name at least one key: an unknown server gets no letters",
            );
        }
        let addresses = self.return_addresses.values();
        if addresses
            .chain([&self.return_address])
            .any(|lines| lines.is_empty() || lines.len() > 7 || lines.iter().any(|l| empty(l)))
        {
            return invalid(
                "HUB-PRINT-004",
                "a return address has one to seven lines, none empty",
            );
        }
        if self.timeout_ms == 0 || self.poll_minutes == 0 || self.max_job_mb == 0 {
            return invalid(
                "HUB-PRINT-005",
                "timeout_ms, poll_minutes and max_job_mb must be above zero",
            );
        }
        Ok(())
    }

    /// Where letters of `unit` come back to.
    pub(crate) fn return_address(&self, unit: &HsaId) -> &[String] {
        self.return_addresses
            .get(unit)
            .unwrap_or(&self.return_address)
    }
}

fn ssh() -> u16 {
    22
}

fn here() -> String {
    ".".to_owned()
}

fn patience() -> u64 {
    30_000
}

fn often() -> u32 {
    15
}

fn largest() -> u64 {
    100
}

fn letter() -> String {
    "letter".to_owned()
}
