//! What lies between the thread that talks to Kafka and the task that works: records that have come,
//! and how far they have been taken and are done.

use std::collections::{BTreeMap, VecDeque};

use tokio::sync::oneshot;

use super::Place;
use crate::{Delivered, Error};

/// Records and bytes that may lie here; half of it is when more is asked for again.
const RECORDS: usize = 10_000;
const BYTES: usize = 8 << 20;
/// Bytes after which a poll returns with what it has.
const POLL_BYTES: usize = 4 << 20;

/// The desk. Only partitions that are ours have a part of it.
#[derive(Default)]
pub(super) struct Desk {
    parts: BTreeMap<Place, Part>,
    records: usize,
    bytes: usize,
    /// The partition that begins the next poll is the first after this one, so that none starves.
    last: Option<Place>,
    /// Told at the next poll.
    pub(super) trouble: Option<Error>,
    /// The partitions are paused, because too much lies here.
    pub(super) paused: bool,
    /// Somebody wants what was taken and is not done.
    pub(super) rewind: Option<oneshot::Sender<()>>,
    /// Why the client has to be given up.
    pub(super) spoilt: Option<Error>,
    /// Somebody wants the consumer to leave.
    pub(super) stop: bool,
    /// The thread has ended: nothing comes any more.
    pub(super) ended: bool,
}

/// One partition.
struct Part {
    queue: VecDeque<Delivered>,
    /// The first offset that is not done.
    done: i64,
    /// The offset after what was taken.
    taken: i64,
    /// The offset after what has come.
    come: i64,
}

impl Desk {
    /// A partition is ours, from `offset` on.
    pub(super) fn assign(&mut self, place: Place, offset: i64) {
        self.revoke(place);
        let part = Part {
            queue: VecDeque::new(),
            done: offset,
            taken: offset,
            come: offset,
        };
        self.parts.insert(place, part);
        // A partition that is new is not paused; if there is no room, all are, once more.
        self.paused = false;
    }

    /// A partition is no longer ours: what lies here of it will come to somebody else.
    pub(super) fn revoke(&mut self, place: Place) {
        if let Some(part) = self.parts.remove(&place) {
            self.forget(&part.queue);
        }
    }

    /// Nothing is ours any more.
    pub(super) fn clear(&mut self) {
        self.parts.clear();
        (self.records, self.bytes) = (0, 0);
        self.paused = false;
        self.spoilt = None;
        if let Some(asked) = self.rewind.take() {
            let _ = asked.send(());
        }
    }

    /// A record has come. What belongs to no partition of ours is dropped.
    pub(super) fn put(&mut self, place: Place, delivered: Delivered) -> bool {
        let Some(part) = self.parts.get_mut(&place) else {
            return false;
        };
        part.come = i64::try_from(delivered.offset).unwrap_or(i64::MAX - 1) + 1;
        self.records += 1;
        self.bytes += delivered.record.size();
        part.queue.push_back(delivered);
        true
    }

    /// Up to `max` records, partition by partition.
    pub(super) fn take(&mut self, max: usize) -> Vec<Delivered> {
        let mut found = Vec::new();
        let mut size = 0;
        let begin = self.last.take();
        let order = places_after(&self.parts, begin.as_ref());
        for place in order {
            let Some(part) = self.parts.get_mut(&place) else {
                continue;
            };
            while found.len() < max && size < POLL_BYTES {
                let Some(delivered) = part.queue.pop_front() else {
                    break;
                };
                part.taken = i64::try_from(delivered.offset).unwrap_or(i64::MAX - 1) + 1;
                size += delivered.record.size();
                found.push(delivered);
            }
            if found.len() >= max || size >= POLL_BYTES {
                self.last = Some(place);
                break;
            }
        }
        self.records -= found.len();
        self.bytes -= size;
        found
    }

    pub(super) fn is_full(&self) -> bool {
        self.records >= RECORDS || self.bytes >= BYTES
    }

    pub(super) fn has_room(&self) -> bool {
        self.records <= RECORDS / 2 && self.bytes <= BYTES / 2
    }

    /// Whether a rewind has something to do.
    pub(super) fn is_ahead(&self) -> bool {
        self.parts.values().any(|part| part.taken > part.done)
    }

    /// What was taken and is not done: places, and the offsets after it.
    pub(super) fn to_commit(&self) -> Vec<(Place, i64)> {
        self.offsets(|part| (part.taken > part.done).then_some(part.taken))
    }

    /// Where our partitions go on after a rewind: those that have moved.
    pub(super) fn to_rewind(&self) -> Vec<(Place, i64)> {
        self.offsets(|part| (part.come > part.done).then_some(part.done))
    }

    /// What should come next of each partition.
    pub(super) fn expected(&self) -> Vec<(Place, i64)> {
        self.offsets(|part| Some(part.come))
    }

    /// The first offset that is not done, of each partition.
    pub(super) fn done(&self) -> Vec<(Place, i64)> {
        self.offsets(|part| Some(part.done))
    }

    fn offsets(&self, of: impl Fn(&Part) -> Option<i64>) -> Vec<(Place, i64)> {
        self.parts
            .iter()
            .filter_map(|(place, part)| Some((*place, of(part)?)))
            .collect()
    }

    /// What lay here comes again.
    pub(super) fn rewound(&mut self) {
        for part in self.parts.values_mut() {
            part.queue.clear();
            (part.taken, part.come) = (part.done, part.done);
        }
        (self.records, self.bytes) = (0, 0);
    }

    /// Leaves out what is not ours.
    pub(super) fn keep_ours(&self, offsets: &mut Vec<(Place, i64)>) {
        offsets.retain(|(place, _)| self.parts.contains_key(place));
    }

    /// What is before these offsets is done.
    pub(super) fn committed(&mut self, offsets: &[(Place, i64)]) {
        for (place, offset) in offsets {
            if let Some(part) = self.parts.get_mut(place) {
                part.done = part.done.max(*offset);
            }
        }
    }

    fn forget(&mut self, queue: &VecDeque<Delivered>) {
        self.records -= queue.len();
        self.bytes -= queue.iter().map(|d| d.record.size()).sum::<usize>();
    }
}

/// All places, beginning with the first after `last`.
fn places_after(parts: &BTreeMap<Place, Part>, last: Option<&Place>) -> Vec<Place> {
    let mut places: Vec<Place> = parts.keys().copied().collect();
    if let Some(last) = last {
        let after = places.partition_point(|place| place <= last);
        let count = places.len().max(1);
        places.rotate_left(after % count);
    }
    places
}
