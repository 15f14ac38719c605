//! Either bus, with topics and groups that no other test knows.

use std::{env, time::Duration};

use halsonav_bus::{
    Bus, Consumer, Kafka, Log, Settings,
    kafka::{self, topics},
};
use halsonav_domain::Topic;
use tempfile::TempDir;

use crate::NOW;

/// A bus that can be closed and opened again.
pub enum Stand {
    Log { dir: TempDir, settings: Settings },
    Kafka(Box<kafka::Settings>),
}

impl Stand {
    /// A fresh embedded log.
    pub fn log(partitions: u32) -> Self {
        let settings = Settings {
            partitions,
            segment_bytes: 4000,
            ..Settings::default()
        };
        let dir = tempfile::tempdir().unwrap();
        Self::Log { dir, settings }
    }

    /// A fresh embedded log with segments of a few records each.
    pub fn small_log() -> Self {
        let mut stand = Self::log(1);
        if let Self::Log { settings, .. } = &mut stand {
            settings.segment_bytes = 400;
        }
        stand
    }

    /// Fresh topics on the cluster of `HALSONAV_KAFKA`; nothing without one.
    pub async fn kafka(partitions: u32) -> Option<Self> {
        let settings = kafka_settings(partitions)?;
        make_topics(&settings).await;
        Some(Self::Kafka(Box::new(settings)))
    }

    /// The bus, as a process that begins has it.
    pub fn open(&self) -> Box<dyn Bus> {
        match self {
            Self::Log { dir, settings } => Box::new(Log::open(dir.path(), *settings).unwrap()),
            Self::Kafka(settings) => Box::new(Kafka::new(*settings.clone()).unwrap()),
        }
    }

    /// Nothing more comes.
    pub async fn nothing(&self, consumer: &mut dyn Consumer) {
        let wait = match self {
            Self::Log { .. } => NOW,
            Self::Kafka(_) => Some(Duration::from_millis(700)),
        };
        assert!(consumer.poll(10, wait).await.unwrap().is_empty());
    }
}

/// Makes the topics that tests use.
pub async fn make_topics(settings: &kafka::Settings) {
    let all = [Topic::Events, Topic::Documentation];
    let plan = topics::plan(settings, &all).await.unwrap();
    topics::apply(settings, &plan).await.unwrap();
}

/// Settings for topics of their own on the cluster under test, which may have one broker.
pub fn kafka_settings(partitions: u32) -> Option<kafka::Settings> {
    let Ok(brokers) = env::var("HALSONAV_KAFKA") else {
        return not_checked("HALSONAV_KAFKA is not set: nothing is asked of Kafka");
    };
    Some(settings_for(&brokers, partitions))
}

/// Settings for topics of their own on one broker.
pub fn settings_for(brokers: &str, partitions: u32) -> kafka::Settings {
    kafka::Settings {
        brokers: brokers.to_owned(),
        prefix: format!("t{}.", uuid::Uuid::now_v7().simple()),
        partitions: kafka::PerKind {
            events: partitions,
            commands: partitions,
            documentation: partitions,
        },
        replication: 1,
        min_insync: 1,
        ..kafka::Settings::default()
    }
}

/// Says loudly what was left out; fails where everything must be checked.
pub fn not_checked<T>(why: &str) -> Option<T> {
    eprintln!("NOT CHECKED: {why}");
    assert!(env::var("CI").is_err_and(|_| true), "{why}");
    None
}

/// Runs tests against both buses.
#[macro_export]
macro_rules! both {
    ($($(#[partitions($partitions:literal)])? $name:ident;)*) => {
        mod on_the_log {
            use $crate::stand::Stand;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(Stand::log($crate::both!(@ $($partitions)?))).await;
            })*
        }
        mod on_kafka {
            use $crate::stand::Stand;
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(stand) = Stand::kafka($crate::both!(@ $($partitions)?)).await {
                    super::$name(stand).await;
                }
            })*
        }
    };
    (@) => { 1 };
    (@ $partitions:literal) => { $partitions };
}
