//! The interface: what a hub may ask of any bus.

use std::time::Duration;

use async_trait::async_trait;
use halsonav_domain::{Timestamp, Topic};

use crate::{Delivered, Error, Health, Record};

/// Somewhere to publish, and to subscribe.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Makes `records` durable, in order for each key. They may share one flush with those of
    /// other publishers.
    ///
    /// Dropping the future does not take back what was handed over.
    ///
    /// # Errors
    /// `Unavailable`: some, all or none of them may be there; publish again, consumers deduplicate.
    /// `Invalid`: a record is larger than the bus carries, and none of them is there.
    async fn publish(&self, topic: &Topic, records: Vec<Record>) -> Result<(), Error>;

    /// Joins `group` (letters, digits, `.`, `-`, `_`) as its consumer of `topics`, beginning after
    /// what the group has committed.
    ///
    /// # Errors
    /// `Conflict` when the group has a consumer of one of the topics already and this bus cannot
    /// share them out.
    fn subscribe(&self, group: &str, topics: &[Topic]) -> Result<Box<dyn Consumer>, Error>;

    /// Records of `topics` that `group` has not committed.
    ///
    /// # Errors
    /// `Unavailable` when the bus cannot be asked.
    async fn lag(&self, group: &str, topics: &[Topic]) -> Result<u64, Error>;

    /// Deletes records older than `age`, as far as every group has committed them; how much went, in
    /// units of the bus's own. A bus that sees to that by itself has nothing to do.
    ///
    /// # Errors
    /// `Unavailable`, `Internal`: what was deleted until then is gone.
    async fn forget(&self, _now: Timestamp, _age: Duration) -> Result<usize, Error> {
        Ok(0)
    }

    /// How the bus is doing. Asks it, and takes no longer than a question may take.
    async fn health(&self) -> Health;
}

/// One reader on behalf of a group.
#[async_trait]
pub trait Consumer: Send + Sync {
    /// Up to `max` records, as soon as there is one. Waits for it as long as it takes, or not
    /// longer than `wait`; then the answer is empty. `Some(Duration::ZERO)` does not wait, and tells
    /// what is here: from Kafka a record comes some time after it was published.
    ///
    /// Dropping the future loses nothing: the records come with the next call.
    ///
    /// # Errors
    /// `Unavailable` for a passing failure, `Denied` when Kafka gives us no right, `Internal` when
    /// the log is damaged or records are gone. Ask again: what can be read is.
    async fn poll(&mut self, max: usize, wait: Option<Duration>) -> Result<Vec<Delivered>, Error>;

    /// Everything polled so far is done and will not come again. What has been given to another
    /// member of the group since it was polled is left out, and comes to that one.
    ///
    /// # Errors
    /// `Unavailable`: nothing is lost, the records may come again.
    async fn commit(&mut self) -> Result<(), Error>;

    /// Goes back to the last commit, so that what was polled since comes again.
    ///
    /// # Errors
    /// `Unavailable` when the bus cannot be asked.
    async fn rewind(&mut self) -> Result<(), Error>;

    /// Records published and not committed, of the partitions that this consumer has.
    ///
    /// # Errors
    /// `Unavailable` when the bus cannot be asked.
    async fn lag(&mut self) -> Result<u64, Error>;

    /// Leaves the group, and returns when that is done: others take over at once. Dropping a
    /// consumer leaves too, without anybody waiting.
    ///
    /// # Errors
    /// `Unavailable` when it takes too long. Others then take over when the session has run out.
    async fn close(self: Box<Self>) -> Result<(), Error>;
}
