//! Commits, on a thread of their own.
//!
//! The library answers a commit only to whoever waits for it, and that may take as long as a
//! coordinator is away. The worker must not wait: it would not hear of rebalances.

use std::{
    sync::{Arc, atomic::Ordering, mpsc},
    thread,
    time::{Duration, Instant},
};

use rdkafka::consumer::{CommitMode, Consumer as _};
use tokio::sync::oneshot;

use super::{Client, Place, Shared, unanswered};
use crate::{Error, kafka::context::failed};

/// The pause before a commit is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// Commits for one client. Dropping it ends the thread, after the commit that is under way.
pub(super) struct Committer(mpsc::Sender<Commit>);

struct Commit {
    offsets: Vec<(Place, i64)>,
    answer: oneshot::Sender<Result<(), Error>>,
}

impl Committer {
    /// Starts the thread.
    pub(super) fn start(
        client: Arc<Client>,
        shared: Arc<Shared>,
        limit: Duration,
    ) -> Result<(Self, thread::JoinHandle<()>), Error> {
        let (sender, commits) = mpsc::channel::<Commit>();
        let thread = thread::Builder::new()
            .name("bus-kafka-commit".to_owned())
            .spawn(move || {
                while let Ok(commit) = commits.recv() {
                    let result = one(&client, &shared, commit.offsets, limit);
                    // Who went away does not need the answer.
                    let _ = commit.answer.send(result);
                }
            })
            .map_err(Error::io("start a thread for commits"))?;
        Ok((Self(sender), thread))
    }

    /// Hands a commit over; the receiver hears what becomes of it.
    pub(super) fn commit(
        &self,
        offsets: Vec<(Place, i64)>,
    ) -> oneshot::Receiver<Result<(), Error>> {
        let (answer, receiver) = oneshot::channel();
        // A thread that is gone drops the commit, and the receiver hears that.
        let _ = self.0.send(Commit { offsets, answer });
        receiver
    }
}

/// Tries until `limit` is over: a coordinator that moves or loads refuses for a moment.
fn one(
    client: &Client,
    shared: &Shared,
    mut offsets: Vec<(Place, i64)>,
    limit: Duration,
) -> Result<(), Error> {
    let start = Instant::now();
    loop {
        // What was taken away in the meantime is somebody else's to commit.
        shared.desk().keep_ours(&mut offsets);
        if client.context().over.load(Ordering::Relaxed) {
            return Err(unanswered("commit", "the client was given up"));
        }
        if offsets.is_empty() {
            return Ok(());
        }
        let list = shared.subject.list(&offsets);
        match client
            .commit(&list, CommitMode::Sync)
            .map_err(failed("commit"))
        {
            Ok(()) => {
                shared.desk().committed(&offsets);
                return Ok(());
            }
            Err(Error::Unreachable { .. }) if start.elapsed() + AGAIN < limit => {
                // The worker wakes it when the client is given up.
                thread::park_timeout(AGAIN);
            }
            Err(error) => return Err(error),
        }
    }
}
