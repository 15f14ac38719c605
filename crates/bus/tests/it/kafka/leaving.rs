use std::{
    thread,
    time::{Duration, Instant},
};

use halsonav_bus::{Bus as _, Kafka};
use halsonav_domain::Topic;

use crate::{
    publish,
    stand::{kafka_settings, make_topics},
    values,
};

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, |tasks| {
        tasks
            .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
            .filter(|name| name.starts_with("bus-kafka") || name.starts_with("rdk:"))
            .count()
    })
}

#[test]
fn fifty_consumers_are_dropped_at_any_moment_and_nothing_hangs() {
    let Some(settings) = kafka_settings(3) else {
        return;
    };
    let runtime = || tokio::runtime::Runtime::new().unwrap();
    let start = Instant::now();
    let made = runtime();
    made.block_on(async {
        make_topics(&settings).await;
        let bus = Kafka::new(settings.clone()).unwrap();
        publish(&bus, 0..500).await;
        for n in 0..50 {
            let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
            match n % 5 {
                // Before it has joined, while it joins, with records in hand, in a commit.
                0 => {}
                1 => tokio::time::sleep(Duration::from_millis(n * 7)).await,
                2 => drop(consumer.poll(10, Some(Duration::from_millis(300))).await),
                3 => {
                    let _ = consumer.poll(10, Some(Duration::from_millis(300))).await;
                    let cut = tokio::time::timeout(Duration::from_micros(300), consumer.commit());
                    let _ = cut.await;
                }
                _ => {
                    let _ = consumer.poll(1, None).await;
                    let cut = tokio::time::timeout(Duration::from_micros(300), consumer.rewind());
                    let _ = cut.await;
                }
            }
            let before = Instant::now();
            drop(consumer);
            assert!(
                before.elapsed() < Duration::from_millis(50),
                "dropping waits"
            );
        }
        drop(bus);
    });
    drop(made);
    eprintln!("50 consumers in {:?}", start.elapsed());
    // Other tests have clients too: it is enough that no more than theirs are left in the end.
    let alone = std::env::args().any(|arg| arg.contains("fifty_consumers"));
    while alone && threads() > 0 {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "{} threads",
            threads()
        );
        thread::sleep(Duration::from_millis(100));
    }
    runtime().block_on(async {
        let bus = Kafka::new(settings).unwrap();
        let mut consumer = bus.subscribe("other", &[Topic::Events]).unwrap();
        let found = values(consumer.as_mut(), 500).await;
        assert!(found.into_iter().eq(0..500));
        consumer.close().await.unwrap();
    });
}

#[tokio::test]
async fn a_consumer_that_cannot_leave_holds_nobody_up() {
    let Some(mut settings) = kafka_settings(1) else {
        return;
    };
    settings.brokers = "127.0.0.1:1".to_owned();
    let bus = Kafka::new(settings).unwrap();
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let found = consumer.poll(1, Some(Duration::from_millis(500))).await;
    assert!(found.unwrap().is_empty(), "an outage passes by itself");
    let start = Instant::now();
    let _ = consumer.close().await;
    assert!(start.elapsed() < Duration::from_secs(20));
}
