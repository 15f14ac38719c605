//! The population register: GetPersonsForProfile 5.

use std::{
    collections::HashMap,
    fmt, io,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use halsonav_domain::{Clock, PersonId, Protection};
use halsonav_rivta::{Contract, Running, Server, ServerConfig, handler};
use jiff::civil::Date;

use crate::{faults::Faults, tape::Tape};

mod person;
mod wire;

pub use person::{Gone, Person, Residence};

/// The contract.
pub const GET_PERSONS: Contract = Contract::new(
    "urn:riv:strategicresourcemanagement:persons:person",
    "GetPersonsForProfile",
    5,
);

/// How the register is set up.
pub struct Settings {
    /// Who is in it from the start. Changes on the tape come on top.
    pub population: Vec<Person>,
    /// Where changes are remembered.
    pub tape: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it listens.
    pub server: ServerConfig,
    /// The logical address it answers to.
    pub logical_address: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({})", self.server.listen)
    }
}

impl Settings {
    /// Plain HTTP on a free port of the loopback address, at the national logical address.
    #[must_use]
    pub fn new(population: Vec<Person>, tape: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            population,
            tape,
            clock,
            server: ServerConfig::loopback(),
            logical_address: "SE165565594230-1000".to_owned(),
        }
    }
}

/// A running register. It stops when dropped.
#[derive(Debug)]
pub struct Register {
    hall: Arc<Hall>,
    server: Running,
}

/// Everything behind the socket.
#[derive(Debug)]
struct Hall {
    people: Mutex<HashMap<String, Person>>,
    tape: Tape<Person>,
    faults: Faults,
    logical_address: String,
    calls: AtomicUsize,
    asked: AtomicUsize,
}

/// A change that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No person with that number.
    #[error("the register has no such person")]
    NoSuchPerson,
    /// The tape cannot be written.
    #[error(transparent)]
    Tape(#[from] io::Error),
}

impl Register {
    /// Plays the tape back, then answers.
    ///
    /// # Errors
    /// When the tape cannot be read or the socket not bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let (tape, changes) = Tape::open(&settings.tape)?;
        let everyone = settings.population.into_iter().chain(changes);
        let hall = Arc::new(Hall {
            people: Mutex::new(
                everyone
                    .map(|person| (person.number.clone(), person))
                    .collect(),
            ),
            tape,
            faults: Faults::default(),
            logical_address: settings.logical_address,
            calls: AtomicUsize::new(0),
            asked: AtomicUsize::new(0),
        });
        let desk = Arc::clone(&hall);
        let answer = handler(move |request| {
            let desk = Arc::clone(&desk);
            async move { wire::answer(&desk, &request) }
        });
        let server =
            Server::builder(settings.server, settings.clock).operation(&GET_PERSONS, answer);
        Ok(Self {
            hall,
            server: server.start().await.map_err(io::Error::other)?,
        })
    }

    /// Where it is called.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Misbehaviour for the next requests.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.hall.faults
    }

    /// Requests answered, faults among them.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.hall.calls.load(Ordering::SeqCst)
    }

    /// Numbers asked for, all requests together.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.hall.asked.load(Ordering::SeqCst)
    }

    /// A person, as the register has it now.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> Option<Person> {
        self.hall.people().get(id.expose()).cloned()
    }

    /// Adds or replaces a person.
    ///
    /// # Errors
    /// When the tape cannot be written.
    pub fn set(&self, person: Person) -> Result<(), Error> {
        let mut people = self.hall.people();
        self.hall.tape.append(&person)?;
        people.insert(person.number.clone(), person);
        Ok(())
    }

    /// The person died.
    ///
    /// # Errors
    /// No such person, or no tape.
    pub fn kill(&self, id: &PersonId, on: Date) -> Result<(), Error> {
        self.change(id, |person| {
            person.gone = Some(Gone {
                reason: "AV".to_owned(),
                on,
            })
        })
    }

    /// The person left the country.
    ///
    /// # Errors
    /// No such person, or no tape.
    pub fn emigrate(&self, id: &PersonId, on: Date) -> Result<(), Error> {
        self.change(id, |person| {
            person.gone = Some(Gone {
                reason: "UV".to_owned(),
                on,
            })
        })
    }

    /// The person is protected from now on, or no longer.
    ///
    /// # Errors
    /// No such person, or no tape.
    pub fn protect(&self, id: &PersonId, grade: Protection) -> Result<(), Error> {
        self.change(id, |person| person.protection = grade)
    }

    /// The person moved; `None` when nobody knows where.
    ///
    /// # Errors
    /// No such person, or no tape.
    pub fn relocate(&self, id: &PersonId, to: Option<Residence>) -> Result<(), Error> {
        self.change(id, |person| person.residence = to)
    }

    /// The person does not want paper, or wants it again.
    ///
    /// # Errors
    /// No such person, or no tape.
    pub fn opt_out_of_paper(&self, id: &PersonId, out: bool) -> Result<(), Error> {
        self.change(id, |person| person.paper_opt_out = out)
    }

    /// The person has a new number; the old one refers to it.
    ///
    /// # Errors
    /// No such person, or no tape.
    pub fn change_number(&self, old: &PersonId, new: &PersonId, on: Date) -> Result<(), Error> {
        let before = self.person(old).ok_or(Error::NoSuchPerson)?;
        let mut after = before.clone();
        new.expose().clone_into(&mut after.number);
        after.formerly = Some(before.number);
        self.set(after)?;
        self.change(old, |person| {
            person.now = Some(new.expose().to_owned());
            person.gone = Some(Gone {
                reason: "GN".to_owned(),
                on,
            });
        })
    }

    fn change(&self, id: &PersonId, change: impl FnOnce(&mut Person)) -> Result<(), Error> {
        let mut person = self.person(id).ok_or(Error::NoSuchPerson)?;
        change(&mut person);
        self.set(person)
    }
}

impl Hall {
    fn people(&self) -> std::sync::MutexGuard<'_, HashMap<String, Person>> {
        self.people.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
