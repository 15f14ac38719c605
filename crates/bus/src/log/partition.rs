//! One ordered sequence of records: a writer thread that flushes for many publishers at once.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc},
    thread,
};

use halsonav_domain::Topic;
use tokio::sync::{Notify, oneshot};

use super::{
    Settings, frame,
    segment::{self, Segment},
};
use crate::{Error, Record};

/// Records that one flush carries, in bytes, before the next begins.
const GROUP_BYTES: usize = 8 << 20;

/// A partition, open for writing and reading.
pub(crate) struct Partition {
    pub(crate) topic: Topic,
    pub(crate) number: u32,
    pub(crate) dir: PathBuf,
    shared: Arc<Shared>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<thread::JoinHandle<()>>,
}

/// What the writer shows to readers: only what is durable.
struct Shared(Mutex<State>);

struct State {
    segments: Vec<Segment>,
    end: u64,
    /// Nothing more is taken.
    stopped: bool,
    listeners: Vec<Weak<Notify>>,
}

struct Job {
    records: Vec<Record>,
    done: oneshot::Sender<Result<(), Error>>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Partition {
    /// Opens or creates the partition in `dir`; cuts off a torn tail.
    pub(crate) fn open(
        topic: Topic,
        number: u32,
        dir: PathBuf,
        settings: Settings,
    ) -> Result<Self, Error> {
        fs::create_dir_all(&dir).map_err(Error::io("create a partition"))?;
        let (segments, end) = recover(&topic, number, &dir, settings)?;
        let last = segments
            .last()
            .copied()
            .unwrap_or(Segment { base: 0, bytes: 0 });
        let file = segment::open(&dir, last.base)?;
        let shared = Arc::new(Shared(Mutex::new(State {
            segments,
            end,
            stopped: false,
            listeners: Vec::new(),
        })));
        let mut writer = Writer {
            name: (topic.to_string(), number),
            dir: dir.clone(),
            file,
            last,
            next: end,
            settings,
            shared: Arc::clone(&shared),
        };
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name(format!("bus-{topic}-{number}"))
            .spawn(move || writer.run(&queue))
            .map_err(Error::io("start a writer"))?;
        Ok(Self {
            topic,
            number,
            dir,
            shared,
            jobs: Some(jobs),
            writer: Some(thread),
        })
    }

    /// Hands records to the writer; the receiver hears when they are durable.
    pub(crate) fn append(&self, records: Vec<Record>) -> oneshot::Receiver<Result<(), Error>> {
        let (done, answer) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // A writer that is gone drops the job, and the receiver hears that.
            let _ = jobs.send(Job { records, done });
        }
        answer
    }

    /// The offset after the last durable record.
    pub(crate) fn end(&self) -> u64 {
        self.shared.state().end
    }

    /// The oldest offset kept.
    pub(crate) fn start(&self) -> u64 {
        self.shared
            .state()
            .segments
            .first()
            .map_or(0, |segment| segment.base)
    }

    /// The segments, oldest first.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        self.shared.state().segments.clone()
    }

    /// The segment that holds `offset`, and the one after it.
    pub(crate) fn segment_at(&self, offset: u64) -> Option<(Segment, Option<Segment>)> {
        let state = self.shared.state();
        let after = state
            .segments
            .partition_point(|segment| segment.base <= offset);
        let index = after.checked_sub(1)?;
        Some((state.segments[index], state.segments.get(after).copied()))
    }

    /// Forgets the oldest segments up to `base`, before their files go.
    pub(crate) fn forget_before(&self, base: u64) {
        self.shared
            .state()
            .segments
            .retain(|segment| segment.base >= base);
    }

    /// Wakes `listener` after each flush.
    pub(crate) fn listen(&self, listener: &Arc<Notify>) {
        let mut state = self.shared.state();
        state.listeners.retain(|other| other.strong_count() > 0);
        state.listeners.push(Arc::downgrade(listener));
    }

    pub(crate) fn corrupt(&self, offset: u64) -> Error {
        Error::Corrupt {
            topic: self.topic.to_string(),
            partition: self.number,
            offset,
        }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.shared.state().stopped
    }

    pub(crate) fn stopped(&self) -> Error {
        Error::Stopped {
            topic: self.topic.to_string(),
            partition: self.number,
        }
    }
}

