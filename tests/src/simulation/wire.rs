//! A bus in memory that behaves as badly as a real one may: records come twice, late, in small
//! lots and in another order between keys; a publisher is told of a failure though all is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use halsonav_bus::{Bus, Consumer, Delivered, Error, Health, Record};
use halsonav_domain::Topic;

use super::chance::Chance;

/// The wire. What is published stays when a hub dies.
#[derive(Clone)]
pub struct Wire {
    shared: Arc<Shared>,
}

struct Shared {
    chance: Arc<Chance>,
    calm: Arc<AtomicBool>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    topics: BTreeMap<String, Vec<Record>>,
    /// By group and topic: offsets that are done. Not a number, since order is not kept between keys.
    done: BTreeMap<(String, String), BTreeSet<usize>>,
}

impl Wire {
    /// An empty wire; nothing bad happens while `calm`.
    #[must_use]
    pub fn new(chance: Arc<Chance>, calm: Arc<AtomicBool>) -> Self {
        Self {
            shared: Arc::new(Shared {
                chance,
                calm,
                state: Mutex::default(),
            }),
        }
    }

    /// Everything ever published on a topic.
    #[must_use]
    pub fn all(&self, topic: &Topic) -> Vec<Record> {
        let state = self.shared.lock();
        state
            .topics
            .get(&topic.to_string())
            .cloned()
            .unwrap_or_default()
    }

    /// Puts a record of one's own there, whatever it holds.
    pub fn put(&self, topic: &Topic, record: Record) {
        let mut state = self.shared.lock();
        state
            .topics
            .entry(topic.to_string())
            .or_default()
            .push(record);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn goes_wrong(&self, per_mille: usize) -> bool {
        !self.calm.load(Ordering::SeqCst) && self.chance.happens(per_mille)
    }

    fn refused(doing: &'static str) -> Error {
        Error::Io {
            doing,
            source: Arc::new(std::io::Error::from(std::io::ErrorKind::TimedOut)),
        }
    }
}

#[async_trait]
impl Bus for Wire {
    async fn publish(&self, topic: &Topic, records: Vec<Record>) -> Result<(), Error> {
        if self.shared.goes_wrong(8) {
            return Err(Shared::refused("publish"));
        }
        {
            let mut state = self.shared.lock();
            let log = state.topics.entry(topic.to_string()).or_default();
            log.extend(records);
        }
        // It is there, and the publisher does not learn of it.
        if self.shared.goes_wrong(8) {
            return Err(Shared::refused("publish"));
        }
        Ok(())
    }

    fn subscribe(&self, group: &str, topics: &[Topic]) -> Result<Box<dyn Consumer>, Error> {
        Ok(Box::new(Reader {
            shared: self.shared.clone(),
            group: group.to_owned(),
            topics: topics.to_vec(),
            polled: BTreeSet::new(),
        }))
    }

    async fn lag(&self, group: &str, topics: &[Topic]) -> Result<u64, Error> {
        let state = self.shared.lock();
        let left = topics.iter().map(|topic| {
            let name = topic.to_string();
            let all = state.topics.get(&name).map_or(0, Vec::len);
            let done = state.done.get(&(group.to_owned(), name));
            (all - done.map_or(0, BTreeSet::len)) as u64
        });
        Ok(left.sum())
    }

    async fn health(&self) -> Health {
        Health {
            now: Ok(()),
            published: None,
            consumed: None,
            renewed: 0,
        }
    }
}

struct Reader {
    shared: Arc<Shared>,
    group: String,
    topics: Vec<Topic>,
    /// Topic and offset of what was polled and not committed.
    polled: BTreeSet<(String, usize)>,
}

impl Reader {
    /// The first record of each key that is neither done nor polled, and, now and then, what was.
    fn next(&self, max: usize) -> Vec<Delivered> {
        let state = self.shared.lock();
        let mut found = Vec::new();
        for topic in &self.topics {
            let name = topic.to_string();
            let Some(log) = state.topics.get(&name) else {
                continue;
            };
            let done = state.done.get(&(self.group.clone(), name.clone()));
            let mut late = BTreeSet::new();
            for (offset, record) in log.iter().enumerate() {
                if found.len() >= max {
                    break;
                }
                let is_done = done.is_some_and(|done| done.contains(&offset))
                    || self.polled.contains(&(name.clone(), offset));
                let again = is_done && log.len() - offset < 40 && self.shared.goes_wrong(6);
                // A key that is late stays behind with all that follows: order within a key holds.
                let key = record.key.clone().unwrap_or_default();
                if !is_done && (late.contains(&key) || self.shared.goes_wrong(60)) {
                    late.insert(key);
                    continue;
                }
                if !is_done || again {
                    found.push(Delivered {
                        topic: topic.clone(),
                        partition: 0,
                        offset: offset as u64,
                        record: record.clone(),
                    });
                }
            }
        }
        found
    }
}

#[async_trait]
impl Consumer for Reader {
    async fn poll(&mut self, max: usize, _: Option<Duration>) -> Result<Vec<Delivered>, Error> {
        if self.shared.goes_wrong(15) {
            return Err(Shared::refused("poll"));
        }
        let max = match self.shared.goes_wrong(200) {
            true => 1 + self.shared.chance.below(4),
            false => max,
        };
        let found = self.next(max);
        for record in &found {
            let offset = usize::try_from(record.offset).unwrap_or(usize::MAX);
            self.polled.insert((record.topic.to_string(), offset));
        }
        Ok(found)
    }

    async fn commit(&mut self) -> Result<(), Error> {
        if self.shared.goes_wrong(15) {
            return Err(Shared::refused("commit"));
        }
        let mut state = self.shared.lock();
        for (topic, offset) in std::mem::take(&mut self.polled) {
            let key = (self.group.clone(), topic);
            state.done.entry(key).or_default().insert(offset);
        }
        Ok(())
    }

    async fn rewind(&mut self) -> Result<(), Error> {
        self.polled.clear();
        Ok(())
    }

    async fn lag(&mut self) -> Result<u64, Error> {
        let topics = self.topics.clone();
        let group = self.group.clone();
        Wire {
            shared: self.shared.clone(),
        }
        .lag(&group, &topics)
        .await
    }

    async fn close(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
