//! Where the database is.

use std::path::PathBuf;

/// Where the database is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// A file that SQLite keeps, beside this process.
    Sqlite(PathBuf),
}
