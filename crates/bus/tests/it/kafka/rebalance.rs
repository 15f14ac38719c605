use std::{sync::Arc, time::Duration};

use halsonav_bus::Bus as _;
use halsonav_domain::Topic;

use super::flow::{Member, Publisher, Seen};
use crate::{
    LONG,
    stand::{kafka_settings, make_topics},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_come_and_go_while_records_flow() {
    let Some(settings) = kafka_settings(6) else {
        return;
    };
    make_topics(&settings).await;
    let seen = Arc::new(Seen::default());
    let publisher = Publisher::start(&settings, Duration::from_millis(5));
    let rest = || tokio::time::sleep(Duration::from_millis(1500));
    let one = Member::start(&settings, &seen);
    rest().await;
    let two = Member::start(&settings, &seen);
    rest().await;
    let three = Member::start(&settings, &seen);
    rest().await;
    one.leave().await;
    rest().await;
    two.vanish();
    rest().await;
    let four = Member::start(&settings, &seen);
    rest().await;
    let numbers = publisher.stop().await;
    let again = seen.check(numbers, LONG).await;
    eprintln!("{numbers} numbers of each key, {again} records came again");
    three.leave().await;
    four.leave().await;
    let bus = halsonav_bus::Kafka::new(settings).unwrap();
    assert_eq!(bus.lag("g", &[Topic::Events]).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_members_share_the_partitions() {
    let Some(settings) = kafka_settings(4) else {
        return;
    };
    make_topics(&settings).await;
    let bus = halsonav_bus::Kafka::new(settings).unwrap();
    let mut one = bus.subscribe("g", &[Topic::Events]).unwrap();
    let mut two = bus.subscribe("g", &[Topic::Events]).unwrap();
    let start = std::time::Instant::now();
    let mut of = [0, 0];
    while of.contains(&0) {
        let batch = (0..40).map(|n| crate::record(&n.to_string(), n)).collect();
        bus.publish(&Topic::Events, batch).await.unwrap();
        for (consumer, count) in [&mut one, &mut two].into_iter().zip(&mut of) {
            let wait = Some(Duration::from_millis(300));
            let found = consumer.poll(1000, wait).await.unwrap();
            let mut partitions: Vec<_> = found.iter().map(|d| d.partition).collect();
            partitions.sort_unstable();
            partitions.dedup();
            *count = if partitions.len() < 4 {
                partitions.len()
            } else {
                0
            };
            consumer.commit().await.unwrap();
        }
        assert!(start.elapsed() < LONG, "{of:?}");
    }
    one.close().await.unwrap();
    two.close().await.unwrap();
}
