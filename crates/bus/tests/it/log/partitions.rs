use halsonav_bus::{Bus, Log, Record};
use halsonav_domain::{Timestamp, Topic};

use super::small;
use crate::{NOW, record, value};

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
