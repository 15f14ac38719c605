//! A hub that serves while it is measured: engine, relay and scheduler as tasks of their own, woken as
//! in production, on the bus and the store that the plan names.

use std::sync::Arc;

use halsonav_adapter::Stop;
use halsonav_bus::kafka::topics;
use halsonav_domain::{Problem, Topic, VirtualClock};
use halsonav_storage::scratch::Scratch;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::{
    Plan,
    hub::{self, directory},
    machine::file_system,
    shape::Shape,
};
use crate::{
    clock::Time,
    config::{BusKind, Config},
    runtime::{Core, Hub, Parts, Role, bus_problem, serve, store_problem},
    site,
};

/// Where the commands of the small shape go.
pub const COMMANDS: &str = "messaging";
/// A topic of the same kind that the hub does not look at.
pub const BESIDE: &str = "bench";

/// Store and bus for one measurement; gone with it.
pub struct Ground {
    /// The site's settings, on this ground.
    pub config: Config,
    dir: TempDir,
    schema: Option<Scratch>,
    topics: Vec<Topic>,
}

impl Ground {
    /// On the server and the brokers that the plan names; what it does not name is embedded.
    ///
    /// # Errors
    /// When one of them cannot be had.
    pub async fn make(plan: &Plan) -> Result<Self, Problem> {
        let dir = directory(plan)?;
        let mut config = plan.config.clone();
        config.hub.data = dir.path().to_owned();
        config.storage.url_file.clear();
        config.storage.url.clear();
        config.bus.kind = BusKind::Log;
        let mut schema = None;
        if plan.postgres.is_some() {
            let made = Scratch::make(&plan.server()?, "halsonav_bench").map_err(store_problem)?;
            made.url()
                .expose_secret()
                .clone_into(&mut config.storage.url);
            schema = Some(made);
        }
        let mut ground = Self {
            config,
            dir,
            schema,
            topics: Vec::new(),
        };
        if let Some(brokers) = &plan.kafka {
            ground.on_kafka(brokers).await?;
        }
        Ok(ground)
    }

    /// Topics of its own on these brokers.
    async fn on_kafka(&mut self, brokers: &str) -> Result<(), Problem> {
        let prefix = format!("bench-{}.", uuid::Uuid::now_v7().simple());
        self.config.bus.kind = BusKind::Kafka;
        for (key, value) in [("brokers", brokers), ("prefix", &prefix)] {
            self.config.kafka.insert(key.to_owned(), value.into());
        }
        for key in ["replication", "min_insync"] {
            self.config.kafka.insert(key.to_owned(), 1.into());
        }
        let topics = vec![
            Topic::Events,
            Topic::Documentation,
            Topic::Commands(COMMANDS.to_owned()),
            Topic::Commands(BESIDE.to_owned()),
        ];
        let settings = site::kafka(&self.config)?;
        let plan = topics::plan(&settings, &topics)
            .await
            .map_err(bus_problem)?;
        topics::apply(&settings, &plan).await.map_err(bus_problem)?;
        self.topics = topics;
        Ok(())
    }

    /// In words.
    #[must_use]
    pub fn told(&self) -> String {
        let bus = match self.config.bus.kind {
            BusKind::Kafka => "Apache Kafka, one broker".to_owned(),
            BusKind::Log => "the embedded log".to_owned(),
        };
        let store = match self.schema {
            Some(_) => "PostgreSQL".to_owned(),
            None => format!("SQLite {}", file_system(self.dir.path())),
        };
        format!("{bus}, {store}")
    }

    /// The parts of a hub on this ground.
    ///
    /// # Errors
    /// When they cannot be put together.
    pub fn core(
        &self,
        plan: &Plan,
        shape: &Shape,
        clock: &Arc<VirtualClock>,
    ) -> Result<Arc<Core>, Vec<Problem>> {
        let time = Time::of(clock.clone());
        hub::core(plan, &self.config, self.dir.path(), shape, time)
    }

    /// Takes away what was made on the brokers.
    ///
    /// # Errors
    /// When they do not let it.
    pub async fn clear(self) -> Result<(), Problem> {
        if self.topics.is_empty() {
            return Ok(());
        }
        let settings = site::kafka(&self.config)?;
        topics::remove(&settings, &self.topics)
            .await
            .map_err(bus_problem)
    }
}

/// The tasks of a hub.
pub struct Serving {
    stop: Stop,
    task: JoinHandle<Result<(), Problem>>,
}

impl Serving {
    /// Starts them.
    ///
    /// # Errors
    /// When store or bus refuse.
    pub async fn start(core: &Arc<Core>) -> Result<Self, Problem> {
        let parts = Parts {
            roles: [Role::Engine, Role::Relay, Role::Scheduler].into(),
            adapters: None,
        };
        let hub = Hub::start(core.clone(), &parts).await?;
        let stop = Stop::new();
        let task = tokio::spawn(serve(hub, stop.clone()));
        Ok(Self { stop, task })
    }

    /// Stops them, each after its turn.
    ///
    /// # Errors
    /// What one of them ended with before.
    pub async fn stop(self) -> Result<(), Problem> {
        self.stop.cancel();
        self.task.await.unwrap_or(Ok(()))
    }
}
