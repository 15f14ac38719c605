use halsonav_bus::Error;
use halsonav_domain::Topic;

use crate::{publish, stand::Stand, take, value, values};

crate::both! {
    what_is_not_committed_comes_again;
    groups_know_nothing_of_one_another;
    a_rewind_brings_back_what_was_taken_from_every_partition;
    names_are_held_to_an_alphabet;
    who_leaves_makes_room;
}

async fn what_is_not_committed_comes_again(stand: Stand) {
    {
        let bus = stand.open();
        publish(bus.as_ref(), 0..10).await;
        let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
        assert_eq!(values(consumer.as_mut(), 4).await, [0, 1, 2, 3]);
        consumer.commit().await.unwrap();
        assert_eq!(values(consumer.as_mut(), 4).await, [4, 5, 6, 7]);
        assert_eq!(consumer.lag().await.unwrap(), 6);
        consumer.rewind().await.unwrap();
        assert_eq!(values(consumer.as_mut(), 2).await, [4, 5]);
        consumer.close().await.unwrap();
    }
    let bus = stand.open();
    assert_eq!(bus.lag("g", &[Topic::Events]).await.unwrap(), 6);
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    assert_eq!(values(consumer.as_mut(), 6).await, [4, 5, 6, 7, 8, 9]);
    stand.nothing(consumer.as_mut()).await;
    consumer.commit().await.unwrap();
    assert_eq!(bus.lag("g", &[Topic::Events]).await.unwrap(), 0);
    let health = bus.health().await;
    health.now.unwrap();
    assert!(health.consumed.is_some() && health.published.is_none());
}

async fn groups_know_nothing_of_one_another(stand: Stand) {
    let bus = stand.open();
    publish(bus.as_ref(), 0..5).await;
    let mut one = bus.subscribe("one", &[Topic::Events]).unwrap();
    assert_eq!(values(one.as_mut(), 5).await, [0, 1, 2, 3, 4]);
    one.commit().await.unwrap();
    let mut two = bus.subscribe("two", &[Topic::Events]).unwrap();
    assert_eq!(values(two.as_mut(), 5).await, [0, 1, 2, 3, 4]);
    assert_eq!(bus.lag("one", &[Topic::Events]).await.unwrap(), 0);
    assert_eq!(bus.lag("two", &[Topic::Events]).await.unwrap(), 5);
    assert_eq!(bus.lag("nobody", &[Topic::Events]).await.unwrap(), 5);
}

async fn a_rewind_brings_back_what_was_taken_from_every_partition(stand: Stand) {
    let bus = stand.open();
    publish(bus.as_ref(), 0..30).await;
    let documented = (0..30).map(|n| crate::record("k", n)).collect();
    bus.publish(&Topic::Documentation, documented)
        .await
        .unwrap();
    let both = [Topic::Events, Topic::Documentation];
    let mut consumer = bus.subscribe("g", &both).unwrap();
    for round in 0..5 {
        for _ in 0..3 {
            let mut seen: Vec<_> = take(consumer.as_mut(), 8).await;
            seen.sort_by_key(|d| (d.topic.clone(), d.offset));
            for topic in &both {
                let of: Vec<_> = seen
                    .iter()
                    .filter(|d| d.topic == *topic)
                    .map(value)
                    .collect();
                let first = of.first().copied().unwrap_or(0);
                assert!(
                    of.iter().copied().eq(first..first + of.len() as u64),
                    "{of:?}"
                );
            }
            consumer.rewind().await.unwrap();
        }
        take(consumer.as_mut(), 8).await;
        consumer.commit().await.unwrap();
        assert_eq!(consumer.lag().await.unwrap(), 60 - 8 * (round + 1));
    }
}

async fn names_are_held_to_an_alphabet(stand: Stand) {
    let bus = stand.open();
    let outside = Topic::Commands("../../etc".to_owned());
    let sent = bus.publish(&outside, vec![crate::record("k", 1)]).await;
    assert!(matches!(sent, Err(Error::Name)));
    let joined = bus.subscribe("a/b", &[Topic::Events]).map(drop);
    assert!(matches!(joined, Err(Error::Name)));
}

async fn who_leaves_makes_room(stand: Stand) {
    let bus = stand.open();
    publish(bus.as_ref(), 0..20).await;
    for n in 0..4 {
        let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
        let first = n * 5;
        let expect: Vec<u64> = (first..first + 5).collect();
        assert_eq!(values(consumer.as_mut(), 5).await, expect);
        consumer.commit().await.unwrap();
        consumer.poll(3, crate::NOW).await.unwrap();
        consumer.close().await.unwrap();
    }
}
