//! Connections to a SQLite file.

use std::path::Path;

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection as _};

use crate::{Error, Result};

/// Write-ahead log with every commit synced to disk; foreign keys hold. The log grows to some 40 MB before
/// its pages go to the file, so that a page which several turns have written goes there once.
const EVERY: &str = "
    PRAGMA busy_timeout = 10000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA mmap_size = 268435456;
    PRAGMA wal_autocheckpoint = 10000;
";

fn connect(path: &Path, more: &str) -> Result<SqliteConnection> {
    let path = path
        .to_str()
        .ok_or_else(|| Error::Open("the path is not text".to_owned()))?;
    let mut db =
        SqliteConnection::establish(path).map_err(|error| Error::Open(error.to_string()))?;
    db.batch_execute(EVERY)?;
    db.batch_execute(more)?;
    Ok(db)
}

/// The connection that writes.
pub(crate) fn writer(path: &Path) -> Result<SqliteConnection> {
    connect(path, "PRAGMA cache_size = -131072;")
}

/// A connection that cannot write.
pub(crate) fn reader(path: &Path) -> Result<SqliteConnection> {
    connect(path, "PRAGMA query_only = ON; PRAGMA cache_size = -32768;")
}
