//! How far each group has come.
//!
//! A file per group, appended at each commit and not flushed: a killed process loses nothing, and
//! after a power cut some positions may be old, so that records come again. Consumers deduplicate
//! anyway; a flush per commit would double the cost of every batch for nothing.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::Error;

const SUFFIX: &str = ".positions";
/// Size at which a file is written anew with only the last position of each partition.
const COMPACT_BYTES: u64 = 1 << 20;

/// Name of a topic, and the partition.
pub(crate) type Place = (String, u32);

/// Every group of a log.
pub(crate) struct Groups {
    dir: PathBuf,
    groups: Mutex<HashMap<String, Group>>,
}

struct Group {
    file: File,
    bytes: u64,
    positions: BTreeMap<Place, u64>,
    reading: BTreeSet<String>,
}

impl Groups {
    /// Reads what the groups have committed.
    pub(crate) fn open(dir: PathBuf) -> Result<Self, Error> {
        fs::create_dir_all(&dir).map_err(Error::io("create the positions' directory"))?;
        let mut groups = HashMap::new();
        for entry in fs::read_dir(&dir).map_err(Error::io("list positions"))? {
            let entry = entry.map_err(Error::io("list positions"))?;
            let name = entry.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)) {
                groups.insert(name.to_owned(), Group::open(&dir, name)?);
            }
        }
        Ok(Self {
            dir,
            groups: Mutex::new(groups),
        })
    }

    /// Marks `group` as the reader of `topic`.
    pub(crate) fn claim(&self, group: &str, topic: &str) -> Result<(), Error> {
        let mut groups = self.lock();
        if !groups.contains_key(group) {
            groups.insert(group.to_owned(), Group::open(&self.dir, group)?);
        }
        let fresh = groups
            .get_mut(group)
            .is_some_and(|group| group.reading.insert(topic.to_owned()));
        if fresh {
            Ok(())
        } else {
            Err(Error::Taken {
                group: group.to_owned(),
                topic: topic.to_owned(),
            })
        }
    }

    /// Takes the mark away.
    pub(crate) fn release(&self, group: &str, topic: &str) {
        if let Some(group) = self.lock().get_mut(group) {
            group.reading.remove(topic);
        }
    }

    /// What `group` has committed; `None` when it never has.
    pub(crate) fn position(&self, group: &str, place: &Place) -> Option<u64> {
        self.lock().get(group)?.positions.get(place).copied()
    }

    /// Writes positions down.
    pub(crate) fn commit(&self, group: &str, positions: &[(Place, u64)]) -> Result<(), Error> {
        match self.lock().get_mut(group) {
            Some(entry) => entry.commit(&self.dir, group, positions),
            None => Ok(()),
        }
    }

    /// The lowest position that any group has in a partition; `None` when no group reads it.
    pub(crate) fn lowest(&self, place: &Place) -> Option<u64> {
        self.lock()
            .values()
            .filter_map(|group| group.positions.get(place).copied())
            .min()
    }

    /// Flushes all positions: before records that they say are done are deleted.
    pub(crate) fn sync(&self) -> Result<(), Error> {
        self.lock()
            .values()
            .try_for_each(|group| group.file.sync_data())
            .map_err(Error::io("flush positions"))
    }

    /// Forgets a group that will not come back. Answers whether it was known and idle.
    pub(crate) fn forget(&self, group: &str) -> Result<bool, Error> {
        let mut groups = self.lock();
        if !groups
            .get(group)
            .is_some_and(|group| group.reading.is_empty())
        {
            return Ok(false);
        }
        fs::remove_file(path(&self.dir, group)).map_err(Error::io("remove positions"))?;
        groups.remove(group);
        Ok(true)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Group>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    fn open(dir: &Path, name: &str) -> Result<Self, Error> {
        let path = path(dir, name);
        let positions = match fs::read(&path) {
            Ok(bytes) => read(&bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::io("read positions")(error)),
        };
        let (file, bytes) = rewrite(&path, &positions)?;
        Ok(Self {
            file,
            bytes,
            positions,
            reading: BTreeSet::new(),
        })
    }

    fn commit(&mut self, dir: &Path, name: &str, positions: &[(Place, u64)]) -> Result<(), Error> {
        let mut lines = Vec::new();
        for (place, offset) in positions {
            lines.extend_from_slice(&line(place, *offset));
            self.positions.insert(place.clone(), *offset);
        }
        if self.bytes + lines.len() as u64 > COMPACT_BYTES {
            (self.file, self.bytes) = rewrite(&path(dir, name), &self.positions)?;
            return Ok(());
        }
        self.file
            .write_all(&lines)
            .map_err(Error::io("write positions"))?;
        self.bytes += lines.len() as u64;
        Ok(())
    }
}

