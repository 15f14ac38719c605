//! What is deleted, and what never is.

use std::{fs, fs::File, io::Read, time::Duration};

use bytes::Bytes;
use halsonav_domain::Timestamp;

use super::{
    Log,
    frame::{self, Peek},
    partition::Partition,
    segment::{self, Segment},
};
use crate::Error;

/// How much of what is done is kept. Each limit deletes on its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retention {
    /// Records older than this may go.
    pub age: Option<Duration>,
    /// Bytes of a partition beyond which its oldest records may go.
    pub bytes: Option<u64>,
}

impl Log {
    /// Deletes whole segments that are beyond a limit and that every group of the topic has
    /// committed. A topic that no group reads waits for nobody, so that only the limits count
    /// there. Answers how many segments went.
    ///
    /// # Errors
    /// [`Error::Io`]; what was deleted until then is gone.
    pub fn retain(&self, now: Timestamp, retention: Retention) -> Result<usize, Error> {
        self.0.groups.sync()?;
        let mut deleted = 0;
        for topic in self.0.topics() {
            for partition in &topic.all {
                deleted += self.retain_partition(partition, now, retention)?;
            }
        }
        Ok(deleted)
    }

    fn retain_partition(
        &self,
        partition: &Partition,
        now: Timestamp,
        retention: Retention,
    ) -> Result<usize, Error> {
        let place = (partition.topic.to_string(), partition.number);
        let done = self.0.groups.lowest(&place).unwrap_or(u64::MAX);
        let segments = partition.segments();
        let mut total: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let mut deleted = 0;
        // The last segment is being written and stays.
        for pair in segments.windows(2) {
            let (segment, after) = (pair[0], pair[1]);
            let large = retention.bytes.is_some_and(|limit| total > limit);
            let expired = match retention.age {
                Some(age) => first_time(partition, after)?.is_some_and(|time| {
                    now.duration_since(time).unsigned_abs() > age && time < now
                }),
                None => false,
            };
            if after.base > done || !(large || expired) {
                break;
            }
            partition.forget_before(after.base);
            fs::remove_file(segment::path(&partition.dir, segment.base))
                .map_err(Error::io("delete a segment"))?;
            total -= segment.bytes;
            deleted += 1;
        }
        Ok(deleted)
    }
}

/// The time of a segment's first record: the one before it holds nothing much later.
fn first_time(partition: &Partition, segment: Segment) -> Result<Option<Timestamp>, Error> {
    let mut file = File::open(segment::path(&partition.dir, segment.base))
        .map_err(Error::io("open a segment"))?;
    let mut bytes = vec![0; frame::HEAD];
    if segment.bytes < frame::HEAD as u64 {
        return Ok(None);
    }
    file.read_exact(&mut bytes)
        .map_err(Error::io("read a segment"))?;
    let Peek::Length(length) = frame::peek(&bytes, usize::MAX) else {
        return Err(partition.corrupt(segment.base));
    };
    bytes.resize(length, 0);
    file.read_exact(&mut bytes[frame::HEAD..])
        .map_err(Error::io("read a segment"))?;
    match frame::decode(&Bytes::from(bytes)) {
        Some(frame) => Ok(Some(frame.record.time)),
        None => Err(partition.corrupt(segment.base)),
    }
}
