//! A booking system: crm:scheduling 1.1 as producer, with an index that tells of every change.
//!
//! Times follow a rule ([`Facility`]), bookings are kept on a tape. Rules are those of the TKB: a
//! time is booked once, past times cannot be booked, an open kallelse is used up by the booking
//! that answers it, a timed one is moved.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use halsonav_domain::{Clock, HsaId, PersonId, Timestamp};
use halsonav_rivta::{
    Running, Server, ServerConfig,
    engagement::{Engagement, NOT_APPLICABLE},
};

use crate::{
    faults::Faults,
    index::{Index, Subscriber},
    tape::Tape,
    wiretap::Wiretap,
};

mod book;
mod entry;
mod facility;
mod wire;

use book::Book;
pub use entry::{Booking, Refusal, Slot};
use entry::{Entry, Wish};
pub use facility::{Facility, Leader, TimeType};

/// How the booking system is set up.
#[derive(Clone)]
pub struct Settings {
    /// The units and their hours. The same at every start.
    pub facilities: Vec<Facility>,
    /// The tape's file.
    pub tape: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it is called.
    pub server: ServerConfig,
    /// The booking system's own HSA-id.
    pub system: HsaId,
    /// `dataController` of its engagements.
    pub controller: String,
}

/// Why the booking system did not do what a resident asked in process.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The tape could not be written.
    #[error("the tape could not be written: {0}")]
    Tape(#[from] io::Error),
}

/// A running booking system. It stops when dropped.
pub struct Scheduling {
    office: Arc<Office>,
    server: Running,
}

/// Everything behind the socket.
struct Office {
    state: Mutex<State>,
    tape: Arc<Tape<Entry>>,
    clock: Arc<dyn Clock>,
    index: Index,
    faults: Faults,
    change_faults: Faults,
    wiretap: Wiretap,
    system: HsaId,
    controller: String,
}

struct State {
    book: Book,
    /// Number of the last engagement.
    told: u64,
}

impl Settings {
    /// Plain HTTP on a free port of the loopback address.
    #[must_use]
    pub fn new(facilities: Vec<Facility>, tape: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let (system, controller) = (HsaId::new("SE2321000156-BOOK"), "2321000156".to_owned());
        Self {
            facilities,
            tape,
            clock,
            server: ServerConfig::loopback(),
            system,
            controller,
        }
    }
}

