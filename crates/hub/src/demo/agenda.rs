//! What people in the world are going to do, and what they have done.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashSet},
    io,
    path::Path,
};

use halsonav_domain::Timestamp;
use halsonav_neighbours::tape::Tape;
use serde::{Deserialize, Serialize};

/// Something somebody does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
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

/// A line of the tape. Acts by ordinal and opaque ids: nothing of it says who it is.
#[derive(Serialize, Deserialize)]
enum Entry {
    Planned(Timestamp, Act),
    Done(Act),
}

/// Acts in order of time. What was planned is done once, also across restarts.
pub struct Agenda {
    queue: BinaryHeap<Reverse<(Timestamp, Act)>>,
    /// Planned or done: never planned again.
    known: HashSet<Act>,
    tape: Tape<Entry>,
    /// What went wrong when a plan was written down; told by `done`.
    fault: Option<io::Error>,
}

impl Agenda {
    /// Takes up what was planned and not done, in `path`.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn open(path: &Path) -> io::Result<Self> {
        let (tape, entries) = Tape::open(path)?;
        let mut open: BTreeMap<Act, Timestamp> = BTreeMap::new();
        let mut known = HashSet::new();
        for entry in entries {
            match entry {
                Entry::Planned(at, act) => {
                    known.insert(act.clone());
                    open.insert(act, at);
                }
                Entry::Done(act) => {
                    open.remove(&act);
                }
            }
        }
        let queue = open
            .into_iter()
            .map(|(act, at)| Reverse((at, act)))
            .collect();
        Ok(Self {
            queue,
            known,
            tape,
            fault: None,
        })
    }

    /// Plans an act, unless it is known.
    pub fn plan(&mut self, at: Timestamp, act: Act) {
        if self.known.insert(act.clone()) {
            self.fault = self
                .tape
                .append(&Entry::Planned(at, act.clone()))
                .err()
                .or(self.fault.take());
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
    pub fn done(&mut self, act: Act) -> io::Result<()> {
        self.fault.take().map_or(Ok(()), Err)?;
        self.tape.append(&Entry::Done(act))
    }

    /// When something will be done next.
    pub fn next(&self) -> Option<Timestamp> {
        self.queue.peek().map(|Reverse((at, _))| *at)
    }
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
        agenda.done(Act::Decide(2)).expect("written");
        assert_eq!((agenda.due(at(4)), agenda.next()), (None, Some(at(5))));
        let mut again = Agenda::open(&path).expect("opens");
        again.plan(at(1), Act::Decide(2));
        assert_eq!(again.due(at(4)), None);
        assert_eq!(again.due(at(9)), Some(Act::Decide(1)));
        assert_eq!(again.due(at(9)), None);
    }
}
