//! Records that flow while something happens, and proof that none is lost and every key keeps its
//! order.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use halsonav_bus::{Bus, Consumer, Kafka, kafka::Settings};
use halsonav_domain::Topic;
use tokio::task::JoinHandle;

use crate::{record, value};

/// Keys that records have.
pub const KEYS: u64 = 20;

/// What members of the group took, in the order in which they took it.
#[derive(Default)]
pub struct Seen {
    taken: Mutex<Vec<(String, u64)>>,
    count: AtomicU64,
}

/// Publishes numbers in turn under every key, until told to stop.
pub struct Publisher {
    stop: Arc<AtomicBool>,
    task: JoinHandle<u64>,
    /// The longest time that one publish took, failures and new tries included.
    pub longest: Arc<Mutex<Duration>>,
}

impl Publisher {
    pub fn start(settings: &Settings, pause: Duration) -> Self {
        let bus = Kafka::new(settings.clone()).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let longest = Arc::new(Mutex::new(Duration::ZERO));
        let (ending, most) = (Arc::clone(&stop), Arc::clone(&longest));
        let task = tokio::spawn(async move {
            let mut n = 0;
            while !ending.load(Ordering::Relaxed) {
                let batch: Vec<_> = (0..KEYS).map(|key| record(&key.to_string(), n)).collect();
                let start = Instant::now();
                // As everybody must: again, until it is acknowledged.
                while let Err(error) = bus.publish(&Topic::Events, batch.clone()).await {
                    eprintln!("again after {:?}: {error}", start.elapsed());
                }
                longer(&most, start.elapsed());
                n += 1;
                tokio::time::sleep(pause).await;
            }
            n
        });
        Self {
            stop,
            task,
            longest,
        }
    }

    /// Numbers that were acknowledged under each key.
    pub async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

fn longer(most: &Mutex<Duration>, took: Duration) {
    let mut most = most.lock().unwrap();
    *most = (*most).max(took);
}

/// Takes part in the group, and commits after every batch.
pub struct Member {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Box<dyn Consumer>>,
}

impl Member {
    pub fn start(settings: &Settings, seen: &Arc<Seen>) -> Self {
        let bus = Kafka::new(settings.clone()).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let (ending, seen) = (Arc::clone(&stop), Arc::clone(seen));
        let task = tokio::spawn(async move {
            let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
            let wait = Some(Duration::from_millis(200));
            while !ending.load(Ordering::Relaxed) {
                let found = consumer.poll(500, wait).await.unwrap();
                seen.note(
                    found
                        .iter()
                        .map(|d| (d.record.key.clone().unwrap(), value(d))),
                );
                if let Err(error) = consumer.commit().await {
                    eprintln!("not committed: {error}");
                }
            }
            consumer
        });
        Self { stop, task }
    }

    pub async fn leave(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap().close().await.unwrap();
    }

    /// As a task that is cancelled: its consumer is dropped with what it has in hand.
    pub fn vanish(self) {
        self.task.abort();
    }
}

impl Seen {
    fn note(&self, records: impl Iterator<Item = (String, u64)>) {
        let mut taken = self.taken.lock().unwrap();
        taken.extend(records);
        self.count.store(taken.len() as u64, Ordering::Relaxed);
    }

    /// Records taken, those that came twice included.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Waits until `numbers` numbers were taken of every key, and checks what was seen. Answers how
    /// many records came again.
    pub async fn check(&self, numbers: u64, within: Duration) -> u64 {
        let start = Instant::now();
        loop {
            let first = self.first();
            let all = first.values().map(|seen| seen.len() as u64).sum::<u64>();
            if all == numbers * KEYS {
                for (key, seen) in first {
                    assert!(seen.iter().copied().eq(0..numbers), "key {key}: {seen:?}");
                }
                return self.count() - all;
            }
            assert!(start.elapsed() < within, "{all} of {}", numbers * KEYS);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The numbers of each key in the order in which they were seen first.
    fn first(&self) -> BTreeMap<String, Vec<u64>> {
        let mut first: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for (key, n) in self.taken.lock().unwrap().iter() {
            let seen = first.entry(key.clone()).or_default();
            // What came again is passed over; what comes too early stands out.
            if seen.last().is_none_or(|last| n > last) {
                seen.push(*n);
            }
        }
        first
    }
}
