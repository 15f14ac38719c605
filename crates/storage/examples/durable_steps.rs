//! How many steps a second become durable, against plain batched writes on the same disk.
//!
//! One plain step = update an instance, insert two events, one outbox row, one timer; integer keys,
//! WAL, FULL. One durable step of ours = note the message as seen, load the case and its instance,
//! apply: instance, ledger, one effect, one timer armed, one disarmed.
//!
//! `cargo run --release -p halsonav-storage --example durable_steps [steps]`

use std::{path::Path, time::Instant};

use diesel::{connection::SimpleConnection, prelude::*};
use halsonav_domain::{CaseId, HsaId, PersonId, RoundId, Timestamp};
use halsonav_storage::{
    CaseChange, CaseNo, Created, DefinitionRef, Ledger, NewCase, NewEffect, NewTimer, Result,
    Storage, VaultKeys,
};

const CASES: u64 = 50_000;
const STATE: usize = 400;

use tables::{event, instance, outbox, timer};

/// The yardstick's tables.
#[allow(missing_docs, reason = "diesel's macro writes them")]
mod tables {
    diesel::table! { instance (id) { id -> BigInt, revision -> BigInt, state -> Binary, } }
    diesel::table! { event (id) { id -> BigInt, instance -> BigInt, body -> Text, } }
    diesel::table! { outbox (id) { id -> BigInt, instance -> BigInt, body -> Text, } }
    diesel::table! { timer (id) { id -> BigInt, instance -> BigInt, due -> BigInt, } }
}

const BODY: &str = r#"{"template":"inbjudan","language":"sv","links":["book","rebook","cancel","form"],"start":null}"#;

fn main() {
    let steps: u64 = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(200_000);
    let dir = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(dir).expect("a directory");
    println!("{CASES} cases, {steps} steps (a tenth of them at batch 1), state {STATE} bytes");
    println!(
        "{:>6} {:>14} {:>14} {:>14} {:>8}",
        "batch", "plain rows/s", "plain multi/s", "durable/s", "ratio"
    );
    for batch in [1, 100, 1000] {
        let steps = if batch == 1 { steps / 10 } else { steps };
        let rows = plain(
            &dir.path().join(format!("rows{batch}.db")),
            batch,
            steps,
            false,
        );
        let multi = plain(
            &dir.path().join(format!("multi{batch}.db")),
            batch,
            steps,
            true,
        );
        let ours =
            durable(&dir.path().join(format!("ours{batch}.db")), batch, steps).expect("durable");
        println!(
            "{batch:>6} {rows:>14.0} {multi:>14.0} {ours:>14.0} {:>8.2}",
            ours / rows.max(multi)
        );
    }
}

/// The yardstick: nothing but the writes.
fn plain(path: &Path, batch: u64, steps: u64, multi: bool) -> f64 {
    let mut db = SqliteConnection::establish(&path.to_string_lossy()).expect("opens");
    db.batch_execute(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -131072;
         PRAGMA wal_autocheckpoint = 4000;
         CREATE TABLE instance (id INTEGER PRIMARY KEY, revision BIGINT, state BLOB);
         CREATE TABLE event (id INTEGER PRIMARY KEY, instance BIGINT, body TEXT);
         CREATE TABLE outbox (id INTEGER PRIMARY KEY, instance BIGINT, body TEXT);
         CREATE TABLE timer (id INTEGER PRIMARY KEY, instance BIGINT, due BIGINT);",
    )
    .expect("tables");
    let state = vec![7u8; STATE];
    db.immediate_transaction(|db| {
        (0..CASES).try_for_each(|id| {
            let row = (
                instance::id.eq(id.cast_signed()),
                instance::revision.eq(0),
                instance::state.eq(&state),
            );
            diesel::insert_into(instance::table)
                .values(row)
                .execute(db)
                .map(|_| ())
        })
    })
    .expect("instances");
    let begun = Instant::now();
    let mut next = 0i64;
    for _ in 0..steps / batch {
        let ids: Vec<i64> = (0..batch.cast_signed())
            .map(|i| (next + i) % CASES.cast_signed())
            .collect();
        next += batch.cast_signed();
        db.immediate_transaction(|db| {
            if multi {
                plain_multi(db, &ids, &state)
            } else {
                plain_rows(db, &ids, &state)
            }
        })
        .expect("a batch");
    }
    per_second(steps, begun)
}

fn update(db: &mut SqliteConnection, id: i64, state: &[u8]) -> QueryResult<usize> {
    diesel::update(instance::table.find(id))
        .set((
            instance::revision.eq(instance::revision + 1),
            instance::state.eq(state),
        ))
        .execute(db)
}

fn plain_rows(db: &mut SqliteConnection, ids: &[i64], state: &[u8]) -> QueryResult<()> {
    for id in ids {
        update(db, *id, state)?;
        for _ in 0..2 {
            diesel::insert_into(event::table)
                .values((event::instance.eq(id), event::body.eq(BODY)))
                .execute(db)?;
        }
        diesel::insert_into(outbox::table)
            .values((outbox::instance.eq(id), outbox::body.eq(BODY)))
            .execute(db)?;
        diesel::insert_into(timer::table)
            .values((timer::instance.eq(id), timer::due.eq(id + 1)))
            .execute(db)?;
    }
    Ok(())
}

fn plain_multi(db: &mut SqliteConnection, ids: &[i64], state: &[u8]) -> QueryResult<()> {
    for id in ids {
        update(db, *id, state)?;
    }
    let events: Vec<_> = ids
        .iter()
        .chain(ids)
        .map(|id| (event::instance.eq(*id), event::body.eq(BODY)))
        .collect();
    diesel::insert_into(event::table)
        .values(&events)
        .execute(db)?;
    let out: Vec<_> = ids
        .iter()
        .map(|id| (outbox::instance.eq(*id), outbox::body.eq(BODY)))
        .collect();
    diesel::insert_into(outbox::table)
        .values(&out)
        .execute(db)?;
    let timers: Vec<_> = ids
        .iter()
        .map(|id| (timer::instance.eq(*id), timer::due.eq(*id + 1)))
        .collect();
    diesel::insert_into(timer::table)
        .values(&timers)
        .execute(db)?;
    Ok(())
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

fn durable(path: &Path, batch: u64, steps: u64) -> Result<f64> {
    let storage = Storage::open(path, VaultKeys::generate()?)?;
    let ids: Vec<CaseId> = (0..CASES)
        .map(|n| CaseId(uuid::Uuid::from_u128(spread(n))))
        .collect();
    let made = ids.clone();
    let cases: Vec<CaseNo> = storage.write(move |tx| {
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
    })?;
    assert_eq!(cases.len() as u64, CASES);
    let begun = Instant::now();
    let mut next = 0u64;
    for _ in 0..steps / batch {
        let which: Vec<CaseId> = (next..next + batch)
            .map(|n| ids[(n % CASES) as usize])
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
    Ok(per_second(steps, begun))
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
