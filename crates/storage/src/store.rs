//! The handle: those who write, and a few who read.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    Error, Place, Postgres, Result, VaultKeys,
    audit::EntryRow,
    crew,
    dialect::Db,
    fingerprints,
    lane::{self, Job, Jobs},
    listen::Ear,
    migrate, postgres,
    readers::Pool,
    sqlite,
    wakeups::{Causes, Wakeups},
};

/// How long a read waits for a server that is away.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads on one consistent snapshot. All methods that only look are here.
pub struct Reader {
    pub(crate) db: Db,
    pub(crate) keys: Arc<VaultKeys>,
    /// Rows that are read to be changed are to be locked: it is part of a [`Writer`].
    pub(crate) locks: bool,
}

impl Reader {
    pub(crate) fn new(db: Db, keys: Arc<VaultKeys>) -> Self {
        Self {
            db,
            keys,
            locks: false,
        }
    }
}

/// Writes, inside one transaction. Has every method of [`Reader`] too, and sees what it wrote; only
/// the log gets its entries when the closure has ended.
pub struct Writer {
    reader: Reader,
    /// What there will be to do after the commit.
    pub(crate) causes: Causes,
    /// Entries for the log: appended last, since one at a time can.
    pub(crate) entries: Vec<EntryRow>,
}

impl Writer {
    fn new(db: Db, keys: Arc<VaultKeys>) -> Self {
        let mut reader = Reader::new(db, keys);
        reader.locks = true;
        Self {
            reader,
            causes: Causes::default(),
            entries: Vec::new(),
        }
    }

    /// Before a closure runs: nothing is left of one that failed.
    pub(crate) fn begin(&mut self) {
        self.causes = Causes::default();
        self.entries.clear();
    }
}

impl std::ops::Deref for Writer {
    type Target = Reader;
    fn deref(&self) -> &Reader {
        &self.reader
    }
}

impl std::ops::DerefMut for Writer {
    fn deref_mut(&mut self) -> &mut Reader {
        &mut self.reader
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Reader")
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

/// Everything the hub remembers. Cheap to clone; those who write end when the last clone is gone.
#[derive(Clone)]
pub struct Storage {
    shared: Arc<Shared>,
}

struct Shared {
    lane: Option<Sender<Job>>,
    /// Closed, it ends the thread that listens.
    ear: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    pool: Pool,
    wakeups: Arc<Wakeups>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.lane = None;
        self.ear = None;
        // The last clone may have lived in a closure.
        let others = self
            .threads
            .drain(..)
            .filter(|it| it.thread().id() != thread::current().id());
        for other in others {
            // A panic there was answered as `Panicked` or `Closed` already.
            let _ = other.join();
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage")
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|error| Error::Open(error.kind().to_string()))
}

/// The one who writes to a file.
fn start_lane(
    path: &Path,
    keys: &Arc<VaultKeys>,
    jobs: Jobs,
    wakeups: &Arc<Wakeups>,
) -> Result<Vec<JoinHandle<()>>> {
    let mut db = sqlite::writer(path)?;
    migrate::migrate_sqlite(&mut db)?;
    let mut db = Db::Sqlite(db);
    migrate::check(&mut db)?;
    fingerprints::check(&mut db, keys)?;
    let writer = Writer::new(db, keys.clone());
    let (path, wakeups) = (path.to_owned(), wakeups.clone());
    let run = move || lane::run(writer, &path, &jobs, &wakeups);
    Ok(vec![spawn("storage-writer", run)?])
}

/// Those who write to a server, and the one who listens to it.
fn start_crew(
    server: &Postgres,
    keys: &Arc<VaultKeys>,
    jobs: &Jobs,
    wakeups: &Arc<Wakeups>,
    stop: mpsc::Receiver<()>,
) -> Result<Vec<JoinHandle<()>>> {
    let mut first = Db::Postgres(postgres::writer(server)?);
    migrate::check(&mut first)?;
    fingerprints::check(&mut first, keys)?;
    let mut connections = vec![first];
    for _ in 1..server.writers {
        connections.push(Db::Postgres(postgres::writer(server)?));
    }
    let ear = Ear::new(server)?;
    let notes = ear.notes();
    let mut threads = Vec::with_capacity(connections.len() + 1);
    for db in connections {
        let writer = Writer::new(db, keys.clone());
        let (server, jobs) = (server.clone(), jobs.clone());
        let (notes, wakeups) = (notes.clone(), wakeups.clone());
        let run = move || crew::run(writer, &server, &jobs, &notes, &wakeups);
        threads.push(spawn("storage-writer", run)?);
    }
    let (server, wakeups) = (server.clone(), wakeups.clone());
    let run = move || ear.run(&server, &stop, &wakeups);
    threads.push(spawn("storage-listener", run)?);
    Ok(threads)
}

impl Storage {
    /// Opens the database. A SQLite file is made if need be and brought to this version; PostgreSQL
    /// must have been, by [`Storage::migrate`].
    ///
    /// # Errors
    /// `Open`, `Migrate`; `Older` or `Newer` for tables that this program cannot work with;
    /// `OtherKeys` when the vault was made with others.
    pub fn open(place: &Place, keys: VaultKeys) -> Result<Self> {
        let (keys, wakeups) = (Arc::new(keys), Arc::new(Wakeups::default()));
        let (lane, jobs) = lane::queue();
        let (ear, stop) = mpsc::channel();
        let threads = match place {
            Place::Sqlite(path) => start_lane(path, &keys, jobs, &wakeups)?,
            Place::Postgres(server) => start_crew(server, &keys, &jobs, &wakeups, stop)?,
        };
        let pool = Pool::new(place, &keys)?;
        Ok(Self {
            shared: Arc::new(Shared {
                lane: Some(lane),
                ear: Some(ear),
                threads,
                pool,
                wakeups,
            }),
        })
    }

    /// Runs `work` on a snapshot. Blocks while all readers are in use.
    ///
    /// # Errors
    /// What `work` answers, or `Database`, `Open`.
    pub fn read<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        self.shared.pool.read(work)
    }

    /// [`Storage::read`] for one question, by one method of [`Reader`], that can be done without: `None`
    /// while all readers are in use.
    pub fn try_ask<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T>) -> Option<Result<T>> {
        self.shared.pool.try_ask(work)
    }

