//! Time as an argument. Nothing but the binary reads the machine's clock.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// Now, with whole milliseconds.
    fn now(&self) -> Timestamp;
}

/// A clock that stands still until it is set: for tests, simulation and `demo`.
#[derive(Debug)]
pub struct VirtualClock(AtomicI64);

impl VirtualClock {
    /// Starts at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_millisecond()))
    }

    /// Moves forward to `to`; never back.
    pub fn advance(&self, to: Timestamp) {
        self.0.fetch_max(to.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
