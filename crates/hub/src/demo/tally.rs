//! What reached the neighbours, counted by themselves.

use super::world::World;

impl World {
    /// Letters that the vendor printed.
    #[must_use]
    pub fn letters(&self) -> usize {
        self.vendor.letters().len()
    }

    /// Effects that reached the outside more than once: messages of one thread, letters of one id,
    /// documents of one person, who has one dialogue in a round. Must be 0.
    #[must_use]
    pub fn twice(&self) -> usize {
        let messages: usize = self
            .inbox
            .threads()
            .iter()
            .map(|thread| self.inbox.messages_of_thread(thread).saturating_sub(1))
            .sum();
        // Not by their ids, which the journal system itself keeps apart.
        let documents = self.journal.count() - self.journal.people();
        messages + self.vendor.printed_twice().len() + documents
    }
}
