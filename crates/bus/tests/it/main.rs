//! The embedded log from outside.
#![allow(clippy::unwrap_used)]

mod crash;
mod damage;
mod groups;
mod model;
mod order;
mod retention;

use std::{path::Path, time::Duration};

use halsonav_bus::{Bus, Consumer, Delivered, Log, Record, Settings};
use halsonav_domain::{Timestamp, Topic};

const NOW: Option<Duration> = Some(Duration::ZERO);

fn open(dir: &Path) -> Log {
    Log::open(dir, Settings::default()).unwrap()
}

/// Segments of a few records each.
fn small(partitions: u32) -> Settings {
    Settings {
        partitions,
        segment_bytes: 400,
        ..Settings::default()
    }
}

fn record(key: &str, value: impl std::fmt::Display) -> Record {
    Record::new(
        Some(key.to_owned()),
        value.to_string().into_bytes(),
        Timestamp::UNIX_EPOCH,
    )
}

async fn publish(log: &Log, values: impl IntoIterator<Item = u64>) {
    let records = values.into_iter().map(|value| record("k", value)).collect();
    log.publish(&Topic::Events, records).await.unwrap();
}

fn value(delivered: &Delivered) -> u64 {
    std::str::from_utf8(&delivered.record.value)
        .unwrap()
        .parse()
        .unwrap()
}

/// All that is there now.
async fn drain(consumer: &mut dyn Consumer) -> Vec<u64> {
    let mut all = Vec::new();
    loop {
        let some = consumer.poll(7, NOW).await.unwrap();
        if some.is_empty() {
            return all;
        }
        all.extend(some.iter().map(value));
    }
}

/// The only segment file of `halsonav.events`, or the last.
fn last_segment(dir: &Path) -> std::path::PathBuf {
    let dir = dir.join("topics/halsonav.events/0");
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.pop().unwrap()
}
