//! How a bus is doing.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use crate::Error;

/// How a bus is doing, for readiness and metrics.
#[derive(Clone, Debug)]
pub struct Health {
    /// Whether the bus would take records now, and why not.
    pub now: Result<(), Error>,
    /// Time since records were last acknowledged; `None` before the first.
    pub published: Option<Duration>,
    /// Time since a consumer last handed records out; `None` before the first.
    pub consumed: Option<Duration>,
    /// Clients that were given up and made anew; always 0 of the embedded log.
    pub renewed: u64,
}

/// Counts what [`Health`] tells.
pub(crate) struct Pulse {
    start: Instant,
    /// Milliseconds from `start`, and one; 0 is never.
    published: AtomicU64,
    consumed: AtomicU64,
    renewed: AtomicU64,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
            published: AtomicU64::new(0),
            consumed: AtomicU64::new(0),
            renewed: AtomicU64::new(0),
        }
    }

    pub(crate) fn published(&self) {
        self.published.store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn consumed(&self) {
        self.consumed.store(self.now(), Ordering::Relaxed);
    }

    pub(crate) fn renewed(&self) {
        self.renewed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn health(&self, now: Result<(), Error>) -> Health {
        let since = |at: &AtomicU64| {
            let at = at.load(Ordering::Relaxed).checked_sub(1)?;
            Some(
                self.start
                    .elapsed()
                    .saturating_sub(Duration::from_millis(at)),
            )
        };
        Health {
            now,
            published: since(&self.published),
            consumed: since(&self.consumed),
            renewed: self.renewed.load(Ordering::Relaxed),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }
}
