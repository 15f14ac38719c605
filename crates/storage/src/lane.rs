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
    wakeups::{Causes, Wakeups},
};

/// A closure with its way back.
pub(crate) trait Task: Send {
    /// Runs the closure, anew each time it is called; tells whether what it did may stay.
    fn run(&mut self, writer: &mut Writer) -> bool;
    /// Answers the caller, with the fate of the transaction in which it last ran.
    fn end(self: Box<Self>, fate: Result<()>);
}

pub(crate) type Job = Box<dyn Task>;

struct Work<T, W, R> {
    work: W,
    reply: R,
    answer: Option<Result<T>>,
}

impl<T, W, R> Task for Work<T, W, R>
where
    T: Send,
    W: FnMut(&mut Writer) -> Result<T> + Send,
    R: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, writer: &mut Writer) -> bool {
        let answer = catch_unwind(AssertUnwindSafe(|| (self.work)(writer)));
        let answer = answer.unwrap_or(Err(Error::Panicked));
        let keep = answer.is_ok();
        self.answer = Some(answer);
        keep
    }

    fn end(self: Box<Self>, fate: Result<()>) {
        // A closure that failed tells its own reason; one that was content waits for the commit.
        (self.reply)(match (self.answer, fate) {
            (Some(Ok(_)), Err(error)) | (None, Err(error)) => Err(error),
            (Some(answer), _) => answer,
            (None, Ok(())) => Err(Error::Closed),
        });
    }
}

/// Wraps `work` so that its answer reaches `reply` when the fate of the transaction is known.
pub(crate) fn task<T: Send + 'static>(
    work: impl FnMut(&mut Writer) -> Result<T> + Send + 'static,
    reply: impl FnOnce(Result<T>) + Send + 'static,
) -> Job {
    Box::new(Work {
        work,
        reply,
        answer: None,
    })
}

/// Most closures in one commit: bounds how long the first one waits for the last.
const SHARED: usize = 64;

/// Sends a job, or says that the writer is gone.
pub(crate) fn send(lane: &Sender<Job>, job: Job) -> Result<()> {
    lane.send(job).map_err(|_| Error::Closed)
}

/// Runs until every [`Sender`] is gone.
pub(crate) fn run(mut writer: Writer, path: &str, jobs: &Receiver<Job>, wakeups: &Wakeups) {
    while let Ok(first) = jobs.recv() {
        let mut batch: Vec<Job> = std::iter::once(first)
            .chain(jobs.try_iter().take(SHARED - 1))
            .collect();
        let fate = together(&mut writer, &mut batch);
        match &fate {
            Ok(causes) => wakeups.tell(*causes),
            Err(error) => {
                tracing::error!(
                    code = error.code(),
                    closures = batch.len(),
                    "a transaction failed: {error}"
                );
                recover(&mut writer, path);
            }
        }
        for job in batch {
            // The one error cannot be cloned to all; each learns that nothing was written.
            job.end(match fate {
                Ok(_) => Ok(()),
                Err(_) => Err(Error::Database(diesel::result::Error::RollbackTransaction)),
            });
        }
    }
}

/// Runs the closures in one transaction and ends it; answers what there is to do now.
fn together(writer: &mut Writer, batch: &mut [Job]) -> Result<Causes> {
    dialect::begin_write(&mut writer.db)?;
    let mut causes = Causes::default();
    if let [job] = batch {
        run_one(writer, job, &mut causes)?;
        return Ok(causes);
    }
    for job in batch {
        Transactions::begin_transaction(&mut writer.db)?;
        run_one(writer, job, &mut causes)?;
    }
    Transactions::commit_transaction(&mut writer.db)?;
    Ok(causes)
}

/// Runs a closure in the transaction or savepoint that has begun, and ends that.
fn run_one(writer: &mut Writer, job: &mut Job, causes: &mut Causes) -> Result<()> {
    writer.causes = Causes::default();
    if job.run(writer) {
        Transactions::commit_transaction(&mut writer.db)?;
        causes.merge(writer.causes);
    } else {
        Transactions::rollback_transaction(&mut writer.db)?;
    }
    Ok(())
}

/// A full disk may end a transaction behind our back; a fresh connection knows where it stands.
fn recover(writer: &mut Writer, path: &str) {
    match dialect::connect_writer(path) {
        Ok(db) => writer.db = db,
        Err(error) => tracing::error!(code = error.code(), "the writer cannot reconnect: {error}"),
    }
}
