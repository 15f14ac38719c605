//! What is written, by whom: closures in a queue, taken by one thread in SQLite and by several in
//! PostgreSQL (`crew`). Each of them owns a connection.
//!
//! In SQLite, closures that wait at the same time run in one transaction, each in a savepoint of its
//! own, so that they share one commit and one fsync. A closure is answered only after that commit.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
};

use diesel::connection::TransactionManager as _;

use crate::{
    Error, Result,
    dialect::{self, Db, Transactions},
    sqlite,
    store::Writer,
    wakeups::{Causes, Wakeups},
};

/// What is to become of what a closure did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ran {
    /// It may stay.
    Keep,
    /// Undo it: the closure has answered an error.
    Undo,
    /// Undo it; done again, it may succeed.
    Again,
}

/// A closure with its way back.
pub(crate) trait Task: Send {
    /// Runs the closure, anew each time it is called.
    fn run(&mut self, writer: &mut Writer) -> Ran;
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
    fn run(&mut self, writer: &mut Writer) -> Ran {
        writer.begin();
        let answer = catch_unwind(AssertUnwindSafe(|| {
            let answer = (self.work)(writer)?;
            writer.finish()?;
            Ok(answer)
        }));
        let answer = answer.unwrap_or(Err(Error::Panicked));
        let ran = match &answer {
            Ok(_) => Ran::Keep,
            Err(Error::Database(error)) if dialect::passing(error) => Ran::Again,
            Err(_) => Ran::Undo,
        };
        self.answer = Some(answer);
        ran
    }

    fn end(self: Box<Self>, fate: Result<()>) {
        // A closure that failed tells its own reason; one that was content waits for the commit.
        (self.reply)(match (self.answer, fate) {
            (Some(Ok(_)) | None, Err(error)) => Err(error),
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

/// Where the jobs come from; shared by those who take them.
#[derive(Clone)]
pub(crate) struct Jobs(Arc<Mutex<Receiver<Job>>>);

pub(crate) fn queue() -> (Sender<Job>, Jobs) {
    let (sender, receiver) = mpsc::channel();
    (sender, Jobs(Arc::new(Mutex::new(receiver))))
}

impl Jobs {
    /// Waits for a job and takes what else is there, at most `most` in all; `None` when every sender
    /// is gone.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<Job>> {
        let jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = jobs.recv().ok()?;
        Some(
            std::iter::once(first)
                .chain(jobs.try_iter().take(most - 1))
                .collect(),
        )
    }
}

/// Most closures in one commit: bounds how long the first one waits for the last.
const SHARED: usize = 64;

/// Writes to a SQLite file until every sender is gone.
pub(crate) fn run(mut writer: Writer, path: &Path, jobs: &Jobs, wakeups: &Wakeups) {
    while let Some(mut batch) = jobs.take(SHARED) {
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
    if job.run(writer) == Ran::Keep {
        Transactions::commit_transaction(&mut writer.db)?;
        causes.merge(writer.causes);
    } else {
        Transactions::rollback_transaction(&mut writer.db)?;
    }
    Ok(())
}

/// A full disk may end a transaction behind our back; a fresh connection knows where it stands.
fn recover(writer: &mut Writer, path: &Path) {
    match sqlite::writer(path) {
        Ok(db) => writer.db = Db::Sqlite(db),
        Err(error) => tracing::error!(code = error.code(), "the writer cannot reconnect: {error}"),
    }
}
