//! What every test needs: a server, a token, a person with a case.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use halsonav_api::{
    Api, Cohort, Door, ExportOrder, Keys, Part, Settings, Slot, Unit, Upload, serve,
};
use halsonav_domain::{
    Address, CaseId, Envelope, HsaId, Kind, Name, PersonId, PersonRecord, PersonStatus, Problem,
    Protection, RoundId, Timestamp, VirtualClock,
};
use halsonav_storage::{
    CaseChange, CaseNo, Created, DefinitionRef, Document, Ledger, NewCase, NewDefinition,
    NewIncident, NewTimer, NewWorkItem, Place, Record, Storage, VaultKeys, WorkItemNo,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PublicKeyData as _};
use reqwest::{Method, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub const UNIT: &str = "SE2321000016-1HZ5";
pub const OTHER: &str = "SE2321000016-2ABC";
pub const NOW: i64 = 1_800_000_000;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

/// A hub that keeps what it is told.
#[derive(Default)]
pub struct Hub {
    pub events: Mutex<Vec<Envelope>>,
    pub uploads: Mutex<Vec<Upload>>,
    pub down: AtomicBool,
}

#[async_trait]
impl Door for Hub {
    async fn publish(&self, events: Vec<Envelope>) -> Result<(), Problem> {
        if self.down.load(Ordering::SeqCst) {
            return Err(Problem::new(
                Kind::Unavailable,
                "HUB-BUS-001",
                "secret inside",
            ));
        }
        self.events.lock().unwrap().extend(events);
        Ok(())
    }
    async fn slots(&self, _: &HsaId, from: Timestamp, to: Timestamp) -> Result<Vec<Slot>, Problem> {
        Ok(vec![Slot {
            start: from,
            end: to,
            time_type: None,
        }])
    }
    async fn import(&self, upload: Upload) -> Result<(), Problem> {
        self.uploads.lock().unwrap().push(upload);
        Ok(())
    }
    async fn cohorts(&self) -> Result<Vec<Cohort>, Problem> {
        Ok(Vec::new())
    }
    async fn export(&self, _: ExportOrder) -> Result<(), Problem> {
        Ok(())
    }
    async fn ready(&self) -> Vec<Part> {
        let ok = !self.down.load(Ordering::SeqCst);
        vec![Part {
            name: "bus".into(),
            ok,
            detail: "secret inside".into(),
        }]
    }
    fn lanes(&self) -> Vec<String> {
        vec!["messaging".to_owned(), "print".to_owned()]
    }
    async fn picture(&self, id: &str, _: u32) -> Option<String> {
        (id == "halsosamtal").then(|| "<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_owned())
    }
    fn validate_answers(&self, _: &str, answers: &Value) -> Result<(), Vec<String>> {
        if answers.get("smoke").is_some() {
            Ok(())
        } else {
            Err(vec!["smoke: an answer is wanted".to_owned()])
        }
    }
    async fn metrics(&self) -> String {
        "halsonav_up 1\n".to_owned()
    }
}

/// A key that signs tokens, and the set that knows it.
pub struct Issuer {
    pub ec: KeyPair,
    pub rsa: KeyPair,
}

impl Issuer {
    pub fn new() -> Self {
        let rsa = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048);
        Self {
            ec: KeyPair::generate().unwrap(),
            rsa: rsa.unwrap(),
        }
    }

    pub fn jwks(&self) -> String {
        let point = self.ec.der_bytes();
        let (x, y) = (&point[1..33], &point[33..65]);
        // SEQUENCE { INTEGER n (leading zero, 256 bytes), INTEGER e }
        let modulus = &self.rsa.der_bytes()[9..265];
        let b64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "keys": [
            { "kty": "EC", "crv": "P-256", "kid": "ec-1", "use": "sig", "alg": "ES256", "x": b64(x), "y": b64(y) },
            { "kty": "RSA", "kid": "rsa-1", "use": "sig", "alg": "RS256", "n": b64(modulus), "e": "AQAB" },
        ] })
        .to_string()
    }

    /// Signs these very texts.
    pub fn sign(&self, header: &str, claims: &str) -> String {
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let rsa = header.contains("RS256");
        let (key, algorithm) = if rsa {
            (
                EncodingKey::from_rsa_pem(self.rsa.serialize_pem().as_bytes()).unwrap(),
                Algorithm::RS256,
            )
        } else {
            (
                EncodingKey::from_ec_pem(self.ec.serialize_pem().as_bytes()).unwrap(),
                Algorithm::ES256,
            )
        };
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    pub fn token(&self, sub: &str, roles: &[&str], units: &[&str]) -> String {
        let header = Header {
            typ: Some("at+jwt".into()),
            kid: Some("ec-1".into()),
            ..Header::new(Algorithm::ES256)
        };
        self.sign(
            &serde_json::to_string(&header).unwrap(),
            &claims(sub, roles, units).to_string(),
        )
    }
}

