use std::time::{Duration, Instant};

use halsonav_bus::{Bus as _, Error, Kafka, kafka::topics};
use halsonav_domain::{Kind, Topic};

use crate::{
    publish, record,
    stand::{kafka_settings, make_topics, settings_for},
    values,
};

#[tokio::test]
async fn brokers_that_are_not_there_are_told_in_time() {
    let mut settings = settings_for("127.0.0.1:1", 1);
    (settings.delivery_s, settings.request_s) = (3, 2);
    let start = Instant::now();
    let bus = Kafka::new(settings.clone()).unwrap();
    let sent = bus.publish(&Topic::Events, vec![record("k", 1)]).await;
    let lag = bus.lag("g", &[Topic::Events]).await.map(drop);
    let planned = topics::plan(&settings, &[Topic::Events]).await.map(drop);
    for told in [sent, bus.health().await.now, lag, planned] {
        let error = told.expect_err("nobody is there");
        assert_eq!(
            (error.code(), error.kind()),
            ("HUB-BUS-011", Kind::Unavailable),
            "{error}"
        );
        assert!(error.to_string().contains("Connection refused"), "{error}");
    }
    assert!(
        start.elapsed() < Duration::from_secs(15),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_topic_that_is_not_there_is_told_and_harms_nobody_else() {
    let Some(settings) = kafka_settings(1) else {
        return;
    };
    make_topics(&settings).await;
    let bus = Kafka::new(settings).unwrap();
    let missing = Topic::Commands("nobody".to_owned());
    publish(&bus, [0]).await;
    let sent = bus.publish(&missing, vec![record("k", 1)]).await;
    let error = sent.expect_err("it is not there");
    assert_eq!(error.code(), "HUB-BUS-013", "{error}");
    publish(&bus, [1]).await;
    assert!(bus.lag("g", &[missing]).await.is_err());
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    assert_eq!(values(consumer.as_mut(), 2).await, [0, 1]);
    consumer.close().await.unwrap();
}

#[tokio::test]
async fn records_that_were_deleted_before_they_were_read_are_told_and_not_skipped() {
    let Some(mut settings) = kafka_settings(1) else {
        return;
    };
    settings.stuck_s = 4;
    make_topics(&settings).await;
    let bus = Kafka::new(settings.clone()).unwrap();
    publish(&bus, 0..50).await;
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    assert_eq!(values(consumer.as_mut(), 10).await.len(), 10);
    consumer.commit().await.unwrap();
    consumer.close().await.unwrap();
    delete_before(
        &settings.brokers,
        &format!("{}halsonav.events", settings.prefix),
        30,
    )
    .await;
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let error = consumer
        .poll(10, Some(crate::LONG))
        .await
        .expect_err("gone");
    let Error::Gone { wanted, oldest, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((*wanted, *oldest), (10, 30));
    let again = consumer.poll(10, Some(crate::LONG)).await;
    assert!(
        matches!(again, Err(Error::Gone { .. })),
        "it does not go away: {again:?}"
    );
    consumer.close().await.unwrap();
    let mut fresh = bus.subscribe("fresh", &[Topic::Events]).unwrap();
    assert!(values(fresh.as_mut(), 20).await.into_iter().eq(30..50));
    fresh.close().await.unwrap();
}

/// As retention does.
async fn delete_before(brokers: &str, topic: &str, offset: i64) {
    use rdkafka::{
        ClientConfig, Offset, TopicPartitionList,
        admin::{AdminClient, AdminOptions},
        client::DefaultClientContext,
    };
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers);
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset))
        .unwrap();
    admin
        .delete_records(&list, &AdminOptions::new())
        .await
        .unwrap();
}
