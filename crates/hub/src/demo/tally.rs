//! What reached the neighbours, counted by themselves.

use super::world::World;

impl World {
    /// Letters that the vendor printed.
    #[must_use]
    pub fn letters(&self) -> usize {
        self.vendor.letters().len()
    }

    /// Effects that reached the outside more than once: messages of one thread, letters of one id, and
    /// what a person has once in a round: each form, the laboratory order, the document. Must be 0.
    #[must_use]
    pub fn twice(&self) -> usize {
        let messages: usize = self
            .inbox
            .threads()
            .iter()
            .map(|thread| self.inbox.messages_of_thread(thread).saturating_sub(1))
            .sum();
        // By the person: an id that comes again is kept apart by the neighbours themselves.
        let documents = self.journal.count() - self.journal.people();
        let asked = self.forms.placed_twice() + self.lab.ordered_twice();
        messages + self.vendor.printed_twice().len() + asked + documents
    }
}
