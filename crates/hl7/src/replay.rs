//! Control ids that were accepted, to see when one comes back with other content.

use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};

use halsonav_domain::Timestamp;

use crate::Message;

/// Many systems begin their counters anew each day, so the memory must be shorter than that.
const AGE: Duration = Duration::from_secs(12 * 60 * 60);
const COUNT: usize = 4096;

type Name = (String, String, String);

/// The latest accepted messages of each sender.
#[derive(Default)]
pub(crate) struct Replay {
    known: HashMap<Name, (u64, Timestamp)>,
    order: VecDeque<(Name, Timestamp)>,
}

impl Replay {
    /// Whether the sender used this MSH-10 for something else, not long ago.
    pub(crate) fn contradicts(&self, message: &Message, now: Timestamp) -> bool {
        self.known.get(&name(message)).is_some_and(|(digest, at)| {
            now.duration_since(*at).unsigned_abs() < AGE && *digest != self::digest(message)
        })
    }

    pub(crate) fn remember(&mut self, message: &Message, now: Timestamp) {
        let name = name(message);
        self.known.insert(name.clone(), (digest(message), now));
        self.order.push_back((name, now));
        while self.order.len() > COUNT {
            if let Some((name, at)) = self.order.pop_front()
                && self
                    .known
                    .get(&name)
                    .is_some_and(|(_, latest)| *latest == at)
            {
                self.known.remove(&name);
            }
        }
    }
}

fn name(message: &Message) -> Name {
    let text = |field| message.text("MSH", field).to_owned();
    (text(3), text(4), text(10))
}

/// All but MSH-7: a sender may stamp a repeated message anew.
fn digest(message: &Message) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (index, segment) in message.segments().iter().enumerate() {
        segment.name().hash(&mut hasher);
        for (field, value) in segment.fields.iter().enumerate() {
            if index > 0 || field != 6 {
                value.hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: &str, time: &str, value: &str) -> Message {
        let text = format!("MSH|^~\\&|LIS|LAB|||{time}||ORU^R01|{id}\rOBX|1|NM|||{value}");
        Message::parse(text.as_bytes()).expect("reads")
    }

    #[test]
    fn other_content_under_one_id_is_seen_for_half_a_day() {
        let mut replay = Replay::default();
        let now = Timestamp::UNIX_EPOCH;
        replay.remember(&message("1", "2026", "5"), now);
        assert!(!replay.contradicts(&message("1", "2027", "5"), now));
        assert!(!replay.contradicts(&message("2", "2026", "6"), now));
        assert!(replay.contradicts(&message("1", "2026", "6"), now));
        assert!(!replay.contradicts(&message("1", "2026", "6"), now + AGE));
    }

    #[test]
    fn its_memory_is_bounded() {
        let mut replay = Replay::default();
        for n in 0..COUNT + 10 {
            replay.remember(&message(&n.to_string(), "", "5"), Timestamp::UNIX_EPOCH);
        }
        assert_eq!((replay.known.len(), replay.order.len()), (COUNT, COUNT));
        assert!(!replay.contradicts(&message("1", "", "6"), Timestamp::UNIX_EPOCH));
    }
}
