//! The hot path prepares each statement once, and in PostgreSQL asks as often for many cases as for
//! one: parsing SQL for every row, or sending it there, would cost more than the row.

use std::{
    io::Write as _,
    sync::{Arc, Mutex},
};

use diesel::{
    RunQueryDsl as _,
    connection::{Connection as _, InstrumentationEvent, SimpleConnection as _},
    dsl::sql,
    sql_types::Text,
};
use halsonav_domain::{
    CaseId, CommandId, HsaId, PersonId, PersonRecord, PersonStatus, Protection, Reference, RoundId,
    Timestamp,
};

use crate::{
    Awaits, CaseChange, CaseNo, ContactGate, DefinitionRef, EffectRef, Epoch, Ledger, NewCase,
    NewEffect, NewSubscription, NewTimer, Place, Postgres, ROLES, Record, Result, Settled,
    Settlement, Storage, VaultKeys, Writer, postgres,
};

#[derive(Default)]
struct Statements {
    run: Vec<String>,
    cached: Vec<String>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn person(n: u64) -> PersonId {
    let eleven = format!("19121212{n:03}");
    let check = PersonId::check_digit(&eleven).expect("eleven digits");
    PersonId::parse(&format!("{eleven}{check}")).expect("a number")
}

fn record(n: u64) -> PersonRecord {
    PersonRecord {
        requested: person(n),
        current: person(n),
        name: None,
        address: None,
        status: PersonStatus::Active,
        protection: Protection::None,
        test_person: false,
        paper_opt_out: false,
        county: None,
        fetched: at(1),
    }
}

fn id(n: u64) -> CaseId {
    CaseId(uuid::Uuid::from_u128(u128::from(n)))
}

/// Cases of these people, made anew.
fn begin(tx: &mut Writer, which: &[u64]) -> Result<Vec<CaseNo>> {
    let people: Vec<PersonId> = which.iter().map(|n| person(*n)).collect();
    let records: Vec<PersonRecord> = which.iter().map(|n| record(*n)).collect();
    let enrolled = tx.enrol(&people)?;
    tx.put_people(&records)?;
    let cases: Vec<NewCase> = which
        .iter()
        .zip(enrolled)
        .map(|(n, enrolled)| NewCase {
            id: id(*n),
            subject: enrolled.subject,
            round: RoundId("2026".to_owned()),
            unit: HsaId::new("SE1-1"),
            definition: DefinitionRef {
                id: "p".to_owned(),
                version: 1,
            },
            at: at(0),
        })
        .collect();
    tx.create_cases(&cases)?;
    let ids: Vec<CaseId> = which.iter().map(|n| id(*n)).collect();
    Ok(tx
        .load_instances(&ids)?
        .iter()
        .map(|one| one.case.no)
        .collect())
}

fn step(no: CaseNo, id: CaseId, revision: u64) -> CaseChange {
    let mut change = CaseChange::new(no, id, revision, revision + 1, vec![1], at(1));
    change.ledger = Some(Ledger::waiting(Some("a".to_owned()), Some(at(2))));
    change.effects.push(NewEffect {
        job: revision,
        kind: "messaging.send".parse().expect("a kind"),
        payload: serde_json::Value::Null,
        headers: std::collections::BTreeMap::new(),
        contact: true,
        not_before: None,
    });
    change.arm.push(NewTimer {
        timer: revision,
        due: at(2),
        element: "e".to_owned(),
    });
    change.disarm.push(revision);
    change.subscribe.push(NewSubscription {
        key: revision,
        awaits: Awaits::Message,
        name: "m".to_owned(),
        correlation: id.to_string(),
    });
    change.unsubscribe.push(revision);
    change.consumed.push(revision);
    change.milestones.push("m".to_owned());
    change.records.push(Record {
        kind: "r".to_owned(),
        key: "k".to_owned(),
        at: at(1),
        data: serde_json::Value::Null,
    });
    let reference = Reference {
        kind: "booking".to_owned(),
        value: format!("{id}-{revision}"),
    };
    change.references.push(reference.clone());
    change.references_over.push(reference);
    change
}

/// These cases through the hot path, twice over.
fn pass(tx: &mut Writer, epoch: Epoch, which: &[u64]) -> Result<()> {
    let numbers = begin(tx, which)?;
    let ids: Vec<CaseId> = which.iter().map(|n| id(*n)).collect();
    for revision in 0..2 {
        let message = revision.to_string();
        let seen: Vec<_> = numbers
            .iter()
            .map(|no| (Some(*no), "/x", message.as_str()))
            .collect();
        tx.load_instances(&ids)?;
        tx.first_seen(&seen, at(1))?;
        tx.stopped(&numbers)?;
        let changes: Vec<CaseChange> = numbers
            .iter()
            .zip(&ids)
            .map(|(no, id)| step(*no, *id, revision))
            .collect();
        tx.apply(&changes)?;
        let due = tx.due_timers(at(3), 1_000)?;
        tx.announced(&due)?;
        send(tx, epoch, &ids, revision)?;
    }
    Ok(())
}

/// The effects of job `job` on their way out.
fn send(tx: &mut Writer, epoch: Epoch, ids: &[CaseId], job: u64) -> Result<()> {
    let effects = tx.outbox(at(3), 1_000)?.due;
    tx.mark_published(&effects)?;
    let which: Vec<EffectRef> = ids
        .iter()
        .map(|id| EffectRef {
            case: *id,
            command: CommandId::derive(*id, job),
        })
        .collect();
    tx.claim(&which, at(3), epoch, &ContactGate::default())?;
    let settlements: Vec<Settlement> = effects
        .iter()
        .map(|effect| Settlement {
            effect: effect.no,
            epoch,
            settled: Settled::Done,
            references: Vec::new(),
        })
        .collect();
    assert_eq!(tx.settle(&settlements, at(3))?, []);
    Ok(())
}

/// What a writer of its own does for these cases.
fn watched(place: &Place, keys: &VaultKeys, which: &'static [u64]) -> Statements {
    let keys = || VaultKeys::parse(&keys.text()).expect("keys");
    let open = || Storage::open(place, keys()).expect("opens");
    let minute = std::time::Duration::from_secs(60);
    // Another connection, so that this one has nothing prepared yet.
    let epoch = open()
        .write(move |tx| tx.take_lease("dispatch", "test", minute))
        .expect("writes")
        .expect("is free");
    let statements = Arc::new(Mutex::new(Statements::default()));
    let seen = statements.clone();
    open()
        .write(move |tx| {
            let log = seen.clone();
            tx.db
                .set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    let mut log = log.lock().expect("one thread");
                    match event {
                        InstrumentationEvent::StartQuery { query, .. } => {
                            let text = query.to_string();
                            let text = text.split(" -- binds").next().unwrap_or_default();
                            // A round is made once, not for each step; what is not about rows has
                            // nothing to prepare.
                            if !["rounds", "COMMIT", "advisory"]
                                .iter()
                                .any(|word| text.contains(word))
                            {
                                log.run.push(text.to_owned());
                            }
                        }
                        InstrumentationEvent::CacheQuery { sql, .. } => {
                            log.cached.push(sql.to_owned())
                        }
                        _ => {}
                    }
                });
            pass(tx, epoch, which)
        })
        .expect("passes");
    std::mem::take(&mut *statements.lock().expect("one thread"))
}

