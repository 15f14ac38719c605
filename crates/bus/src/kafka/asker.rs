//! Questions to the brokers, beside the clients that carry records. They block: not for a thread of
//! the runtime.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    topic_partition_list::Offset,
};

use super::{
    Settings,
    context::{self, Context, failed, missing},
    properties::Properties,
};
use crate::Error;

type Client = BaseConsumer<Context>;

/// How long the question may take whether all is well: probes do not wait long.
const READY: Duration = Duration::from_secs(3);

/// Asks. Clients are made on first use and kept.
pub(crate) struct Asker {
    settings: Settings,
    context: Context,
    /// By group; without a group for what concerns none.
    clients: Mutex<HashMap<Option<String>, Arc<Client>>>,
}

/// A topic, as the brokers see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    pub(crate) partitions: u32,
    /// Copies of the partition that has fewest.
    pub(crate) replication: u16,
    /// Partitions that nobody leads now.
    pub(crate) leaderless: usize,
}

/// A partition by its topic's name on the cluster, and an offset in it.
pub(crate) type At = (String, i32, i64);

impl Asker {
    pub(crate) fn new(settings: Settings, context: Context) -> Self {
        Self {
            settings,
            context,
            clients: Mutex::default(),
        }
    }

    /// The shape of a topic, by its name on the cluster; `None` when it is not there.
    pub(crate) fn shape(&self, topic: &str) -> Result<Option<Shape>, Error> {
        let limit = self.settings.request();
        self.ask(None, "ask for a topic", limit, |ask| ask.shape(topic))
    }

    /// Whether a topic takes records now.
    pub(crate) fn is_ready(&self, topic: &str) -> Result<(), Error> {
        let limit = self.settings.request().min(READY);
        let shape = self.ask(None, "ask for a topic", limit, |ask| ask.shape(topic))?;
        let fault = match shape {
            Some(shape) if shape.leaderless == 0 => return Ok(()),
            Some(shape) => format!("{} partitions have no leader", shape.leaderless),
            None => "is not there".to_owned(),
        };
        Err(Error::Topic {
            topic: topic.to_owned(),
            fault,
        })
    }

    /// The oldest offset of a partition, and the one after the newest.
    pub(crate) fn ends(&self, topic: &str, partition: i32) -> Result<(i64, i64), Error> {
        let limit = self.settings.request();
        self.ask(None, "ask how far topics go", limit, |ask| {
            ask.ends(topic, partition)
        })
    }

    /// Records after these offsets, all in all.
    pub(crate) fn behind(&self, from: &[At]) -> Result<u64, Error> {
        let limit = self.settings.request();
        self.ask(None, "ask how far topics go", limit, |ask| {
            let mut behind = 0;
            for (topic, partition, offset) in from {
                let (oldest, end) = ask.ends(topic, *partition)?;
                let left = end.saturating_sub((*offset).max(oldest));
                behind += u64::try_from(left).unwrap_or(0);
            }
            Ok(behind)
        })
    }

    /// Where a group is in all partitions of topics, both by their names on the cluster. A partition
    /// in which it has committed nothing counts from 0.
    pub(crate) fn positions(&self, group: &str, topics: &[String]) -> Result<Vec<At>, Error> {
        let group = Some(group.to_owned());
        let limit = self.settings.request();
        self.ask(group, "ask where a group is", limit, |ask| {
            ask.positions(topics)
        })
    }

    fn ask<T>(
        &self,
        group: Option<String>,
        doing: &'static str,
        limit: Duration,
        question: impl FnOnce(&Ask) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let start = Instant::now();
        let ask = Ask {
            client: self.client(group)?,
            deadline: start + limit,
        };
        let answer = question(&ask);
        ask.serve();
        match answer {
            // What the client told meanwhile says more than that time ran out.
            Err(Error::Unreachable { .. }) => Err(self.context.troubles.why(doing, start)),
            answer => answer,
        }
    }

    fn client(&self, group: Option<String>) -> Result<Arc<Client>, Error> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&group) {
            return Ok(Arc::clone(client));
        }
        let properties = match &group {
            Some(group) => Properties::consuming(&self.settings, group)?,
            None => Properties::asking(&self.settings)?,
        };
        let client: Client = properties.client(self.context.clone())?;
        let client = Arc::new(client);
        clients.insert(group, Arc::clone(&client));
        Ok(client)
    }
}

/// One question, with the time that is left for it.
struct Ask {
    client: Arc<Client>,
    deadline: Instant,
}

impl Ask {
    fn left(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        left.max(Duration::from_millis(1))
    }

    /// Lets the client tell what has happened.
    fn serve(&self) {
        for _ in 0..100 {
            self.client.poll(Duration::ZERO);
        }
    }

    fn shape(&self, topic: &str) -> Result<Option<Shape>, Error> {
        let doing = "ask for a topic";
        let metadata = self
            .client
            .fetch_metadata(Some(topic), self.left())
            .map_err(failed(doing))?;
        let Some(found) = metadata.topics().first() else {
            return Ok(None);
        };
        if let Some(code) = found.error() {
            let code = code.into();
            return match missing(code) {
                true => Ok(None),
                false => Err(context::error(doing, code, "")),
            };
        }
        let partitions = found.partitions();
        let copies = partitions.iter().map(|p| p.replicas().len()).min();
        Ok(Some(Shape {
            partitions: u32::try_from(partitions.len()).unwrap_or(u32::MAX),
            replication: u16::try_from(copies.unwrap_or(0)).unwrap_or(u16::MAX),
            leaderless: partitions.iter().filter(|p| p.leader() < 0).count(),
        }))
    }

    fn ends(&self, topic: &str, partition: i32) -> Result<(i64, i64), Error> {
        self.client
            .fetch_watermarks(topic, partition, self.left())
            .map_err(failed("ask how far topics go"))
    }

    fn positions(&self, topics: &[String]) -> Result<Vec<At>, Error> {
        let mut list = TopicPartitionList::new();
        for topic in topics {
            let Some(shape) = self.shape(topic)? else {
                return Err(Error::Topic {
                    topic: topic.clone(),
                    fault: "is not there".to_owned(),
                });
            };
            let last = i32::try_from(shape.partitions).unwrap_or(i32::MAX) - 1;
            list.add_partition_range(topic, 0, last);
        }
        let doing = failed("ask where a group is");
        let committed = self
            .client
            .committed_offsets(list, self.left())
            .map_err(&doing)?;
        committed
            .elements()
            .into_iter()
            .map(|one| {
                one.error().map_err(&doing)?;
                let offset = match one.offset() {
                    Offset::Offset(offset) => offset,
                    _ => 0,
                };
                Ok((one.topic().to_owned(), one.partition(), offset))
            })
            .collect()
    }
}

impl Drop for Asker {
    /// The clients are ended on a thread of their own: that may take a while.
    fn drop(&mut self) {
        let clients = self
            .clients
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        let clients = std::mem::take(clients);
        // Without a thread they are ended here.
        let _ = std::thread::Builder::new()
            .name("bus-kafka-end".to_owned())
            .spawn(move || drop(clients));
    }
}
