//! A consumer of the embedded log.
//!
//! Reads straight from the segment files, which are as a rule still in the page cache, in chunks
//! that are small enough not to hold up a thread of the runtime.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::BytesMut;
use halsonav_domain::Topic;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

use super::{
    Inner,
    frame::{self, Peek},
    group::Place,
    partition::Partition,
    segment,
};
use crate::{Consumer, Delivered, Error};

/// Bytes that one read asks for.
const CHUNK: u64 = 256 << 10;
/// Bytes after which a poll returns with what it has.
const POLL_BYTES: usize = 4 << 20;

/// Reads some topics for a group.
pub(crate) struct Reader {
    log: Arc<Inner>,
    group: String,
    topics: Vec<String>,
    cursors: Vec<Cursor>,
    /// The cursor that begins the next poll, so that no partition starves.
    turn: usize,
    wake: Arc<Notify>,
}

/// The place in one partition.
struct Cursor {
    partition: Arc<Partition>,
    next: u64,
    committed: u64,
    open: Option<Open>,
}

/// An open segment.
struct Open {
    base: u64,
    file: File,
    /// Bytes read from the file so far.
    read: u64,
    /// Offset of the first frame in `buffer`.
    offset: u64,
    buffer: BytesMut,
}

impl Reader {
    pub(crate) fn new(log: Arc<Inner>, group: &str, topics: &[Topic]) -> Result<Self, Error> {
        let mut reader = Self {
            log,
            group: group.to_owned(),
            topics: Vec::new(),
            cursors: Vec::new(),
            turn: 0,
            wake: Arc::new(Notify::new()),
        };
        for topic in topics {
            let name = topic.to_string();
            let partitions = reader.log.partitions(topic)?;
            reader.log.groups.claim(group, &name)?;
            reader.topics.push(name.clone());
            for partition in &partitions.all {
                let place = (name.clone(), partition.number);
                let position = reader.begin(&place, partition)?;
                partition.listen(&reader.wake);
                reader.cursors.push(Cursor {
                    partition: Arc::clone(partition),
                    next: position,
                    committed: position,
                    open: None,
                });
            }
        }
        Ok(reader)
    }

    /// Where the group goes on. Written down at once, so that retention knows of the group.
    fn begin(&self, place: &Place, partition: &Partition) -> Result<u64, Error> {
        let start = partition.start();
        match self.log.groups.position(&self.group, place) {
            Some(position) if position > partition.end() => Err(partition.corrupt(partition.end())),
            Some(position) if position >= start => Ok(position),
            _ => {
                self.log
                    .groups
                    .commit(&self.group, &[(place.clone(), start)])?;
                Ok(start)
            }
        }
    }

    fn read(&mut self, max: usize) -> Result<Vec<Delivered>, Error> {
        let mut found = Vec::new();
        let mut budget = POLL_BYTES;
        let count = self.cursors.len();
        for step in 0..count {
            let index = (self.turn + step) % count;
            self.cursors[index].read(max, &mut budget, &mut found)?;
            if found.len() >= max || budget == 0 {
                self.turn = (index + 1) % count;
                break;
            }
        }
        Ok(found)
    }
}

