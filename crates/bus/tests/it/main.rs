//! The buses from outside: what both promise, and what each does on its own.
#![allow(clippy::unwrap_used)]

mod contract;
mod kafka;
mod log;
mod stand;

use std::time::Duration;

use halsonav_bus::{Bus, Consumer, Delivered, Record};
use halsonav_domain::{Timestamp, Topic};

const NOW: Option<Duration> = Some(Duration::ZERO);
/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(30);

fn record(key: &str, value: impl std::fmt::Display) -> Record {
    Record::new(
        Some(key.to_owned()),
        value.to_string().into_bytes(),
        Timestamp::UNIX_EPOCH,
    )
}

async fn publish(bus: &dyn Bus, values: impl IntoIterator<Item = u64>) {
    let records = values.into_iter().map(|value| record("k", value)).collect();
    bus.publish(&Topic::Events, records).await.unwrap();
}

fn value(delivered: &Delivered) -> u64 {
    std::str::from_utf8(&delivered.record.value)
        .unwrap()
        .parse()
        .unwrap()
}

/// The next `count` records, however many polls that takes.
async fn take(consumer: &mut dyn Consumer, count: usize) -> Vec<Delivered> {
    let mut all = Vec::new();
    while all.len() < count {
        let some = consumer.poll(count - all.len(), Some(LONG)).await.unwrap();
        assert!(!some.is_empty(), "{} of {count}", all.len());
        all.extend(some);
    }
    all
}

/// The same, as numbers.
async fn values(consumer: &mut dyn Consumer, count: usize) -> Vec<u64> {
    take(consumer, count).await.iter().map(value).collect()
}
