//! Connections that read, a fixed number of them, each for one reader at a time.

use std::{
    sync::{Arc, Condvar, Mutex, PoisonError},
    thread,
};

use diesel::connection::TransactionManager as _;

use crate::{
    Error, Place, Reader, Result, VaultKeys, crew,
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
            self.pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(reader);
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
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(reader) = idle.pop() {
                return Borrowed {
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

    /// Runs `work` on a snapshot. A connection that was lost is made anew; while the server is away that
    /// is tried again, as those who write do.
    pub(crate) fn read<T>(&self, mut work: impl FnMut(&mut Reader) -> Result<T>) -> Result<T> {
        let mut borrowed = self.borrow();
        let reader = borrowed.reader.as_mut().ok_or(Error::Closed)?;
        let mut tries = 0;
        loop {
            tries += 1;
            match self.once(reader, &mut work) {
                Err(error) if tries < crew::TRIES && crew::passing(&error) => {
                    thread::sleep(crew::pause(tries));
                }
                answer => return answer,
            }
        }
    }

    fn once<T>(
        &self,
        reader: &mut Reader,
        work: &mut impl FnMut(&mut Reader) -> Result<T>,
    ) -> Result<T> {
        if dialect::begin_snapshot(&mut reader.db).is_err() {
            reader.db = connect(&self.place)?;
            dialect::begin_snapshot(&mut reader.db)?;
        }
        let answer = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(reader)));
        let ended = Transactions::rollback_transaction(&mut reader.db);
        let answer = answer.unwrap_or(Err(Error::Panicked))?;
        ended?;
        Ok(answer)
    }
}
