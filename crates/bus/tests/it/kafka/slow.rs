use std::time::Duration;

use halsonav_bus::{Bus as _, Kafka};
use halsonav_domain::Topic;

use crate::{
    publish,
    stand::{kafka_settings, make_topics},
    values,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_takes_longer_than_the_poll_limit_keeps_its_partitions() {
    let Some(mut settings) = kafka_settings(1) else {
        return;
    };
    settings.poll_s = 3;
    make_topics(&settings).await;
    let bus = Kafka::new(settings).unwrap();
    // More than may lie on the desk, so that the partition has to be paused.
    for n in 0..25 {
        publish(&bus, n * 1000..(n + 1) * 1000).await;
    }
    let mut slow = bus.subscribe("g", &[Topic::Events]).unwrap();
    assert!(values(slow.as_mut(), 100).await.into_iter().eq(0..100));
    let mut other = bus.subscribe("g", &[Topic::Events]).unwrap();
    let idle = other.poll(1, Some(Duration::from_secs(9))).await.unwrap();
    assert!(idle.is_empty(), "nobody else gets what is being worked on");
    slow.commit().await.unwrap();
    assert!(
        values(slow.as_mut(), 24_900)
            .await
            .into_iter()
            .eq(100..25_000)
    );
    slow.commit().await.unwrap();
    assert_eq!(bus.lag("g", &[Topic::Events]).await.unwrap(), 0);
    assert_eq!(bus.health().await.renewed, 0);
    slow.close().await.unwrap();
    other.close().await.unwrap();
}
