//! The single writer: a thread that owns the only connection that writes.
//!
//! Closures that wait at the same time run in one transaction, each in a savepoint of its own, so
//! that they share one commit and one fsync. A closure is answered only after that commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc::{Receiver, Sender},
};

use diesel::connection::TransactionManager as _;

use crate::{
    Error, Result,
    dialect::{self, Transactions},
    store::Writer,
};

/// What a closure's caller waits for: called once, with the fate of the transaction.
type Reply = Box<dyn FnOnce(Result<()>) + Send>;

/// A closure with its way back. Given a writer it runs, and tells whether what it did may stay;
/// given none it only hands out the reply.
pub(crate) type Job = Box<dyn FnOnce(Option<&mut Writer>) -> (bool, Reply) + Send>;

/// Most closures in one commit: bounds how long the first one waits for the last.
const SHARED: usize = 64;

/// Wraps `work` so that its answer reaches `reply` when the fate of the transaction is known.
pub(crate) fn job<T: Send + 'static>(
    work: impl FnOnce(&mut Writer) -> Result<T> + Send + 'static,
    reply: impl FnOnce(Result<T>) + Send + 'static,
) -> Job {
    Box::new(move |writer| {
        let answer = match writer {
            Some(writer) => {
                catch_unwind(AssertUnwindSafe(|| work(writer))).unwrap_or(Err(Error::Panicked))
            }
            None => Err(Error::Closed),
        };
        let keep = answer.is_ok();
        // A closure that failed tells its own reason; one that was content waits for the commit.
        let reply: Reply = Box::new(move |fate| {
            reply(match (answer, fate) {
                (Ok(_), Err(error)) => Err(error),
                (answer, _) => answer,
            });
        });
        (keep, reply)
    })
}

/// Sends a job, or says that the writer is gone.
pub(crate) fn send(lane: &Sender<Job>, job: Job) -> Result<()> {
    lane.send(job).map_err(|_| Error::Closed)
}

/// Runs until every [`Sender`] is gone.
pub(crate) fn run(mut writer: Writer, path: &str, jobs: &Receiver<Job>) {
    while let Ok(first) = jobs.recv() {
        let batch: Vec<Job> = std::iter::once(first)
            .chain(jobs.try_iter().take(SHARED - 1))
            .collect();
        let mut replies = Vec::with_capacity(batch.len());
        let fate = match dialect::begin_write(&mut writer.db) {
            Ok(()) => together(&mut writer, batch, &mut replies),
            Err(error) => {
                replies.extend(batch.into_iter().map(|job| job(None).1));
                Err(error.into())
            }
        };
        if let Err(error) = &fate {
            tracing::error!(
                code = error.code(),
                closures = replies.len(),
                "a transaction failed: {error}"
            );
            recover(&mut writer, path);
        }
        for reply in replies {
            // The one error cannot be cloned to all; each learns that nothing was written.
            reply(match fate {
                Ok(()) => Ok(()),
                Err(_) => Err(Error::Database(diesel::result::Error::RollbackTransaction)),
            });
        }
    }
}

/// Runs the closures inside the transaction that has begun, and ends it.
fn together(writer: &mut Writer, batch: Vec<Job>, replies: &mut Vec<Reply>) -> Result<()> {
    if batch.len() == 1 {
        let mut keep = true;
        for job in batch {
            let (kept, reply) = job(Some(writer));
            replies.push(reply);
            keep = kept;
        }
        return Ok(end(writer, keep)?);
    }
    let mut broken = None;
    for job in batch {
        if broken.is_some() {
            replies.push(job(None).1);
            continue;
        }
        if let Err(error) = Transactions::begin_transaction(&mut writer.db) {
            replies.push(job(None).1);
            broken = Some(error);
            continue;
        }
        let (keep, reply) = job(Some(writer));
        replies.push(reply);
        broken = end(writer, keep).err();
    }
    match broken {
        None => Ok(Transactions::commit_transaction(&mut writer.db)?),
        Some(error) => Err(error.into()),
    }
}

fn end(writer: &mut Writer, keep: bool) -> diesel::QueryResult<()> {
    if keep {
        Transactions::commit_transaction(&mut writer.db)
    } else {
        Transactions::rollback_transaction(&mut writer.db)
    }
}

/// A full disk may end a transaction behind our back; a fresh connection knows where it stands.
fn recover(writer: &mut Writer, path: &str) {
    match dialect::connect_writer(path) {
        Ok(db) => writer.db = db,
        Err(error) => tracing::error!(code = error.code(), "the writer cannot reconnect: {error}"),
    }
}
