//! The hot path prepares each statement once: parsing SQL for every row would cost more than the row.

use std::sync::{Arc, Mutex};

use diesel::connection::{Connection as _, InstrumentationEvent};
use halsonav_domain::{
    CaseId, CommandId, HsaId, PersonId, PersonRecord, PersonStatus, Protection, RoundId, Timestamp,
};

use crate::{
    Awaits, CaseChange, ContactGate, Created, DefinitionRef, EffectRef, Epoch, Ledger, NewCase,
    NewEffect, NewSubscription, NewTimer, Place, Result, Settled, Settlement, Storage, VaultKeys,
    Writer,
};

#[derive(Default)]
struct Statements {
    run: Vec<String>,
    cached: Vec<String>,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

/// One case through the hot path, twice over.
fn pass(tx: &mut Writer, epoch: Epoch) -> Result<()> {
    let person = PersonId::parse("191212121212").expect("a number");
    tx.put_person(&PersonRecord {
        requested: person.clone(),
        current: person.clone(),
        name: None,
        address: None,
        status: PersonStatus::Active,
        protection: Protection::None,
        test_person: false,
        paper_opt_out: false,
        county: None,
        fetched: at(1),
    })?;
    let subject = tx.enrol(&[person])?[0].subject;
    let id = CaseId(uuid::Uuid::from_u128(1));
    let case = NewCase {
        id,
        subject,
        round: RoundId("2026".to_owned()),
        unit: HsaId::new("SE1-1"),
        definition: DefinitionRef {
            id: "p".to_owned(),
            version: 1,
        },
        at: at(0),
    };
    let Created::New(no) = tx.create_cases(&[case])?[0] else {
        panic!("new")
    };
    for revision in 0..2u64 {
        tx.load_instances(&[id])?;
        tx.first_seen(&[(Some(no), "/x", &format!("{revision}"))], at(1))?;
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
        tx.apply(&[change])?;
        let due = tx.due_timers(at(3), 10)?;
        tx.announced(&due)?;
        send(tx, epoch, id, revision)?;
    }
    Ok(())
}

/// The effect of job `job` on its way out.
fn send(tx: &mut Writer, epoch: Epoch, id: CaseId, job: u64) -> Result<()> {
    let effects = tx.publishable(at(3), 10)?;
    tx.mark_published(&effects.iter().map(|effect| effect.no).collect::<Vec<_>>())?;
    let which = EffectRef {
        case: id,
        command: CommandId::derive(id, job),
    };
    tx.claim(&[which], at(3), epoch, &ContactGate::default())?;
    let effect = effects[0].no;
    tx.settle(
        &[Settlement {
            effect,
            epoch,
            settled: Settled::Done,
            references: Vec::new(),
        }],
        at(3),
    )?;
    Ok(())
}

#[test]
fn every_statement_of_the_hot_path_is_prepared_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let open = || {
        let place = Place::Sqlite(dir.path().join("hub.db"));
        Storage::open(&place, VaultKeys::generate().expect("keys")).expect("opens")
    };
    let minute = std::time::Duration::from_secs(60);
    // Another connection, so that this one has nothing prepared yet.
    let epoch = open()
        .write(move |tx| tx.take_lease("dispatch", "test", minute))
        .expect("writes")
        .expect("is free");
    let storage = open();
    let statements = Arc::new(Mutex::new(Statements::default()));
    let seen = statements.clone();
    storage
        .write(move |tx| {
            let log = seen.clone();
            tx.db
                .set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    let mut log = log.lock().expect("one thread");
                    match event {
                        // A round is made once, not for each step.
                        InstrumentationEvent::StartQuery { query, .. }
                            if query.to_string().contains("INTO `rounds`") => {}
                        InstrumentationEvent::StartQuery { query, .. } => {
                            let text = query.to_string();
                            log.run.push(
                                text.split(" -- binds")
                                    .next()
                                    .unwrap_or_default()
                                    .to_owned(),
                            );
                        }
                        InstrumentationEvent::CacheQuery { sql, .. } => {
                            log.cached.push(sql.to_owned())
                        }
                        _ => {}
                    }
                });
            pass(tx, epoch)
        })
        .expect("passes");
    let statements = statements.lock().expect("one thread");
    assert!(statements.run.len() > 30, "{}", statements.run.len());
    for sql in statements.run.iter().filter(|sql| *sql != "COMMIT") {
        assert!(
            statements.cached.contains(sql),
            "prepared anew each time: {sql}"
        );
    }
    // A bound LIMIT makes SQLite plan the statement again each time it is bound.
    let limited = |sql: &&String| sql.contains("LIMIT");
    let pages = |sql: &&String| sql.contains("`due` <= ?");
    assert_eq!(statements.cached.iter().filter(limited).count(), 2);
    assert!(
        statements
            .cached
            .iter()
            .filter(limited)
            .all(|sql| pages(&sql))
    );
    for sql in &statements.cached {
        assert_eq!(
            statements
                .cached
                .iter()
                .filter(|other| *other == sql)
                .count(),
            1,
            "{sql}"
        );
    }
}
