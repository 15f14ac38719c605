//! How many steps a second become durable, against plain batched writes on the same disk.
//!
//! One plain step is told in `halsonav_storage::yardstick`. One durable step of ours = note the
//! message as seen, load the case and its instance, apply: instance, ledger, one effect, one timer
//! armed, one disarmed.
//!
//! `cargo run --release -p halsonav-storage --example durable_steps [steps] [connections]`
//!
//! On a SQLite file in `BENCH_DIR`, or, where `HALSONAV_POSTGRES` names a server, in schemas of its
//! own there, which it drops. The plain limit is the best of the styles.

use std::{thread, time::Instant};

use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use halsonav_domain::{CaseId, HsaId, PersonId, RoundId, Timestamp};
use halsonav_storage::{
    CaseChange, CaseNo, Created, DefinitionRef, Ledger, NewCase, NewEffect, NewTimer, Place,
    Postgres, ROLES, Result, Storage, VaultKeys,
    yardstick::{Style, Yardstick},
};
use tempfile::TempDir;

const CASES: u64 = 50_000;
const STATE: usize = 400;

const BODY: &str = r#"{"template":"inbjudan","language":"sv","links":["book","rebook","cancel","form"],"start":null}"#;

/// Where databases are made, one after the other.
enum Ground {
    Directory(TempDir),
    Server(String),
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        arguments
            .next()
            .and_then(|n| n.parse().ok())
            .unwrap_or(default)
    };
    let (steps, connections): (u64, u64) = (number(200_000), number(1));
    let ground = match std::env::var("HALSONAV_POSTGRES") {
        Ok(server) => Ground::Server(server),
        Err(_) => {
            let dir = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
            Ground::Directory(tempfile::tempdir_in(dir).expect("a directory"))
        }
    };
    println!(
        "{CASES} cases, {steps} steps (a tenth of them at batch 1), state {STATE} bytes, {connections} connections"
    );
    println!(
        "{:>6} {:>14} {:>14} {:>14} {:>8}",
        "batch", "plain rows/s", "plain multi/s", "durable/s", "ratio"
    );
    for batch in [1, 100, 1000] {
        let steps = if batch == 1 { steps / 10 } else { steps };
        let plain = |style: Style| {
            let tried = ground.with(&format!("plain{batch}"), connections, |place| {
                plain(place, batch, steps, connections, style)
            });
            tried.expect("plain")
        };
        let (rows, multi) = (plain(Style::Single), plain(Style::Multi));
        let ours = ground.with(&format!("ours{batch}"), connections, |place| {
            durable(place, batch, steps, connections)
        });
        let ours = ours.expect("durable");
        println!(
            "{batch:>6} {rows:>14.0} {multi:>14.0} {ours:>14.0} {:>8.2}",
            ours / rows.max(multi)
        );
    }
}

impl Ground {
    /// Runs in a fresh place.
    fn with(
        &self,
        name: &str,
        connections: u64,
        run: impl FnOnce(&Place) -> Result<f64>,
    ) -> Result<f64> {
        let connections = u32::try_from(connections).unwrap_or(1);
        match self {
            Self::Directory(dir) => {
                let path = dir.path().join(name);
                std::fs::remove_file(&path).ok();
                run(&Place::Sqlite(path))
            }
            Self::Server(url) => {
                let sql = |text: &str| {
                    PgConnection::establish(url)
                        .expect("a server")
                        .batch_execute(text)
                        .expect("may make schemas");
                };
                sql(&format!(
                    "{ROLES} CREATE SCHEMA bench AUTHORIZATION halsonav_migrator"
                ));
                let joint = if url.contains('?') { '&' } else { '?' };
                let url = format!("{url}{joint}options=-csearch_path%3Dbench").into();
                let done = run(&Place::Postgres(Postgres {
                    url,
                    writers: connections,
                    readers: 1,
                }));
                sql("DROP SCHEMA bench CASCADE; CHECKPOINT");
                done
            }
        }
    }
}

/// The yardstick: nothing but the writes.
fn plain(place: &Place, batch: u64, steps: u64, connections: u64, style: Style) -> Result<f64> {
    let batch = u32::try_from(batch).unwrap_or(u32::MAX);
    let shares = u32::try_from(connections).unwrap_or(1);
    let instances = u32::try_from(CASES).unwrap_or(u32::MAX);
    let yardsticks = Yardstick::open(place, instances, STATE, shares)?;
    let begun = Instant::now();
    thread::scope(|scope| {
        let works: Vec<_> = yardsticks
            .into_iter()
            .map(|mut yardstick| {
                scope.spawn(move || {
                    (0..steps / connections / u64::from(batch))
                        .try_for_each(|_| yardstick.write(batch, style))
                })
            })
            .collect();
        works
            .into_iter()
            .try_for_each(|work| work.join().expect("no panic"))
    })?;
    Ok(per_second(steps, begun))
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds.cast_signed()).expect("in range")
}

