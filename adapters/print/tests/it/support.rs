//! A print vendor, the adapter, and a hub that is no more than a list of events.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use halsonav_adapter::{
    Adapter, Attachment, Build, Delivery, Directory, Inlet, Outbound, Poller, Sink,
};
use halsonav_domain::{
    Address, CaseId, Clock, Command, CommandId, Done, Envelope, HsaId, Identity, Kind, Name,
    Outcome, PersonId, Problem, SubjectId, Timestamp, VirtualClock,
};
use halsonav_neighbours::vendor::{Settings, Vendor, key_pair};
use halsonav_print::{Config, Print};
use serde_json::{Value, json};
use tempfile::TempDir;
use uuid::Uuid;

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Everything a test needs. It is Tuesday 1 September 2026, 8 o'clock in Sweden.
pub struct World {
    pub folder: TempDir,
    pub clock: Arc<VirtualClock>,
    pub vendor: Vendor,
    pub print: Arc<Print>,
}

pub async fn world() -> World {
    world_where(true).await
}

/// A vendor that prints what comes again is what the adapter must not lean upon.
pub async fn world_where(vendor_deduplicates: bool) -> World {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(VirtualClock::new(at("2026-09-01T06:00:00Z")));
    let vendor = open(&folder, &clock, vendor_deduplicates).await;
    let print = build(config(folder.path(), vendor.addr(), &vendor.host_key()));
    World {
        folder,
        clock,
        vendor,
        print,
    }
}

pub async fn open(folder: &TempDir, clock: &Arc<VirtualClock>, deduplicates: bool) -> Vendor {
    let key = key_pair(&folder.path().join("hub_key")).unwrap();
    let settings = Settings::new(folder.path().join("vendor"), clock.clone(), &key);
    Vendor::start(Settings {
        deduplicates,
        ..settings
    })
    .await
    .unwrap()
}

pub fn build(config: Config) -> Arc<Print> {
    Arc::new(Print::build(config).unwrap())
}

pub fn config(folder: &Path, addr: SocketAddr, host_key: &str) -> Config {
    serde_json::from_value(json!({
        "host": addr.ip().to_string(),
        "port": addr.port(),
        "user": "hub",
        "key": folder.join("hub_key"),
        "host_keys": [host_key],
        "timeout_ms": 5000,
        "vendor": "Tryckeriet",
        "return_address": ["Region Exempel", "Box 1", "571 01 Nässjö"],
        "return_addresses": { "SE2321000999-VC02": ["Björken", "Box 2", "571 02 Nässjö"] },
    }))
    .unwrap()
}

pub fn case(n: u128) -> CaseId {
    CaseId(Uuid::from_u128(n << 64 | 0x1234))
}

pub fn pdf(text: &str) -> Arc<[u8]> {
    Arc::from(format!("%PDF-1.7\n{text}\n%%EOF\n").into_bytes())
}

pub fn command(n: u128, job: u64, operation: &str, payload: Value) -> Command {
    Command {
        id: CommandId::derive(case(n), job),
        case: case(n),
        subject: SubjectId(Uuid::from_u128(n)),
        kind: format!("print.{operation}").parse().unwrap(),
        unit: HsaId::new("SE2321000999-VC01"),
        payload,
        headers: BTreeMap::new(),
        issued: at("2026-09-01T06:00:00Z"),
    }
}

pub fn letter(n: u128) -> Delivery {
    let name = Name {
        given: "Tolvan".into(),
        middle: None,
        surname: "Tolvansson".into(),
        notification: None,
    };
    let address = Address {
        lines: vec!["Storgatan 1".into()],
        postal_code: "57131".into(),
        city: "Nässjö".into(),
        ..Address::default()
    };
    let sheet = |role, text: &str| Attachment {
        role,
        media_type: "application/pdf",
        bytes: pdf(text),
    };
    Delivery {
        command: command(n, 1, "letter", json!({ "template": "invitation" })),
        identity: Some(Identity {
            person_id: PersonId::parse("191212121212").unwrap(),
            name,
            address: Some(address),
        }),
        // The hub may put them in any order; the letter comes first in the envelope.
        attachments: vec![
            sheet("enclosure", &format!("form of {n}")),
            sheet("letter", &format!("letter of {n}")),
            sheet("enclosure", &format!("map of {n}")),
        ],
        attempt: 1,
        now: at("2026-09-01T06:00:00Z"),
    }
}

