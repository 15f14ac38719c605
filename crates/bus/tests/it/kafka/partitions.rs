use std::collections::HashMap;

use halsonav_bus::{Bus as _, Kafka, Record};
use halsonav_domain::{Timestamp, Topic};

use crate::{
    stand::{kafka_settings, make_topics},
    take,
};

/// Keys and what Java's client makes of them: `Utils.murmur2` of Kafka's own tests.
const VECTORS: [(&str, i32); 6] = [
    ("21", -973_932_308),
    ("foobar", -790_332_482),
    ("a-little-bit-long-string", -985_981_536),
    ("a-little-bit-longer-string", -1_486_304_829),
    (
        "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8",
        -58_897_971,
    ),
    ("abc", 479_470_107),
];

#[tokio::test]
async fn a_key_goes_where_a_java_client_sends_it() {
    let Some(settings) = kafka_settings(7) else {
        return;
    };
    make_topics(&settings).await;
    let bus = Kafka::new(settings).unwrap();
    let keys = VECTORS.iter().map(|(key, _)| Some((*key).to_owned()));
    let records = keys.map(|key| Record::new(key, "1", Timestamp::UNIX_EPOCH));
    bus.publish(&Topic::Events, records.collect())
        .await
        .unwrap();
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    let found = take(consumer.as_mut(), VECTORS.len()).await;
    let found: HashMap<_, _> = found
        .into_iter()
        .map(|delivered| (delivered.record.key.unwrap(), delivered.partition))
        .collect();
    for (key, hash) in VECTORS {
        let expect = u32::try_from((hash & 0x7fff_ffff) % 7).unwrap();
        assert_eq!(found[key], expect, "{key}");
    }
    consumer.close().await.unwrap();
}
