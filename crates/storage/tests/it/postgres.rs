//! What only a server can do to us: other processes, lost connections, roles.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};
use halsonav_domain::CaseId;
use halsonav_storage::{CaseChange, Error, NewAudit, Place, Storage, VaultKeys, Verified, Wake};

use crate::{
    proxy::{Proxy, by_proxy},
    world::{Base, Schema, World, at, first, on_postgres, person},
};

/// A second process, as far as the store can tell.
fn another(world: &World) -> Storage {
    Storage::open(&world.place, VaultKeys::parse(&world.keys).unwrap()).unwrap()
}

fn revision(storage: &Storage, id: CaseId) -> u64 {
    storage
        .read(|tx| Ok(tx.load_instances(&[id])?[0].revision))
        .unwrap()
}

/// One step of each case, on what is loaded in the same transaction.
fn step_all(storage: &Storage, ids: &[CaseId]) -> halsonav_storage::Result<()> {
    let ids = ids.to_vec();
    storage.write(move |tx| {
        let changes: Vec<CaseChange> = tx
            .load_instances(&ids)?
            .iter()
            .map(|one| {
                let next = one.revision + 1;
                CaseChange::new(one.case.no, one.case.id, one.revision, next, vec![1], at(1))
            })
            .collect();
        tx.apply(&changes).map(drop)
    })
}

fn cases(world: &World, n: u64) -> Vec<CaseId> {
    (1..=n)
        .map(|n| {
            let (no, id, _) = world.case(n);
            world.apply(first(no, id)).unwrap();
            id
        })
        .collect()
}

#[test]
fn two_engines_on_the_same_cases_wait_for_each_other() {
    on_postgres(|base| {
        let world = base.world();
        let ids = cases(&world, 8);
        let backwards: Vec<CaseId> = ids.iter().rev().copied().collect();
        let other = another(&world);
        thread::scope(|scope| {
            for _ in 0..2 {
                for (storage, ids) in [(&world.storage, &ids), (&other, &backwards)] {
                    scope.spawn(move || {
                        for _ in 0..25 {
                            // What is loaded is one's own: nobody is told `Stale`.
                            step_all(storage, ids).unwrap();
                        }
                    });
                }
            }
        });
        for id in ids {
            assert_eq!(revision(&other, id), 101);
        }
    });
}

#[test]
fn a_deadlock_is_done_again() {
    on_postgres(|base| {
        let world = base.world();
        let ids = cases(&world, 2);
        let runs = AtomicU64::new(0);
        let runs: &'static AtomicU64 = Box::leak(Box::new(runs));
        thread::scope(|scope| {
            for (mine, theirs) in [(ids[0], ids[1]), (ids[1], ids[0])] {
                let storage = &world.storage;
                scope.spawn(move || {
                    storage
                        .write(move |tx| {
                            runs.fetch_add(1, Ordering::SeqCst);
                            tx.load_instances(&[mine])?;
                            thread::sleep(Duration::from_millis(300));
                            tx.load_instances(&[theirs])?;
                            tx.set_setting(&mine.to_string(), Some("written"))
                        })
                        .unwrap();
                });
            }
        });
        assert!(runs.load(Ordering::SeqCst) > 2, "one of them ran again");
        for id in ids {
            let kept = world.storage.read(|tx| tx.setting(&id.to_string()));
            assert_eq!(kept.unwrap().as_deref(), Some("written"));
        }
    });
}

#[test]
fn a_statement_that_failed_cannot_be_swallowed() {
    on_postgres(|base| {
        let world = base.world();
        let (no, _, _) = world.case(1);
        let nobody = halsonav_storage::CaseNo(no.0 + 999);
        let answer = world.storage.write(move |tx| {
            tx.set_setting("before", Some("written"))?;
            let refused = tx.first_seen(&[(Some(no), "/x", "1")], at(1));
            assert!(refused.is_ok());
            let record = halsonav_storage::Record {
                kind: "x".into(),
                key: "1".into(),
                at: at(1),
                data: serde_json::Value::Null,
            };
            // There is no such case. Whoever goes on as if nothing had happened is told.
            assert!(tx.put_records(&[(nobody, record)]).is_err());
            Ok(())
        });
        assert!(matches!(answer, Err(Error::Database(_))), "{answer:?}");
        assert_eq!(world.storage.read(|tx| tx.setting("before")).unwrap(), None);
    });
}

#[test]
fn the_log_is_one_chain_whoever_appends() {
    on_postgres(|base| {
        let world = base.world();
        let other = another(&world);
        thread::scope(|scope| {
            for n in 0..6 {
                let storage = if n % 2 == 0 { &world.storage } else { &other };
                scope.spawn(move || {
                    for k in 0..20 {
                        let entry = NewAudit {
                            at: at(k),
                            actor: format!("user:{n}"),
                            action: "read".into(),
                            purpose: k.to_string(),
                            unit: None,
                            subject: None,
                            case: None,
                            detail: serde_json::Value::Null,
                        };
                        storage
                            .write(move |tx| tx.audit(&[entry.clone(), entry.clone()]))
                            .unwrap();
                    }
                });
            }
        });
        let whole = world.storage.read(|tx| tx.verify_audit(None)).unwrap();
        assert!(
            matches!(whole, Verified::Whole(end) if end.size == 240),
            "{whole:?}"
        );
    });
}

