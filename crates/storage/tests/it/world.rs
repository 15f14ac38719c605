//! What every test needs.

use halsonav_domain::{
    Address, CaseId, HsaId, Name, PersonId, PersonRecord, PersonStatus, Protection, RoundId,
    SubjectId, Timestamp,
};
use halsonav_storage::{
    CaseChange, CaseNo, Created, DefinitionRef, EffectRef, Epoch, Ledger, NewCase, NewEffect,
    Place, Result, Storage, VaultKeys,
};
use tempfile::TempDir;

pub struct World {
    pub dir: TempDir,
    pub keys: String,
    pub storage: Storage,
}

/// A fresh store in a directory of its own.
pub fn world() -> World {
    let dir = tempfile::tempdir().unwrap();
    let keys = VaultKeys::generate().unwrap();
    let text = keys.text();
    let storage = Storage::open(&Place::Sqlite(dir.path().join("hub.db")), keys).unwrap();
    World {
        dir,
        keys: text,
        storage,
    }
}

impl World {
    /// Closes and opens again, as after a restart.
    pub fn reopened(self) -> Self {
        let Self { dir, keys, storage } = self;
        drop(storage);
        let place = Place::Sqlite(dir.path().join("hub.db"));
        let storage = Storage::open(&place, VaultKeys::parse(&keys).unwrap()).unwrap();
        Self { dir, keys, storage }
    }

    /// SQL behind the store's back, through a connection of one's own.
    pub fn behind(&self, sql: &str) {
        use diesel::{Connection as _, connection::SimpleConnection as _};
        let path = self.dir.path().join("hub.db");
        let mut db = diesel::SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        db.batch_execute("PRAGMA busy_timeout = 10000;").unwrap();
        db.batch_execute(sql).unwrap();
    }

    /// The case of person `n`, with fresh register data from second 0.
    pub fn case(&self, n: u64) -> (CaseNo, CaseId, SubjectId) {
        self.storage
            .write(move |tx| {
                let change = tx.put_person(&record(n, 0))?;
                let id = CaseId(uuid::Uuid::from_u128(u128::from(n) << 64 | 7));
                let created = tx.create_cases(&[new_case(id, change.subject)])?;
                match created[..] {
                    [Created::New(no)] => Ok((no, id, change.subject)),
                    _ => panic!("{created:?}"),
                }
            })
            .unwrap()
    }

    /// The lease that claims are made under; a new one ends the one before.
    pub fn epoch(&self) -> Epoch {
        let hour = std::time::Duration::from_secs(3_600);
        self.storage
            .write(move |tx| tx.take_lease("dispatch", "test", hour))
            .unwrap()
            .unwrap()
    }

    pub fn apply(&self, change: CaseChange) -> Result<halsonav_storage::Applied> {
        self.storage
            .write(move |tx| tx.apply(std::slice::from_ref(&change)))
    }

    /// A case of person `n` with one effect (job 1), and what the bus would carry for it.
    pub fn effect(&self, n: u64, effect: NewEffect) -> (CaseNo, EffectRef) {
        let (no, id, _) = self.case(n);
        let job = effect.job;
        let mut change = first(no, id);
        change.effects.push(effect);
        self.apply(change).unwrap();
        (
            no,
            EffectRef {
                case: id,
                command: halsonav_domain::CommandId::derive(id, job),
            },
        )
    }
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

pub fn new_case(id: CaseId, subject: SubjectId) -> NewCase {
    NewCase {
        id,
        subject,
        round: RoundId("2026".into()),
        unit: HsaId::new("SE2321000016-1HZ5"),
        definition: DefinitionRef {
            id: "halsosamtal".into(),
            version: 1,
        },
        at: at(0),
    }
}

pub fn first(no: CaseNo, id: CaseId) -> CaseChange {
    let mut change = CaseChange::new(no, id, 0, 1, b"one".to_vec(), at(1));
    change.ledger = Some(Ledger::waiting(Some("svar".into()), None));
    change
}

pub fn send(job: u64) -> NewEffect {
    NewEffect {
        job,
        kind: "messaging.send".parse().unwrap(),
        payload: serde_json::json!({ "template": "inbjudan" }),
        headers: [("k".to_owned(), "v".to_owned())].into(),
        contact: true,
        not_before: None,
    }
}

pub fn letter(job: u64) -> NewEffect {
    NewEffect {
        kind: "print.letter".parse().unwrap(),
        ..send(job)
    }
}

/// A made-up number: day 1–28, and the check digit that fits.
pub fn person(n: u64) -> PersonId {
    with_day(n, n / 1_000 % 28 + 1)
}

/// The coordination number that the same person had before.
pub fn coordination(n: u64) -> PersonId {
    with_day(n, n / 1_000 % 28 + 61)
}

fn with_day(n: u64, day: u64) -> PersonId {
    let eleven = format!("1976{:02}{day:02}{:03}", n / 28_000 % 12 + 1, n % 1_000);
    PersonId::parse(&format!(
        "{eleven}{}",
        PersonId::check_digit(&eleven).unwrap()
    ))
    .unwrap()
}

pub fn record(n: u64, fetched: i64) -> PersonRecord {
    PersonRecord {
        requested: person(n),
        current: person(n),
        name: Some(Name {
            given: "Kanarie".into(),
            middle: None,
            surname: format!("Fågelström{n}"),
            notification: None,
        }),
        address: Some(Address {
            care_of: None,
            lines: vec![format!("Burgatan {n}")],
            postal_code: "57131".into(),
            city: "Nässjö".into(),
            country: None,
        }),
        status: PersonStatus::Active,
        protection: Protection::None,
        test_person: false,
        paper_opt_out: false,
        county: Some("06".into()),
        fetched: at(fetched),
    }
}
