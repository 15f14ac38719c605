//! What reached the neighbours, counted by themselves.

use super::world::World;

impl World {
    /// Letters that the vendor printed.
    #[must_use]
    pub fn letters(&self) -> usize {
        self.vendor.letters().len()
    }

    /// Effects that reached the outside more than once: messages of one thread, forms of one
    /// request, orders of one number, letters of one id. Must be 0.
    #[must_use]
    pub fn twice(&self) -> usize {
        let messages: usize = self
            .inbox
            .threads()
            .iter()
            .map(|thread| self.inbox.messages_of_thread(thread).saturating_sub(1))
            .sum();
        messages + self.vendor.printed_twice().len() + self.journal_twice()
    }

    /// Documents beyond one for each person: nobody has two dialogues in a round. Not by their ids,
    /// which the journal system itself keeps apart.
    fn journal_twice(&self) -> usize {
        let documents = self.journal.documents();
        let distinct: std::collections::HashSet<_> =
            documents.iter().map(|document| &document.person).collect();
        documents.len() - distinct.len()
    }
}
