//! Our own changes, which the index tells us about as it tells of everybody's.
//!
//! A change that the hub made is already in the case as the command's result. Its echo is let go
//! once. This is a courtesy to the process, not a promise: after a restart, or when the answer to a
//! change was lost, the echo arrives as an event and must do no harm.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use halsonav_domain::Timestamp;

/// Changes remembered at most; the index is seconds behind, not days.
const CAPACITY: usize = 4096;

/// Changes made by the hub whose echo has not come yet.
#[derive(Debug, Default)]
pub(crate) struct Echoes(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Booking → its start, or nothing when cancelled.
    expected: HashMap<String, Option<Timestamp>>,
    order: VecDeque<String>,
}

impl Echoes {
    /// The hub left `booking` at `start`, or cancelled it.
    pub fn expect(&self, booking: &str, start: Option<Timestamp>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.expected.insert(booking.to_owned(), start).is_none() {
            inner.order.push_back(booking.to_owned());
        }
        while inner.order.len() > CAPACITY {
            if let Some(oldest) = inner.order.pop_front() {
                inner.expected.remove(&oldest);
            }
        }
    }

    /// Whether news of `booking` is only our own echo. Any news ends the expectation.
    pub fn is_echo(&self, booking: &str, start: Option<Timestamp>) -> bool {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(expected) = inner.expected.remove(booking) else {
            return false;
        };
        inner.order.retain(|known| known != booking);
        expected == start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_is_heard_once() {
        let (echoes, at) = (Echoes::default(), Timestamp::from_second(1).ok());
        echoes.expect("a", at);
        assert!(!echoes.is_echo("b", at));
        assert!(echoes.is_echo("a", at));
        assert!(!echoes.is_echo("a", at), "the second time it is news");
    }

    #[test]
    fn news_in_between_ends_the_expectation() {
        let (echoes, at) = (Echoes::default(), Timestamp::from_second(1).ok());
        echoes.expect("a", at);
        assert!(!echoes.is_echo("a", None), "somebody cancelled it");
        assert!(
            !echoes.is_echo("a", at),
            "and booked it again at the same time"
        );
    }

    #[test]
    fn memory_is_bounded() {
        let echoes = Echoes::default();
        for n in 0..=CAPACITY {
            echoes.expect(&n.to_string(), None);
        }
        assert!(!echoes.is_echo("0", None));
        assert!(echoes.is_echo("1", None));
    }
}
