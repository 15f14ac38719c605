//! Apache Kafka as the bus: the same promises as the embedded log, for several processes.
//!
//! `docs/adr/0010-kafka-client.md` says why the client is used as it is.

mod admin;
mod asker;
mod consumer;
mod context;
mod producer;
mod properties;
mod settings;
pub mod topics;

use std::sync::Arc;

use async_trait::async_trait;
use halsonav_domain::Topic;

pub use settings::{Mechanism, PerKind, Protocol, Security, Settings};

use self::{
    asker::Asker, consumer::Reader, context::Context, producer::Producer, properties::Properties,
};
use crate::{
    Bus, Consumer, Error, Record,
    health::{Health, Pulse},
};

/// The bus on a Kafka cluster. One for a process; consumers and the bus may be dropped in any order.
pub struct Kafka {
    settings: Settings,
    context: Context,
    producer: Producer,
    asker: Arc<Asker>,
    pulse: Arc<Pulse>,
}

impl Kafka {
    /// Makes the client. Brokers are reached when they are needed: ask [`Bus::health`], or
    /// [`topics::verify`] at start.
    ///
    /// # Errors
    /// [`Error::Setting`], and [`Error::Property`] when the client library does not take a property
    /// as we set it.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let context = Context::default();
        let pulse = Arc::new(Pulse::new());
        Ok(Self {
            producer: Producer::new(&settings, context.clone(), Arc::clone(&pulse))?,
            asker: Arc::new(Asker::new(settings.clone(), context.clone())),
            settings,
            context,
            pulse,
        })
    }

    /// Whether the client library takes these settings, and the files that they name can be read. Says no
    /// word to the brokers; whether a certificate is one, only a client finds out.
    ///
    /// # Errors
    /// As [`Kafka::new`].
    pub fn check(settings: &Settings) -> Result<(), Error> {
        Properties::producing(settings)?.check()?;
        Properties::consuming(settings, "group")?.check()
    }
}

#[async_trait]
impl Bus for Kafka {
    async fn publish(&self, topic: &Topic, records: Vec<Record>) -> Result<(), Error> {
        let topic = self.settings.topic(topic)?;
        self.producer.publish(&topic, &records).await
    }

    fn subscribe(&self, group: &str, topics: &[Topic]) -> Result<Box<dyn Consumer>, Error> {
        Ok(Box::new(Reader::new(
            &self.settings,
            self.context.clone(),
            Arc::clone(&self.asker),
            Arc::clone(&self.pulse),
            group,
            topics,
        )?))
    }

    async fn lag(&self, group: &str, topics: &[Topic]) -> Result<u64, Error> {
        let group = self.settings.group(group)?;
        let topics = topics
            .iter()
            .map(|topic| self.settings.topic(topic))
            .collect::<Result<Vec<_>, _>>()?;
        let asker = Arc::clone(&self.asker);
        apart(move || asker.behind(&asker.positions(&group, &topics)?)).await
    }

    async fn health(&self) -> Health {
        let now = match self.settings.topic(&Topic::Events) {
            Ok(topic) => {
                let asker = Arc::clone(&self.asker);
                apart(move || asker.is_ready(&topic)).await
            }
            Err(error) => Err(error),
        };
        self.pulse.health(now)
    }
}

/// Runs what blocks where it may.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(Error::Unreachable {
            doing: "ask the brokers",
            reason: "the program is ending".to_owned(),
        })
    })
}
