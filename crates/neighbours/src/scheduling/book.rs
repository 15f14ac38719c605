//! The appointment book: what is decided, and what it looks like afterwards.
//!
//! `decide_*` reads the book and answers with an [`Entry`] or a refusal; [`Book::apply`] writes an
//! entry in. Between the two the entry goes to the tape, so that what is in the book is on the tape.

use std::collections::{BTreeMap, HashMap, HashSet};

use halsonav_domain::{HsaId, Timestamp};
use jiff::civil;

use super::{
    entry::{Booking, Entry, Refusal, Slot, Wish},
    facility::{Facility, stockholm},
};

/// All units, all bookings, and the indexes that keep questions cheap.
#[derive(Default)]
pub(super) struct Book {
    facilities: BTreeMap<HsaId, Facility>,
    bookings: HashMap<String, Booking>,
    by_person: HashMap<String, Vec<String>>,
    taken: HashMap<(HsaId, civil::Date), HashSet<(u16, u16)>>,
    used: HashSet<String>,
    issued: u64,
}

impl Book {
    pub fn open(facilities: Vec<Facility>) -> Self {
        Self {
            facilities: facilities
                .into_iter()
                .map(|facility| (facility.unit.clone(), facility))
                .collect(),
            ..Self::default()
        }
    }

    pub fn facility(&self, unit: &HsaId) -> Option<&Facility> {
        self.facilities.get(unit)
    }

    /// A booking or kallelse that is neither cancelled nor used up.
    pub fn booking(&self, id: &str) -> Option<&Booking> {
        self.bookings.get(id)
    }

    pub fn bookings(&self) -> impl Iterator<Item = &Booking> {
        self.bookings.values()
    }

    /// What the person has ahead, timed, soonest first (TKB: open kallelser are not in the schedule).
    pub fn schedule(&self, unit: &HsaId, person: &str, now: Timestamp) -> Vec<&Booking> {
        let mut ahead: Vec<_> = self
            .of_person(person)
            .filter(|booking| {
                booking.unit == *unit && booking.slot.as_ref().is_some_and(|slot| slot.start >= now)
            })
            .collect();
        ahead.sort_by_key(|booking| booking.slot.as_ref().map(|slot| slot.start));
        ahead
    }

