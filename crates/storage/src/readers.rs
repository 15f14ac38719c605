//! Connections that read, a fixed number of them, each for one reader at a time.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use diesel::connection::TransactionManager as _;

use crate::{
    Error, Place, Reader, Result, VaultKeys,
    dialect::{self, Db, Transactions},
    postgres, sqlite,
};

/// Connections to a file that read at the same time.
const READERS: u32 = 4;

/// Readers that are not in use.
pub(crate) struct Pool {
    place: Place,
    idle: Mutex<Vec<Reader>>,
    freed: Condvar,
}

/// Gives the reader back, also when the closure panics.
struct Borrowed<'a> {
    pool: &'a Pool,
    reader: Option<Reader>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            self.pool.idle().push(reader);
            self.pool.freed.notify_one();
        }
    }
}

fn connect(place: &Place) -> Result<Db> {
    Ok(match place {
        Place::Sqlite(path) => Db::Sqlite(sqlite::reader(path)?),
        Place::Postgres(server) => Db::Postgres(postgres::reader(server)?),
    })
}

impl Pool {
    pub(crate) fn new(place: &Place, keys: &Arc<VaultKeys>) -> Result<Self> {
        let readers = match place {
            Place::Sqlite(_) => READERS,
            Place::Postgres(server) => server.readers.max(1),
        };
        let idle = (0..readers)
            .map(|_| Ok(Reader::new(connect(place)?, keys.clone())))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            place: place.clone(),
            idle: Mutex::new(idle),
            freed: Condvar::new(),
        })
    }

    fn borrow(&self) -> Borrowed<'_> {
        let mut idle = self.idle();
        loop {
            if let Some(reader) = idle.pop() {
                return self.lend(reader);
            }
            idle = self
                .freed
                .wait(idle)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lend(&self, reader: Reader) -> Borrowed<'_> {
        Borrowed {
            pool: self,
            reader: Some(reader),
        }
    }

    /// Runs `work` on a snapshot. A connection that has been lost meanwhile is made anew first.
    pub(crate) fn read<T>(&self, work: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        self.borrow().read(work)
    }

    /// [`Pool::read`] of one question, if a reader is idle.
    pub(crate) fn try_ask<T>(
        &self,
        work: impl FnOnce(&mut Reader) -> Result<T>,
    ) -> Option<Result<T>> {
        let reader = self.idle().pop()?;
        Some(self.lend(reader).ask(work))
    }
}

impl Borrowed<'_> {
    /// One statement is a snapshot by itself in PostgreSQL. Of SQLite a question may be several.
    fn ask<T>(mut self, work: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        let reader = self.reader.as_mut().ok_or(Error::Closed)?;
        if matches!(reader.db, Db::Sqlite(_)) {
            return self.read(work);
        }
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(reader)))
            .unwrap_or(Err(Error::Panicked));
        if matches!(&answer, Err(Error::Database(error)) if dialect::lost(error)) {
            // For the next one: nobody notices here that a connection begins no transaction any more.
            reader.db = connect(&self.pool.place)?;
        }
        answer
    }

    fn read<T>(mut self, work: impl FnOnce(&mut Reader) -> Result<T>) -> Result<T> {
        let reader = self.reader.as_mut().ok_or(Error::Closed)?;
        if dialect::begin_snapshot(&mut reader.db).is_err() {
            reader.db = connect(&self.pool.place)?;
            dialect::begin_snapshot(&mut reader.db)?;
        }
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(reader)));
        let ended = Transactions::rollback_transaction(&mut reader.db);
        let answer = answer.unwrap_or(Err(Error::Panicked))?;
        ended?;
        Ok(answer)
    }
}
