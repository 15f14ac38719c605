//! ISO 8601 repeating intervals.

use halsonav_domain::Timestamp;

use super::duration::shorten;
use super::{Duration, moment, stockholm};
use crate::Fault;

/// A repetition: `R3/PT10M`, `R/P1D`, `R3/2026-01-01T08:00:00+01:00/P1D`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cycle {
    times: Option<u32>,
    start: Option<Timestamp>,
    every: Duration,
}

impl Cycle {
    /// Reads a repetition. `R` and `R-1` go on until the scope ends; `R3` is three firings, `R0` none.
    ///
    /// # Errors
    /// `timer-cycle`; `timer-cron` for a cron expression; `timer-duration` and `timer-moment` for its parts.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if looks_like_cron(text) {
            return Err(Fault::new(
                "timer-cron",
                format!("`{}` is a cron expression", shorten(text)),
                "Write an ISO 8601 repetition such as R/P1D, or R/2026-01-05T08:00/P1W with a start",
            ));
        }
        let fault = |why: &str| {
            Fault::new(
                "timer-cycle",
                format!("`{}` is not a repetition: {why}", shorten(text)),
                "Write an ISO 8601 repetition such as R3/P14D or R/PT24H",
            )
        };
        let rest = text
            .strip_prefix('R')
            .ok_or_else(|| fault("it does not begin with R"))?;
        let (times, rest) = rest
            .split_once('/')
            .ok_or_else(|| fault("it has no interval"))?;
        let times = match times {
            "" | "-1" => None,
            digits if digits.chars().all(|c| c.is_ascii_digit()) => Some(
                digits
                    .parse()
                    .map_err(|_| fault("the number of times is too large"))?,
            ),
            _ => return Err(fault("the number of times is not a number")),
        };
        let (start, every) = match rest.split_once('/') {
            Some((start, every)) => (Some(moment(start)?), every),
            None => (None, rest),
        };
        let every = Duration::parse(every)?;
        if every.is_zero() || every.is_negative() {
            return Err(fault("the interval must be longer than nothing"));
        }
        Ok(Self {
            times,
            start,
            every,
        })
    }

    /// When it fires for the `k`-th time, `k` from 0; `None` once it is done.
    ///
    /// With a start of its own the first firing is the start, and `anchor` does not matter. Without,
    /// the first is one interval after `anchor`, which is the moment the timer was armed. Each firing
    /// is counted from there and not from the one before, so nothing drifts.
    #[must_use]
    pub fn occurrence(&self, k: u64, anchor: Timestamp) -> Option<Timestamp> {
        if self.times.is_some_and(|times| k >= u64::from(times)) {
            return None;
        }
        Some(match self.start {
            Some(start) => self.every.add_times(k, start, stockholm()),
            None => self
                .every
                .add_times(k.saturating_add(1), anchor, stockholm()),
        })
    }

    /// How many firings; `None` without end.
    #[must_use]
    pub fn times(&self) -> Option<u32> {
        self.times
    }

    /// Its own start.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        self.start
    }

    /// The interval.
    #[must_use]
    pub fn every(&self) -> Duration {
        self.every
    }
}

/// Five or six fields, or a macro such as `@daily`.
fn looks_like_cron(text: &str) -> bool {
    text.starts_with('@') || matches!(text.split_whitespace().count(), 5..=7)
}
