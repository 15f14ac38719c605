//! What every test needs.

use std::{
    io::Write as _,
    sync::atomic::{AtomicU64, Ordering},
};

use diesel::{Connection as _, PgConnection, SqliteConnection, connection::SimpleConnection as _};
use halsonav_domain::{
    Address, CaseId, HsaId, Name, PersonId, PersonRecord, PersonStatus, Protection, RoundId,
    SubjectId, Timestamp,
};
use halsonav_storage::{
    Access, CaseChange, CaseNo, Created, DefinitionRef, EffectRef, Epoch, Ledger, NewCase,
    NewEffect, Place, Postgres, Result, Storage, VaultKeys,
};
use tempfile::TempDir;

/// Names a server on which tests may make schemas: `postgres://superuser:password@host/database`.
const SERVER: &str = "HALSONAV_POSTGRES";

/// What a test runs on.
pub enum Base {
    Sqlite,
    /// With the URL of the server.
    Postgres(String),
}

/// Runs a test on SQLite and, where a server is named, on PostgreSQL.
pub fn everywhere(test: impl Fn(&Base)) {
    test(&Base::Sqlite);
    on_postgres(test);
}

/// Runs a test on PostgreSQL, where a server is named.
pub fn on_postgres(test: impl Fn(&Base)) {
    match server() {
        Some(server) => test(&Base::Postgres(server)),
        None => {
            let why = format!("NOT CHECKED on PostgreSQL: {SERVER} names no server\n");
            let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
            assert!(!ci, "{why}");
            // Past the harness, which shows what a test prints only when it fails.
            std::io::stderr().write_all(why.as_bytes()).unwrap();
        }
    }
}

pub fn server() -> Option<String> {
    std::env::var(SERVER).ok().filter(|url| !url.is_empty())
}

pub struct World {
    /// Before the schema, which cannot be dropped while it is in use.
    pub storage: Storage,
    pub place: Place,
    pub keys: String,
    dir: TempDir,
    schema: Option<Schema>,
}

/// A schema of one's own, dropped with this.
pub struct Schema {
    server: String,
    pub name: String,
}

impl Schema {
    pub fn new(server: &str) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let name = format!(
            "test_{}_{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        let mut db = PgConnection::establish(server).unwrap();
        db.batch_execute(&format!(
            "DROP SCHEMA IF EXISTS {name} CASCADE; {ROLES}
             CREATE SCHEMA {name} AUTHORIZATION halsonav_migrator",
            ROLES = halsonav_storage::ROLES
        ))
        .unwrap();
        Self {
            server: server.to_owned(),
            name,
        }
    }

    /// The server's URL with this schema before all others.
    pub fn url(&self) -> String {
        let joint = if self.server.contains('?') { '&' } else { '?' };
        format!(
            "{}{joint}options=-csearch_path%3D{}",
            self.server, self.name
        )
    }

    /// As the owner of the tables.
    pub fn owner(&self) -> Place {
        Self::place(self.url())
    }

    /// As those who work: under the rights of their role, whatever the test does.
    pub fn worker(&self) -> Place {
        Self::place(format!("{}%20-crole%3Dhalsonav_worker", self.url()))
    }

    pub fn place(url: String) -> Place {
        Place::Postgres(Postgres {
            url: url.into(),
            writers: 3,
            readers: 2,
        })
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let drop = format!("DROP SCHEMA {} CASCADE", self.name);
        let dropped =
            PgConnection::establish(&self.server).map(|mut db| db.batch_execute(&drop).is_ok());
        if !std::thread::panicking() {
            assert!(dropped.is_ok_and(|dropped| dropped), "{drop}");
        }
    }
}

impl Base {
    /// So many bytes of zero, in SQL.
    pub fn zeros(&self, n: u8) -> String {
        match self {
            Self::Sqlite => format!("zeroblob({n})"),
            Self::Postgres(_) => format!("decode(repeat('00', {n}), 'hex')"),
        }
    }

