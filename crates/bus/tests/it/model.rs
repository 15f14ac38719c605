//! Any sequence of what can be done to a log, against a vector and a number per group.

use std::collections::HashMap;

use halsonav_bus::{Bus, Consumer, Log, Retention};
use halsonav_domain::{Timestamp, Topic};
use proptest::prelude::*;

use crate::{NOW, publish, small, value};

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

fn step() -> impl Strategy<Value = Step> {
    let group = 0_u8..3;
    prop_oneof![
        4 => (0_u64..9).prop_map(Step::Publish),
        4 => (group.clone(), 1_usize..9).prop_map(|(group, max)| Step::Poll(group, max)),
        2 => group.clone().prop_map(Step::Commit),
        1 => group.clone().prop_map(Step::Rewind),
        1 => group.prop_map(Step::Leave),
        1 => Just(Step::Retain),
        1 => Just(Step::Restart),
    ]
}

#[derive(Default)]
struct Group {
    consumer: Option<Box<dyn Consumer>>,
    next: u64,
    committed: Option<u64>,
}

impl Group {
    fn leave(&mut self) {
        self.consumer = None;
        self.next = self.committed.unwrap_or(0);
    }
}

async fn poll(log: &Log, group: &mut Group, name: u8, max: usize, end: u64, oldest: u64) {
    if group.consumer.is_none() {
        group.consumer = Some(log.subscribe(&name.to_string(), &[Topic::Events]).unwrap());
    }
    let found = group
        .consumer
        .as_mut()
        .unwrap()
        .poll(max, NOW)
        .await
        .unwrap();
    if group.committed.is_none() {
        // A new group begins with the oldest record kept: retention leaves what it must.
        group.next = found.first().map_or(end, value);
        assert!(group.next <= oldest, "{} {oldest}", group.next);
        group.committed = Some(group.next);
    }
    let expect: Vec<u64> = (group.next..end).take(max).collect();
    assert_eq!(found.iter().map(value).collect::<Vec<_>>(), expect);
    group.next += found.len() as u64;
}

async fn run(steps: Vec<Step>) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = Log::open(dir.path(), small(1)).unwrap();
    let mut groups: HashMap<u8, Group> = HashMap::new();
    let mut end = 0;
    let mut oldest = 0;
    for step in steps {
        match step {
            Step::Publish(count) => {
                publish(&log, end..end + count).await;
                end += count;
            }
            Step::Poll(name, max) => {
                poll(
                    &log,
                    groups.entry(name).or_default(),
                    name,
                    max,
                    end,
                    oldest,
                )
                .await;
            }
            Step::Commit(name) => {
                if let Some(Group {
                    consumer: Some(consumer),
                    next,
                    committed,
                }) = groups.get_mut(&name)
                {
                    consumer.commit().await.unwrap();
                    *committed = Some(*next);
                }
            }
            Step::Rewind(name) => {
                if let Some(Group {
                    consumer: Some(consumer),
                    next,
                    committed,
                }) = groups.get_mut(&name)
                {
                    consumer.rewind().await.unwrap();
                    *next = committed.unwrap_or(0);
                }
            }
            Step::Leave(name) => {
                if let Some(group) = groups.get_mut(&name) {
                    group.leave();
                }
            }
            Step::Retain => {
                log.retain(
                    Timestamp::UNIX_EPOCH,
                    Retention {
                        age: None,
                        bytes: Some(0),
                    },
                )
                .unwrap();
                oldest = groups
                    .values()
                    .filter_map(|group| group.committed)
                    .min()
                    .unwrap_or(end);
            }
            Step::Restart => {
                groups.values_mut().for_each(Group::leave);
                drop(log);
                log = Log::open(dir.path(), small(1)).unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn the_log_is_a_vector_and_a_number_per_group(steps in proptest::collection::vec(step(), 0..40)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(steps));
    }
}
