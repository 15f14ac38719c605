//! Asking on a schedule, where a neighbour does not call by itself.

use std::sync::Arc;

use halsonav_adapter::{Inlet, Poller};
use halsonav_domain::{Problem, Timestamp};
use jiff::SignedDuration;

use super::{Core, core::REGISTER_BATCH, inlet, store_problem};

/// Setting that holds the time of the last sweep.
const SWEPT: &str = "sweep.last";

/// The pollers with their times, and the sweep over the register.
pub struct Rounds {
    core: Arc<Core>,
    inlet: Inlet,
    pollers: Vec<(Arc<dyn Poller>, Timestamp)>,
    /// When the register was swept last; read from the store at first.
    swept: Option<Timestamp>,
}

impl Rounds {
    /// Everything is first asked at once.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        let now = core.clock.now();
        let pollers = core
            .adapters
            .pollers()
            .into_iter()
            .map(|poller| (poller, now))
            .collect();
        Self {
            inlet: inlet(&core),
            pollers,
            swept: None,
            core,
        }
    }

    /// Asks everyone whose time has come. Answers how many facts were found.
    ///
    /// # Errors
    /// When store or bus fail. A neighbour that is away is logged and asked next time.
    pub async fn due(&mut self) -> Result<usize, Problem> {
        let now = self.core.clock.now();
        let mut found = 0;
        for (poller, at) in self.pollers.iter_mut().filter(|(_, at)| *at <= now) {
            let every =
                SignedDuration::try_from(poller.every()).unwrap_or(SignedDuration::from_hours(1));
            *at = now + every.max(SignedDuration::from_secs(1));
            match poller.poll(&self.inlet).await {
                Ok(count) => found += count,
                Err(problem) => {
                    tracing::warn!(poller = poller.name(), %problem, "a neighbour could not be asked")
                }
            }
        }
        let swept = match self.swept {
            Some(swept) => swept,
            None => self.last_sweep(now).await?,
        };
        self.swept = Some(swept);
        if now >= swept + sweep_every(&self.core) {
            found += self.sweep(now).await?;
            self.note_sweep(now).await?;
        }
        Ok(found)
    }

    /// When somebody is to be asked next.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let sweep = self.swept.map(|swept| swept + sweep_every(&self.core));
        self.pollers.iter().map(|(_, at)| *at).chain(sweep).min()
    }

    /// The last sweep of this life or an earlier one, so that a restart neither skips nor puts one off.
    async fn last_sweep(&mut self, now: Timestamp) -> Result<Timestamp, Problem> {
        let noted = self
            .core
            .storage
            .read_async(|r| r.setting(SWEPT))
            .await
            .map_err(store_problem)?;
        match noted.and_then(|text| text.parse().ok()) {
            Some(swept) => Ok(swept),
            None => {
                self.note_sweep(now).await?;
                Ok(now)
            }
        }
    }

    async fn note_sweep(&mut self, now: Timestamp) -> Result<(), Problem> {
        self.swept = Some(now);
        self.core
            .storage
            .write_async(move |tx| tx.set_setting(SWEPT, Some(&now.to_string())))
            .await
            .map_err(store_problem)
    }

    /// Asks the register about everybody with an open case whom it has not been asked about lately.
    async fn sweep(&self, now: Timestamp) -> Result<usize, Problem> {
        let before = now - SignedDuration::from_hours(1);
        let mut asked = 0;
        loop {
            let limit = u32::try_from(REGISTER_BATCH).unwrap_or(u32::MAX);
            let stale = self
                .core
                .storage
                .read_async(move |r| r.stale_subjects(before, limit))
                .await
                .map_err(store_problem)?;
            let count = stale.len();
            self.core.refresh(stale.clone()).await?;
            asked += count;
            // Those the register could not tell about stay stale; they are not asked in circles.
            let left = self
                .core
                .storage
                .read_async(move |r| r.stale_subjects(before, limit))
                .await
                .map_err(store_problem)?;
            if count == 0 || left == stale {
                return Ok(asked);
            }
        }
    }
}

fn sweep_every(core: &Core) -> SignedDuration {
    SignedDuration::from_hours(core.config.sweep.every_h.max(1))
}
