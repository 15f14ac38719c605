//! Forgets what is no longer needed to know a repetition by: messages that were seen, answers to
//! requests, records that every reader has taken. What is about a case is not touched.

use std::{sync::Arc, time::Duration};

use halsonav_domain::{Problem, Timestamp};
use jiff::SignedDuration;

use super::{Core, bus_problem, chore::Turned, store_problem};

/// Rows forgotten in one transaction: nobody waits long for it.
const BATCH: u32 = 5_000;

/// Tidies up, every so often. One process does it at a time.
pub struct Housekeeper {
    core: Arc<Core>,
    /// When to begin again.
    at: Timestamp,
}

impl Housekeeper {
    /// One that begins at once.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        Self {
            at: core.schedule.now(),
            core,
        }
    }

    /// One batch of each kind, if the time has come.
    ///
    /// # Errors
    /// When store or bus fail; what was forgotten until then is gone.
    pub async fn turn(&mut self) -> Result<Turned, Problem> {
        let now = self.core.schedule.now();
        if now < self.at {
            return Ok(Turned {
                count: 0,
                next: Some(self.at),
            });
        }
        let seen = self.seen(now).await?;
        let answers = self.answers(now).await?;
        let records = self.records(now).await?;
        for (what, count) in [("seen", seen), ("answers", answers), ("segments", records)] {
            if count > 0 {
                self.core.metrics.forgotten(what, count);
            }
        }
        let count = seen + answers + records;
        if count == 0 {
            let every = SignedDuration::from_hours(self.core.config.keep.every_h.max(1));
            self.at = now + every;
        }
        Ok(Turned {
            count: usize::try_from(count).unwrap_or(usize::MAX),
            next: Some(self.at),
        })
    }

    async fn seen(&self, now: Timestamp) -> Result<u64, Problem> {
        let Some(before) = before(now, self.core.config.keep.seen_days) else {
            return Ok(0);
        };
        let gone = self
            .core
            .storage
            .write_async(move |tx| tx.forget_seen(before, BATCH));
        gone.await.map_err(store_problem)
    }

    async fn answers(&self, now: Timestamp) -> Result<u64, Problem> {
        let Some(before) = before(now, self.core.config.keep.answers_days) else {
            return Ok(0);
        };
        let gone = self
            .core
            .storage
            .write_async(move |tx| tx.forget_answers(before, BATCH));
        gone.await.map_err(store_problem)
    }

    async fn records(&self, now: Timestamp) -> Result<u64, Problem> {
        let days = self.core.config.keep.log_days;
        if days == 0 {
            return Ok(0);
        }
        let age = Duration::from_secs(u64::from(days) * 24 * 3600);
        let gone = self.core.bus.forget(now, age).await.map_err(bus_problem)?;
        Ok(gone as u64)
    }
}

/// So many days ago; `None` for 0, which is never.
fn before(now: Timestamp, days: u32) -> Option<Timestamp> {
    (days > 0).then(|| now - SignedDuration::from_hours(24 * i64::from(days)))
}
