//! Something that one process does on behalf of all, when there is cause.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use halsonav_adapter::Stop;
use halsonav_domain::{Problem, Timestamp};
use halsonav_storage::Wake;

use super::{
    Core, Housekeeper, Lease, Registrar, Relay, Scheduler,
    serve::{pause, unless, until},
};
use crate::clock;

/// What a turn came to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Turned {
    /// How much was done.
    pub count: usize,
    /// When there is something to do again without anybody telling.
    pub next: Option<Timestamp>,
}

impl Turned {
    /// A batch of at most `limit` was done: if it was full there may be more, else it goes on at `later`.
    pub(super) fn batch(
        count: usize,
        limit: u32,
        now: Timestamp,
        later: Option<Timestamp>,
    ) -> Self {
        match count < limit as usize {
            true => Self { count, next: later },
            false => Self::and_more(count, now),
        }
    }

    /// So much was done, and there is more, or may be.
    pub(super) fn and_more(count: usize, now: Timestamp) -> Self {
        Self {
            count,
            next: Some(now),
        }
    }
}

/// What is done in turns.
#[async_trait]
pub(super) trait Chore: Send + 'static {
    /// What tells that there may be something to do.
    const WAKE: Wake;

    /// Does some.
    async fn turn(&mut self) -> Result<Turned, Problem>;
}

#[async_trait]
impl Chore for Relay {
    const WAKE: Wake = Wake::Outbox;

    async fn turn(&mut self) -> Result<Turned, Problem> {
        Relay::turn(self).await
    }
}

#[async_trait]
impl Chore for Scheduler {
    const WAKE: Wake = Wake::Timers;

    async fn turn(&mut self) -> Result<Turned, Problem> {
        Scheduler::turn(self).await
    }
}

#[async_trait]
impl Chore for Housekeeper {
    /// Nobody tells it anything, but time may have been moved.
    const WAKE: Wake = Wake::Clock;

    async fn turn(&mut self) -> Result<Turned, Problem> {
        Housekeeper::turn(self).await
    }
}

#[async_trait]
impl Chore for Registrar {
    const WAKE: Wake = Wake::Held;

    async fn turn(&mut self) -> Result<Turned, Problem> {
        Registrar::turn(self).await
    }
}

/// Takes turns while the lease is this process's, until `stop`.
pub(super) async fn tend<C: Chore>(core: Arc<Core>, mut chore: C, lease: Arc<Lease>, stop: Stop) {
    let mut cause = core.storage.woken(C::WAKE);
    let mut clock = core.clock_set.clone();
    while !stop.is_cancelled() {
        // Looked at before the turn: what comes during it is a cause for another.
        cause.borrow_and_update();
        clock.borrow_and_update();
        let wait = match chance(&core, &mut chore, &lease).await {
            Ok(wait) => wait,
            Err(problem) => {
                pause(&problem, &stop).await;
                continue;
            }
        };
        if wait.is_zero() {
            continue;
        }
        let woken = async {
            tokio::select! {
                _ = cause.changed() => {}
                () = clock::is_set(&mut clock) => {}
                () = tokio::time::sleep(wait) => {}
            }
        };
        unless(&stop, woken).await;
    }
    lease.let_go().await;
}

/// One turn, if it is this process's to take. How long to wait for the next unless something is told.
async fn chance<C: Chore>(core: &Core, chore: &mut C, lease: &Lease) -> Result<Duration, Problem> {
    let look = lease.ttl() / 3;
    if lease.hold().await?.is_none() {
        return Ok(look);
    }
    let turned = chore.turn().await?;
    Ok(until(core, turned.next).min(look))
}
