//! The embedded log: a bus in a directory, for a hub that runs alone.
//!
//! ```text
//! <dir>/lock                        held while open
//! <dir>/topics/<topic>/<n>/<base offset>.log
//! <dir>/groups/<group>.positions
//! ```

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use halsonav_domain::{Timestamp, Topic};

mod consumer;
mod frame;
mod group;
mod partition;
mod retention;
mod segment;
mod topic;

pub use retention::Retention;

use group::Groups;
use topic::Partitions;

use crate::{Bus, Consumer, Error, Health, Record, health::Pulse, name};

/// What can be chosen.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Partitions of a topic that is made now; a topic that is there keeps its own number.
    pub partitions: u32,
    /// Bytes at which a new segment file begins.
    pub segment_bytes: u64,
    /// Bytes of the largest record. Kafka's own default is 1 MiB.
    pub record_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            partitions: 1,
            segment_bytes: 32 << 20,
            record_bytes: 1 << 20,
        }
    }
}

impl Settings {
    /// Frames on the disk may have been written under larger settings.
    pub(crate) fn frame_limit(self) -> usize {
        self.record_bytes.max(64 << 20)
    }
}

/// The embedded log. A handle: clones share it, and the last one, consumers counted, closes it.
#[derive(Clone)]
pub struct Log(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    dir: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) groups: Groups,
    topics: Mutex<HashMap<String, Arc<Partitions>>>,
    pulse: Pulse,
    /// Last, so that it is given back when the writers are done.
    _lock: File,
}

impl Log {
    /// Opens or creates the log in `dir`, and cuts off what a crash left half-written.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it, [`Error::Corrupt`] when an acknowledged
    /// record is not whole, [`Error::Io`].
    pub fn open(dir: &Path, settings: Settings) -> Result<Self, Error> {
        fs::create_dir_all(dir.join("topics")).map_err(Error::io("create the log"))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join("lock"))
            .map_err(Error::io("open the log's lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Locked),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock the log")(error)),
        }
        let log = Self(Arc::new(Inner {
            dir: dir.to_owned(),
            settings,
            groups: Groups::open(dir.join("groups"))?,
            topics: Mutex::default(),
            pulse: Pulse::new(),
            _lock: lock,
        }));
        for entry in fs::read_dir(dir.join("topics")).map_err(Error::io("list topics"))? {
            let entry = entry.map_err(Error::io("list topics"))?;
            if let Some(topic) = entry.file_name().to_str().and_then(topic::named) {
                log.0.partitions(&topic)?;
            }
        }
        Ok(log)
    }

    /// Forgets a group that will not come back, so that it no longer holds up retention.
    /// Answers whether it was known and had no consumer.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Name`].
    pub fn forget_group(&self, group: &str) -> Result<bool, Error> {
        name::check(group)?;
        self.0.groups.forget(group)
    }
}

impl Inner {
    /// The partitions of a topic, made on first use.
    pub(crate) fn partitions(&self, topic: &Topic) -> Result<Arc<Partitions>, Error> {
        let name = topic.to_string();
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(partitions) = topics.get(&name) {
            return Ok(Arc::clone(partitions));
        }
        name::check(&name)?;
        let dir = self.dir.join("topics").join(&name);
        let partitions = Arc::new(Partitions::open(topic, &dir, self.settings)?);
        topics.insert(name, Arc::clone(&partitions));
        Ok(partitions)
    }

    /// Every topic that is open.
    pub(crate) fn topics(&self) -> Vec<Arc<Partitions>> {
        let topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        topics.values().cloned().collect()
    }
}

#[async_trait]
impl Bus for Log {
    async fn publish(&self, topic: &Topic, records: Vec<Record>) -> Result<(), Error> {
        let limit = self.0.settings.record_bytes;
        if let Some(size) = records.iter().map(Record::size).find(|size| *size > limit) {
            return Err(Error::TooLarge { size, limit });
        }
        if records.is_empty() {
            return Ok(());
        }
        let partitions = self.0.partitions(topic)?;
        let answers: Vec<_> = partitions
            .split(records)
            .into_iter()
            .map(|(partition, share)| (partition, partition.append(share)))
            .collect();
        for (partition, answer) in answers {
            answer.await.unwrap_or_else(|_| Err(partition.stopped()))?;
        }
        self.0.pulse.published();
        Ok(())
    }

    fn subscribe(&self, group: &str, topics: &[Topic]) -> Result<Box<dyn Consumer>, Error> {
        name::check(group)?;
        Ok(Box::new(consumer::Reader::new(
            Arc::clone(&self.0),
            group,
            topics,
        )?))
    }

    async fn lag(&self, group: &str, topics: &[Topic]) -> Result<u64, Error> {
        let mut lag = 0;
        for topic in topics {
            for partition in &self.0.partitions(topic)?.all {
                let place = (topic.to_string(), partition.number);
                let position = self.0.groups.position(group, &place).unwrap_or(0);
                lag += partition
                    .end()
                    .saturating_sub(position.max(partition.start()));
            }
        }
        Ok(lag)
    }

    async fn forget(&self, now: Timestamp, age: Duration) -> Result<usize, Error> {
        let log = self.clone();
        let limits = Retention {
            age: Some(age),
            bytes: None,
        };
        match tokio::task::spawn_blocking(move || log.retain(now, limits)).await {
            Ok(gone) => gone,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn health(&self) -> Health {
        let topics = self.0.topics();
        let all = topics.iter().flat_map(|topic| &topic.all);
        let stopped = all.into_iter().find(|partition| partition.is_stopped());
        let now = stopped.map_or(Ok(()), |partition| Err(partition.stopped()));
        self.0.pulse.health(now)
    }
}
