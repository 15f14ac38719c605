//! Many threads, one file.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use halsonav_storage::{CaseChange, Error, NewDefinition, Reader, Storage, VaultKeys};

use crate::world::{at, everywhere, first};

#[test]
fn many_writers_and_readers_never_meet_a_busy_database() {
    everywhere(|base| {
        const WRITERS: u64 = 24;
        const EACH: u64 = 40;
        let world = base.world();
        let (no, id, _) = world.case(1);
        world.apply(first(no, id)).unwrap();
        let stale = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..WRITERS {
                scope.spawn(|| {
                    for _ in 0..EACH {
                        // Optimistic, with the reading outside the transaction: some must lose and try again.
                        loop {
                            let loaded = world
                                .storage
                                .read(|tx| tx.load_instances(&[id]))
                                .unwrap()
                                .remove(0);
                            let next = loaded.revision + 1;
                            let change = CaseChange::new(
                                no,
                                id,
                                loaded.revision,
                                next,
                                next.to_le_bytes().to_vec(),
                                at(1),
                            );
                            match world.apply(change) {
                                Ok(_) => break,
                                Err(Error::Stale(_)) => stale.fetch_add(1, Ordering::Relaxed),
                                Err(error) => panic!("{error}"),
                            };
                        }
                    }
                });
            }
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let loaded = world.storage.read(|tx| {
                            let one = tx.load_instances(&[id])?.remove(0);
                            // One snapshot: the second look sees what the first did.
                            assert_eq!(one, tx.load_instances(&[id])?.remove(0));
                            Ok(one)
                        });
                        let loaded = loaded.unwrap();
                        assert!(
                            loaded.revision == 1 || loaded.state == loaded.revision.to_le_bytes()
                        );
                    }
                });
            }
        });
        let revision = world
            .storage
            .read(|tx| Ok(tx.load_instances(&[id])?[0].revision))
            .unwrap();
        assert_eq!(
            revision,
            1 + WRITERS * EACH,
            "no step lost, none applied twice"
        );
    });
}

#[test]
fn closures_that_share_a_commit_fail_alone() {
    everywhere(|base| {
        let world = base.world();
        std::thread::scope(|scope| {
            for n in 0..64u32 {
                let storage = &world.storage;
                scope.spawn(move || {
                    let key = format!("key-{n}");
                    let kept = storage.write(move |tx| {
                        tx.set_setting(&key, Some("written"))?;
                        match n % 4 {
                            0 => Err(Error::Invalid("refused")),
                            1 => panic!("on purpose"),
                            _ => Ok(()),
                        }
                    });
                    match n % 4 {
                        0 => assert!(matches!(kept, Err(Error::Invalid("refused")))),
                        1 => assert!(matches!(kept, Err(Error::Panicked))),
                        _ => kept.unwrap(),
                    }
                });
            }
        });
        for n in 0..64u32 {
            let value = world
                .storage
                .read(|tx| tx.setting(&format!("key-{n}")))
                .unwrap();
            assert_eq!(value.is_some(), n % 4 > 1, "key-{n}");
        }
    });
}

#[test]
fn a_reader_that_panics_gives_its_connection_back() {
    everywhere(|base| {
        let world = base.world();
        for _ in 0..20 {
            let answer = world
                .storage
                .read(|_| -> halsonav_storage::Result<()> { panic!("on purpose") });
            assert!(matches!(answer, Err(Error::Panicked)));
        }
        world.storage.read(|tx| tx.rounds()).unwrap();
    });
}

#[test]
fn async_callers_may_stop_waiting() {
    everywhere(|base| {
        let world = base.world();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            for n in 0..50 {
                let write = world
                    .storage
                    .write_async(move |tx| tx.set_setting(&format!("n-{n}"), Some("written")));
                // Polled once, then dropped: the write was sent and must not leave a transaction open.
                tokio::select! { biased; _ = write => {}, () = std::future::ready(()) => {} }
            }
            world
                .storage
                .write_async(|tx| tx.set_setting("last", Some("yes")))
                .await
                .unwrap();
            // They run at the same time as the last one, and may end after it.
            for n in 0..50 {
                let written = |tx: &mut Reader| tx.setting(&format!("n-{n}"));
                while world.storage.read(written).unwrap().is_none() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            }
        });
    });
}

#[test]
fn the_next_timer_and_effect_are_found_without_sorting() {
    everywhere(|base| {
        let world = base.world();
        for (query, index) in [
            (
                "SELECT * FROM timers INNER JOIN cases ON timers.case_no = cases.case_no
                 WHERE timers.due <= 7 ORDER BY timers.due, timers.case_no, timers.timer LIMIT 9",
                "timers_due",
            ),
            (
                "SELECT * FROM effects INNER JOIN
                 (cases INNER JOIN subjects ON cases.subject_no = subjects.subject_no)
                 ON effects.case_no = cases.case_no
                 WHERE effects.due <= 7 ORDER BY effects.due, effects.effect_no LIMIT 9",
                "effects_due",
            ),
        ] {
            let plan = world.plan(query);
            let sorted = plan.contains("B-TREE") || plan.contains("Sort");
            assert!(plan.contains(index) && !sorted, "{plan}");
        }
    });
}

#[test]
fn tables_that_this_program_is_too_old_for_are_refused() {
    everywhere(|base| {
        let world = base.world();
        let open = || Storage::open(&world.place, VaultKeys::parse(&world.keys).unwrap());
        world.behind("UPDATE schema_version SET version = 9");
        open().expect("newer tables that were only added to");
        world.behind("UPDATE schema_version SET works_from = 9");
        let error = open().unwrap_err();
        assert_eq!(error.code(), "HUB-STORAGE-013");
        world.behind("UPDATE schema_version SET version = 0, works_from = 0");
        assert_eq!(open().unwrap_err().code(), "HUB-STORAGE-012");
    });
}

#[test]
fn processes_that_start_at_once_deploy_a_file_once() {
    everywhere(|base| {
        const PROCESSES: usize = 4;
        let world = base.world();
        let open = || Storage::open(&world.place, VaultKeys::parse(&world.keys).unwrap());
        let processes: Vec<Storage> = (0..PROCESSES).map(|_| open().unwrap()).collect();
        let together = Barrier::new(PROCESSES);
        for round in 0..20 {
            let new = NewDefinition {
                kind: "process".into(),
                id: format!("p-{}", round / 2),
                digest: format!("digest {round}"),
                tag: None,
                deployment: "1".into(),
                text: "<x/>".into(),
            };
            std::thread::scope(|scope| {
                for process in &processes {
                    let (new, together) = (new.clone(), &together);
                    scope.spawn(move || {
                        together.wait();
                        let version = process.write(move |tx| tx.deploy(&new, at(1)));
                        assert_eq!(version.unwrap(), round % 2 + 1);
                    });
                }
            });
        }
    });
}
