//! A form engine: infrastructure:eservicesupply:forminteraction 2.0 as producer, with
//! ProcessNotification to the system that asked.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use halsonav_domain::{Clock, HsaId, Timestamp};
use halsonav_rivta::{
    Running, Server, ServerConfig,
    engagement::{Engagement, NOT_APPLICABLE},
    xml,
};
use serde_json::{Map, Value};

use crate::{
    faults::Faults,
    index::{Index, Subscriber},
    tape::Tape,
    wiretap::Wiretap,
};

mod desk;
mod template;
mod wire;

use desk::{Desk, Entry};
pub use desk::{Form, Status};
pub use template::{AnswerError, Input, Question, Template};

/// How the form engine is set up.
#[derive(Clone)]
pub struct Settings {
    /// Its templates. The same at every start.
    pub templates: Vec<Template>,
    /// The tape's file.
    pub tape: PathBuf,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where it is called.
    pub server: ServerConfig,
    /// The engine's HSA-id: the LogicalAddress of all its contracts.
    pub engine: HsaId,
    /// How it spells the categorization of an answered form: the TKB has `FormComplete`, Inera's
    /// page `FormCompleted`.
    pub completed: &'static str,
}

/// A running form engine. It stops when dropped.
pub struct Forms {
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
    wiretap: Wiretap,
    voice: Voice,
}

struct State {
    desk: Desk,
    /// Number of the last notification.
    told: u64,
}

/// How the engine speaks of itself.
struct Voice {
    engine: HsaId,
    completed: &'static str,
}

impl Settings {
    /// Plain HTTP on a free port of the loopback address.
    #[must_use]
    pub fn new(templates: Vec<Template>, tape: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let engine = HsaId::new("SE165565594230-FORM");
        Self {
            templates,
            tape,
            clock,
            server: ServerConfig::loopback(),
            engine,
            completed: "FormCompleted",
        }
    }
}

impl Forms {
    /// Plays the tape back, then answers.
    ///
    /// # Errors
    /// When the tape cannot be read or the socket not bound.
    pub async fn start(settings: Settings) -> io::Result<Self> {
        let (tape, entries) = Tape::open(&settings.tape)?;
        let tape = Arc::new(tape);
        let voice = Voice {
            engine: settings.engine,
            completed: settings.completed,
        };
        let mut state = State {
            desk: Desk::open(settings.templates),
            told: 0,
        };
        let mut waiting = VecDeque::new();
        for entry in &entries {
            if let Entry::Notified { upto } = entry {
                waiting.retain(|(n, _)| n > upto);
            }
            waiting.extend(state.write(entry, &voice));
        }
        let notified = Arc::clone(&tape);
        let index = Index::start(waiting, move |upto| {
            // What cannot be noted as taken is told again after a restart: no harm.
            let _ = notified.append(&Entry::Notified { upto });
        });
        let (faults, wiretap) = Default::default();
        let clock = Arc::clone(&settings.clock);
        let office = Arc::new(Office {
            state: Mutex::new(state),
            tape,
            clock,
            index,
            faults,
            wiretap,
            voice,
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

    /// What is said over the socket.
    #[must_use]
    pub fn wiretap(&self) -> &Wiretap {
        &self.office.wiretap
    }

    /// Whom it notifies; `None` keeps the news waiting.
    ///
    /// # Errors
    /// A setting that cannot work.
    pub fn notify(&self, subscriber: Option<&Subscriber>) -> Result<(), halsonav_rivta::Error> {
        self.office.index.subscribe(subscriber)
    }

    /// Notifications that the subscriber has not taken yet.
    #[must_use]
    pub fn waiting_notifications(&self) -> usize {
        self.office.index.waiting()
    }

    /// Returns when the subscriber has taken everything.
    pub async fn settled(&self) {
        self.office.index.settled().await;
    }

    /// Forms placed since number `since` that are still open, and the number to go on from.
    #[must_use]
    pub fn open_forms(&self, since: usize) -> (Vec<Form>, usize) {
        let state = self.office.lock();
        let open = state
            .desk
            .since(since)
            .iter()
            .filter(|form| form.status == Status::Ongoing)
            .cloned()
            .collect();
        (open, state.desk.len())
    }

    /// One form.
    #[must_use]
    pub fn form(&self, id: &str) -> Option<Form> {
        self.office.lock().desk.form(id).cloned()
    }

    /// How many forms were ever placed.
    #[must_use]
    pub fn count(&self) -> usize {
        self.office.lock().desk.len()
    }

    /// Forms beyond the first of one person and template, those taken back not counted.
    #[must_use]
    pub fn placed_twice(&self) -> usize {
        self.office.lock().desk.placed_twice()
    }

    /// The keys under which a template's questions are answered.
    #[must_use]
    pub fn questions(&self, template: &str) -> Vec<String> {
        self.office
            .lock()
            .desk
            .template(template, None)
            .map(Template::keys)
            .unwrap_or_default()
    }

    /// The resident answers, by question key, and signs at `at`.
    ///
    /// # Errors
    /// When the form is not open or an answer does not fit its question.
    pub fn answer(
        &self,
        form_id: &str,
        answers: &Map<String, Value>,
        at: Timestamp,
    ) -> Result<(), AnswerError> {
        let today = local_date(at).ok_or(AnswerError::NotOpen)?;
        let answered = self.office.change(|desk| {
            desk.decide_answer(form_id, answers, at, today)
                .map(|entry| vec![entry])
        });
        answered.unwrap_or(Err(AnswerError::Tape)).map(|_| ())
    }

    /// Answers what is under way and ends.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

fn local_date(at: Timestamp) -> Option<jiff::civil::Date> {
    xml::timestamp(at).get(..8).and_then(xml::parse_date)
}

impl Office {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides, puts the decision on the tape, then on the desk, then notifies.
    fn change<E>(
        &self,
        decide: impl FnOnce(&Desk) -> Result<Vec<Entry>, E>,
    ) -> io::Result<Result<Vec<Entry>, E>> {
        let mut state = self.lock();
        let entries = match decide(&state.desk) {
            Ok(entries) => entries,
            Err(refusal) => return Ok(Err(refusal)),
        };
        for entry in &entries {
            self.tape.append(entry)?;
            let news = state.write(entry, &self.voice);
            self.index.push(news);
        }
        Ok(Ok(entries))
    }
}

impl State {
    /// Writes an entry down and answers the notification it means, numbered.
    fn write(&mut self, entry: &Entry, voice: &Voice) -> Option<(u64, Engagement)> {
        self.desk.apply(entry);
        let (id, categorization, at) = match entry {
            Entry::Created { form } => (&form.id, "FormCreated", form.created),
            Entry::Answered { id, at, .. } => (id, voice.completed, *at),
            Entry::Cancelled { .. } | Entry::Notified { .. } => return None,
        };
        let form = self.desk.form(id)?;
        self.told += 1;
        let engagement = Engagement {
            deleted: false,
            resident: form.person.clone(),
            service_domain: "riv:infrastructure:eservicesupply:forminteraction".to_owned(),
            categorization: categorization.to_owned(),
            logical_address: voice.engine.to_string(),
            object: form.id.clone(),
            interest: form
                .interest
                .clone()
                .unwrap_or_else(|| NOT_APPLICABLE.to_owned()),
            most_recent: Some(at),
            source_system: voice.engine.to_string(),
            created: Some(form.created),
            updated: Some(at),
            data_controller: form.unit.to_string(),
            owner: None,
        };
        Some((self.told, engagement))
    }
}
