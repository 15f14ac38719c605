//! Whoever waits for work is told after the commit that made it.

use tokio::sync::watch;

use crate::{Storage, Writer};

/// What there is to do. A sleeper waits for this or for the time that the store says is next.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Wake {
    /// Effects to put on the bus, now or at another time than was known.
    Outbox,
    /// Timers to announce, now or at another time than was known.
    Timers,
    /// Effects held for want of fresh register data.
    Held,
    /// Another version of a process or of its rules.
    Definitions,
    /// The hub's clock was set. Told by [`Writer::wake`].
    Clock,
}

impl Wake {
    pub(crate) const ALL: [Self; 5] = [
        Self::Outbox,
        Self::Timers,
        Self::Held,
        Self::Definitions,
        Self::Clock,
    ];

    /// A word for the channel between processes.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Outbox => "outbox",
            Self::Timers => "timers",
            Self::Held => "held",
            Self::Definitions => "definitions",
            Self::Clock => "clock",
        }
    }
}

/// What a transaction has made to do.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Causes([bool; Wake::ALL.len()]);

impl Causes {
    pub(crate) fn all() -> Self {
        Self([true; Wake::ALL.len()])
    }

    pub(crate) fn add(&mut self, wake: Wake) {
        self.0[wake as usize] = true;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Wake> {
        Wake::ALL
            .into_iter()
            .filter(move |wake| self.0[*wake as usize])
    }
}

/// One channel for each [`Wake`]; what it carries is how often there was cause.
#[derive(Default, Debug)]
pub(crate) struct Wakeups([watch::Sender<u64>; Wake::ALL.len()]);

impl Wakeups {
    pub(crate) fn tell(&self, causes: Causes) {
        for wake in causes.iter() {
            self.0[wake as usize].send_modify(|times| *times = times.wrapping_add(1));
        }
    }
}

impl Storage {
    /// A channel that changes after each commit in which there was cause, in whatever process that
    /// was. Never before the commit, and never for what was undone.
    #[must_use]
    pub fn woken(&self, wake: Wake) -> watch::Receiver<u64> {
        self.wakeups().0[wake as usize].subscribe()
    }
}

impl Writer {
    /// Wakes those who wait for `wake` once this transaction is on disk.
    pub fn wake(&mut self, wake: Wake) {
        self.causes.add(wake);
    }
}