fn path(dir: &Path, name: &str) -> PathBuf {
    dir.join(format!("{name}{SUFFIX}"))
}

/// Replaces the file by one that holds each position once.
fn rewrite(path: &Path, positions: &BTreeMap<Place, u64>) -> Result<(File, u64), Error> {
    let bytes: Vec<u8> = positions
        .iter()
        .flat_map(|(place, offset)| line(place, *offset))
        .collect();
    let fresh = path.with_extension("new");
    let written = File::create(&fresh).and_then(|mut file| {
        file.write_all(&bytes)?;
        file.sync_data()
    });
    written
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(Error::io("write positions anew"))?;
    let file = OpenOptions::new()
        .append(true)
        .open(path)
        .map_err(Error::io("open positions"))?;
    Ok((file, bytes.len() as u64))
}

/// `crc32-in-hex topic partition offset`, with a newline.
fn line((topic, partition): &Place, offset: u64) -> Vec<u8> {
    let text = format!("{topic} {partition} {offset}");
    format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes())).into_bytes()
}

/// Reads lines up to the first that is not whole. What follows is only older news.
fn read(bytes: &[u8]) -> BTreeMap<Place, u64> {
    let mut positions = BTreeMap::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Some((place, offset)) = parse(line) else {
            break;
        };
        positions.insert(place, offset);
    }
    positions
}

fn parse(line: &[u8]) -> Option<(Place, u64)> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let (crc, text) = line.split_once(' ')?;
    if u32::from_str_radix(crc, 16).ok()? != crc32fast::hash(text.as_bytes()) {
        return None;
    }
    let mut words = text.split(' ');
    let place = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    Some((place, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(topic: &str) -> Place {
        (topic.to_owned(), 0)
    }

    #[test]
    fn the_last_whole_line_counts() {
        let mut bytes = [
            line(&place("a"), 1),
            line(&place("b"), 7),
            line(&place("a"), 3),
        ]
        .concat();
        assert_eq!(
            read(&bytes),
            BTreeMap::from([(place("a"), 3), (place("b"), 7)])
        );
        for cut in 1..=line(&place("a"), 3).len() {
            let short = &bytes[..bytes.len() - cut];
            assert_eq!(
                read(short),
                BTreeMap::from([(place("a"), 1), (place("b"), 7)]),
                "{cut}"
            );
        }
        bytes[3] ^= 1;
        assert_eq!(read(&bytes), BTreeMap::new());
    }

    #[test]
    fn a_long_history_is_compacted() {
        let dir = tempfile::tempdir().expect("a directory");
        let groups = Groups::open(dir.path().to_owned()).expect("opens");
        groups.claim("g", "a").expect("claims");
        for offset in 0..60_000 {
            groups
                .commit("g", &[(place("a"), offset)])
                .expect("commits");
        }
        let size = fs::metadata(path(dir.path(), "g")).expect("is there").len();
        assert!(size < COMPACT_BYTES, "{size}");
        let again = Groups::open(dir.path().to_owned()).expect("opens");
        assert_eq!(again.position("g", &place("a")), Some(59_999));
    }
}