fn prepared_once(statements: &Statements) {
    assert!(statements.run.len() > 30, "{}", statements.run.len());
    for sql in &statements.run {
        assert!(
            statements.cached.contains(sql),
            "prepared anew each time: {sql}"
        );
    }
    for sql in &statements.cached {
        let times = statements.cached.iter().filter(|other| *other == sql);
        assert_eq!(times.count(), 1, "{sql}");
    }
}

#[test]
fn every_statement_of_the_hot_path_is_prepared_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let keys = VaultKeys::generate().expect("keys");
    let place = Place::Sqlite(dir.path().join("hub.db"));
    let statements = watched(&place, &keys, &[1, 2]);
    prepared_once(&statements);
    // A bound LIMIT makes SQLite plan the statement again each time it is bound.
    let limited = |sql: &&String| sql.contains("LIMIT") && !sql.contains("`due` <= ?");
    assert_eq!(statements.cached.iter().find(limited), None);
}

/// The claim looks through the few leases there are, which must not look dear enough to be compiled.
fn nothing_is_compiled(place: &Place) {
    let Place::Postgres(server) = place else {
        unreachable!("a server was named")
    };
    let mut db = postgres::writer(server).expect("connects");
    let jit = diesel::select(sql::<Text>("current_setting('jit')")).get_result::<String>(&mut db);
    assert_eq!(jit.expect("it is told"), "off");
}

#[test]
fn many_cases_are_one_statement_for_each_table() {
    let named = std::env::var("HALSONAV_POSTGRES");
    let Some(url) = named.ok().filter(|url| !url.is_empty()) else {
        let why = "NOT CHECKED on PostgreSQL: HALSONAV_POSTGRES names no server\n";
        let ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(!ci, "{why}");
        std::io::stderr().write_all(why.as_bytes()).expect("told");
        return;
    };
    let schema = format!("hot_path_{}", std::process::id());
    let joint = if url.contains('?') { '&' } else { '?' };
    let server = |url: String| Postgres {
        url: url.into(),
        writers: 1,
        readers: 1,
    };
    let place = server(format!("{url}{joint}options=-csearch_path%3D{schema}"));
    let mut owner = postgres::owner(&server(url)).expect("connects");
    owner
        .batch_execute(&format!(
            "{ROLES} CREATE SCHEMA {schema} AUTHORIZATION halsonav_migrator"
        ))
        .expect("makes schemas");
    let place = Place::Postgres(place);
    Storage::migrate(&place).expect("migrates");
    nothing_is_compiled(&place);
    let keys = VaultKeys::generate().expect("keys");
    let one = watched(&place, &keys, &[1]);
    let many = watched(&place, &keys, &[2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    owner
        .batch_execute(&format!("DROP SCHEMA {schema} CASCADE"))
        .expect("drops");
    prepared_once(&many);
    assert_eq!(one.run.len(), many.run.len(), "{:#?}", many.run);
}
