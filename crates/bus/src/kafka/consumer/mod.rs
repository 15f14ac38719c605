//! Records in: a thread that talks to Kafka all the time, and a handle for the task that works.
//!
//! ```text
//! Kafka ──▶ worker (a thread) ──▶ desk ──▶ Reader::poll
//!              ▲  rebalances            │
//!              └── seek, pause ◀────────┘ rewind, a full desk
//! ```
//!
//! The thread never stops polling, however long a batch takes; when the desk is full it pauses the
//! partitions. What a rebalance takes away is gone from the desk before Kafka hears that we let go.

mod committer;
mod context;
mod desk;
#[cfg(test)]
mod tests;
mod watch;
mod worker;

use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use halsonav_domain::Topic;
use rdkafka::{TopicPartitionList, consumer::BaseConsumer, topic_partition_list::Offset};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, timeout, timeout_at},
};

use super::{Settings, apart, asker::Asker};
use crate::{Consumer, Delivered, Error, health::Pulse};

use self::{committer::Committer, context::Context, desk::Desk, worker::Worker};

type Client = BaseConsumer<Context>;
type Slot = Arc<Mutex<Option<Committer>>>;

/// How long leaving the group may take before nobody waits for it any more.
const LEAVE: Duration = Duration::from_secs(15);

/// A topic by its number among those of the consumer, and a partition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Place {
    topic: usize,
    partition: i32,
}

/// What a consumer is about.
struct Subject {
    /// The group's name on the cluster.
    group: String,
    /// The topics, each with its name on the cluster.
    topics: Vec<(String, Topic)>,
}

/// Between the thread and the handle.
struct Shared {
    subject: Subject,
    desk: Mutex<Desk>,
    /// There is something for the handle.
    ready: Notify,
    /// There is something for the thread.
    wake: Condvar,
    pulse: Arc<Pulse>,
}

/// The handle.
pub(crate) struct Reader {
    shared: Arc<Shared>,
    /// Commits for the present client. The worker makes and ends it.
    committer: Slot,
    asker: Arc<Asker>,
    /// Resolves when the thread has left.
    left: Option<oneshot::Receiver<()>>,
    limit: Duration,
}

impl Subject {
    fn place(&self, topic: &str, partition: i32) -> Option<Place> {
        let topic = self.topics.iter().position(|(name, _)| name == topic)?;
        Some(Place { topic, partition })
    }

    fn name(&self, place: Place) -> &str {
        &self.topics[place.topic].0
    }

    fn list(&self, offsets: &[(Place, i64)]) -> TopicPartitionList {
        let mut list = TopicPartitionList::with_capacity(offsets.len());
        for (place, offset) in offsets {
            // It refuses negative offsets only, and these come from Kafka.
            let offset = Offset::Offset(*offset);
            let _ = list.add_partition_offset(self.name(*place), place.partition, offset);
        }
        list
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    /// Joins `group` from a thread of its own.
    pub(crate) fn new(
        settings: &Settings,
        base: super::context::Context,
        asker: Arc<Asker>,
        pulse: Arc<Pulse>,
        group: &str,
        topics: &[Topic],
    ) -> Result<Self, Error> {
        let group = settings.group(group)?;
        let topics = topics
            .iter()
            .map(|topic| Ok((settings.topic(topic)?, topic.clone())))
            .collect::<Result<_, Error>>()?;
        let shared = Arc::new(Shared {
            subject: Subject { group, topics },
            desk: Mutex::default(),
            ready: Notify::new(),
            wake: Condvar::new(),
            pulse,
        });
        let committer = Slot::default();
        let (leaving, left) = oneshot::channel();
        let worker = Worker::new(
            settings,
            base,
            Arc::clone(&asker),
            Arc::clone(&shared),
            Arc::clone(&committer),
        )?;
        worker.start(leaving)?;
        Ok(Self {
            shared,
            committer,
            asker,
            left: Some(left),
            limit: settings.delivery(),
        })
    }

    fn stop(&self) {
        self.shared.desk().stop = true;
        self.shared.wake.notify_all();
    }
}

#[async_trait]
impl Consumer for Reader {
    async fn poll(&mut self, max: usize, wait: Option<Duration>) -> Result<Vec<Delivered>, Error> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        loop {
            {
                let mut desk = self.shared.desk();
                if let Some(trouble) = desk.trouble.take() {
                    return Err(trouble);
                }
                if desk.ended {
                    return Err(unanswered("consume", "the consumer has ended"));
                }
                let found = desk.take(max);
                let room = desk.has_room();
                drop(desk);
                if room {
                    self.shared.wake.notify_one();
                }
                if !found.is_empty() {
                    self.shared.pulse.consumed();
                }
                if !found.is_empty() || max == 0 || wait == Some(Duration::ZERO) {
                    return Ok(found);
                }
            }
            match deadline {
                None => self.shared.ready.notified().await,
                Some(deadline) => {
                    if timeout_at(deadline, self.shared.ready.notified())
                        .await
                        .is_err()
                    {
                        return Ok(self.shared.desk().take(max));
                    }
                }
            }
        }
    }

    async fn commit(&mut self) -> Result<(), Error> {
        let answer = {
            let offsets = self.shared.desk().to_commit();
            let committer = self
                .committer
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            match &*committer {
                Some(committer) if !offsets.is_empty() => committer.commit(offsets),
                // Between two clients nothing is ours.
                _ => return Ok(()),
            }
        };
        match timeout(self.limit, answer).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(unanswered("commit", "the client was given up")),
            Err(_) => {
                let error = unanswered("commit", "no answer in time");
                self.shared.desk().spoilt = Some(error.clone());
                Err(error)
            }
        }
    }

    async fn rewind(&mut self) -> Result<(), Error> {
        let done = {
            let mut desk = self.shared.desk();
            if !desk.is_ahead() {
                return Ok(());
            }
            let (asked, done) = oneshot::channel();
            desk.rewind = Some(asked);
            done
        };
        self.shared.wake.notify_one();
        // The thread answers always, unless it is gone.
        done.await
            .map_err(|_| unanswered("rewind", "the consumer has ended"))
    }

    async fn lag(&mut self) -> Result<u64, Error> {
        let done = self.shared.desk().done();
        let named = |(place, offset): (Place, i64)| {
            let topic = self.shared.subject.name(place).to_owned();
            (topic, place.partition, offset)
        };
        let done: Vec<_> = done.into_iter().map(named).collect();
        let asker = Arc::clone(&self.asker);
        apart(move || asker.behind(&done)).await
    }

    async fn close(mut self: Box<Self>) -> Result<(), Error> {
        self.stop();
        let Some(left) = self.left.take() else {
            return Ok(());
        };
        match timeout(LEAVE, left).await {
            Ok(_) => Ok(()),
            Err(_) => Err(unanswered("leave the group", "no answer in time")),
        }
    }
}

fn unanswered(doing: &'static str, reason: &str) -> Error {
    Error::Unreachable {
        doing,
        reason: reason.to_owned(),
    }
}

impl Drop for Reader {
    /// Leaves the group, and waits for nothing.
    fn drop(&mut self) {
        self.stop();
    }
}
