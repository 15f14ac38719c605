use std::collections::HashMap;

use halsonav_bus::{Bus, Error, Log, Record, Settings};
use halsonav_domain::{Timestamp, Topic};

use crate::{NOW, drain, open, publish, record, small, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_publishers_keep_the_order_of_their_keys() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(
        dir.path(),
        Settings {
            segment_bytes: 4000,
            partitions: 3,
            ..Settings::default()
        },
    )
    .unwrap();
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for key in 0..8 {
        let log = log.clone();
        tasks.spawn(async move {
            for n in 0..40 {
                let batch = (0..5)
                    .map(|i| record(&key.to_string(), n * 5 + i))
                    .collect();
                log.publish(&Topic::Events, batch).await.unwrap();
            }
        });
    }
    let mut seen: HashMap<String, Vec<u64>> = HashMap::new();
    let mut partition_of = HashMap::new();
    let mut offsets = [0; 3];
    for _ in 0..8 * 200 {
        // One at a time and while they publish: a wake-up that is missed would hang here.
        for delivered in consumer.poll(1, None).await.unwrap() {
            assert_eq!(delivered.offset, offsets[delivered.partition as usize]);
            offsets[delivered.partition as usize] += 1;
            let key = delivered.record.key.clone().unwrap();
            assert_eq!(
                *partition_of
                    .entry(key.clone())
                    .or_insert(delivered.partition),
                delivered.partition
            );
            seen.entry(key).or_default().push(value(&delivered));
        }
    }
    assert_eq!(seen.len(), 8);
    assert!(
        seen.values()
            .all(|values| values.iter().copied().eq(0..200))
    );
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert!(consumer.poll(10, NOW).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_waiting_poll_is_woken_and_a_dropped_one_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let mut consumer = log
        .subscribe("g", &[Topic::Events, Topic::Documentation])
        .unwrap();
    for n in 0..50 {
        tokio::select! {
            biased;
            _ = consumer.poll(10, None) => panic!("nothing is there"),
            () = std::future::ready(()) => {}
        }
        let (found, ()) = tokio::join!(consumer.poll(10, None), publish(&log, [n]));
        assert_eq!(found.unwrap().iter().map(value).collect::<Vec<_>>(), [n]);
    }
}

#[tokio::test]
async fn a_poll_waits_no_longer_than_told() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    let found = consumer
        .poll(10, Some(std::time::Duration::from_millis(1)))
        .await
        .unwrap();
    assert!(found.is_empty());
}

#[tokio::test]
async fn records_come_back_as_they_were_over_many_segments() {
    let dir = tempfile::tempdir().unwrap();
    let mut sent = Vec::new();
    for n in 0..40_u64 {
        let time = Timestamp::from_microsecond(i64::try_from(n).unwrap() * 1_000_001).unwrap();
        let mut one = Record::new(
            (n % 3 > 0).then(|| format!("nyckel å {n}")),
            vec![7; (n * 37) as usize],
            time,
        );
        one.headers = (0..n % 4)
            .map(|h| (format!("namn {h}"), "värde".repeat(h as usize)))
            .collect();
        sent.push(one);
    }
    {
        let log = Log::open(dir.path(), small(1)).unwrap();
        log.publish(&Topic::Events, sent.clone()).await.unwrap();
    }
    let log = Log::open(dir.path(), small(1)).unwrap();
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    let found = consumer.poll(1000, NOW).await.unwrap();
    assert_eq!(
        found
            .into_iter()
            .map(|delivered| delivered.record)
            .collect::<Vec<_>>(),
        sent
    );
}

#[tokio::test]
async fn a_topic_keeps_its_partitions() {
    let dir = tempfile::tempdir().unwrap();
    let of = |log: Log| async move {
        let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
        let records = (0..20).map(|key| record(&key.to_string(), key)).collect();
        log.publish(&Topic::Events, records).await.unwrap();
        let found = consumer.poll(100, NOW).await.unwrap();
        consumer.commit().await.unwrap();
        let mut places: Vec<_> = found.iter().map(|d| (value(d), d.partition)).collect();
        places.sort_unstable();
        places
    };
    let first = of(Log::open(dir.path(), small(4)).unwrap()).await;
    assert!(first.iter().any(|(_, partition)| *partition != first[0].1));
    assert_eq!(of(Log::open(dir.path(), small(9)).unwrap()).await, first);
}

#[tokio::test]
async fn what_cannot_be_carried_is_refused_whole() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let batch = vec![
        record("k", 1),
        Record::new(None, vec![0; 2 << 20], Timestamp::UNIX_EPOCH),
    ];
    let refused = log.publish(&Topic::Events, batch).await;
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
    let outside = Topic::Commands("../../etc".to_owned());
    assert!(matches!(
        log.publish(&outside, vec![record("k", 1)]).await,
        Err(Error::Name)
    ));
    assert!(matches!(
        log.subscribe("a/b", &[Topic::Events]),
        Err(Error::Name)
    ));
    let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
    assert!(drain(consumer.as_mut()).await.is_empty());
}
