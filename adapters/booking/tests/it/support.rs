//! A booking system, the adapter, and a hub that is no more than a list of events.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Build, Delivery, Directory, Inlet, Outbound, Reconciled, Sink, Stop,
};
use halsonav_booking::{Booking, Config};
use halsonav_domain::{
    CaseId, Clock, Command, CommandId, Envelope, HsaId, Identity, Kind, Name, Outcome, PersonId,
    Problem, SubjectId, Timestamp, VirtualClock,
};
use halsonav_neighbours::{
    index::Subscriber,
    scheduling::{Facility, Scheduling, Settings},
};
use halsonav_rivta::ClientConfig;
use serde_json::{Value, json};
use tempfile::TempDir;

pub const UNIT: &str = "SE2321000156-TEST1";
pub const TYPE: &str = "HALSOSAMTAL40";

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a point in time")
}

pub fn unit() -> HsaId {
    HsaId::new(UNIT)
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

pub fn facility() -> Facility {
    Facility::new(unit(), "Testvårdcentralen", 2, TYPE)
}

/// Everything a test needs. It is Tuesday 1 September 2026, 8 o'clock in Sweden.
pub struct World {
    pub folder: TempDir,
    pub clock: Arc<VirtualClock>,
    pub system: Scheduling,
    pub booking: Arc<Booking>,
    jobs: AtomicUsize,
}

impl World {
    pub async fn new() -> Self {
        Self::with(facility(), |_| {}).await
    }

    pub async fn with(facility: Facility, tune: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(VirtualClock::new(at("2026-09-01T06:00:00Z")));
        let settings = Settings::new(
            vec![facility],
            folder.path().join("tape.jsonl"),
            clock.clone(),
        );
        let system = Scheduling::start(settings).await.expect("starts");
        let booking = adapter(&system.url(), tune);
        Self {
            folder,
            clock,
            system,
            booking,
            jobs: AtomicUsize::new(0),
        }
    }

    pub fn delivery(&self, n: u32, operation: &str, payload: Value) -> Delivery {
        let job = self.jobs.fetch_add(1, Ordering::Relaxed) as u64;
        let command = Command {
            id: CommandId::derive(case(n), job),
            case: case(n),
            subject: SubjectId(case(n).0),
            kind: format!("booking.{operation}").parse().expect("a kind"),
            unit: unit(),
            payload,
            headers: Default::default(),
            issued: self.clock.now(),
        };
        let name = Name {
            given: "Tolvan".into(),
            middle: None,
            surname: "Tolvansson".into(),
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
        deliver(
            &self.booking,
            operation,
            self.delivery(n, operation, payload),
        )
        .await
    }

    /// Books the first time in September and answers its id.
    pub async fn booked(&self, n: u32) -> String {
        match self.deliver(n, "book", json!({ "timeType": TYPE })).await {
            Outcome::Done(done) => done.result["bookingId"].as_str().expect("an id").to_owned(),
            other => panic!("expected Done, got {other:?}"),
        }
    }
}

pub fn adapter(url: &str, tune: impl FnOnce(&mut Config)) -> Arc<Booking> {
    let mut config: Config = serde_json::from_value(
        json!({ "client": { "endpoint": url }, "units": [UNIT], "time_types": [TYPE] }),
    )
    .expect("reads");
    config.client = ClientConfig {
        timeout_ms: 5_000,
        ..ClientConfig::to(url)
    };
    tune(&mut config);
    Arc::new(Booking::build(config).expect("builds"))
}

pub async fn deliver(booking: &Booking, operation: &str, delivery: Delivery) -> Outcome {
    let id = delivery.command.id;
    let mut outcomes = booking.deliver(operation, vec![delivery]).await;
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

pub fn refused(outcome: Outcome) -> String {
    match outcome {
        Outcome::Refused { code, result } => {
            assert_eq!(code, "booking-refused");
            result["text"].as_str().expect("a text").to_owned()
        }
        other => panic!("expected Refused, got {other:?}"),
    }
}

pub fn settled(reconciled: Reconciled) -> Value {
    match reconciled {
        Reconciled::Settled(outcome) => done(outcome),
        other => panic!("expected Settled, got {other:?}"),
    }
}

/// The hub's inbound side: knows the residents 1 to 9 and the bookings it was told to know.
pub struct Hub {
    pub clock: Arc<VirtualClock>,
    pub events: Mutex<Vec<Envelope>>,
    pub references: Mutex<HashMap<String, CaseId>>,
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
        assert_eq!(kind, "booking");
        Ok(self
            .references
            .lock()
            .unwrap()
            .get(value)
            .map(|case| (*case, Value::Null)))
    }

    async fn open_references(
        &self,
        _kind: &str,
        _limit: usize,
    ) -> Result<Vec<(CaseId, String)>, Problem> {
        Ok(Vec::new())
    }
}

impl Hub {
    /// Listens with the adapter and lets the booking system's index tell it.
    pub async fn listening(world: &World) -> (Arc<Self>, Stop) {
        let (hub, stop, subscriber) = Self::open(world).await;
        world.system.notify(Some(&subscriber)).expect("subscribes");
        (hub, stop)
    }

    pub async fn open(world: &World) -> (Arc<Self>, Stop, Subscriber) {
        let hub = Arc::new(Self {
            clock: world.clock.clone(),
            events: Mutex::default(),
            references: Mutex::default(),
            failures: AtomicUsize::new(0),
        });
        let inlet = Inlet {
            sink: hub.clone(),
            directory: hub.clone(),
        };
        let listener = world.booking.clone().listeners().remove(0);
        let (bound, address) = tokio::sync::oneshot::channel();
        let stop = Stop::new();
        let until = stop.clone();
        tokio::spawn(async move { listener.listen(inlet, bound, until).await });
        let client = ClientConfig::to(format!("http://{}/", address.await.expect("binds")));
        (
            hub,
            stop,
            Subscriber {
                client,
                logical_address: "SE2321000156-HUB".into(),
            },
        )
    }

    /// Type and data of what came in, once the index has nothing left to tell.
    pub async fn heard(&self, world: &World) -> Vec<(String, Value)> {
        tokio::time::timeout(Duration::from_secs(20), world.system.settled())
            .await
            .expect("the index is done");
        self.events
            .lock()
            .unwrap()
            .iter()
            .map(|event| (event.kind.clone(), event.data.clone()))
            .collect()
    }
}
