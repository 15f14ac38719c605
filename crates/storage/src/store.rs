//! The handle: one writer thread, a few readers.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{self, Sender},
    },
};

use diesel::connection::TransactionManager as _;

use crate::{
    Error, Place, Result, VaultKeys,
    dialect::{self, Db, Transactions},
    lane,
    wakeups::{Causes, Wakeups},
};

/// Reads on one consistent snapshot. All methods that only look are here.
pub struct Reader {
    pub(crate) db: Db,
    pub(crate) keys: Arc<VaultKeys>,
}

/// Writes, inside one transaction. Has every method of [`Reader`] too, and sees what it wrote.
pub struct Writer {
    reader: Reader,
    pub(crate) causes: Causes,
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

/// Everything the hub remembers. Cheap to clone; the writer ends when the last clone is gone.
#[derive(Clone)]
pub struct Storage {
    shared: Arc<Shared>,
}

struct Shared {
    lane: Option<Sender<lane::Job>>,
    writer: Option<std::thread::JoinHandle<()>>,
    pool: Pool,
    wakeups: Arc<Wakeups>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.lane = None;
        if let Some(writer) = self
            .writer
            .take()
            .filter(|w| w.thread().id() != std::thread::current().id())
        {
            // A panic there was answered as `Panicked` or `Closed` already.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Storage")
    }
}

/// Readers that are not in use.
struct Pool {
    idle: Mutex<Vec<Reader>>,
    freed: Condvar,
}

/// Gives the reader back, also when the closure panics.
struct Lease<'a> {
    pool: &'a Pool,
    reader: Option<Reader>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
            self.pool.freed.notify_one();
        }
    }
}

impl Pool {
    fn lease(&self) -> Lease<'_> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(reader) = idle.pop() {
                return Lease {
                    pool: self,
                    reader: Some(reader),
                };
            }
            idle = self
                .freed
                .wait(idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Connections that read at the same time.
const READERS: usize = 4;

impl Storage {
    /// Opens the database. A SQLite file is made if need be and brought to this version.
    ///
    /// # Errors
    /// `Open` or `Migrate`.
    pub fn open(place: &Place, keys: VaultKeys) -> Result<Self> {
        let Place::Sqlite(path) = place;
        let path = path
            .to_str()
            .ok_or_else(|| Error::Open("the path is not text".to_owned()))?;
        let keys = Arc::new(keys);
        let writer = Writer {
            reader: Reader {
                db: dialect::connect_writer(path)?,
                keys: keys.clone(),
            },
            causes: Causes::default(),
        };
        let idle = (0..READERS)
            .map(|_| {
                Ok(Reader {
                    db: dialect::connect_reader(path)?,
                    keys: keys.clone(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let (lane, jobs) = mpsc::channel();
        let (again, wakeups) = (path.to_owned(), Arc::new(Wakeups::default()));
        let tell = wakeups.clone();
        let thread = std::thread::Builder::new()
            .name("storage-writer".to_owned())
            .spawn(move || lane::run(writer, &again, &jobs, &tell))
            .map_err(|error| Error::Open(error.kind().to_string()))?;
        let pool = Pool {
            idle: Mutex::new(idle),
            freed: Condvar::new(),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                lane: Some(lane),
                writer: Some(thread),
                pool,
                wakeups,
            }),
        })
    }

    /// Runs `work` on a snapshot. Blocks while all readers are in use.
    ///
    /// # Errors
    /// What `work` answers, or `Database`.
    pub fn read<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        let mut lease = self.shared.pool.lease();
        let reader = lease.reader.as_mut().ok_or(Error::Closed)?;
        reader.snapshot(work)
    }

    /// [`Storage::read`] for async callers: runs on tokio's blocking threads.
    ///
    /// # Errors
    /// As [`Storage::read`]; `Panicked` when `work` panics.
    pub async fn read_async<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let storage = self.clone();
        tokio::task::spawn_blocking(move || storage.read(work))
            .await
            .unwrap_or(Err(Error::Panicked))
    }

    /// Runs `work` as one transaction and waits until it is on disk. An error undoes all of it.
    /// Must not be called from inside another `write`.
    ///
    /// `work` may run more than once, each time on the database as it then is and with all before
    /// undone: it does nothing but read and write through the [`Writer`], and what it takes by
    /// value it clones.
    ///
    /// # Errors
    /// What `work` answers; `Panicked` when it panics; `Database` when the commit fails; `Closed`.
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

    fn enqueue(&self, job: lane::Job) -> Result<()> {
        self.shared
            .lane
            .as_ref()
            .ok_or(Error::Closed)
            .and_then(|lane| lane::send(lane, job))
    }
}

impl Reader {
    fn snapshot<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        Transactions::begin_transaction(&mut self.db)?;
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(self)));
        Transactions::rollback_transaction(&mut self.db)?;
        answer.unwrap_or(Err(Error::Panicked))
    }
}