impl Cursor {
    fn read(
        &mut self,
        max: usize,
        budget: &mut usize,
        found: &mut Vec<Delivered>,
    ) -> Result<(), Error> {
        let end = self.partition.end();
        let before = (self.next, found.len());
        while self.next < end && found.len() < max && *budget > 0 {
            match self.step() {
                Ok((record, size)) => {
                    *budget = budget.saturating_sub(size);
                    found.push(record);
                }
                // What was read goes out first; the fault is still there at the next poll.
                Err(_) if !found.is_empty() => {
                    self.open = None;
                    *budget = 0;
                }
                Err(error) => {
                    self.next = before.0;
                    self.open = None;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// The next record; there is one.
    fn step(&mut self) -> Result<(Delivered, usize), Error> {
        let partition = Arc::clone(&self.partition);
        loop {
            let open = self.open_segment()?;
            let Some((frame, size)) = open.frame(&partition)? else {
                // The end of this segment: the next one begins with the record we look for.
                self.open = None;
                let (segment, _) = partition
                    .segment_at(self.next)
                    .ok_or_else(|| partition.corrupt(self.next))?;
                if segment.base != self.next {
                    return Err(partition.corrupt(self.next));
                }
                continue;
            };
            if frame.offset < self.next {
                continue;
            }
            self.next = frame.offset + 1;
            let delivered = Delivered {
                topic: partition.topic.clone(),
                partition: partition.number,
                offset: frame.offset,
                record: frame.record,
            };
            return Ok((delivered, size));
        }
    }

    fn open_segment(&mut self) -> Result<&mut Open, Error> {
        if self.open.is_none() {
            let (segment, _) = self
                .partition
                .segment_at(self.next)
                .ok_or_else(|| self.partition.corrupt(self.next))?;
            let file = File::open(segment::path(&self.partition.dir, segment.base))
                .map_err(Error::io("open a segment"))?;
            self.open = Some(Open {
                base: segment.base,
                file,
                read: 0,
                offset: segment.base,
                buffer: BytesMut::new(),
            });
        }
        self.open
            .as_mut()
            .ok_or_else(|| self.partition.corrupt(self.next))
    }
}

impl Open {
    /// The next frame and its size; `None` at the end of the segment's durable bytes.
    fn frame(&mut self, partition: &Partition) -> Result<Option<(frame::Frame, usize)>, Error> {
        let limit = usize::MAX;
        loop {
            let wanted = match frame::peek(&self.buffer, limit) {
                Peek::Length(length) if length <= self.buffer.len() => {
                    let bytes = self.buffer.split_to(length).freeze();
                    return match frame::decode(&bytes) {
                        Some(frame) if frame.offset == self.offset => {
                            self.offset += 1;
                            Ok(Some((frame, length)))
                        }
                        _ => Err(partition.corrupt(self.offset)),
                    };
                }
                Peek::Length(length) => length - self.buffer.len(),
                Peek::Short => frame::HEAD,
                Peek::Bad => return Err(partition.corrupt(self.offset)),
            };
            if !self.fill(partition, wanted as u64)? {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(partition.corrupt(self.offset))
                };
            }
        }
    }

    /// Reads on, never past what is durable. Answers whether there was anything.
    fn fill(&mut self, partition: &Partition, wanted: u64) -> Result<bool, Error> {
        let durable = match partition.segment_at(self.base) {
            Some((segment, _)) if segment.base == self.base => segment.bytes,
            _ => self.read,
        };
        let take = durable.saturating_sub(self.read).min(CHUNK.max(wanted));
        if take == 0 {
            return Ok(false);
        }
        let start = self.buffer.len();
        self.buffer
            .resize(start + usize::try_from(take).unwrap_or(0), 0);
        self.file
            .seek(SeekFrom::Start(self.read))
            .and_then(|_| self.file.read_exact(&mut self.buffer[start..]))
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::UnexpectedEof => partition.corrupt(self.offset),
                _ => Error::io("read a segment")(error),
            })?;
        self.read += take;
        Ok(true)
    }
}

#[async_trait]
impl Consumer for Reader {
    async fn poll(&mut self, max: usize, wait: Option<Duration>) -> Result<Vec<Delivered>, Error> {
        let deadline = wait.map(|wait| Instant::now() + wait);
        loop {
            let found = self.read(max)?;
            if !found.is_empty() {
                self.log.pulse.consumed();
            }
            if !found.is_empty() || wait == Some(Duration::ZERO) || max == 0 {
                return Ok(found);
            }
            match deadline {
                None => self.wake.notified().await,
                Some(deadline) => {
                    if timeout_at(deadline, self.wake.notified()).await.is_err() {
                        return self.read(max);
                    }
                }
            }
        }
    }

    async fn commit(&mut self) -> Result<(), Error> {
        let moved: Vec<(Place, u64)> = self
            .cursors
            .iter()
            .filter(|cursor| cursor.next > cursor.committed)
            .map(|cursor| {
                (
                    (cursor.partition.topic.to_string(), cursor.partition.number),
                    cursor.next,
                )
            })
            .collect();
        if moved.is_empty() {
            return Ok(());
        }
        self.log.groups.commit(&self.group, &moved)?;
        for cursor in &mut self.cursors {
            cursor.committed = cursor.next;
        }
        Ok(())
    }

    async fn rewind(&mut self) -> Result<(), Error> {
        for cursor in &mut self.cursors {
            if cursor.next != cursor.committed {
                cursor.next = cursor.committed;
                cursor.open = None;
            }
        }
        Ok(())
    }

    async fn lag(&mut self) -> Result<u64, Error> {
        Ok(self
            .cursors
            .iter()
            .map(|c| c.partition.end().saturating_sub(c.committed))
            .sum())
    }

    async fn close(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        for topic in &self.topics {
            self.log.groups.release(&self.group, topic);
        }
    }
}
