//! What must differ between the databases. Everything else is one model.

use diesel::{
    PgConnection, RunQueryDsl as _, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager as _},
    pg::Pg,
    sql_types::{BigInt, Text},
};

use crate::{Error, Result, prepared::load};

/// The connection. Most statements do not ask which it is.
#[derive(diesel::MultiConnection)]
pub(crate) enum Db {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Begins, ends and nests transactions of [`Db`].
pub(crate) type Transactions = <Db as diesel::Connection>::TransactionManager;

/// The same expression on the connection itself, for what diesel has for each database but not for
/// either: ON CONFLICT, lists of rows.
macro_rules! on {
    ($any:expr, $db:ident => $body:expr) => {
        match $any {
            $crate::dialect::Db::Sqlite($db) => $body,
            $crate::dialect::Db::Postgres($db) => $body,
        }
    };
}
pub(crate) use on;

/// Rows by their keys: one by one in SQLite, where a statement that is prepared already is the
/// faster way, in one question to PostgreSQL. In no order; keys without a row are left out.
macro_rules! lookup {
    ($any:expr, $keys:expr, $column:expr, $query:expr $(, $lock:ident)?) => {
        match $any {
            $crate::dialect::Db::Sqlite(db) => {
                let mut found = Vec::new();
                $keys
                    .iter()
                    .try_for_each(|key| {
                        let mut rows = $query.filter($column.eq(key)).load(db)?;
                        found.append(&mut rows);
                        Ok::<_, diesel::result::Error>(())
                    })
                    .map(|()| found)
            }
            $crate::dialect::Db::Postgres(db) => match $keys.is_empty() {
                true => Ok(Vec::new()),
                false => $query.filter($column.eq_any($keys)) $(.order($column).$lock())? .load(db),
            },
        }
    };
}
pub(crate) use lookup;

/// The first row, if there is one. libpq takes all rows before it answers the first, so it is told;
/// SQLite reads no further than it is asked, and a bound LIMIT would make it plan the statement anew
/// each time.
macro_rules! first {
    ($any:expr, $query:expr) => {
        match $any {
            $crate::dialect::Db::Sqlite(db) => $query.get_result(db).optional(),
            $crate::dialect::Db::Postgres(db) => $query.limit(1).get_result(db).optional(),
        }
    };
}
pub(crate) use first;

/// Inserts a row unless its key is there; answers 1 or 0. Never by catching the error: in
/// PostgreSQL that would end the transaction.
macro_rules! insert_once {
    ($any:expr, $table:expr, $row:expr) => {
        $crate::dialect::on!($any, db => diesel::insert_into($table)
            .values($row)
            .on_conflict_do_nothing()
            .execute(db))
    };
}
pub(crate) use insert_once;

diesel::define_sql_function! {
    /// Seconds since 1970; with the modifier `subsec` in fractions, to the millisecond.
    fn unixepoch(modifier: Text) -> Double;
}

/// The database's own clock, in milliseconds since 1970.
pub(crate) fn now(db: &mut Db) -> diesel::QueryResult<i64> {
    match db {
        Db::Sqlite(db) => {
            let seconds: f64 = diesel::select(unixepoch("subsec")).get_result(db)?;
            #[expect(clippy::cast_possible_truncation, reason = "milliseconds fit for ages")]
            Ok((seconds * 1_000.0).round() as i64)
        }
        Db::Postgres(db) => {
            let now: Vec<i64> = load!(
                Pg, db,
                "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)" => BigInt,
            )?;
            now.first().copied().ok_or(diesel::result::Error::NotFound)
        }
    }
}

/// Begins a transaction that may write. In SQLite it holds the write lock from its first moment: a
/// deferred one that turns into a writer fails at once when another has written, whatever
/// `busy_timeout` says.
pub(crate) fn begin_write(db: &mut Db) -> diesel::QueryResult<()> {
    match db {
        Db::Sqlite(db) => AnsiTransactionManager::begin_transaction_sql(db, "BEGIN IMMEDIATE"),
        Db::Postgres(db) => AnsiTransactionManager::begin_transaction_sql(db, "BEGIN"),
    }
}

/// Begins a transaction that sees one state of the database however long it takes.
pub(crate) fn begin_snapshot(db: &mut Db) -> diesel::QueryResult<()> {
    match db {
        Db::Sqlite(db) => AnsiTransactionManager::begin_transaction(db),
        Db::Postgres(db) => AnsiTransactionManager::begin_transaction_sql(
            db,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        ),
    }
}

/// Commits what [`begin_write`] has begun; in PostgreSQL after `before`.
///
/// There a statement in front makes a transaction that has failed in its middle fail here too: a
/// lone COMMIT would roll it back and report success. Whoever loses the connection now does not know
/// whether the server still got to it.
pub(crate) fn commit(db: &mut Db, before: &str) -> Result<()> {
    match db {
        Db::Sqlite(db) => Ok(AnsiTransactionManager::commit_transaction(db)?),
        Db::Postgres(db) => db
            .batch_execute(&format!("{before}SELECT 1; COMMIT"))
            .map_err(|error| match lost(&error) {
                true => Error::CommitUnknown,
                false => error.into(),
            }),
    }
}

/// Whether the connection is gone.
pub(crate) fn lost(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind as Kind, Error::*};
    matches!(
        error,
        DatabaseError(Kind::ClosedConnection | Kind::UnableToSendCommand, _)
            | BrokenTransactionManager
    )
}

/// Whether the same transaction may succeed when it is done again. diesel tells a deadlock only by
/// its message; the word is the same in the server's English and Swedish.
pub(crate) fn passing(error: &diesel::result::Error) -> bool {
    use diesel::result::{DatabaseErrorKind as Kind, Error::DatabaseError};
    match error {
        DatabaseError(Kind::SerializationFailure, _) => true,
        DatabaseError(Kind::Unknown, told) => told.message().contains("deadlock"),
        error => lost(error),
    }
}
