//! Connections to a PostgreSQL server.

use diesel::{
    Connection as _, PgConnection, RunQueryDsl as _, connection::SimpleConnection as _, dsl::sql,
    sql_types::Text,
};
use secrecy::ExposeSecret as _;

use crate::{Error, Postgres, Result};

/// A session that is stuck ends by itself, and an answer means on disk. Whoever has set more than
/// `on` for commits, such as on a standby too, keeps it. Nothing is compiled: statements are short, and a
/// scan that [`WRITER`] makes seem dear would be compiled each time, for 67 ms here.
const EVERY: &str = "
    SET jit = off;
    SET statement_timeout = '120s';
    SET lock_timeout = '10s';
    SET idle_in_transaction_session_timeout = '60s';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';
";

/// A writer finds every row by a key. A plan that is made while a table is new and small, and then
/// kept for the prepared statement, would read the whole table long after it has grown.
const WRITER: &str = "
    SET default_transaction_isolation = 'read committed';
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off;
";

fn connect(server: &Postgres, more: &str) -> Result<PgConnection> {
    let mut db = PgConnection::establish(server.filled()?.expose_secret())
        .map_err(|error| server.told(&error.to_string()))?;
    db.batch_execute(EVERY)?;
    db.batch_execute(more)?;
    Ok(db)
}

/// A connection that writes.
pub(crate) fn writer(server: &Postgres) -> Result<PgConnection> {
    connect(server, WRITER)
}

/// A connection that cannot write.
pub(crate) fn reader(server: &Postgres) -> Result<PgConnection> {
    connect(server, "SET default_transaction_read_only = on;")
}

/// A connection that makes tables, which may take its time.
pub(crate) fn owner(server: &Postgres) -> Result<PgConnection> {
    connect(server, "SET statement_timeout = 0;")
}

/// The schema that the tables are in: several hubs may share a database.
pub(crate) fn schema(db: &mut PgConnection) -> Result<String> {
    let schema: Option<String> = diesel::select(sql::<diesel::sql_types::Nullable<Text>>(
        "CAST(current_schema() AS TEXT)",
    ))
    .get_result(db)?;
    schema.ok_or_else(|| Error::Open("the schema of the search path does not exist".to_owned()))
}