#[test]
fn a_person_whom_two_take_in_at_once_is_one_subject() {
    on_postgres(|base| {
        let world = base.world();
        let other = another(&world);
        let enrolled: Vec<Vec<halsonav_domain::SubjectId>> = thread::scope(|scope| {
            let works: Vec<_> = [&world.storage, &other, &world.storage, &other]
                .into_iter()
                .map(|storage| {
                    scope.spawn(move || {
                        let people: Vec<_> = (0..40).map(person).collect();
                        let enrolled = storage.write(move |tx| tx.enrol(&people)).unwrap();
                        enrolled.into_iter().map(|one| one.subject).collect()
                    })
                })
                .collect();
            works.into_iter().map(|work| work.join().unwrap()).collect()
        });
        assert!(enrolled.iter().all(|one| *one == enrolled[0]));
    });
}

#[test]
fn of_many_who_take_a_lease_one_gets_it() {
    on_postgres(|base| {
        let world = base.world();
        let other = another(&world);
        for round in 0..10 {
            let taken = AtomicU64::new(0);
            thread::scope(|scope| {
                for n in 0..6 {
                    let storage = if n % 2 == 0 { &world.storage } else { &other };
                    let taken = &taken;
                    scope.spawn(move || {
                        let name = format!("lease-{round}");
                        let holder = format!("holder-{n}");
                        let minute = Duration::from_secs(60);
                        let epoch = storage
                            .write(move |tx| tx.take_lease(&name, &holder, minute))
                            .unwrap();
                        taken.fetch_add(u64::from(epoch.is_some()), Ordering::SeqCst);
                    });
                }
            });
            assert_eq!(taken.into_inner(), 1);
        }
    });
}

#[test]
fn others_are_woken_after_the_commit_and_not_for_what_was_undone() {
    on_postgres(|base| {
        let world = base.world();
        let other = another(&world);
        let elsewhere = base.world();
        let mut heard = other.woken(Wake::Clock);
        let mut outbox = other.woken(Wake::Outbox);
        let undone = world.storage.write(|tx| {
            tx.wake(Wake::Outbox);
            Err::<(), _>(Error::Invalid("undone"))
        });
        assert!(undone.is_err());
        let inside = other.woken(Wake::Clock);
        world
            .storage
            .write(move |tx| {
                tx.wake(Wake::Clock);
                thread::sleep(Duration::from_millis(50));
                assert!(!inside.has_changed().unwrap(), "not before the commit");
                Ok(())
            })
            .unwrap();
        wait_for("another process is woken", || heard.has_changed().unwrap());
        heard.mark_unchanged();
        thread::sleep(Duration::from_millis(100));
        assert!(!heard.has_changed().unwrap(), "once");
        assert!(!outbox.has_changed().unwrap());
        outbox.mark_unchanged();
        let strangers = elsewhere.storage.woken(Wake::Clock);
        assert!(
            !strangers.has_changed().unwrap(),
            "in another schema nobody is"
        );
    });
}

/// Waits for what must come, but not for ever.
fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A store behind a way that can be cut, for tests that have a server over TCP.
fn cut_off(base: &Base, test: impl FnOnce(&Proxy, &Storage, &World)) {
    let world = base.world();
    let (proxy, place) = by_proxy(world.schema()).expect("HALSONAV_POSTGRES names user@host:port");
    let storage = Storage::open(&place, VaultKeys::parse(&world.keys).unwrap()).unwrap();
    test(&proxy, &storage, &world);
}

#[test]
fn work_goes_on_when_the_server_comes_back() {
    on_postgres(|base| {
        cut_off(base, |proxy, storage, world| {
            let mut heard = storage.woken(Wake::Held);
            storage.write(|tx| tx.set_setting("a", Some("1"))).unwrap();
            // Lost between two transactions: nobody notices.
            proxy.cut();
            storage.write(|tx| tx.set_setting("b", Some("2"))).unwrap();
            assert_eq!(
                storage.read(|tx| tx.setting("b")).unwrap().as_deref(),
                Some("2")
            );
            // Gone for a while: those who ask meanwhile wait, or are told that it is not there.
            proxy.stop();
            thread::scope(|scope| {
                let waiting = scope.spawn(|| storage.write(|tx| tx.set_setting("c", Some("3"))));
                thread::sleep(Duration::from_millis(500));
                let error = storage.read(|tx| tx.setting("b")).unwrap_err();
                assert_eq!(error.kind(), halsonav_domain::Kind::Unavailable);
                proxy.start();
                waiting.join().unwrap().unwrap();
            });
            assert_eq!(
                storage.read(|tx| tx.setting("c")).unwrap().as_deref(),
                Some("3")
            );
            // While it was gone wake-ups may have been lost: everyone looks.
            wait_for("everyone is woken", || heard.has_changed().unwrap());
            heard.mark_unchanged();
            wait_for("others are heard again", || {
                let told = world.storage.write(|tx| {
                    tx.wake(Wake::Held);
                    Ok(())
                });
                told.unwrap();
                heard.has_changed().unwrap()
            });
        });
    });
}