pub fn claims(sub: &str, roles: &[&str], units: &[&str]) -> Value {
    json!({ "iss": "https://issuer.example", "aud": "halsonav", "sub": sub, "iat": NOW, "exp": NOW + 3600, "roles": roles, "units": units })
}

pub struct World {
    _dir: TempDir,
    pub storage: Storage,
    pub hub: Arc<Hub>,
    pub issuer: Issuer,
    pub address: SocketAddr,
    pub client: reqwest::Client,
    stop: CancellationToken,
}

impl Drop for World {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let storage = Storage::open(
            &Place::Sqlite(dir.path().join("hub.db")),
            VaultKeys::generate().unwrap(),
        )
        .unwrap();
        let (issuer, hub, stop) = (
            Issuer::new(),
            Arc::new(Hub::default()),
            CancellationToken::new(),
        );
        let mut settings = Settings::new(
            "halsonav",
            "https://issuer.example",
            Keys::parse(&issuer.jwks()).unwrap(),
        );
        settings.units = [UNIT, OTHER]
            .map(|unit| Unit {
                hsa_id: HsaId::new(unit),
                name: unit.into(),
            })
            .into();
        settings.forms = vec!["halsa".into()];
        settings.body_limit = 100_000;
        settings.workers = 1;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let clock = Arc::new(VirtualClock::new(at(10)));
        let api = Api {
            storage: storage.clone(),
            door: hub.clone(),
            clock,
            settings,
        };
        tokio::spawn(serve(api, listener, stop.clone()));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            _dir: dir,
            storage,
            hub,
            issuer,
            address,
            client,
            stop,
        }
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: &str,
        key: Option<&str>,
        body: Option<Value>,
    ) -> Response {
        let mut request = self
            .client
            .request(method, format!("http://{}{path}", self.address))
            .bearer_auth(token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        request.send().await.unwrap()
    }

    pub async fn get(&self, path: &str, token: &str) -> (u16, Value) {
        answer(self.send(Method::GET, path, token, None, None).await).await
    }

    pub async fn post(&self, path: &str, token: &str, key: &str, body: Value) -> (u16, Value) {
        let key = (!key.is_empty()).then_some(key);
        answer(self.send(Method::POST, path, token, key, Some(body)).await).await
    }

    pub fn events(&self) -> Vec<Envelope> {
        self.hub.events.lock().unwrap().clone()
    }

    pub fn nurse(&self) -> String {
        self.issuer.token("nurse-1", &["nurse"], &[UNIT])
    }

    /// The case of person `n` at a unit: waiting, with a milestone, a timer, records, a document,
    /// an incident and a work item.
    pub fn case(&self, n: u64, unit: &str) -> (CaseNo, CaseId, WorkItemNo) {
        let unit = HsaId::new(unit);
        self.storage
            .write(move |tx| {
                let subject = tx.put_person(&resident(n))?.subject;
                let id = CaseId(uuid::Uuid::from_u128(u128::from(n) << 64 | 7));
                let definition = DefinitionRef {
                    id: "halsosamtal".into(),
                    version: 1,
                };
                let new = NewCase {
                    id,
                    subject,
                    round: RoundId("2026".into()),
                    unit: unit.clone(),
                    definition,
                    at: at(0),
                };
                let Created::New(no) = tx.create_cases(&[new])?[0] else {
                    panic!("twice")
                };
                tx.apply(&[waiting(no, id)])?;
                let document = Document {
                    kind: "profile".into(),
                    key: "profile".into(),
                    media_type: "image/svg+xml".into(),
                    at: at(1),
                    bytes: b"<svg/>".to_vec(),
                };
                tx.put_document(no, &document)?;
                tx.deploy(
                    &NewDefinition {
                        kind: "bpmn".into(),
                        id: "halsosamtal".into(),
                        digest: "d".into(),
                        tag: None,
                        deployment: "1".into(),
                        text: "<x/>".into(),
                    },
                    at(0),
                )?;
                let filter = halsonav_storage::WorkFilter {
                    case: Some(id),
                    ..Default::default()
                };
                let no_of_item = tx.work_items(&filter, None, 1)?[0].no;
                Ok((no, id, no_of_item))
            })
            .unwrap()
    }

    /// Another open work item of the case; answers its number.
    pub fn work(&self, no: CaseNo, id: CaseId, expected: u64, item: NewWorkItem) -> WorkItemNo {
        let form = item.form.clone();
        self.storage
            .write(move |tx| {
                let mut change =
                    CaseChange::new(no, id, expected, expected + 1, b"two".to_vec(), at(2));
                change.work_items.push(item.clone());
                tx.apply(&[change])?;
                let filter = halsonav_storage::WorkFilter {
                    case: Some(id),
                    form: form.clone(),
                    ..Default::default()
                };
                Ok(tx.work_items(&filter, None, 10)?.last().unwrap().no)
            })
            .unwrap()
    }
}

