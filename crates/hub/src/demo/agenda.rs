//! What people in the world are going to do, and what they have done.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    io,
    path::Path,
};

use halsonav_domain::Timestamp;
use halsonav_neighbours::tape::Tape;

/// Something somebody does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Act {
    /// The register learns of the n-th fate of a person.
    Fate(usize, usize),
    /// A message is opened.
    Read(usize, String),
    /// A person answers the invitation.
    Decide(usize),
    /// A booking is moved by the person.
    Rebook(usize, String),
    /// A booking is cancelled by the person.
    Cancel(usize, String),
    /// A form is answered.
    Answer(usize, String),
    /// A sample is analysed; `true` for a first part only.
    Analyse(String, bool),
    /// A person at work does a work item.
    Work(i64),
    /// The print vendor fetches its jobs, on its n-th day.
    Pickup(u64),
    /// A letter reaches a person.
    Letter(usize, String),
    /// A letter comes back.
    Return(String, String),
}

/// Acts in order of time; an act is done once, also across restarts.
pub struct Agenda {
    queue: BinaryHeap<Reverse<(Timestamp, Act)>>,
    planned: HashSet<Act>,
    done: HashSet<String>,
    tape: Tape<String>,
}

impl Agenda {
    /// Remembers what was done, in `path`.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (tape, done) = Tape::open(path)?;
        Ok(Self {
            queue: BinaryHeap::new(),
            planned: HashSet::new(),
            done: done.into_iter().collect(),
            tape,
        })
    }

    /// Plans an act, unless it is planned or done.
    pub fn plan(&mut self, at: Timestamp, act: Act) {
        if !self.done.contains(&key(&act)) && self.planned.insert(act.clone()) {
            self.queue.push(Reverse((at, act)));
        }
    }

    /// The next act that is due.
    pub fn due(&mut self, now: Timestamp) -> Option<Act> {
        let Reverse((at, _)) = self.queue.peek()?;
        if *at > now {
            return None;
        }
        self.queue.pop().map(|Reverse((_, act))| act)
    }

    /// The act is done and will not be done again.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub fn done(&mut self, act: &Act) -> io::Result<()> {
        let key = key(act);
        self.planned.remove(act);
        self.tape.append(&key)?;
        self.done.insert(key);
        Ok(())
    }

    /// When something will be done next.
    pub fn next(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }
}

/// Acts by ordinal and opaque ids: nothing of it says who it is.
fn key(act: &Act) -> String {
    format!("{act:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_done_once_even_after_a_restart() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("acts.jsonl");
        let at = |s| Timestamp::from_second(s).expect("in range");
        let mut agenda = Agenda::open(&path).expect("opens");
        agenda.plan(at(5), Act::Decide(1));
        agenda.plan(at(3), Act::Decide(2));
        agenda.plan(at(3), Act::Decide(2));
        assert_eq!(agenda.due(at(4)), Some(Act::Decide(2)));
        agenda.done(&Act::Decide(2)).expect("written");
        assert_eq!((agenda.due(at(4)), agenda.next()), (None, Some(at(5))));
        let mut again = Agenda::open(&path).expect("opens");
        again.plan(at(1), Act::Decide(2));
        again.plan(at(1), Act::Decide(1));
        assert_eq!(again.due(at(9)), Some(Act::Decide(1)));
        assert_eq!(again.due(at(9)), None);
    }
}
