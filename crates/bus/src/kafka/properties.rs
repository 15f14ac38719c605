//! What is asked of the client library, property by property, and proof that it took it so.
//!
//! Defaults differ between releases and from what documentation says, so whatever we rely on is set
//! here and read back before a client is made.

use std::{fs, path::Path};

use rdkafka::{
    ClientConfig,
    client::ClientContext,
    config::{FromClientConfigAndContext, RDKafkaLogLevel},
};

use super::{
    Settings,
    settings::{Mechanism, Protocol, Security, fault},
};
use crate::Error;

/// Framing that a record may take on the wire beside what is counted in `record_bytes`.
const FRAMING: usize = 4096;

/// Names and values for one client. Never shown: passwords are among them.
#[derive(Clone)]
pub(crate) struct Properties(Vec<(&'static str, String)>);

impl Properties {
    /// For a client that asks and changes nothing.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(crate) fn asking(settings: &Settings) -> Result<Self, Error> {
        settings.check()?;
        let mut properties = Self(Vec::new());
        properties.connection(settings);
        properties.security(&settings.security)?;
        Ok(properties)
    }

    /// For the one producer of a process.
    ///
    /// Messages never time out inside the client: a later one could then arrive without an earlier
    /// one of its key. The wait is limited in `publish`, which gives the whole client up instead.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(crate) fn producing(settings: &Settings) -> Result<Self, Error> {
        let mut properties = Self::asking(settings)?;
        properties
            .set("acks", -1)
            .set("enable.idempotence", true)
            .set("enable.gapless.guarantee", true)
            .set("max.in.flight.requests.per.connection", 5)
            .set("retries", i32::MAX)
            .set("delivery.timeout.ms", 0)
            .set("request.timeout.ms", 10_000)
            .set("partitioner", "murmur2_random")
            .set("linger.ms", 0)
            .set("batch.size", 512 << 10)
            .set("batch.num.messages", 10_000)
            .set("compression.type", "lz4")
            .set("message.max.bytes", message_bytes(settings))
            .set("queue.buffering.max.messages", 100_000)
            .set("queue.buffering.max.kbytes", 64 << 10)
            .set("sticky.partitioning.linger.ms", 10);
        Ok(properties)
    }

    /// For a client that speaks for `group`, a name on the cluster.
    ///
    /// # Errors
    /// [`Error::Setting`].
    pub(crate) fn consuming(settings: &Settings, group: &str) -> Result<Self, Error> {
        let mut properties = Self::asking(settings)?;
        properties
            .set("group.id", group)
            .set("group.protocol", "consumer")
            .set("group.remote.assignor", "uniform")
            .set("max.poll.interval.ms", settings.poll_s * 1000)
            .set("enable.auto.commit", false)
            .set("enable.auto.offset.store", false)
            .set("auto.offset.reset", "error")
            .set("isolation.level", "read_committed")
            .set("check.crcs", true)
            .set("enable.partition.eof", false)
            .set("fetch.min.bytes", 1)
            .set("fetch.wait.max.ms", 500)
            .set("fetch.message.max.bytes", 1 << 20)
            .set("fetch.max.bytes", 16 << 20)
            .set("fetch.queue.backoff.ms", 20)
            .set("fetch.error.backoff.ms", 200)
            .set("queued.min.messages", 10_000)
            .set("queued.max.messages.kbytes", 16 << 10);
        Ok(properties)
    }

    fn connection(&mut self, settings: &Settings) {
        self.set("bootstrap.servers", &settings.brokers)
            .set("client.id", &settings.client_id)
            .set("allow.auto.create.topics", false)
            .set("metadata.recovery.strategy", "rebootstrap")
            .set("topic.metadata.refresh.interval.ms", 30_000)
            .set("topic.metadata.propagation.max.ms", 5_000)
            .set("metadata.max.age.ms", 90_000)
            .set("socket.timeout.ms", settings.request_s * 1000)
            .set("socket.connection.setup.timeout.ms", 10_000)
            .set("socket.keepalive.enable", true)
            .set("socket.nagle.disable", true)
            .set("reconnect.backoff.ms", 100)
            .set("reconnect.backoff.max.ms", 2_000)
            .set("retry.backoff.ms", 100)
            .set("retry.backoff.max.ms", 1_000)
            .set("statistics.interval.ms", 0)
            .set("enable.metrics.push", false)
            .set("log.connection.close", false);
    }

    fn security(&mut self, security: &Security) -> Result<(), Error> {
        let protocol = match security.protocol {
            Protocol::Plaintext => "plaintext",
            Protocol::Tls => "ssl",
            Protocol::SaslTls => "sasl_ssl",
        };
        self.set("security.protocol", protocol);
        if security.protocol == Protocol::Plaintext {
            return match *security == Security::default() {
                true => Ok(()),
                false => Err(fault("security.protocol", "plaintext takes no other key")),
            };
        }
        self.set("enable.ssl.certificate.verification", true)
            .set("ssl.endpoint.identification.algorithm", "https");
        let files = [
            ("security.ca_file", "ssl.ca.location", &security.ca_file),
            (
                "security.certificate_file",
                "ssl.certificate.location",
                &security.certificate_file,
            ),
            ("security.key_file", "ssl.key.location", &security.key_file),
        ];
        for (key, property, path) in files {
            if !path.as_os_str().is_empty() {
                // Read here, because the client's own word for a missing file names no setting.
                read(key, path)?;
                self.set(property, path.display());
            }
        }
        if security.certificate_file.as_os_str().is_empty()
            != security.key_file.as_os_str().is_empty()
        {
            return Err(fault("security.key_file", "goes with certificate_file"));
        }
        if !security.key_password_file.as_os_str().is_empty() {
            let password = secret("security.key_password_file", &security.key_password_file)?;
            self.set("ssl.key.password", password);
        }
        match security.protocol {
            Protocol::SaslTls => self.login(security),
            _ => Ok(()),
        }
    }

    fn login(&mut self, security: &Security) -> Result<(), Error> {
        let mechanism = match security.mechanism {
            Mechanism::Plain => "PLAIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha512 => "SCRAM-SHA-512",
        };
        self.set("sasl.mechanism", mechanism);
        if security.user.is_empty() {
            return Err(fault("security.user", "is empty"));
        }
        let password = secret("security.password_file", &security.password_file)?;
        self.set("sasl.username", &security.user)
            .set("sasl.password", password);
        Ok(())
    }

    fn set(&mut self, name: &'static str, value: impl ToString) -> &mut Self {
        self.0.push((name, value.to_string()));
        self
    }

    /// Makes a client, after reading back every property.
    ///
    /// # Errors
    /// [`Error::Property`] when the library has another value; [`Error::Setting`] when it refuses.
    pub(crate) fn client<C, T>(&self, context: C) -> Result<T, Error>
    where
        C: ClientContext,
        T: FromClientConfigAndContext<C>,
    {
        let config = self.config();
        self.read_back(&config)?;
        // The library's text may name files and values of settings, and no secret.
        config
            .create_with_context(context)
            .map_err(|error| fault("kafka", error.to_string()))
    }

    /// Whether a client could be made.
    ///
    /// # Errors
    /// As [`Properties::client`].
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.read_back(&self.config())
    }

    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Info);
        for (name, value) in &self.0 {
            config.set(*name, value);
        }
        config
    }

    fn read_back(&self, config: &ClientConfig) -> Result<(), Error> {
        let native = config.create_native_config().map_err(|error| match error {
            rdkafka::error::KafkaError::ClientConfig(_, reason, name, _) => {
                fault("kafka", format!("{name}: {reason}"))
            }
            other => fault("kafka", other.to_string()),
        })?;
        for (name, wanted) in &self.0 {
            let found = native.get(name).unwrap_or_default();
            if found != *wanted {
                let secret = name.contains("password");
                let show = |value: &str| if secret { "…" } else { value }.to_owned();
                return Err(Error::Property {
                    property: name,
                    wanted: show(wanted),
                    found: show(&found),
                });
            }
        }
        Ok(())
    }
}

/// The largest request that one record can become; also `max.message.bytes` of topics.
pub(crate) fn message_bytes(settings: &Settings) -> usize {
    settings.record_bytes + FRAMING
}

fn read(key: &'static str, path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|error| fault(key, error.to_string()))
}

fn secret(key: &'static str, path: &Path) -> Result<String, Error> {
    let text = read(key, path)?;
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(fault(key, "is empty")),
        secret => Ok(secret.to_owned()),
    }
}