pub fn item(form: &str, payload: Value) -> NewWorkItem {
    NewWorkItem {
        job: match form {
            "call" => 5,
            "visit" => 6,
            _ => 7,
        },
        element: "Call".into(),
        name: "Ring upp".into(),
        form: Some(form.into()),
        assignee: None,
        groups: Vec::new(),
        due: Some(at(500)),
        follow_up: None,
        priority: 50,
        payload,
        headers: Default::default(),
    }
}

pub async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

/// A made-up number with a check digit that fits.
pub fn person(n: u64) -> PersonId {
    let eleven = format!("197601{:02}{:03}", n / 1_000 % 28 + 1, n % 1_000);
    PersonId::parse(&format!(
        "{eleven}{}",
        PersonId::check_digit(&eleven).unwrap()
    ))
    .unwrap()
}

pub fn resident(n: u64) -> PersonRecord {
    PersonRecord {
        requested: person(n),
        current: person(n),
        name: Some(Name {
            given: "Kanarie".into(),
            middle: None,
            surname: "Fågelström".into(),
            notification: None,
        }),
        address: Some(Address {
            care_of: None,
            lines: vec!["Burgatan 1".into()],
            postal_code: "57131".into(),
            city: "Nässjö".into(),
            country: None,
        }),
        status: PersonStatus::Active,
        // Every hundredth person is protected.
        protection: if n % 100 == 99 {
            Protection::SkyddadFolkbokforing
        } else {
            Protection::None
        },
        test_person: false,
        paper_opt_out: false,
        county: Some("06".into()),
        fetched: at(0),
    }
}

/// A case that waits: for a call, a timer and an operator.
fn waiting(no: CaseNo, id: CaseId) -> CaseChange {
    let mut change = CaseChange::new(no, id, 0, 1, b"one".to_vec(), at(1));
    change.ledger = Some(Ledger::waiting(Some("Call".into()), Some(at(1000))));
    change.milestones.push("invited".into());
    change.arm.push(NewTimer {
        timer: 1,
        due: at(1000),
        element: "Wait".into(),
    });
    change
        .work_items
        .push(item("call", json!({ "attempt": 1 })));
    change.incidents.push(NewIncident {
        key: 9,
        element: "Invite".into(),
        job: Some(3),
        kind: Kind::Unavailable,
        code: "HUB-PRINT-003".into(),
        message: "no answer".into(),
    });
    let data = json!({ "levels": { "smoke": "green" } });
    change.records.push(Record {
        kind: "profile".into(),
        key: "profile".into(),
        at: at(1),
        data,
    });
    change
}
