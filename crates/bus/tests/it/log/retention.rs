use std::{fs, path::Path, time::Duration};

use halsonav_bus::{Bus, Log, Record, Retention};
use halsonav_domain::{Timestamp, Topic};

use super::{drain, small};
use crate::value;

const NOTHING: Retention = Retention {
    age: None,
    bytes: Some(0),
};

async fn filled(dir: &Path) -> Log {
    let log = Log::open(dir, small(1)).unwrap();
    let records = (0..60)
        .map(|n: i64| Record::new(None, n.to_string().into_bytes(), at(n * 60)))
        .collect();
    log.publish(&Topic::Events, records).await.unwrap();
    log
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn segments(dir: &Path) -> usize {
    fs::read_dir(dir.join("topics/halsonav.events/0"))
        .unwrap()
        .count()
}

#[tokio::test]
async fn what_a_group_has_not_done_stays() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path()).await;
    let mut fast = log.subscribe("fast", &[Topic::Events]).unwrap();
    let mut slow = log.subscribe("slow", &[Topic::Events]).unwrap();
    drain(fast.as_mut()).await;
    fast.commit().await.unwrap();
    assert_eq!(
        log.retain(at(0), NOTHING).unwrap(),
        0,
        "slow has done nothing"
    );
    let done = slow.poll(20, None).await.unwrap().len() as u64;
    assert_eq!(
        log.retain(at(0), NOTHING).unwrap(),
        0,
        "slow has not committed"
    );
    slow.commit().await.unwrap();
    assert!(log.retain(at(0), NOTHING).unwrap() > 0);
    assert_eq!(drain(slow.as_mut()).await, (done..60).collect::<Vec<_>>());
    drop((slow, fast, log));

    let log = Log::open(dir.path(), small(1)).unwrap();
    assert_eq!(
        log.retain(at(0), NOTHING).unwrap(),
        0,
        "groups that are away are remembered"
    );
    let mut slow = log.subscribe("slow", &[Topic::Events]).unwrap();
    assert_eq!(drain(slow.as_mut()).await, (done..60).collect::<Vec<_>>());
    let mut late = log.subscribe("late", &[Topic::Events]).unwrap();
    let oldest = late.poll(1, None).await.unwrap();
    assert!(
        (1..=done).contains(&value(&oldest[0])),
        "a new group begins with what is kept"
    );
}

#[tokio::test]
async fn a_group_that_will_not_come_back_can_be_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path()).await;
    let consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    assert!(!log.forget_group("g").unwrap(), "it is reading");
    drop(consumer);
    assert_eq!(log.retain(at(0), NOTHING).unwrap(), 0);
    assert!(log.forget_group("g").unwrap());
    assert!(log.retain(at(0), NOTHING).unwrap() > 0);
    assert_eq!(segments(dir.path()), 1, "the one being written stays");
}

#[tokio::test]
async fn age_and_size_are_limits() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path()).await;
    let all = segments(dir.path());
    assert_eq!(
        log.retain(at(1 << 36), Retention::default()).unwrap(),
        0,
        "no limit, nothing goes"
    );
    let age = Retention {
        age: Some(Duration::from_secs(30 * 60)),
        bytes: None,
    };
    assert_eq!(
        log.retain(at(0), age).unwrap(),
        0,
        "records from the future are not old"
    );
    let gone = log.retain(at(60 * 60), age).unwrap();
    assert!(gone > 0 && gone < all - 1, "{gone} of {all}");
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    let kept = drain(consumer.as_mut()).await;
    assert!(
        kept.starts_with(&[kept[0], kept[0] + 1]) && kept[0] <= 30 && kept[0] > 20,
        "{kept:?}"
    );
    consumer.commit().await.unwrap();
    log.retain(
        at(0),
        Retention {
            age: None,
            bytes: Some(1200),
        },
    )
    .unwrap();
    assert_eq!(segments(dir.path()), 3);
}

#[tokio::test]
async fn a_bus_forgets_what_is_old_and_was_read() {
    let dir = tempfile::tempdir().unwrap();
    let log = filled(dir.path()).await;
    let bus: &dyn Bus = &log;
    let mut reader = bus.subscribe("reader", &[Topic::Events]).unwrap();
    let hour = Duration::from_secs(3600);
    assert_eq!(bus.forget(at(7_200), hour).await.unwrap(), 0, "not read");
    drain(reader.as_mut()).await;
    reader.commit().await.unwrap();
    assert_eq!(bus.forget(at(1_800), hour).await.unwrap(), 0, "not old");
    let before = segments(dir.path());
    // Half an hour of the hour that was written is older than an hour now.
    let gone = bus.forget(at(5_400), hour).await.unwrap();
    assert!(gone > 0 && gone < before - 1, "{gone} of {before}");
    assert_eq!(segments(dir.path()), before - gone);
}