impl Scheduling {
    /// Plays the tape back, then answers.
    ///
    /// # Errors
    /// When the tape cannot be read or the socket not bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let (tape, entries) = Tape::open(&settings.tape)?;
        let tape = Arc::new(tape);
        let mut state = State {
            book: Book::open(settings.facilities),
            told: 0,
        };
        let mut waiting = VecDeque::new();
        for entry in &entries {
            if let Entry::Notified { upto } = entry {
                waiting.retain(|(n, _)| n > upto);
            }
            waiting.extend(state.write(entry, &settings.system, &settings.controller));
        }
        let notified = Arc::clone(&tape);
        let index = Index::start(waiting, move |upto| {
            // What cannot be noted as taken is told again after a restart: no harm.
            let _ = notified.append(&Entry::Notified { upto });
        });
        let office = Arc::new(Office {
            state: Mutex::new(state),
            tape,
            clock: Arc::clone(&settings.clock),
            index,
            faults: Faults::default(),
            change_faults: Faults::default(),
            wiretap: Wiretap::default(),
            system: settings.system,
            controller: settings.controller,
        });
        let builder = Server::builder(settings.server, settings.clock);
        let server = wire::operations(builder, &office)
            .start()
            .await
            .map_err(io::Error::other)?;
        Ok(Self { office, server })
    }

    /// Where it is called.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Misbehaviour for the next requests.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.office.faults
    }

    /// Misbehaviour for the next requests that would change something.
    #[must_use]
    pub fn change_faults(&self) -> &Faults {
        &self.office.change_faults
    }

    /// What is said over the socket.
    #[must_use]
    pub fn wiretap(&self) -> &Wiretap {
        &self.office.wiretap
    }

    /// Whom the index tells; `None` keeps the news waiting.
    ///
    /// # Errors
    /// A setting that cannot work.
    pub fn notify(&self, subscriber: Option<&Subscriber>) -> Result<(), halsonav_rivta::Error> {
        self.office.index.subscribe(subscriber)
    }

    /// Engagements that the subscriber has not taken yet.
    #[must_use]
    pub fn waiting_notifications(&self) -> usize {
        self.office.index.waiting()
    }

    /// Returns when the subscriber has taken everything.
    pub async fn settled(&self) {
        self.office.index.settled().await;
    }

    /// Issues an open kallelse.
    ///
    /// # Errors
    /// No such unit, or no tape.
    pub fn open_invitation(&self, person: &PersonId, unit: &HsaId) -> Result<String, Error> {
        self.office
            .change(|book, now| book.decide_invitation(unit, person.expose(), None, now))
            .map(|booking| booking.id)
    }

    /// Issues a kallelse to the first free time between `from` and `to`.
    ///
    /// # Errors
    /// Nothing free, no such unit, or no tape.
    pub fn timed_invitation(
        &self,
        person: &PersonId,
        unit: &HsaId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Booking, Error> {
        self.office.change(|book, now| {
            let slot = first(book, unit, from, to, now)?;
            book.decide_invitation(unit, person.expose(), Some(slot), now)
        })
    }

    /// The resident books the first free time that starts between `from` and `to`, answering an
    /// open kallelse if there is one.
    ///
    /// # Errors
    /// A refusal, or no tape.
    pub fn book_as_resident(
        &self,
        person: &PersonId,
        unit: &HsaId,
        from: Timestamp,
        to: Timestamp,
        invitation: Option<&str>,
    ) -> Result<Booking, Error> {
        self.office.change(|book, now| {
            let start = first(book, unit, from, to, now)?.start;
            let wish = Wish {
                unit,
                person: person.expose(),
                time_type: None,
                start,
                end: None,
                performer: None,
                booking: invitation,
            };
            book.decide_booking(&wish, now)
        })
    }

    /// The resident moves a booking to the first free time that starts between `from` and `to`.
    ///
    /// # Errors
    /// A refusal, or no tape.
    pub fn rebook_as_resident(
        &self,
        booking_id: &str,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Booking, Error> {
        self.office.change(|book, now| {
            let old = book.booking(booking_id).ok_or(Refusal::NoSuchBooking)?;
            let start = first(book, &old.unit, from, to, now)?.start;
            let wish = Wish {
                unit: &old.unit,
                person: &old.person,
                time_type: None,
                start,
                end: None,
                performer: None,
                booking: Some(booking_id),
            };
            book.decide_move(&wish, now)
        })
    }

    /// The resident or the unit cancels a booking, or withdraws a kallelse.
    ///
    /// # Errors
    /// A refusal, or no tape.
    pub fn cancel_as_resident(&self, booking_id: &str) -> Result<(), Error> {
        self.office
            .change(|book, now| {
                let unit = &book.booking(booking_id).ok_or(Refusal::NoSuchBooking)?.unit;
                book.decide_cancel(unit, booking_id, now)
            })
            .map(|_| ())
    }

    /// All timed bookings and kallelser in force, in no order.
    #[must_use]
    pub fn bookings(&self) -> Vec<Booking> {
        self.office
            .lock()
            .book
            .bookings()
            .filter(|booking| booking.slot.is_some())
            .cloned()
            .collect()
    }

    /// One booking or kallelse in force.
    #[must_use]
    pub fn booking(&self, id: &str) -> Option<Booking> {
        self.office.lock().book.booking(id).cloned()
    }

    /// Answers what is under way and ends.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

fn first(
    book: &Book,
    unit: &HsaId,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Slot, Refusal> {
    let day = |at: Timestamp| at.to_zoned(facility::stockholm()).date();
    book.free(unit, (day(from), day(to)), &[], now)
        .find(|slot| from <= slot.start && slot.start <= to)
        .ok_or(Refusal::NothingFree)
}

impl Office {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides, puts the decision on the tape, then into the book, then tells the index.
    fn change(
        &self,
        decide: impl FnOnce(&Book, Timestamp) -> Result<Entry, Refusal>,
    ) -> Result<Booking, Error> {
        let mut state = self.lock();
        let entry = decide(&state.book, self.clock.now())?;
        self.tape.append(&entry)?;
        let news = state.write(&entry, &self.system, &self.controller);
        self.index.push(news);
        match entry {
            Entry::Invited { booking, .. }
            | Entry::Booked { booking, .. }
            | Entry::Moved { booking, .. }
            | Entry::Cancelled { booking, .. } => Ok(booking),
            Entry::Notified { .. } => Err(Refusal::NoSuchBooking.into()),
        }
    }
}

impl State {
    /// Writes an entry into the book and answers the engagements it means, numbered.
    fn write(&mut self, entry: &Entry, system: &HsaId, controller: &str) -> Vec<(u64, Engagement)> {
        self.book.apply(entry);
        let post = |booking: &Booking, invitation: bool, deleted: bool, at: Timestamp| Engagement {
            deleted,
            resident: booking.person.clone(),
            service_domain: "riv:crm:scheduling".to_owned(),
            categorization: if invitation { "Invitation" } else { "Booking" }.to_owned(),
            logical_address: booking.unit.to_string(),
            object: booking.id.clone(),
            interest: NOT_APPLICABLE.to_owned(),
            most_recent: booking
                .slot
                .as_ref()
                .map_or(Some(at), |slot| Some(slot.start))
                .filter(|_| !deleted),
            source_system: system.to_string(),
            created: Some(at),
            updated: Some(at),
            data_controller: controller.to_owned(),
            owner: None,
        };
        let posts = match entry {
            Entry::Invited { booking, at } => vec![post(booking, true, false, *at)],
            Entry::Booked { booking, used, at } => {
                let gone = used.iter().map(|used| post(used, true, true, *at));
                gone.chain([post(booking, false, false, *at)]).collect()
            }
            Entry::Moved {
                booking,
                was_invitation,
                at,
            } => {
                let gone = was_invitation.then(|| post(booking, true, true, *at));
                gone.into_iter()
                    .chain([post(booking, false, false, *at)])
                    .collect()
            }
            Entry::Cancelled { booking, at } => vec![post(booking, booking.invitation, true, *at)],
            Entry::Notified { .. } => Vec::new(),
        };
        let numbered: Vec<_> = (self.told + 1..).zip(posts).collect();
        self.told += numbered.len() as u64;
        numbered
    }
}
