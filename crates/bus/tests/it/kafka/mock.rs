//! A producer against a cluster that the client library simulates, so that it can be hurt at will.
//!
//! The simulation does not look at sequence numbers, which a broker does: it would take a request
//! after it refused the one before. So requests are refused here one at a time only.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use halsonav_bus::{Bus as _, Error, Kafka, kafka::Settings};
use halsonav_domain::Topic;
use rdkafka::{
    ClientConfig, Message as _, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    mocking::MockCluster,
    producer::DefaultProducerContext,
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use crate::{record, stand::settings_for};

type Cluster = MockCluster<'static, DefaultProducerContext>;

fn cluster() -> (Cluster, Settings) {
    let cluster = MockCluster::new(3).unwrap();
    let settings = settings_for(&cluster.bootstrap_servers(), 3);
    cluster.create_topic(&name(&settings), 3, 3).unwrap();
    (cluster, settings)
}

fn name(settings: &Settings) -> String {
    format!("{}halsonav.events", settings.prefix)
}

/// The numbers under each key, in the order of their partition.
fn everything(settings: &Settings) -> HashMap<String, Vec<u64>> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers);
    config
        .set("group.id", "reader")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..3 {
        list.add_partition_offset(&name(settings), partition, Offset::Beginning)
            .unwrap();
    }
    consumer.assign(&list).unwrap();
    let (mut found, mut ends) = (HashMap::<String, Vec<u64>>::new(), 0);
    let start = Instant::now();
    while ends < 3 {
        assert!(start.elapsed() < Duration::from_secs(60), "{ends} ends");
        match consumer.poll(Duration::from_secs(1)) {
            Some(Ok(message)) => {
                let text = |bytes: Option<&[u8]>| String::from_utf8(bytes.unwrap().into()).unwrap();
                let value = text(message.payload()).parse().unwrap();
                found.entry(text(message.key())).or_default().push(value);
            }
            Some(Err(KafkaError::PartitionEOF(_))) => ends += 1,
            Some(Err(error)) => eprintln!("{error}"),
            // Also when it had something else to do.
            None => {}
        }
    }
    found
}

/// Publishes until told to stop, again and again what was not acknowledged. Answers how often.
async fn keep_publishing(bus: &Kafka, key: &str, stop: &AtomicBool) -> u64 {
    let mut n = 0;
    while !stop.load(Ordering::Relaxed) {
        let batch: Vec<_> = (n..n + 3).map(|n| record(key, n)).collect();
        while bus.publish(&Topic::Events, batch.clone()).await.is_err() {}
        n += 3;
        // The simulation gives one such batch for each request, which takes its time to read.
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    n
}

/// Every number is there, and comes for the first time after all lower ones.
fn check(key: &str, numbers: &[u64], count: u64) {
    let mut next = 0;
    for (at, n) in numbers.iter().enumerate() {
        let around = &numbers[at.saturating_sub(9)..(at + 9).min(numbers.len())];
        assert!(*n <= next, "{key}: {n} before {next}: {around:?}");
        next += u64::from(*n == next);
    }
    assert_eq!(next, count, "{key}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_go_down_and_come_back_and_every_key_is_whole_and_in_order() {
    let (cluster, mut settings) = cluster();
    settings.delivery_s = 2;
    let bus = Arc::new(Kafka::new(settings.clone()).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    for key in 0..6 {
        let (bus, stop) = (Arc::clone(&bus), Arc::clone(&stop));
        tasks.spawn(async move {
            let key = key.to_string();
            let count = keep_publishing(&bus, &key, &stop).await;
            (key, count)
        });
    }
    for round in 0..10 {
        let broker = 1 + round % 3;
        cluster.broker_down(broker).unwrap();
        // Longer than a publish may take, every third time.
        let away = if round % 3 == 2 { 3000 } else { 300 };
        tokio::time::sleep(Duration::from_millis(away)).await;
        cluster.broker_up(broker).unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    stop.store(true, Ordering::Relaxed);
    let counts = tasks.join_all().await;
    let renewed = bus.health().await.renewed;
    let found = tokio::task::spawn_blocking(move || everything(&settings))
        .await
        .unwrap();
    let all: usize = found.values().map(Vec::len).sum();
    let acknowledged: u64 = counts.iter().map(|(_, count)| count).sum();
    eprintln!("{acknowledged} acknowledged, {all} there, {renewed} producers given up");
    for (key, count) in counts {
        check(&key, &found[&key], count);
    }
    drop(cluster);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_that_cannot_go_on_is_made_anew() {
    let (cluster, settings) = cluster();
    let bus = Kafka::new(settings.clone()).unwrap();
    bus.publish(&Topic::Events, vec![record("k", 0)])
        .await
        .unwrap();
    let cases = [
        (
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            "HUB-BUS-012",
        ),
        (
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH,
            "HUB-BUS-011",
        ),
        (
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            "HUB-BUS-012",
        ),
        (
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_RECORD,
            "HUB-BUS-015",
        ),
    ];
    for (number, (error, code)) in (1..).zip(cases) {
        cluster.request_errors(RDKafkaApiKey::Produce, &[error; 5]);
        let told = bus.publish(&Topic::Events, vec![record("k", number)]).await;
        cluster.clear_request_errors(RDKafkaApiKey::Produce);
        match told {
            Ok(()) => eprintln!("{error:?} passed by itself"),
            Err(told) => {
                assert_eq!(told.code(), code, "{told}");
                bus.publish(&Topic::Events, vec![record("k", number)])
                    .await
                    .unwrap();
            }
        }
    }
    assert!(bus.health().await.renewed > 0);
    let found = tokio::task::spawn_blocking(move || everything(&settings))
        .await
        .unwrap();
    check("k", &found["k"], 5);
    let huge = vec![record("k", "1".repeat(2 << 20))];
    let refused = bus.publish(&Topic::Events, huge).await;
    assert!(matches!(refused, Err(Error::TooLarge { .. })));
}
