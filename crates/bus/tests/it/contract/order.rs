use std::{collections::HashMap, sync::Arc, time::Duration};

use halsonav_bus::{Bus, Error, Record};
use halsonav_domain::{Timestamp, Topic};

use crate::{publish, record, stand::Stand, take, value};

crate::both! {
    #[partitions(3)]
    concurrent_publishers_keep_the_order_of_their_keys;
    a_waiting_poll_is_woken_and_a_dropped_one_loses_nothing;
    a_poll_waits_no_longer_than_told;
    records_come_back_as_they_were;
    what_cannot_be_carried_is_refused_whole;
    more_than_the_desk_holds_comes_in_order;
    more_than_any_queue_holds_is_published_in_order;
}

async fn concurrent_publishers_keep_the_order_of_their_keys(stand: Stand) {
    let bus: Arc<dyn Bus> = Arc::from(stand.open());
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for key in 0..8 {
        let bus = Arc::clone(&bus);
        tasks.spawn(async move {
            for n in 0..40 {
                let batch = (0..5)
                    .map(|i| record(&key.to_string(), n * 5 + i))
                    .collect();
                bus.publish(&Topic::Events, batch).await.unwrap();
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
            let partition = *partition_of
                .entry(key.clone())
                .or_insert(delivered.partition);
            assert_eq!(partition, delivered.partition);
            seen.entry(key).or_default().push(value(&delivered));
        }
    }
    assert_eq!(seen.len(), 8);
    let whole = |values: &Vec<u64>| values.iter().copied().eq(0..200);
    assert!(seen.values().all(whole));
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    stand.nothing(consumer.as_mut()).await;
}

async fn a_waiting_poll_is_woken_and_a_dropped_one_loses_nothing(stand: Stand) {
    let bus = stand.open();
    let both = [Topic::Events, Topic::Documentation];
    let mut consumer = bus.subscribe("g", &both).unwrap();
    for n in 0..50 {
        tokio::select! {
            biased;
            _ = consumer.poll(10, None) => panic!("nothing is there"),
            () = std::future::ready(()) => {}
        }
        let (found, ()) = tokio::join!(consumer.poll(10, None), publish(bus.as_ref(), [n]));
        assert_eq!(found.unwrap().iter().map(value).collect::<Vec<_>>(), [n]);
    }
}

async fn a_poll_waits_no_longer_than_told(stand: Stand) {
    let bus = stand.open();
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let wait = Some(Duration::from_millis(1));
    assert!(consumer.poll(10, wait).await.unwrap().is_empty());
}

async fn records_come_back_as_they_were(stand: Stand) {
    let mut sent = Vec::new();
    for n in 0..40_u64 {
        let time = Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
        let key = (n % 3 > 0).then(|| format!("nyckel å {n}"));
        let mut one = Record::new(key, vec![7; (n * 37) as usize], time);
        one.headers = (0..n % 4)
            .map(|h| (format!("namn {h}"), "värde".repeat(h as usize)))
            .collect();
        sent.push(one);
    }
    stand
        .open()
        .publish(&Topic::Events, sent.clone())
        .await
        .unwrap();
    let bus = stand.open();
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let found = take(consumer.as_mut(), 40)
        .await
        .into_iter()
        .map(|delivered| delivered.record);
    for (found, sent) in found.zip(sent) {
        assert_eq!((found.key, found.value), (sent.key, sent.value));
        assert_eq!(found.headers, sent.headers);
    }
}

async fn what_cannot_be_carried_is_refused_whole(stand: Stand) {
    let bus = stand.open();
    let batch = vec![
        record("k", 1),
        Record::new(None, vec![0; 2 << 20], Timestamp::UNIX_EPOCH),
    ];
    let refused = bus.publish(&Topic::Events, batch).await;
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
    let largest = Record::new(None, vec![b'1'; 1 << 20], Timestamp::UNIX_EPOCH);
    bus.publish(&Topic::Events, vec![largest]).await.unwrap();
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let found = take(consumer.as_mut(), 1).await;
    assert_eq!(found[0].record.value.len(), 1 << 20);
    stand.nothing(consumer.as_mut()).await;
}

async fn more_than_the_desk_holds_comes_in_order(stand: Stand) {
    let bus = stand.open();
    for n in 0..30 {
        publish(bus.as_ref(), n * 1000..(n + 1) * 1000).await;
    }
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let mut next = 0;
    while next < 30_000 {
        // Slow at first, so that what comes has to be held back.
        if next < 3_000 {
            tokio::time::sleep(Duration::from_millis(800)).await;
        }
        for delivered in take(consumer.as_mut(), 1000).await {
            assert_eq!(value(&delivered), next);
            next += 1;
        }
        consumer.commit().await.unwrap();
    }
    assert_eq!(consumer.lag().await.unwrap(), 0);
}

async fn more_than_any_queue_holds_is_published_in_order(stand: Stand) {
    let bus = stand.open();
    publish(bus.as_ref(), 0..150_000).await;
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let found = take(consumer.as_mut(), 150_000).await;
    assert!(found.iter().map(value).eq(0..150_000));
}
