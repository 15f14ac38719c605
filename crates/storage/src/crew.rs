//! Those who write to PostgreSQL: a few threads, each with a connection of its own, each closure one
//! transaction at READ COMMITTED with the row locks that it needs.
//!
//! What passes by itself is done again here, after a short and random pause: a deadlock, a conflict
//! of serialisation, a connection lost before the commit was sent. Locks are taken in the order lanes,
//! case, effects, audit log, which makes deadlocks rare.

use std::{thread, time::Duration};

use diesel::connection::TransactionManager as _;
use rand::Rng as _;

use crate::{
    Error, Postgres, Result,
    dialect::{self, Db, Transactions},
    lane::{Job, Jobs, Ran},
    listen::Notes,
    postgres,
    store::Writer,
    wakeups::{Causes, Wakeups},
};

/// How often a transaction is tried; with the pauses, for some seconds.
const TRIES: u32 = 8;
/// The first pause; each one after is up to twice as long.
const PAUSE: Duration = Duration::from_millis(20);

/// Writes until every sender is gone.
pub(crate) fn run(
    mut writer: Writer,
    server: &Postgres,
    jobs: &Jobs,
    notes: &Notes,
    wakeups: &Wakeups,
) {
    while let Some(batch) = jobs.take(1) {
        for mut job in batch {
            let fate = persist(&mut writer, server, &mut job, notes, wakeups);
            if let Err(error) = &fate {
                tracing::error!(code = error.code(), "a transaction failed: {error}");
            }
            job.end(fate);
        }
    }
}

/// Tries a closure until its fate is known or there is no more hope.
fn persist(
    writer: &mut Writer,
    server: &Postgres,
    job: &mut Job,
    notes: &Notes,
    wakeups: &Wakeups,
) -> Result<()> {
    let mut tries = 0;
    loop {
        tries += 1;
        match once(writer, server, job, notes) {
            Ok(Fate::Kept(causes)) => {
                wakeups.tell(causes);
                return Ok(());
            }
            Ok(Fate::Undone) => return Ok(()),
            Ok(Fate::Passing) if tries == TRIES => return Ok(()),
            Err(error) if tries == TRIES || !passing(&error) => return Err(error),
            Ok(Fate::Passing) | Err(_) => thread::sleep(pause(tries)),
        }
    }
}

pub(crate) fn passing(error: &Error) -> bool {
    match error {
        Error::Database(error) => dialect::passing(error),
        // The server is not there, or not yet again.
        Error::Open(_) => true,
        _ => false,
    }
}

enum Fate {
    Kept(Causes),
    /// The closure has answered an error of its own.
    Undone,
    /// The closure has met something that passes, and tells of it when it was the last try.
    Passing,
}

/// One try: a transaction from its beginning to its end.
fn once(writer: &mut Writer, server: &Postgres, job: &mut Job, notes: &Notes) -> Result<Fate> {
    if Transactions::is_broken_transaction_manager(&mut writer.db) {
        writer.db = Db::Postgres(postgres::writer(server)?);
    }
    dialect::begin_write(&mut writer.db)?;
    let fate = match job.run(writer) {
        Ran::Keep => return commit(writer, notes),
        Ran::Undo => Fate::Undone,
        Ran::Again => Fate::Passing,
    };
    // Where it fails the connection is gone, and the server has undone it.
    Transactions::rollback_transaction(&mut writer.db).ok();
    Ok(fate)
}

fn commit(writer: &mut Writer, notes: &Notes) -> Result<Fate> {
    let causes = writer.causes;
    let committed = dialect::commit(&mut writer.db, &notes.sql(causes));
    if committed.is_err() {
        Transactions::rollback_transaction(&mut writer.db).ok();
    }
    committed.map(|()| Fate::Kept(causes))
}

/// Lets a pause pass, for those who do not write.
pub(crate) async fn rest(tries: u32) {
    tokio::time::sleep(pause(tries)).await;
}

/// Between half and all of what doubles with each try.
pub(crate) fn pause(tries: u32) -> Duration {
    let whole = PAUSE.saturating_mul(1 << tries.min(7));
    whole.mul_f64(rand::rng().random_range(0.5..1.0))
}
