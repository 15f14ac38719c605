//! What is changed on the cluster.

use std::{collections::BTreeMap, time::Instant};

use rdkafka::{
    admin::{
        AdminClient, AdminOptions, AlterConfig, ConfigSource, NewPartitions, NewTopic,
        ResourceSpecifier, TopicReplication, TopicResult,
    },
    error::KafkaResult,
};

use super::{
    Settings,
    asker::Shape,
    context::{self, Context, failed},
    properties::Properties,
};
use crate::Error;

/// A topic that is there, and what is said about it alone. What it has by default is not listed.
pub(super) struct Found {
    pub(super) shape: Shape,
    pub(super) config: BTreeMap<String, String>,
}

pub(super) struct Admin {
    client: AdminClient<Context>,
    context: Context,
    options: AdminOptions,
}

impl Admin {
    pub(super) fn new(settings: &Settings) -> Result<Self, Error> {
        let context = Context::default();
        let limit = Some(settings.request());
        Ok(Self {
            client: Properties::asking(settings)?.client(context.clone())?,
            context,
            options: AdminOptions::new()
                .request_timeout(limit)
                .operation_timeout(limit),
        })
    }

    pub(super) async fn config(&self, topic: &str) -> Result<BTreeMap<String, String>, Error> {
        let doing = "ask for a topic's configuration";
        let asked = [ResourceSpecifier::Topic(topic)];
        let answer = self.client.describe_configs(&asked, &self.options).await;
        let mut config = BTreeMap::new();
        for resource in answer.map_err(failed(doing))? {
            let resource = resource.map_err(|code| context::error(doing, code, topic))?;
            for entry in resource.entries {
                if entry.source == ConfigSource::DynamicTopic {
                    config.insert(entry.name, entry.value.unwrap_or_default());
                }
            }
        }
        Ok(config)
    }

    pub(super) async fn create(
        &self,
        topic: &str,
        partitions: u32,
        replication: u16,
        config: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let number = i32::try_from(partitions).unwrap_or(i32::MAX);
        let copies = TopicReplication::Fixed(replication.into());
        let fresh = NewTopic::new(topic, number, copies);
        let fresh = config
            .iter()
            .fold(fresh, |fresh, (key, value)| fresh.set(key, value));
        let start = Instant::now();
        let answer = self.client.create_topics([&fresh], &self.options).await;
        self.done("create a topic", start, answer)
    }

    pub(super) async fn remove(&self, topics: &[String]) -> Result<(), Error> {
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let start = Instant::now();
        let answer = self.client.delete_topics(&names, &self.options).await;
        self.done("remove a topic", start, answer)
    }

    pub(super) async fn grow(&self, topic: &str, partitions: u32) -> Result<(), Error> {
        let number = usize::try_from(partitions).unwrap_or(usize::MAX);
        let more = NewPartitions::new(topic, number);
        let start = Instant::now();
        let answer = self.client.create_partitions([&more], &self.options).await;
        self.done("add partitions", start, answer)
    }

    /// Says `changes` about a topic. The request replaces everything that is said, so that the rest is
    /// said again.
    pub(super) async fn configure(
        &self,
        topic: &str,
        changes: BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let mut all = self.config(topic).await?;
        all.extend(changes);
        let alter = AlterConfig::new(ResourceSpecifier::Topic(topic));
        let alter = all
            .iter()
            .fold(alter, |alter, (key, value)| alter.set(key, value));
        let doing = "configure a topic";
        let answer = self.client.alter_configs([&alter], &self.options).await;
        for one in answer.map_err(failed(doing))? {
            one.map_err(|(_, code)| context::error(doing, code, topic))?;
        }
        Ok(())
    }

    fn done(
        &self,
        doing: &'static str,
        start: Instant,
        answer: KafkaResult<Vec<TopicResult>>,
    ) -> Result<(), Error> {
        let each = match answer {
            Ok(each) => each,
            Err(error) => {
                return Err(match failed(doing)(error) {
                    Error::Unreachable { .. } => self.context.troubles.why(doing, start),
                    error => error,
                });
            }
        };
        for one in each {
            one.map_err(|(topic, code)| context::error(doing, code, &topic))?;
        }
        Ok(())
    }
}
