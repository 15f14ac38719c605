//! Asking on a schedule, where a neighbour does not call by itself.

use std::sync::Arc;

use halsonav_adapter::{Inlet, Poller};
use halsonav_domain::{Problem, Timestamp};
use jiff::SignedDuration;

use super::{Core, core::REGISTER_BATCH, inlet, lease::Lease, store_problem};

/// Setting that holds the time of the last sweep.
const SWEPT: &str = "sweep.last";

/// The pollers with their times, and the sweep over the register. Of several processes with one
/// adapter the one that has the lease asks.
pub struct Rounds {
    core: Arc<Core>,
    inlet: Inlet,
    pollers: Vec<Round>,
    sweep: Arc<Lease>,
    /// When the register was swept last; read from the store at first.
    swept: Option<Timestamp>,
}

struct Round {
    poller: Arc<dyn Poller>,
    lease: Arc<Lease>,
    at: Timestamp,
}

impl Rounds {
    /// Everything is first asked at once.
    #[must_use]
    pub fn new(core: Arc<Core>, holder: &str) -> Self {
        let at = core.schedule.now();
        let round = |poller: Arc<dyn Poller>| Round {
            lease: core.lease(format!("poll/{}", poller.name()), holder),
            poller,
            at,
        };
        Self {
            inlet: inlet(&core),
            pollers: core.adapters.pollers().into_iter().map(round).collect(),
            sweep: core.lease("sweep".to_owned(), holder),
            swept: None,
            core,
        }
    }

    /// Asks everyone whose time has come. Answers how many facts were found.
    ///
    /// # Errors
    /// When store or bus fail. A neighbour that is away is logged and asked next time.
    pub async fn due(&mut self) -> Result<usize, Problem> {
        let now = self.core.schedule.now();
        let mut found = 0;
        for round in &mut self.pollers {
            // Held also between the rounds, or it would wander from process to process.
            if round.lease.hold().await?.is_none() || round.at > now {
                continue;
            }
            let poller = &round.poller;
            let every =
                SignedDuration::try_from(poller.every()).unwrap_or(SignedDuration::from_hours(1));
            round.at = now + every.max(SignedDuration::from_secs(1));
            match poller.poll(&self.inlet).await {
                Ok(count) => found += count,
                Err(problem) => {
                    tracing::warn!(poller = poller.name(), %problem, "a neighbour could not be asked")
                }
            }
        }
        if self.core.register.is_none() || self.sweep.hold().await?.is_none() {
            return Ok(found);
        }
        let every = sweep_every(&self.core);
        let swept = match self.swept {
            Some(swept) if now < swept + every => swept,
            // Somebody else may have swept meanwhile.
            _ => self.last_sweep(now).await?,
        };
        self.swept = Some(swept);
        if now >= swept + every {
            found += self.sweep(now).await?;
            self.note_sweep(now).await?;
        }
        Ok(found)
    }

    /// When somebody is to be asked next.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let sweep = self.swept.map(|swept| swept + sweep_every(&self.core));
        self.pollers.iter().map(|round| round.at).chain(sweep).min()
    }

    /// Lets another process ask.
    pub async fn let_go(&self) {
        self.sweep.let_go().await;
        for round in &self.pollers {
            round.lease.let_go().await;
        }
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
