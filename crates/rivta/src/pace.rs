//! Not faster than the producer wants: a place in line for every call.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Spaces calls evenly. A producer's "one a second" is meant as that, not as sixty at once.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// `per_second` must be positive and finite.
    pub fn new(per_second: f64) -> Option<Self> {
        (per_second.is_finite() && per_second > 0.0)
            .then(|| Duration::try_from_secs_f64(1.0 / per_second).ok())
            .flatten()
            .filter(|gap| *gap <= Duration::from_secs(3_600))
            .map(|gap| Self {
                gap,
                next: Mutex::new(None),
            })
    }

    /// Waits for the turn of this call.
    pub async fn turn(&self) {
        let mine = self.place(Instant::now());
        tokio::time::sleep_until(mine.into()).await;
    }

    /// When the next call may go.
    fn place(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = next.map_or(now, |next| next.max(now));
        *next = Some(mine + self.gap);
        mine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_spaced_and_idle_time_is_not_saved_up() {
        let pace = Pace::new(2.0).expect("a pace");
        let start = Instant::now();
        let after = |at: Instant| at.duration_since(start).as_millis();
        assert_eq!(
            (0..4).map(|_| after(pace.place(start))).collect::<Vec<_>>(),
            [0, 500, 1_000, 1_500]
        );
        let later = start + Duration::from_secs(60);
        assert_eq!(
            (0..2).map(|_| after(pace.place(later))).collect::<Vec<_>>(),
            [60_000, 60_500]
        );
    }

    #[test]
    fn a_pace_is_positive() {
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-300, 1e-9] {
            assert!(Pace::new(bad).is_none(), "{bad}");
        }
    }
}