    /// A fresh store in a directory or schema of its own.
    pub fn world(&self) -> World {
        let dir = tempfile::tempdir().unwrap();
        let (place, schema) = match self {
            Self::Sqlite => (Place::Sqlite(dir.path().join("hub.db")), None),
            Self::Postgres(server) => {
                let schema = Schema::new(server);
                Storage::migrate(&schema.owner()).unwrap();
                (schema.worker(), Some(schema))
            }
        };
        let keys = VaultKeys::generate().unwrap();
        let text = keys.text();
        World {
            storage: Storage::open(&place, keys).unwrap(),
            place,
            keys: text,
            dir,
            schema,
        }
    }
}

impl World {
    /// Closes and opens again, as after a restart.
    pub fn reopened(self) -> Self {
        let Self {
            storage,
            place,
            keys,
            dir,
            schema,
        } = self;
        drop(storage);
        Self {
            storage: Storage::open(&place, VaultKeys::parse(&keys).unwrap()).unwrap(),
            place,
            keys,
            dir,
            schema,
        }
    }

    /// The place for those who own the tables.
    pub fn owner(&self) -> Place {
        match &self.schema {
            Some(schema) => schema.owner(),
            None => self.place.clone(),
        }
    }

    /// The schema of a world on PostgreSQL.
    pub fn schema(&self) -> &Schema {
        self.schema.as_ref().expect("on PostgreSQL")
    }

    /// SQL behind the store's back, through a connection of one's own.
    pub fn try_behind(&self, sql: &str) -> diesel::QueryResult<()> {
        match &self.schema {
            None => {
                let path = self.dir.path().join("hub.db");
                let mut db = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
                db.batch_execute("PRAGMA busy_timeout = 10000;").unwrap();
                db.batch_execute(sql)
            }
            Some(schema) => PgConnection::establish(&schema.url())
                .unwrap()
                .batch_execute(sql),
        }
    }

    /// How the database would answer, with small tables as if they were large.
    pub fn plan(&self, query: &str) -> String {
        use diesel::{RunQueryDsl as _, sql_query};
        #[derive(diesel::QueryableByName)]
        struct Step {
            #[diesel(sql_type = diesel::sql_types::Text)]
            detail: String,
        }
        #[derive(diesel::QueryableByName)]
        struct Line {
            #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
            line: String,
        }
        match &self.schema {
            None => {
                let path = self.dir.path().join("hub.db");
                let mut db = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
                let plan = sql_query(format!("EXPLAIN QUERY PLAN {query}"));
                let plan: Vec<Step> = plan.load(&mut db).unwrap();
                plan.into_iter().map(|step| step.detail + "; ").collect()
            }
            Some(schema) => {
                let mut db = PgConnection::establish(&schema.url()).unwrap();
                db.batch_execute(
                    "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_bitmapscan = off",
                )
                .unwrap();
                let plan: Vec<Line> = sql_query(format!("EXPLAIN {query}")).load(&mut db).unwrap();
                plan.into_iter().map(|line| line.line + "; ").collect()
            }
        }
    }

    /// Everything the database holds: its files, or what its tables say.
    pub fn contents(&self) -> Vec<u8> {
        use diesel::{RunQueryDsl as _, sql_query};
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Text)]
            told: String,
        }
        let Some(schema) = &self.schema else {
            let files = std::fs::read_dir(self.dir.path()).unwrap();
            return files
                .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
                .collect();
        };
        let mut db = PgConnection::establish(&schema.url()).unwrap();
        // Bytes as the text they may be.
        db.batch_execute("SET bytea_output = 'escape'").unwrap();
        let ask = |db: &mut PgConnection, query: String| -> Vec<Row> {
            sql_query(query).load(db).unwrap()
        };
        let name = &schema.name;
        ask(
            &mut db,
            format!("SELECT tablename AS told FROM pg_tables WHERE schemaname = '{name}'"),
        )
        .into_iter()
        .flat_map(|table| {
            ask(
                &mut db,
                format!("SELECT t::text AS told FROM {} t", table.told),
            )
        })
        .flat_map(|row| row.told.into_bytes())
        .collect()
    }

    pub fn behind(&self, sql: &str) {
        self.try_behind(sql).unwrap();
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

/// Seconds.
pub const HOUR: i64 = 3_600;

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

/// What the audit log is told when the print adapter asks who somebody is.
pub fn access(seconds: i64) -> Access {
    Access {
        actor: "adapter:print".into(),
        action: "disclose".into(),
        purpose: "print.letter".into(),
        unit: None,
        case: None,
        at: at(seconds),
    }
}
