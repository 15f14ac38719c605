//! A form engine, the adapter, and a hub that is no more than a list of events.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use halsonav_adapter::{Adapter, Build, Delivery, Directory, Inlet, Outbound, Sink, Stop};
use halsonav_domain::{
    CaseId, Clock, Command, CommandId, Envelope, HsaId, Identity, Kind, Name, Outcome, PersonId,
    Problem, SubjectId, Timestamp, VirtualClock,
};
use halsonav_forms::{Config, Forms};
use halsonav_neighbours::{
    forms::{Forms as Engine, Input, Question, Settings, Template},
    index::Subscriber,
};
use halsonav_rivta::{ClientConfig, ServerConfig};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a point in time")
}

/// The n-th resident: a valid personal identity number.
pub fn person(n: u32) -> PersonId {
    let head = format!("19860101{:03}", 100 + n);
    (0..10)
        .find_map(|digit| PersonId::parse(&format!("{head}{digit}")).ok())
        .expect("one digit fits")
}

pub fn case(n: u32) -> CaseId {
    format!("00000000-0000-4000-8000-{n:012}")
        .parse()
        .expect("an id")
}

pub fn template() -> Template {
    let list = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let number = Input::Number {
        unit: Some("cm".into()),
        min: Some(50),
        max: Some(250),
    };
    let questions = vec![
        Question::new(
            "tobak",
            "Röker du?",
            Input::Radio(list(&["aldrig", "ibland", "dagligen"])),
        ),
        Question::new(
            "mat",
            "Vad äter du varje dag?",
            Input::Checkbox(list(&["frukt", "fisk", "grönt"])),
        )
        .optional(),
        Question::new("langd", "Hur lång är du?", number).on_page(2),
        Question::new("", "Något mer?", Input::Text)
            .without_code()
            .optional()
            .on_page(2),
    ];
    Template {
        id: "HALSOENKAT40".into(),
        version: 2,
        name: "Hälsoenkät 40 år".into(),
        questions,
    }
}

pub fn answers() -> Map<String, Value> {
    json!({ "tobak": "aldrig", "mat": ["frukt", "fisk"], "langd": 170.5, "p2b1q2": "Nej & <ja>" })
        .as_object()
        .cloned()
        .expect("an object")
}

pub fn request() -> Value {
    json!({ "template": "halsoenkat", "expires": "2026-09-30" })
}

/// Everything a test needs. It is Tuesday 1 September 2026, 8 o'clock in Sweden.
pub struct World {
    pub folder: TempDir,
    pub clock: Arc<VirtualClock>,
    pub engine: Engine,
    pub forms: Arc<Forms>,
    jobs: AtomicUsize,
}

impl World {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub async fn with(tune: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(VirtualClock::new(at("2026-09-01T06:00:00Z")));
        let old = Template {
            version: 1,
            questions: Vec::new(),
            ..template()
        };
        let mut settings = Settings::new(
            vec![old, template()],
            folder.path().join("tape.jsonl"),
            clock.clone(),
        );
        tune(&mut settings);
        let engine = Engine::start(settings).await.expect("starts");
        let forms = adapter(&engine.url());
        Self {
            folder,
            clock,
            engine,
            forms,
            jobs: AtomicUsize::new(0),
        }
    }

    pub fn delivery(&self, n: u32, operation: &str, payload: Value) -> Delivery {
        let job = self.jobs.fetch_add(1, Ordering::Relaxed) as u64;
        let command = Command {
            id: CommandId::derive(case(n), job),
            case: case(n),
            subject: SubjectId(case(n).0),
            kind: format!("forms.{operation}").parse().expect("a kind"),
            unit: HsaId::new("SE2321000156-TEST1"),
            payload,
            headers: Default::default(),
            issued: self.clock.now(),
        };
        let name = Name {
            given: String::new(),
            middle: None,
            surname: String::new(),
            notification: None,
        };
        let identity = Some(Identity {
            person_id: person(n),
            name,
            address: None,
        });
        Delivery {
            command,
            identity,
            attachments: Vec::new(),
            attempt: 1,
            now: self.clock.now(),
        }
    }

    pub async fn deliver(&self, n: u32, operation: &str, payload: Value) -> Outcome {
        deliver(&self.forms, operation, self.delivery(n, operation, payload)).await
    }

    /// Places a form and answers its id, noting what the hub would note.
    pub async fn placed(&self, hub: &Hub, n: u32) -> String {
        let Outcome::Done(done) = self.deliver(n, "request", request()).await else {
            panic!("not placed")
        };
        for reference in done.references {
            hub.references
                .lock()
                .unwrap()
                .push((reference.kind, reference.value, case(n)));
        }
        done.result["formId"].as_str().expect("an id").to_owned()
    }
}

