//! 1177 inkorg: AddMessageToPatientPortalInbox 1, IsActiveUser 1 and GetMessageThreadStatus 2.

use std::{
    collections::HashMap,
    fmt, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use halsonav_domain::{Clock, PersonId, Timestamp};
use halsonav_rivta::{Running, Server, ServerConfig, handler};
use serde::{Deserialize, Serialize};

use crate::{faults::Faults, tape::Tape};

mod status;
mod wire;

pub use wire::{ADD_MESSAGE, IS_ACTIVE_USER};

/// How the inbox is set up.
pub struct Settings {
    /// Who has an account. A person without one is not an active user.
    pub accounts: Vec<(PersonId, Account)>,
    /// Where messages and readings are remembered.
    pub tape: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it listens.
    pub server: ServerConfig,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Settings({})", self.server.listen)
    }
}

impl Settings {
    /// Plain HTTP on a free port of the loopback address.
    #[must_use]
    pub fn new(accounts: Vec<(PersonId, Account)>, tape: PathBuf, clock: Arc<dyn Clock>) -> Self {
        Self {
            accounts,
            tape,
            clock,
            server: ServerConfig::loopback(),
        }
    }
}

/// A resident's account.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Account {
    /// Messages can be delivered.
    pub active: bool,
    /// `SMS`, `Email`: how the resident hears of a new message.
    pub notified_by: Vec<&'static str>,
}

impl Account {
    /// An active account with a text message for every new message.
    #[must_use]
    pub fn active() -> Self {
        Self {
            active: true,
            notified_by: vec!["SMS"],
        }
    }
}

/// A message as it was delivered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its thread.
    pub thread: String,
    /// To whom.
    pub person: String,
    /// HSA-id of the sending unit.
    pub unit: String,
    /// Its name.
    pub unit_name: String,
    /// Heading.
    pub description: Option<String>,
    /// Text.
    pub text: String,
    /// What the resident can do from it.
    pub link: Option<Link>,
    /// Whether the resident was to be told.
    pub notify: bool,
    /// The sending system.
    pub source_system: Option<String>,
    /// When it came.
    pub received: Timestamp,
}

/// A link with single sign-on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Link {
    /// The system it leads to.
    pub system: String,
    /// Its text.
    pub text: String,
    /// Query of the address.
    pub query: Option<String>,
    /// `CurrentTarget`, `Embedded`, `Widget` or `NewTarget`.
    pub kind: String,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message(thread {}, redacted)", self.thread)
    }
}

/// A line of the tape.
#[derive(Serialize, Deserialize)]
enum Entry {
    Received(Box<Message>),
    Read { thread: String, at: Timestamp },
}

/// A running inbox. It stops when dropped.
#[derive(Debug)]
pub struct Inbox {
    office: Arc<Office>,
    server: Running,
}

/// Everything behind the socket.
struct Office {
    state: Mutex<State>,
    tape: Tape<Entry>,
    clock: Arc<dyn Clock>,
    faults: Faults,
}

#[derive(Default)]
struct State {
    accounts: HashMap<String, Account>,
    messages: Vec<Message>,
    /// Places of a thread's messages.
    threads: HashMap<String, Vec<usize>>,
    read: HashMap<String, Timestamp>,
}

impl fmt::Debug for Office {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Office({} messages)", self.state().messages.len())
    }
}

impl Inbox {
    /// Plays the tape back, then answers.
    ///
    /// # Errors
    /// When the tape cannot be read or the socket not bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let (tape, entries) = Tape::open(&settings.tape)?;
        let accounts = settings
            .accounts
            .into_iter()
            .map(|(id, account)| (id.expose().to_owned(), account));
        let mut state = State {
            accounts: accounts.collect(),
            ..State::default()
        };
        for entry in entries {
            state.apply(entry);
        }
        let office = Arc::new(Office {
            state: Mutex::new(state),
            tape,
            clock: Arc::clone(&settings.clock),
            faults: Faults::default(),
        });
        let mut builder = Server::builder(settings.server, settings.clock);
        for (contract, answer) in wire::OPERATIONS {
            let office = Arc::clone(&office);
            let serve = handler(move |request| {
                let office = Arc::clone(&office);
                async move { wire::misbehave(&office, &request, *answer) }
            });
            builder = builder.operation(contract, serve);
        }
        Ok(Self {
            office,
            server: builder.start().await.map_err(io::Error::other)?,
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
        &self.office.faults
    }

    /// Opens, changes or closes an account.
    pub fn set_account(&self, id: &PersonId, account: Account) {
        self.office
            .state()
            .accounts
            .insert(id.expose().to_owned(), account);
    }

    /// The resident opens the thread. Who has got another number keeps what came under the first one.
    ///
    /// # Errors
    /// `NotFound` when the resident has no such thread, and what the tape says.
    pub fn mark_read(&self, numbers: &[PersonId], thread: &str, at: Timestamp) -> io::Result<()> {
        let mut state = self.office.state();
        let theirs = state
            .thread(thread)
            .any(|message| numbers.iter().any(|id| message.person == id.expose()));
        if !theirs {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !state.read.contains_key(thread) {
            let entry = Entry::Read {
                thread: thread.to_owned(),
                at,
            };
            self.office.tape.append(&entry)?;
            state.apply(entry);
        }
        Ok(())
    }

    /// All messages in the order they came.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.office.state().messages.clone()
    }

    /// How many messages there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.office.state().messages.len()
    }

    /// Whether nothing came yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The messages that came after the first `cursor`, and the next cursor.
    #[must_use]
    pub fn since(&self, cursor: usize) -> (Vec<Message>, usize) {
        let state = self.office.state();
        (
            state.messages.get(cursor..).unwrap_or_default().to_vec(),
            state.messages.len(),
        )
    }

    /// Ids of all threads. More than one message in a thread of the hub is a message sent twice.
    #[must_use]
    pub fn threads(&self) -> Vec<String> {
        self.office.state().threads.keys().cloned().collect()
    }

    /// How many messages a thread has.
    #[must_use]
    pub fn messages_of_thread(&self, thread: &str) -> usize {
        self.office.state().thread(thread).count()
    }
}

impl Office {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Received(message) => {
                self.threads
                    .entry(message.thread.clone())
                    .or_default()
                    .push(self.messages.len());
                self.messages.push(*message);
            }
            Entry::Read { thread, at } => {
                self.read.insert(thread, at);
            }
        }
    }

    fn thread(&self, thread: &str) -> impl Iterator<Item = &Message> {
        self.threads
            .get(thread)
            .into_iter()
            .flatten()
            .filter_map(|place| self.messages.get(*place))
    }
}
