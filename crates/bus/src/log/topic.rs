//! A topic's partitions, and which of them a key belongs to.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use halsonav_domain::Topic;

use super::{Settings, partition::Partition, segment};
use crate::{Error, Record};

/// The partitions of one topic.
pub(crate) struct Partitions {
    pub(crate) all: Vec<Arc<Partition>>,
    turn: AtomicUsize,
}

impl Partitions {
    /// Opens the topic in `dir`. A topic that is there keeps the number of partitions it was made
    /// with: another number would send a key elsewhere and break its order.
    pub(crate) fn open(topic: &Topic, dir: &Path, settings: Settings) -> Result<Self, Error> {
        let found = match fs::read_dir(dir) {
            Ok(entries) => u32::try_from(entries.count()).unwrap_or(u32::MAX),
            Err(_) => 0,
        };
        let count = if found > 0 {
            found
        } else {
            settings.partitions.max(1)
        };
        if found == 0 {
            create(dir, count)?;
        }
        let all = (0..count)
            .map(|number| {
                let dir = dir.join(number.to_string());
                Partition::open(topic.clone(), number, dir, settings).map(Arc::new)
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            all,
            turn: AtomicUsize::new(0),
        })
    }

    /// Shares records out: a key always to the same partition, records without one in turn.
    pub(crate) fn split(&self, records: Vec<Record>) -> Vec<(&Arc<Partition>, Vec<Record>)> {
        let count = self.all.len();
        if count == 1 {
            return vec![(&self.all[0], records)];
        }
        let mut shares = vec![Vec::new(); count];
        for record in records {
            let index = match &record.key {
                Some(key) => crc32fast::hash(key.as_bytes()) as usize % count,
                None => self.turn.fetch_add(1, Ordering::Relaxed) % count,
            };
            shares[index].push(record);
        }
        self.all
            .iter()
            .zip(shares)
            .filter(|(_, share)| !share.is_empty())
            .collect()
    }
}

/// Makes all partitions under another name and then renames, so that a kill in between does not
/// leave a topic with fewer partitions.
fn create(dir: &Path, count: u32) -> Result<(), Error> {
    let fresh = dir.with_extension("new~");
    for number in 0..count {
        fs::create_dir_all(fresh.join(number.to_string())).map_err(Error::io("create a topic"))?;
    }
    // An empty directory may be left of an earlier try.
    let _ = fs::remove_dir(dir);
    fs::rename(&fresh, dir).map_err(Error::io("create a topic"))?;
    match dir.parent() {
        Some(parent) => segment::sync_dir(parent),
        None => Ok(()),
    }
}

/// The topic of a directory's name.
pub(crate) fn named(name: &str) -> Option<Topic> {
    let whole = [Topic::Events, Topic::Documentation];
    let by_adapter: [fn(String) -> Topic; 2] = [Topic::Commands, Topic::Intents];
    whole
        .into_iter()
        .find(|topic| topic.to_string() == name)
        .or_else(|| {
            by_adapter.into_iter().find_map(|topic| {
                let adapter = name.strip_prefix(&topic(String::new()).to_string())?;
                (!adapter.is_empty()).then(|| topic(adapter.to_owned()))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_found_by_its_name() {
        for topic in [
            Topic::Events,
            Topic::Documentation,
            Topic::Commands("lab".to_owned()),
            Topic::Intents("lab".to_owned()),
        ] {
            assert_eq!(named(&topic.to_string()), Some(topic));
        }
        assert_eq!(named("halsonav.commands."), None);
        assert_eq!(named("other"), None);
    }
}
