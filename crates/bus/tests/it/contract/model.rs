//! Any sequence of what can be done to a bus, against a vector and a number per group.

use std::collections::HashMap;

use halsonav_bus::{Bus, Consumer, Log, Retention};
use halsonav_domain::{Timestamp, Topic};
use proptest::prelude::*;

use crate::{
    LONG, NOW, publish,
    stand::{Stand, kafka_settings},
    value,
};

#[derive(Clone, Debug)]
enum Step {
    Publish(u64),
    Poll(u8, usize),
    Commit(u8),
    Rewind(u8),
    Leave(u8),
    Retain,
    Restart,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let group = 0_u8..3;
    let step = prop_oneof![
        4 => (0_u64..9).prop_map(Step::Publish),
        4 => (group.clone(), 1_usize..9).prop_map(|(group, max)| Step::Poll(group, max)),
        2 => group.clone().prop_map(Step::Commit),
        1 => group.clone().prop_map(Step::Rewind),
        1 => group.prop_map(Step::Leave),
        1 => Just(Step::Retain),
        1 => Just(Step::Restart),
    ];
    proptest::collection::vec(step, 0..40)
}

#[derive(Default)]
struct Group {
    consumer: Option<Box<dyn Consumer>>,
    next: u64,
    committed: Option<u64>,
}

impl Group {
    async fn leave(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            consumer.close().await.unwrap();
        }
        self.next = self.committed.unwrap_or(0);
    }

    async fn poll(&mut self, bus: &dyn Bus, name: u8, max: usize, end: u64, oldest: u64) {
        let consumer = self
            .consumer
            .get_or_insert_with(|| bus.subscribe(&name.to_string(), &[Topic::Events]).unwrap());
        let wait = if self.next.max(oldest) < end {
            Some(LONG)
        } else {
            NOW
        };
        let found = consumer.poll(max, wait).await.unwrap();
        if self.committed.is_none() {
            // A new group begins with the oldest record kept: retention leaves what it must.
            self.next = found.first().map_or(end, value);
            assert!(self.next <= oldest, "{} {oldest}", self.next);
            self.committed = Some(self.next);
        }
        let expect = self.next..end;
        let found: Vec<u64> = found.iter().map(value).collect();
        assert!(
            found.iter().copied().eq(expect.clone().take(found.len())),
            "{found:?}"
        );
        assert!(found.len() <= max && found.is_empty() == expect.is_empty());
        self.next += found.len() as u64;
    }
}

/// A bus, known as a log if it is one.
struct Open {
    bus: Box<dyn Bus>,
    log: Option<Log>,
}

impl Open {
    fn new(stand: &Stand) -> Self {
        match stand {
            Stand::Log { dir, settings } => {
                let log = Log::open(dir.path(), *settings).unwrap();
                Self {
                    bus: Box::new(log.clone()),
                    log: Some(log),
                }
            }
            Stand::Kafka(_) => Self {
                bus: stand.open(),
                log: None,
            },
        }
    }
}

async fn run(stand: Stand, steps: Vec<Step>) {
    let mut open = Open::new(&stand);
    let mut groups: HashMap<u8, Group> = HashMap::new();
    let (mut end, mut oldest) = (0, 0);
    for step in steps {
        match step {
            Step::Publish(count) => {
                publish(open.bus.as_ref(), end..end + count).await;
                end += count;
            }
            Step::Poll(name, max) => {
                let group = groups.entry(name).or_default();
                group.poll(open.bus.as_ref(), name, max, end, oldest).await;
            }
            Step::Commit(name) => {
                let group = groups.entry(name).or_default();
                if let Some(consumer) = &mut group.consumer {
                    consumer.commit().await.unwrap();
                    group.committed = Some(group.next);
                }
            }
            Step::Rewind(name) => {
                let group = groups.entry(name).or_default();
                if let Some(consumer) = &mut group.consumer {
                    consumer.rewind().await.unwrap();
                    group.next = group.committed.unwrap();
                }
            }
            Step::Leave(name) => groups.entry(name).or_default().leave().await,
            Step::Retain => {
                let Some(log) = &open.log else { continue };
                let nothing = Retention {
                    age: None,
                    bytes: Some(0),
                };
                log.retain(Timestamp::UNIX_EPOCH, nothing).unwrap();
                let committed = groups.values().filter_map(|group| group.committed);
                oldest = committed.min().unwrap_or(end);
            }
            Step::Restart => {
                for group in groups.values_mut() {
                    group.leave().await;
                }
                drop(open);
                open = Open::new(&stand);
            }
        }
    }
    for group in groups.values_mut() {
        group.leave().await;
    }
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 60_000, ..ProptestConfig::with_cases(64) })]
    #[test]
    fn the_log_is_a_vector_and_a_number_per_group(steps in steps()) {
        block_on(run(Stand::small_log(), steps));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_time: 60_000, ..ProptestConfig::with_cases(12) })]
    #[test]
    fn kafka_is_a_vector_and_a_number_per_group(steps in steps()) {
        if kafka_settings(1).is_some() {
            block_on(async { run(Stand::kafka(1).await.unwrap(), steps).await });
        }
    }
}