impl Drop for Partition {
    /// Waits for the writer, so that the directory's lock is not given back before its last write.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Finds the end of the log, and cuts off what was never acknowledged.
fn recover(
    topic: &Topic,
    number: u32,
    dir: &Path,
    settings: Settings,
) -> Result<(Vec<Segment>, u64), Error> {
    let mut segments = segment::list(dir)?;
    let Some(last) = segments.last_mut() else {
        segment::create(dir, 0)?;
        return Ok((vec![Segment { base: 0, bytes: 0 }], 0));
    };
    let path = segment::path(dir, last.base);
    let bytes = fs::read(&path).map_err(Error::io("read a segment"))?.into();
    let scan = segment::scan(&bytes, last.base, settings.frame_limit()).map_err(|damage| {
        Error::Corrupt {
            topic: topic.to_string(),
            partition: number,
            offset: damage.0,
        }
    })?;
    if scan.torn > 0 {
        tracing::warn!(%topic, partition = number, offset = scan.next, bytes = scan.torn, "torn tail cut off");
        let file = segment::open(dir, last.base)?;
        file.set_len(scan.whole)
            .map_err(Error::io("cut off a torn tail"))?;
        file.sync_all().map_err(Error::io("flush a segment"))?;
    }
    last.bytes = scan.whole;
    Ok((segments, scan.next))
}

/// Lives on its own thread.
struct Writer {
    name: (String, u32),
    dir: PathBuf,
    file: File,
    last: Segment,
    next: u64,
    settings: Settings,
    shared: Arc<Shared>,
}

impl Writer {
    fn run(&mut self, queue: &mpsc::Receiver<Job>) {
        let mut buffer = Vec::new();
        while let Ok(first) = queue.recv() {
            let mut size = weight(&first);
            let mut group = vec![first];
            while size < GROUP_BYTES {
                let Ok(job) = queue.try_recv() else { break };
                size += weight(&job);
                group.push(job);
            }
            let result = self.append(&group, &mut buffer);
            buffer.clear();
            buffer.shrink_to(GROUP_BYTES);
            for job in group {
                // A publisher that went away does not need the answer.
                let _ = job.done.send(result.clone());
            }
        }
    }

    fn append(&mut self, group: &[Job], buffer: &mut Vec<u8>) -> Result<(), Error> {
        if self.shared.state().stopped {
            return Err(self.stop());
        }
        let (mut durable, mut next) = (self.next, self.next);
        for record in group.iter().flat_map(|job| &job.records) {
            let filled = self.last.bytes + buffer.len() as u64;
            if filled > 0 && filled + frame::size(record) as u64 > self.settings.segment_bytes {
                self.flush(buffer, next)?;
                self.roll()?;
                durable = next;
            }
            frame::encode(buffer, next, durable, record);
            next += 1;
        }
        self.flush(buffer, next)
    }

    /// Writes and flushes; only then do readers see it.
    fn flush(&mut self, buffer: &mut Vec<u8>, next: u64) -> Result<(), Error> {
        if buffer.is_empty() {
            return Ok(());
        }
        if let Err(error) = self.file.write_all(buffer) {
            // A full disk: take back the half that went in, so that the next write follows a whole one.
            if self.file.set_len(self.last.bytes).is_err() {
                self.shared.state().stopped = true;
            }
            return Err(Error::io("write records")(error));
        }
        if let Err(error) = self.file.sync_data() {
            // After a failed flush the system may have dropped the pages: nothing is known any more.
            tracing::error!(topic = self.name.0, partition = self.name.1, %error, "flush failed");
            return Err(self.stop());
        }
        self.last.bytes += buffer.len() as u64;
        self.next = next;
        buffer.clear();
        let mut state = self.shared.state();
        if let Some(last) = state.segments.last_mut() {
            last.bytes = self.last.bytes;
        }
        state.end = next;
        for listener in &state.listeners {
            if let Some(listener) = listener.upgrade() {
                listener.notify_one();
            }
        }
        Ok(())
    }

    fn roll(&mut self) -> Result<(), Error> {
        self.file = segment::create(&self.dir, self.next)?;
        self.last = Segment {
            base: self.next,
            bytes: 0,
        };
        self.shared.state().segments.push(self.last);
        Ok(())
    }

    fn stop(&mut self) -> Error {
        self.shared.state().stopped = true;
        Error::Stopped {
            topic: self.name.0.clone(),
            partition: self.name.1,
        }
    }
}

fn weight(job: &Job) -> usize {
    job.records.iter().map(frame::size).sum()
}
