//! The files of a partition, each named by the offset of its first record.

use std::{
    fs::{self, File, OpenOptions},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::frame::{self, Frame, Peek};
use crate::Error;

const SUFFIX: &str = ".log";

/// One file: its first offset and its bytes that are durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment {
    pub(crate) base: u64,
    pub(crate) bytes: u64,
}

/// How far a segment is whole.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct Scan {
    /// The offset after its last whole record.
    pub(crate) next: u64,
    /// Bytes up to there.
    pub(crate) whole: u64,
    /// Bytes after that, of a write that never was acknowledged.
    pub(crate) torn: u64,
}

/// A record that was acknowledged is not there.
#[derive(Debug)]
pub(crate) struct Damage(pub(crate) u64);

pub(crate) fn path(dir: &Path, base: u64) -> PathBuf {
    dir.join(format!("{base:020}{SUFFIX}"))
}

/// The segments in `dir`, oldest first.
pub(crate) fn list(dir: &Path) -> Result<Vec<Segment>, Error> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(dir).map_err(Error::io("list segments"))? {
        let entry = entry.map_err(Error::io("list segments"))?;
        let name = entry.file_name();
        let base = name.to_str().and_then(|name| name.strip_suffix(SUFFIX));
        if let Some(base) = base.and_then(|digits| digits.parse().ok()) {
            let bytes = entry
                .metadata()
                .map_err(Error::io("read a segment's size"))?
                .len();
            segments.push(Segment { base, bytes });
        }
    }
    segments.sort_unstable_by_key(|segment| segment.base);
    Ok(segments)
}

/// Makes the file and its name durable, and opens it for appending.
pub(crate) fn create(dir: &Path, base: u64) -> Result<File, Error> {
    let file = open(dir, base)?;
    sync_dir(dir)?;
    Ok(file)
}

/// Opens a segment for appending.
pub(crate) fn open(dir: &Path, base: u64) -> Result<File, Error> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path(dir, base))
        .map_err(Error::io("open a segment for writing"))
}

pub(crate) fn sync_dir(dir: &Path) -> Result<(), Error> {
    File::open(dir)
        .and_then(|dir| dir.sync_all())
        .map_err(Error::io("flush a directory"))
}

/// Reads a whole segment and says how far it goes.
///
/// A frame that is not whole ends it, unless a later one shows that it had been flushed: then it
/// is damage, and cutting it off would lose acknowledged records.
pub(crate) fn scan(bytes: &Bytes, base: u64, limit: usize) -> Result<Scan, Damage> {
    let (mut at, mut next) = (0, base);
    while at < bytes.len() {
        match whole(bytes, at, limit) {
            Some((length, frame)) if frame.offset == next => {
                at += length;
                next += 1;
            }
            _ if flushed_later(bytes, at + 1, next, limit) => return Err(Damage(next)),
            _ => break,
        }
    }
    Ok(Scan {
        next,
        whole: at as u64,
        torn: (bytes.len() - at) as u64,
    })
}

fn whole(bytes: &Bytes, at: usize, limit: usize) -> Option<(usize, Frame)> {
    match frame::peek(&bytes[at..], limit) {
        Peek::Length(length) if length <= bytes.len() - at => {
            Some((length, frame::decode(&bytes.slice(at..at + length))?))
        }
        _ => None,
    }
}

fn flushed_later(bytes: &Bytes, from: usize, offset: u64, limit: usize) -> bool {
    let from = from.min(bytes.len());
    bytes[from..]
        .windows(frame::MAGIC.len())
        .enumerate()
        .filter(|(_, window)| *window == frame::MAGIC)
        .filter_map(|(at, _)| whole(bytes, from + at, limit))
        .any(|(_, frame)| frame.offset > offset && frame.durable > offset)
}