/// The 11 first digits count up; the check digit is the register's.
fn person(n: u64) -> PersonId {
    let eleven = format!(
        "1976{:02}{:02}{:03}",
        n / 28_000 % 12 + 1,
        n / 1_000 % 28 + 1,
        n % 1_000
    );
    let check = PersonId::check_digit(&eleven).expect("eleven digits");
    PersonId::parse(&format!("{eleven}{check}")).expect("a number")
}

fn durable(place: &Place, batch: u64, steps: u64, connections: u64) -> Result<f64> {
    Storage::migrate(place)?;
    let storage = Storage::open(place, VaultKeys::generate()?)?;
    let ids: Vec<CaseId> = (0..CASES)
        .map(|n| CaseId(uuid::Uuid::from_u128(spread(n))))
        .collect();
    let cases = begin(&storage, ids.clone())?;
    assert_eq!(cases.len() as u64, CASES);
    let share = CASES / connections;
    let begun = Instant::now();
    thread::scope(|scope| {
        let works: Vec<_> = (0..connections)
            .map(|n| {
                let own = &ids[(n * share) as usize..((n + 1) * share) as usize];
                let storage = &storage;
                scope.spawn(move || walk(storage, own, batch, steps / connections))
            })
            .collect();
        works
            .into_iter()
            .try_for_each(|work| work.join().expect("no panic"))
    })?;
    Ok(per_second(steps, begun))
}

/// Steps of these cases, round and round.
fn walk(storage: &Storage, ids: &[CaseId], batch: u64, steps: u64) -> Result<()> {
    let mut next = 0u64;
    for _ in 0..steps / batch {
        let which: Vec<CaseId> = (next..next + batch)
            .map(|n| ids[(n % ids.len() as u64) as usize])
            .collect();
        let message = next;
        next += batch;
        storage.write(move |tx| {
            let loaded = tx.load_instances(&which)?;
            let ids: Vec<String> = (message..)
                .take(loaded.len())
                .map(|n| format!("message-{n}"))
                .collect();
            let seen: Vec<_> = loaded
                .iter()
                .zip(&ids)
                .map(|(one, id)| (Some(one.case.no), "/adapters/x", id.as_str()))
                .collect();
            assert!(
                tx.first_seen(&seen, at(message))?
                    .into_iter()
                    .all(|first| first)
            );
            let changes: Vec<CaseChange> = loaded
                .iter()
                .map(|one| step(one.case.no, one.case.id, one.revision))
                .collect();
            tx.apply(&changes)
        })?;
    }
    Ok(())
}

/// Every person enrolled, every case made and stepped once.
fn begin(storage: &Storage, made: Vec<CaseId>) -> Result<Vec<CaseNo>> {
    storage.write(move |tx| {
        let people: Vec<PersonId> = (0..CASES).map(person).collect();
        let enrolled = tx.enrol(&people)?;
        let new: Vec<NewCase> = enrolled
            .iter()
            .zip(&made)
            .map(|(enrolled, id)| NewCase {
                id: *id,
                subject: enrolled.subject,
                round: RoundId("2026".to_owned()),
                unit: HsaId::new("SE2321000016-1HZ5"),
                definition: DefinitionRef {
                    id: "halsosamtal".to_owned(),
                    version: 1,
                },
                at: at(0),
            })
            .collect();
        let created = tx.create_cases(&new)?;
        let numbers: Vec<CaseNo> = created
            .into_iter()
            .map(|created| match created {
                Created::New(no) | Created::Exists(no, _) => no,
            })
            .collect();
        let first: Vec<CaseChange> = numbers
            .iter()
            .zip(&made)
            .map(|(no, id)| step(*no, *id, 0))
            .collect();
        tx.apply(&first)?;
        Ok(numbers)
    })
}

/// Random-looking and distinct, as case ids are.
fn spread(n: u64) -> u128 {
    let mixed = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (u128::from(mixed) << 64) | u128::from(mixed.rotate_left(31) ^ n)
}

fn step(no: CaseNo, id: CaseId, revision: u64) -> CaseChange {
    let due = at(revision * 86_400 + no.0.unsigned_abs());
    let mut change = CaseChange::new(no, id, revision, revision + 1, vec![7; STATE], at(revision));
    change.ledger = Some(Ledger::waiting(Some("svar".to_owned()), Some(due)));
    change.effects.push(NewEffect {
        job: revision,
        kind: "messaging.send".parse().expect("a kind"),
        payload: serde_json::from_str(BODY).expect("JSON"),
        headers: std::collections::BTreeMap::new(),
        contact: true,
        not_before: None,
    });
    change.arm.push(NewTimer {
        timer: revision + 1,
        due,
        element: "vanta".to_owned(),
    });
    change.disarm.push(revision);
    change
}

fn per_second(steps: u64, begun: Instant) -> f64 {
    steps as f64 / begun.elapsed().as_secs_f64()
}