#[test]
fn what_was_lost_before_its_commit_is_done_again() {
    on_postgres(|base| {
        cut_off(base, |proxy, storage, _| {
            let proxy: &'static Proxy = Box::leak(Box::new(proxy.clone()));
            let mut times = 0;
            storage
                .write(move |tx| {
                    times += 1;
                    if times == 1 {
                        proxy.cut();
                    }
                    tx.set_setting("times", Some(&times.to_string()))
                })
                .unwrap();
            assert_eq!(
                storage.read(|tx| tx.setting("times")).unwrap().as_deref(),
                Some("2")
            );
        });
    });
}

#[test]
fn a_commit_whose_answer_is_lost_is_told_as_unknown() {
    on_postgres(|base| {
        cut_off(base, |proxy, storage, world| {
            proxy.lose_the_next_answer();
            let answer = storage.write(|tx| tx.set_setting("a", Some("1")));
            assert!(matches!(answer, Err(Error::CommitUnknown)), "{answer:?}");
            // This time it was written.
            wait_for("it is there", || {
                world.storage.read(|tx| tx.setting("a")).unwrap().is_some()
            });
            storage.write(|tx| tx.set_setting("a", Some("2"))).unwrap();
        });
    });
}

#[test]
fn the_password_is_in_no_error() {
    on_postgres(|base| {
        let Base::Postgres(server) = base else { return };
        let (scheme, rest) = server.split_once("://").unwrap();
        let (_, rest) = rest.split_once('@').unwrap();
        for url in [
            format!("{scheme}://postgres:hemlig-nyckel@{rest}"),
            format!("{scheme}://postgres:hemlig%zznyckel@{rest}"),
            format!("{scheme}://postgres:hemlig-nyckel@[{rest}"),
            format!("{scheme}://postgres:hemlig-nyckel@no-such-host.invalid/x"),
        ] {
            let place = Place::parse(&url);
            let error = Storage::open(&place, VaultKeys::generate().unwrap()).unwrap_err();
            let shown = format!("{error} {error:?} {place:?}");
            assert!(
                !shown.contains("hemlig") && !shown.contains("nyckel"),
                "{shown}"
            );
        }
    });
}

#[test]
fn tables_that_were_never_made_are_refused() {
    on_postgres(|base| {
        let Base::Postgres(server) = base else { return };
        let schema = Schema::new(server);
        let open = || Storage::open(&schema.owner(), VaultKeys::generate().unwrap());
        let error = open().unwrap_err();
        assert!(matches!(error, Error::Older { has: 0, .. }), "{error}");
        Storage::migrate(&schema.owner()).unwrap();
        Storage::migrate(&schema.owner()).unwrap();
        open().unwrap();
    });
}

#[test]
fn a_work_item_that_is_committed_late_is_not_passed_over() {
    on_postgres(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        change.work_items = vec![crate::work::item(1), crate::work::item(2)];
        world.apply(change).unwrap();
        let new = |world: &World| {
            let items = world
                .storage
                .read(|tx| tx.new_work_items(None, 10))
                .unwrap();
            items.iter().map(|item| item.job).collect::<Vec<_>>()
        };
        let (mut late, mut soon) = (connect(world.schema()), connect(world.schema()));
        let copy = |no: i64, job: i64| {
            format!(
                "INSERT INTO work_items SELECT {no}, case_no, {job}, form, candidates, due, follow_up,
                 priority, body, is_open, state, claimed_by, result, revision, created, closed
                 FROM work_items WHERE item_no = 1"
            )
        };
        late.batch_execute("BEGIN").unwrap();
        late.batch_execute(&copy(11, 11)).unwrap();
        soon.batch_execute(&copy(12, 12)).unwrap();
        // Who else is at work on this server may hold them back a little longer.
        wait_for("those before", || new(&world) == [1, 2]);
        thread::sleep(Duration::from_millis(50));
        assert_eq!(new(&world), [1, 2], "12 waits for 11");
        late.batch_execute("COMMIT").unwrap();
        wait_for("both", || new(&world) == [1, 2, 11, 12]);
    });
}

pub fn connect(schema: &Schema) -> PgConnection {
    PgConnection::establish(&schema.url()).unwrap()
}