    /// [`Storage::read`] for async callers: runs on tokio's blocking threads. Where the connection was
    /// lost, or the server is not there, it is tried again for some seconds: `work` may run more than
    /// once.
    ///
    /// # Errors
    /// As [`Storage::read`]; `Panicked` when `work` panics.
    pub async fn read_async<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Reader) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (begun, mut tries, mut work) = (Instant::now(), 0, work);
        loop {
            let storage = self.clone();
            let reading = tokio::task::spawn_blocking(move || (storage.read(&mut work), work));
            let Ok((answer, again)) = reading.await else {
                return Err(Error::Panicked);
            };
            match answer {
                Err(error) if begun.elapsed() < PATIENCE && crew::passing(&error) => {
                    tries += 1;
                    crew::rest(tries).await;
                }
                answer => return answer,
            }
            work = again;
        }
    }

    /// Runs `work` as one transaction and waits until it is on disk. An error undoes all of it.
    /// Must not be called from inside another `write`.
    ///
    /// `work` may run more than once, each time on the database as it then is and with all before
    /// undone: it does nothing but read and write through the [`Writer`], and what it takes by
    /// value it clones.
    ///
    /// On PostgreSQL several run at the same time, each on the newest state that is committed when it
    /// asks; two that change one case wait for each other or are told `Stale`.
    ///
    /// # Errors
    /// What `work` answers; `Panicked` when it panics; `Database` when the commit fails;
    /// `CommitUnknown` when the connection was lost just then; `Closed`.
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = mpsc::sync_channel(1);
        self.enqueue(lane::task(work, move |answer| drop(sender.send(answer))))?;
        receiver.recv().unwrap_or(Err(Error::Closed))
    }

    /// [`Storage::write`] for async callers. Once sent it runs, even if the caller stops waiting.
    ///
    /// # Errors
    /// As [`Storage::write`].
    pub async fn write_async<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.enqueue(lane::task(work, move |answer| drop(sender.send(answer))))?;
        receiver.await.unwrap_or(Err(Error::Closed))
    }

    pub(crate) fn wakeups(&self) -> &Wakeups {
        &self.shared.wakeups
    }

    fn enqueue(&self, job: Job) -> Result<()> {
        self.shared
            .lane
            .as_ref()
            .ok_or(Error::Closed)
            .and_then(|lane| lane.send(job).map_err(|_| Error::Closed))
    }
}
