//! The embedded log's files.

mod crash;
mod damage;
mod locks;
mod partitions;
mod retention;

use std::path::{Path, PathBuf};

use halsonav_bus::{Consumer, Log, Settings};

use crate::{NOW, value};

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
fn last_segment(dir: &Path) -> PathBuf {
    let dir = dir.join("topics/halsonav.events/0");
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.pop().unwrap()
}