pub fn adapter(url: &str) -> Arc<Forms> {
    let config: Config = serde_json::from_value(json!({
        "client": { "endpoint": url, "timeout_ms": 5000 },
        "engine": "SE165565594230-FORM",
        "system": "SE2321000156-HUB",
        "care_giver": "SE2321000156-VG",
        "templates": { "halsoenkat": { "id": "HALSOENKAT40" } },
        "notifications": { "listen": "127.0.0.1:0" },
    }))
    .expect("reads");
    assert_eq!(config.notifications, Some(ServerConfig::loopback()));
    Arc::new(Forms::build(config).expect("builds"))
}

pub async fn deliver(forms: &Forms, operation: &str, delivery: Delivery) -> Outcome {
    let id = delivery.command.id;
    let mut outcomes = forms.deliver(operation, vec![delivery]).await;
    assert_eq!(outcomes.len(), 1);
    let (answered, outcome) = outcomes.remove(0);
    assert_eq!(answered, id);
    outcome
}

pub fn done(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Done(done) => done.result,
        other => panic!("expected Done, got {other:?}"),
    }
}

/// The hub's inbound side: knows the residents 1 to 9 and the references it noted.
pub struct Hub {
    pub clock: Arc<VirtualClock>,
    pub events: Mutex<Vec<Envelope>>,
    /// Kind, value, case; oldest first.
    pub references: Mutex<Vec<(String, String, CaseId)>>,
    /// How many times `publish` shall fail.
    pub failures: AtomicUsize,
}

#[async_trait]
impl Sink for Hub {
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem> {
        let failing = self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
            .is_ok();
        if failing {
            return Err(Problem::new(Kind::Unavailable, "HUB-TEST-001", "not now"));
        }
        self.events.lock().unwrap().extend(events);
        Ok(())
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait]
impl Directory for Hub {
    async fn case_of_person(
        &self,
        wanted: &PersonId,
    ) -> Result<Option<(CaseId, SubjectId)>, Problem> {
        Ok((1..10)
            .find(|n| person(*n) == *wanted)
            .map(|n| (case(n), SubjectId(case(n).0))))
    }

    async fn case_of_reference(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Option<(CaseId, Value)>, Problem> {
        let references = self.references.lock().unwrap();
        Ok(references
            .iter()
            .find(|(k, v, _)| k == kind && v == value)
            .map(|(_, _, case)| (*case, request())))
    }

    async fn open_references(
        &self,
        kind: &str,
        limit: usize,
    ) -> Result<Vec<(CaseId, String)>, Problem> {
        let references = self.references.lock().unwrap();
        Ok(references
            .iter()
            .filter(|(k, ..)| k == kind)
            .take(limit)
            .map(|(_, value, case)| (*case, value.clone()))
            .collect())
    }
}

impl Hub {
    pub fn new(world: &World) -> Arc<Self> {
        let (events, references) = Default::default();
        Arc::new(Self {
            clock: world.clock.clone(),
            events,
            references,
            failures: AtomicUsize::new(0),
        })
    }

    pub fn inlet(self: &Arc<Self>) -> Inlet {
        Inlet {
            sink: self.clone(),
            directory: self.clone(),
        }
    }

    /// Listens with the adapter; the subscriber is for the form engine.
    pub async fn listen(self: &Arc<Self>, world: &World) -> (Stop, Subscriber) {
        let listener = world.forms.clone().listeners().remove(0);
        let (bound, address) = tokio::sync::oneshot::channel();
        let stop = Stop::new();
        let (inlet, until) = (self.inlet(), stop.clone());
        tokio::spawn(async move { listener.listen(inlet, bound, until).await });
        let client = ClientConfig::to(format!("http://{}/", address.await.expect("binds")));
        (
            stop,
            Subscriber {
                client,
                logical_address: "SE2321000156-HUB".into(),
            },
        )
    }

    /// What came in, once the engine has nothing left to tell.
    pub async fn heard(&self, world: &World) -> Vec<Envelope> {
        tokio::time::timeout(Duration::from_secs(20), world.engine.settled())
            .await
            .expect("the engine is done");
        self.events.lock().unwrap().clone()
    }

    pub fn settle(&self, form: &str) {
        self.references
            .lock()
            .unwrap()
            .retain(|(_, value, _)| value != form);
    }

    pub fn by_form(&self) -> HashMap<String, String> {
        let events = self.events.lock().unwrap();
        events
            .iter()
            .map(|event| (event.correlationkey.clone().unwrap(), event.id.clone()))
            .collect()
    }
}
