//! What must differ between the databases. Everything else is one model.

use diesel::{
    Connection as _, RunQueryDsl as _, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection as _},
    sql_types::Text,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use crate::{Error, Result};

/// The connection. With a second database this becomes a `MultiConnection` over both.
pub(crate) type Db = SqliteConnection;

/// Begins, ends and nests transactions of [`Db`].
pub(crate) type Transactions = AnsiTransactionManager;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Write-ahead log with every commit synced to disk; foreign keys hold.
const PRAGMAS: &str = "
    PRAGMA busy_timeout = 10000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA mmap_size = 268435456;
    PRAGMA wal_autocheckpoint = 4000;
";

/// What the connection that writes sets besides.
pub(crate) const WRITER: &str = "PRAGMA cache_size = -131072;";

pub(crate) fn connect(path: &str, more: &str) -> Result<Db> {
    let mut db = Db::establish(path).map_err(|error| Error::Open(error.to_string()))?;
    db.batch_execute(PRAGMAS)?;
    db.batch_execute(more)?;
    Ok(db)
}

/// The connection that writes; brings the tables up to this version.
pub(crate) fn connect_writer(path: &str) -> Result<Db> {
    let mut db = connect(path, WRITER)?;
    db.run_pending_migrations(MIGRATIONS)
        .map_err(|error| Error::Migrate(error.to_string()))?;
    Ok(db)
}

/// A connection that cannot write.
pub(crate) fn connect_reader(path: &str) -> Result<Db> {
    connect(path, "PRAGMA query_only = ON; PRAGMA cache_size = -32768;")
}

/// Begins a transaction that holds the write lock from its first moment: a deferred one that turns
/// into a writer fails at once when another has written, whatever `busy_timeout` says.
pub(crate) fn begin_write(db: &mut Db) -> diesel::QueryResult<()> {
    Transactions::begin_transaction_sql(db, "BEGIN IMMEDIATE")
}

/// The database's own clock, in milliseconds since 1970.
pub(crate) fn now(db: &mut Db) -> diesel::QueryResult<i64> {
    let seconds: f64 = diesel::select(unixepoch("subsec")).get_result(db)?;
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds fit for ages")]
    Ok((seconds * 1_000.0).round() as i64)
}

diesel::define_sql_function! {
    /// Seconds since 1970; with the modifier `subsec` in fractions, to the millisecond.
    fn unixepoch(modifier: Text) -> Double;
}

/// Inserts a row unless its key is there; answers 1 or 0. Never by catching the error: in
/// PostgreSQL that would end the transaction.
macro_rules! insert_once {
    ($db:expr, $table:expr, $row:expr) => {
        diesel::insert_into($table)
            .values($row)
            .on_conflict_do_nothing()
            .execute($db)
    };
}
pub(crate) use insert_once;