    /// Free times of a unit that start within the days and not before `now`, soonest first.
    pub fn free<'a>(
        &'a self,
        unit: &HsaId,
        days: (civil::Date, civil::Date),
        performers: &'a [HsaId],
        now: Timestamp,
    ) -> impl Iterator<Item = Slot> + 'a {
        let facility = self.facilities.get(unit);
        let (first, last) = (days.0.max(now.to_zoned(stockholm()).date()), days.1);
        first
            .series(jiff::Span::new().days(1))
            .take_while(move |day| *day <= last)
            .flat_map(move |day| {
                facility
                    .into_iter()
                    .flat_map(move |facility| self.free_on(facility, day, performers, now))
            })
    }

    fn free_on<'a>(
        &'a self,
        facility: &'a Facility,
        day: civil::Date,
        performers: &'a [HsaId],
        now: Timestamp,
    ) -> impl Iterator<Item = Slot> + 'a {
        let taken = self.taken.get(&(facility.unit.clone(), day));
        // A full day costs one look, so that a search does not grow with what is booked.
        let capacity = facility.starts(day).count() * facility.leaders.len();
        let full = taken.is_some_and(|taken| taken.len() >= capacity);
        facility
            .starts(day)
            .take_while(move |_| !full)
            .flat_map(move |minute| {
                let span = facility
                    .span(day, minute)
                    .filter(|(start, _)| *start >= now);
                span.into_iter().flat_map(move |(start, end)| {
                    facility
                        .leaders
                        .iter()
                        .zip(0_u16..)
                        .filter_map(move |(leader, n)| {
                            let wanted = performers.is_empty() || performers.contains(&leader.id);
                            let free = taken.is_none_or(|taken| !taken.contains(&(minute, n)));
                            (wanted && free).then_some(Slot {
                                start,
                                end,
                                leader: n,
                            })
                        })
                })
            })
    }

    pub fn decide_invitation(
        &self,
        unit: &HsaId,
        person: &str,
        slot: Option<Slot>,
        at: Timestamp,
    ) -> Result<Entry, Refusal> {
        let facility = self.facilities.get(unit).ok_or(Refusal::NoSuchTime)?;
        let time_type = facility
            .time_types
            .first()
            .ok_or(Refusal::NoSuchTime)?
            .id
            .clone();
        let id = format!("INV-{:06}", self.issued + 1);
        Ok(Entry::Invited {
            booking: Booking {
                id,
                unit: unit.clone(),
                person: person.to_owned(),
                time_type,
                slot,
                invitation: true,
            },
            at,
        })
    }

    pub fn decide_booking(&self, wish: &Wish<'_>, now: Timestamp) -> Result<Entry, Refusal> {
        let used = wish
            .booking
            .map(|id| self.open_invitation(id, wish))
            .transpose()?;
        let slot = self.choose(wish, None, now)?;
        let facility = self.facilities.get(wish.unit).ok_or(Refusal::NoSuchTime)?;
        let time_type = match (wish.time_type, &used, facility.time_types.first()) {
            (Some(id), _, _) => facility
                .time_type(id)
                .ok_or(Refusal::NoSuchTime)?
                .id
                .clone(),
            (None, Some(invitation), _) => invitation.time_type.clone(),
            (None, None, Some(first)) => first.id.clone(),
            (None, None, None) => return Err(Refusal::NoSuchTime),
        };
        let id = format!("BK-{:06}", self.issued + 1);
        let booking = Booking {
            id,
            unit: wish.unit.clone(),
            person: wish.person.to_owned(),
            time_type,
            slot: Some(slot),
            invitation: false,
        };
        Ok(Entry::Booked {
            booking,
            used: used.map(|used| Box::new(used.clone())),
            at: now,
        })
    }

    pub fn decide_move(&self, wish: &Wish<'_>, now: Timestamp) -> Result<Entry, Refusal> {
        let id = wish.booking.ok_or(Refusal::NoSuchBooking)?;
        let old = self
            .bookings
            .get(id)
            .filter(|old| old.person == wish.person && old.unit == *wish.unit);
        let old = old.ok_or(Refusal::NoSuchBooking)?;
        let from = old.slot.as_ref().ok_or(Refusal::NoSuchBooking)?;
        if from.start < now {
            return Err(Refusal::Passed);
        }
        let slot = self.choose(wish, Some(old), now)?;
        let booking = Booking {
            slot: Some(slot),
            invitation: false,
            ..old.clone()
        };
        Ok(Entry::Moved {
            booking,
            was_invitation: old.invitation,
            at: now,
        })
    }

    pub fn decide_cancel(&self, unit: &HsaId, id: &str, now: Timestamp) -> Result<Entry, Refusal> {
        let booking = self
            .bookings
            .get(id)
            .filter(|booking| booking.unit == *unit)
            .ok_or(Refusal::NoSuchBooking)?;
        if booking.slot.as_ref().is_some_and(|slot| slot.start < now) {
            return Err(Refusal::Passed);
        }
        Ok(Entry::Cancelled {
            booking: booking.clone(),
            at: now,
        })
    }

    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Invited { booking, .. } => self.insert(booking, true),
            Entry::Booked { booking, used, .. } => {
                if let Some(used) = used {
                    self.remove(&used.id);
                    self.used.insert(used.id.clone());
                }
                self.insert(booking, true);
            }
            Entry::Moved { booking, .. } => {
                self.remove(&booking.id);
                self.insert(booking, false);
            }
            Entry::Cancelled { booking, .. } => self.remove(&booking.id),
            Entry::Notified { .. } => {}
        }
    }

    fn open_invitation(&self, id: &str, wish: &Wish<'_>) -> Result<&Booking, Refusal> {
        if self.used.contains(id) {
            return Err(Refusal::InvitationUsed);
        }
        let booking = self
            .bookings
            .get(id)
            .filter(|booking| booking.person == wish.person && booking.unit == *wish.unit);
        match booking {
            Some(booking) if booking.invitation && booking.slot.is_none() => Ok(booking),
            Some(booking) if booking.invitation => Err(Refusal::InvitationTimed),
            _ => Err(Refusal::NoSuchBooking),
        }
    }

    /// A leader for the wished start, or why there is none.
    fn choose(
        &self,
        wish: &Wish<'_>,
        moving: Option<&Booking>,
        now: Timestamp,
    ) -> Result<Slot, Refusal> {
        let facility = self.facilities.get(wish.unit).ok_or(Refusal::NoSuchTime)?;
        if wish.start < now {
            return Err(Refusal::Passed);
        }
        let (day, minute) = facility.slot_at(wish.start).ok_or(Refusal::NoSuchTime)?;
        let (start, end) = facility.span(day, minute).ok_or(Refusal::NoSuchTime)?;
        if wish.end.is_some_and(|wished| wished != end) {
            return Err(Refusal::NoSuchTime);
        }
        let busy = self
            .of_person(wish.person)
            .filter(|other| moving.is_none_or(|moving| moving.id != other.id))
            .filter_map(|other| other.slot.as_ref())
            .any(|other| other.start < end && start < other.end);
        if busy {
            return Err(Refusal::Occupied);
        }
        let taken = self.taken.get(&(wish.unit.clone(), day));
        let free = |n: u16| taken.is_none_or(|taken| !taken.contains(&(minute, n)));
        let leader = match wish.performer {
            Some(id) => Some(facility.leader(id).ok_or(Refusal::NoSuchTime)?).filter(|n| free(*n)),
            None => (0_u16..).take(facility.leaders.len()).find(|n| free(*n)),
        };
        leader
            .map(|leader| Slot { start, end, leader })
            .ok_or(Refusal::Taken)
    }

    fn of_person(&self, person: &str) -> impl Iterator<Item = &Booking> {
        self.by_person
            .get(person)
            .into_iter()
            .flatten()
            .filter_map(|id| self.bookings.get(id))
    }

    fn insert(&mut self, booking: &Booking, new: bool) {
        self.issued += u64::from(new);
        self.mark(booking, true);
        self.by_person
            .entry(booking.person.clone())
            .or_default()
            .push(booking.id.clone());
        self.bookings.insert(booking.id.clone(), booking.clone());
    }

    fn remove(&mut self, id: &str) {
        if let Some(booking) = self.bookings.remove(id) {
            self.mark(&booking, false);
            if let Some(ids) = self.by_person.get_mut(&booking.person) {
                ids.retain(|known| known != id);
            }
        }
    }

    fn mark(&mut self, booking: &Booking, taken: bool) {
        let place = booking
            .slot
            .as_ref()
            .zip(self.facilities.get(&booking.unit));
        let Some((slot, (day, minute))) =
            place.and_then(|(slot, facility)| Some((slot, facility.slot_at(slot.start)?)))
        else {
            return;
        };
        let day = self.taken.entry((booking.unit.clone(), day)).or_default();
        if taken {
            day.insert((minute, slot.leader));
        } else {
            day.remove(&(minute, slot.leader));
        }
    }
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