pub fn letters(range: std::ops::Range<u128>) -> Vec<Delivery> {
    range.map(letter).collect()
}

pub fn again(mut delivery: Delivery) -> Delivery {
    delivery.attempt += 1;
    delivery
}

pub fn id(n: u128) -> String {
    letter(n).command.id.to_string()
}

impl World {
    pub fn pickup(&self) -> halsonav_neighbours::vendor::Pickup {
        self.vendor.pickup(self.clock.now()).unwrap()
    }

    pub async fn send(&self, batch: Vec<Delivery>) -> Vec<Outcome> {
        let outcomes = self.print.deliver("letter", batch).await;
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    pub async fn sent(&self, batch: Vec<Delivery>) -> Vec<Done> {
        let outcomes = self.send(batch).await;
        outcomes.into_iter().map(expect_done).collect()
    }

    pub async fn recall(&self, n: u128) -> bool {
        let command = command(n, 9, "recall", json!({ "letterId": id(n) }));
        let delivery = Delivery {
            command,
            identity: None,
            attachments: Vec::new(),
            attempt: 1,
            now: self.clock.now(),
        };
        let mut outcomes = self.print.deliver("recall", vec![delivery]).await;
        let done = expect_done(outcomes.remove(0).1);
        done.result["recalled"].as_bool().unwrap()
    }

    pub async fn poll(&self, hub: &Arc<Hub>) -> Result<usize, Problem> {
        poller(&self.print).poll(&inlet(hub)).await
    }

    /// What lies in a folder of the account.
    pub fn lies(&self, folder: &str) -> Vec<String> {
        let account = self.vendor.shop().folders().account().join(folder);
        let entries = std::fs::read_dir(account).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        let mut names: Vec<_> = files
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub fn tell(&self, name: &str, text: &str) {
        std::fs::write(self.vendor.shop().folders().status().join(name), text).unwrap();
    }
}

pub fn expect_done(outcome: Outcome) -> Done {
    match outcome {
        Outcome::Done(done) => done,
        other => panic!("expected Done, got {other:?}"),
    }
}

pub fn poller(print: &Arc<Print>) -> Arc<dyn Poller> {
    Arc::clone(print).pollers().remove(0)
}

pub fn inlet(hub: &Arc<Hub>) -> Inlet {
    Inlet {
        sink: hub.clone(),
        directory: hub.clone(),
    }
}

/// Knows some letters and keeps what it is told.
pub struct Hub {
    clock: Arc<VirtualClock>,
    known: Mutex<HashMap<String, CaseId>>,
    events: Mutex<Vec<Envelope>>,
    pub away: std::sync::atomic::AtomicBool,
}

impl Hub {
    pub fn new(world: &World) -> Arc<Self> {
        Arc::new(Self {
            clock: world.clock.clone(),
            known: Mutex::default(),
            events: Mutex::default(),
            away: false.into(),
        })
    }

    pub fn knows(&self, n: u128) {
        self.known.lock().unwrap().insert(id(n), case(n));
    }

    /// Type, letter and code of all events, in order.
    pub fn heard(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        let told = events.iter().map(|event| {
            assert_eq!(
                event.subject.map(|case| case.0.as_u128() >> 64),
                number(event)
            );
            let code = event.data["code"].as_str().unwrap_or_default();
            format!("{} {} {code}", event.kind, number(event).unwrap())
                .trim_end()
                .to_owned()
        });
        told.collect()
    }

    pub fn ids(&self) -> Vec<String> {
        let events = self.events.lock().unwrap();
        events.iter().map(|event| event.id.clone()).collect()
    }
}

/// Which letter of ours an event is about.
fn number(event: &Envelope) -> Option<u128> {
    (0..1000).find(|n| event.data["letterId"] == id(*n))
}

#[async_trait]
impl Sink for Hub {
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(Problem::new(Kind::Unavailable, "TEST", "away"));
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
    async fn case_of_person(&self, _: &PersonId) -> Result<Option<(CaseId, SubjectId)>, Problem> {
        Ok(None)
    }

    async fn case_of_reference(
        &self,
        kind: &str,
        value: &str,
    ) -> Result<Option<(CaseId, Value)>, Problem> {
        let known = self.known.lock().unwrap();
        let case = known.get(value).filter(|_| kind == "letter");
        Ok(case.map(|case| (*case, Value::Null)))
    }

    async fn open_references(&self, _: &str, _: usize) -> Result<Vec<(CaseId, String)>, Problem> {
        Ok(Vec::new())
    }
}
