//! What can be chosen about Kafka.
//!
//! Everything else that matters is set by us and checked, see `properties.rs`. Secrets stand in files
//! of their own, so that none is in a configuration, an environment or a list of processes.

use std::{path::PathBuf, time::Duration};

use halsonav_domain::Topic;
use serde::Deserialize;

use crate::Error;

/// The settings, with defaults for a cluster of three brokers.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Brokers to ask first, as `host:port`, separated by commas. The others are learned from them.
    pub brokers: String,
    /// Put before the name of every topic and group, such as `skane.`: several hubs can share a
    /// cluster, each with rights to what begins with its prefix. Other programs see the prefix too.
    pub prefix: String,
    /// What brokers call this program in their logs and quotas.
    pub client_id: String,
    /// How brokers are reached, and who we are to them.
    pub security: Security,
    /// Partitions of a topic: as many engines, or dispatchers of one adapter, can work at once. More
    /// can be added to a topic later, at the price that is told by `topics plan`; fewer cannot be had.
    pub partitions: PerKind,
    /// How long records are kept, days. A group that is away for longer loses what it has not read,
    /// and says so (`HUB-BUS-014`): keep more than the longest stop you plan for.
    pub retention_days: PerKind,
    /// Copies of each record, on as many brokers. 1 is for tests.
    pub replication: u16,
    /// Copies that must be there before a record counts as published. One less than `replication`
    /// lets a broker be away; one more than half keeps what was acknowledged when one is lost.
    pub min_insync: u16,
    /// Bytes of the largest record. Topics are made to take it.
    pub record_bytes: usize,
    /// How long records may take to be acknowledged before `publish` fails, seconds.
    pub delivery_s: u64,
    /// How long a question to the brokers may take, seconds.
    pub request_s: u64,
    /// How long this program's threads may stand still before its partitions are given to others,
    /// seconds. Work on a batch does not count: the client is served beside it. How soon others take
    /// over from a program that is gone is the brokers' to say: `group.consumer.session.timeout.ms`.
    pub poll_s: u64,
    /// A consumer that gets nothing for so long, though there is something, is made anew, seconds.
    pub stuck_s: u64,
}

/// A number for each kind of topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerKind {
    /// `halsonav.events`.
    pub events: u32,
    /// `halsonav.commands.*` and `halsonav.intents.*`, each.
    pub commands: u32,
    /// `halsonav.documentation`.
    pub documentation: u32,
}

/// How brokers are reached.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Security {
    /// What protects the connection.
    pub protocol: Protocol,
    /// Certificates of the authorities that vouch for the brokers, PEM. Empty: those of the system.
    pub ca_file: PathBuf,
    /// Our certificate with its chain, PEM. Empty: the brokers do not ask for one.
    pub certificate_file: PathBuf,
    /// Its private key, PEM.
    pub key_file: PathBuf,
    /// What the key is locked with; the file's last line break does not count. Empty: nothing.
    pub key_password_file: PathBuf,
    /// How we log in, with `sasl-tls`.
    pub mechanism: Mechanism,
    /// Our name.
    pub user: String,
    /// Our password; the file's last line break does not count.
    pub password_file: PathBuf,
}

/// What protects the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Nothing: for a broker on the same machine.
    #[default]
    Plaintext,
    /// TLS; the client's certificate says who it is.
    Tls,
    /// TLS, and a login by [`Security::mechanism`].
    SaslTls,
}

/// How a client logs in. Tokens (`OAUTHBEARER`) are not among them: the admin client of the wrapper we
/// use cannot renew one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mechanism {
    /// Name and password, which the broker gets to see.
    Plain,
    /// Name and password by challenge.
    #[serde(rename = "scram-sha-256")]
    ScramSha256,
    /// The same, with the longer hash.
    #[default]
    #[serde(rename = "scram-sha-512")]
    ScramSha512,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            prefix: String::new(),
            client_id: "halsonav".to_owned(),
            security: Security::default(),
            partitions: PerKind {
                events: 12,
                commands: 6,
                documentation: 3,
            },
            retention_days: PerKind {
                events: 14,
                commands: 14,
                documentation: 14,
            },
            replication: 3,
            min_insync: 2,
            record_bytes: 1 << 20,
            delivery_s: 30,
            request_s: 10,
            poll_s: 300,
            stuck_s: 20,
        }
    }
}

impl PerKind {
    /// The number for a topic.
    pub(crate) fn of(self, topic: &Topic) -> u32 {
        match topic {
            Topic::Events => self.events,
            Topic::Commands(_) | Topic::Intents(_) => self.commands,
            Topic::Documentation => self.documentation,
        }
    }
}

impl Settings {
    /// The name of a topic on the cluster.
    pub(crate) fn topic(&self, topic: &Topic) -> Result<String, Error> {
        let name = topic.to_string();
        crate::name::check(&name)?;
        Ok(format!("{}{name}", self.prefix))
    }

    /// The name of a group on the cluster.
    pub(crate) fn group(&self, group: &str) -> Result<String, Error> {
        crate::name::check(group)?;
        Ok(format!("{}{group}", self.prefix))
    }

    pub(crate) fn delivery(&self) -> Duration {
        Duration::from_secs(self.delivery_s)
    }

    pub(crate) fn request(&self) -> Duration {
        Duration::from_secs(self.request_s)
    }

    /// What is wrong in itself, whatever the brokers say.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let numbers = [
            ("partitions.events", u64::from(self.partitions.events)),
            ("partitions.commands", u64::from(self.partitions.commands)),
            (
                "partitions.documentation",
                u64::from(self.partitions.documentation),
            ),
            (
                "retention_days.events",
                u64::from(self.retention_days.events),
            ),
            (
                "retention_days.commands",
                u64::from(self.retention_days.commands),
            ),
            (
                "retention_days.documentation",
                u64::from(self.retention_days.documentation),
            ),
            ("replication", u64::from(self.replication)),
            ("min_insync", u64::from(self.min_insync)),
            ("delivery_s", self.delivery_s),
            ("request_s", self.request_s),
            ("poll_s", self.poll_s),
            ("stuck_s", self.stuck_s),
        ];
        if let Some((key, _)) = numbers
            .into_iter()
            .find(|(_, n)| !(1..=100_000).contains(n))
        {
            return Err(fault(key, "must be between 1 and 100000"));
        }
        if self.brokers.trim().is_empty() {
            return Err(fault("brokers", "is empty"));
        }
        if !self.prefix.is_empty() {
            let shaped = crate::name::check(&self.prefix).is_ok();
            if !shaped || self.prefix.len() > 60 {
                return Err(fault("prefix", "has up to 60 of a-z, 0-9, '.', '-', '_'"));
            }
        }
        if self.min_insync > self.replication {
            return Err(fault("min_insync", "is larger than replication"));
        }
        if !(4 << 10..=64 << 20).contains(&self.record_bytes) {
            return Err(fault("record_bytes", "must be between 4 KiB and 64 MiB"));
        }
        Ok(())
    }
}

/// A setting that cannot be used.
pub(crate) fn fault(key: &'static str, reason: impl Into<String>) -> Error {
    Error::Setting {
        key,
        reason: reason.into(),
    }
}
