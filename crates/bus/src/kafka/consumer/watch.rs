//! Whether a client that gets nothing is stuck.

use std::time::{Duration, Instant};

use super::Shared;
use crate::{Error, kafka::asker::Asker};

/// The longest time between two suspicions, in limits.
const PATIENCE: u32 = 64;

/// Suspects a client after `limit` without a record, and asks the brokers through another one.
///
/// A suspicion can be wrong: the markers of other programs' transactions are records that never
/// come. Each one that changed nothing doubles the time to the next.
pub(super) struct Watch {
    limit: Duration,
    patience: u32,
    due: Instant,
    /// Sum of the group's offsets when we had no partition and looked last.
    group: Option<i64>,
}

impl Watch {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            patience: 1,
            due: Instant::now() + limit,
            group: None,
        }
    }

    /// A record has come.
    pub(super) fn progress(&mut self) {
        self.patience = 1;
        self.rest();
    }

    /// Nothing was expected.
    pub(super) fn rest(&mut self) {
        self.due = Instant::now() + self.limit * self.patience;
    }

    /// Whether it is time, and something should have come and has not.
    pub(super) fn is_stuck(&mut self, shared: &Shared, asker: &Asker) -> bool {
        if Instant::now() < self.due {
            return false;
        }
        // Without an answer the brokers are away, and no other client would fare better.
        let stuck = self.ask(shared, asker).unwrap_or(false);
        if stuck {
            self.patience = (self.patience * 2).min(PATIENCE);
        }
        self.rest();
        stuck
    }

    fn ask(&mut self, shared: &Shared, asker: &Asker) -> Result<bool, Error> {
        let named = |(place, offset): (super::Place, i64)| {
            let topic = shared.subject.name(place).to_owned();
            (topic, place.partition, offset)
        };
        let expected: Vec<_> = shared.desk().expected().into_iter().map(named).collect();
        if !expected.is_empty() {
            self.group = None;
            return Ok(asker.behind(&expected)? > 0);
        }
        // Others may have all the partitions. Then the group gets on.
        let topics: Vec<_> = shared
            .subject
            .topics
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let positions = asker.positions(&shared.subject.group, &topics)?;
        let sum = positions.iter().map(|(_, _, offset)| offset).sum();
        let before = self.group.replace(sum);
        Ok(before == Some(sum) && asker.behind(&positions)? > 0)
    }
}
