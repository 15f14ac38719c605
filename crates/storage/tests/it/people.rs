//! Subjects and the vault.

use std::{sync::mpsc, thread, time::Duration};

use halsonav_domain::{
    CaseId, Identity, Kind, PersonId, PersonRecord, PersonStatus, Protection, SubjectId,
};
use halsonav_storage::{
    AuditFilter, CaseChange, Claim, ContactGate, Created, Error, Extent, Ledger, Merge, Reason,
};

use crate::world::{
    World, access, at, coordination, everywhere, first, new_case, person, record, send,
};

fn disclose(world: &World, subject: SubjectId, extent: Extent) -> Option<Identity> {
    world
        .storage
        .write(move |tx| Ok(tx.disclose(&[subject], extent, &[access(9)])?.remove(0)))
        .unwrap()
}

fn find(world: &World, person: PersonId) -> Option<SubjectId> {
    world
        .storage
        .read(|tx| tx.subject_of_person(&person))
        .unwrap()
}

#[test]
fn a_person_goes_in_and_comes_out_only_with_an_audit_entry() {
    everywhere(|base| {
        let world = base.world();
        let change = world
            .storage
            .write(|tx| tx.put_person(&record(1, 5)))
            .unwrap();
        assert!(change.new && change.matters() && change.merged.is_none());
        let world = world.reopened();
        assert_eq!(find(&world, person(1)), Some(change.subject));
        let identity = disclose(&world, change.subject, Extent::Full).unwrap();
        assert!(
            identity
                == Identity {
                    person_id: person(1),
                    name: record(1, 5).name.unwrap(),
                    address: record(1, 5).address
                }
        );
        let number = disclose(&world, change.subject, Extent::Number).unwrap();
        assert!(
            number.person_id == person(1)
                && number.name.full().is_empty()
                && number.address.is_none()
        );
        assert!(disclose(&world, SubjectId(uuid::Uuid::nil()), Extent::Full).is_none());
        let filter = AuditFilter {
            subject: Some(change.subject),
            ..AuditFilter::default()
        };
        let log = world
            .storage
            .read(|tx| tx.audit_page(&filter, None, 10))
            .unwrap();
        assert_eq!(log.len(), 2);
        assert_eq!(log[0].entry.detail["extent"], "full");
        assert_eq!(
            world.storage.read(|tx| tx.checkpoint()).unwrap().size,
            3,
            "also the vain attempt is noted"
        );
        let unequal = world.storage.write(move |tx| {
            tx.disclose(&[change.subject], Extent::Full, &[])
                .map(|_| ())
        });
        assert!(matches!(unequal, Err(Error::Invalid(_))));
    });
}

#[test]
fn the_database_holds_no_identity_in_clear() {
    everywhere(|base| {
        let world = base.world();
        world.case(1);
        world.storage.write(|tx| tx.enrol(&[person(2)])).unwrap();
        let all = world.contents();
        assert!(all.len() > 1_000);
        let haystack = |needle: &str| {
            all.windows(needle.len())
                .any(|window| window == needle.as_bytes())
        };
        assert!(haystack("halsosamtal"), "the search finds what is there");
        for secret in [
            person(1).expose(),
            &person(1).expose()[2..],
            person(2).expose(),
            "Kanarie",
            "Fågelström",
            "Burgatan",
            "57131",
        ] {
            assert!(!haystack(secret));
        }
    });
}

#[test]
fn a_sealed_field_moved_to_another_person_does_not_open() {
    everywhere(|base| {
        let world = base.world();
        let (_, _, one) = world.case(1);
        let (_, _, two) = world.case(2);
        world.behind("UPDATE vault SET name = (SELECT name FROM vault WHERE subject_no = 1) WHERE subject_no = 2");
        assert!(disclose(&world, one, Extent::Full).is_some());
        let error = world
            .storage
            .write(move |tx| tx.disclose(&[two], Extent::Full, &[access(9)]))
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Denied, "HUB-STORAGE-006")
        );
    });
}

#[test]
fn a_new_number_leads_to_the_same_subject() {
    everywhere(|base| {
        let world = base.world();
        let before = world
            .storage
            .write(|tx| tx.enrol(&[coordination(1), coordination(1)]))
            .unwrap();
        assert_eq!((before[0].new, before[1].new), (true, false));
        assert_eq!(before[0].subject, before[1].subject);
        let changed = PersonRecord {
            requested: coordination(1),
            ..record(1, 5)
        };
        let change = world
            .storage
            .write(move |tx| tx.put_person(&changed))
            .unwrap();
        assert!(change.number_changed && !change.new && change.merged.is_none());
        assert_eq!(change.subject, before[0].subject);
        assert_eq!(find(&world, person(1)), find(&world, coordination(1)));
        assert!(
            disclose(&world, change.subject, Extent::Number)
                .unwrap()
                .person_id
                == person(1)
        );
        let again = world
            .storage
            .write(|tx| tx.put_person(&record(1, 6)))
            .unwrap();
        assert!(!again.number_changed && !again.matters());
    });
}

/// Person 1 under the coordination number, with a case in this round and one in an earlier.
fn under_the_old_number(world: &World, other_id: CaseId, old_id: CaseId) -> SubjectId {
    world
        .storage
        .write(move |tx| {
            let two = tx.enrol(&[coordination(1)])?[0].subject;
            let old = halsonav_storage::NewCase {
                round: halsonav_domain::RoundId("2021".into()),
                ..new_case(old_id, two)
            };
            let created = tx.create_cases(&[new_case(other_id, two), old])?;
            let Created::New(no) = created[0] else {
                panic!("{created:?}")
            };
            let mut change = first(no, other_id);
            change.effects.push(send(1));
            tx.apply(&[change])?;
            tx.opt_out(&two, "phone", true)?;
            Ok(two)
        })
        .unwrap()
}

#[test]
fn two_subjects_that_are_one_person_are_merged_and_invited_once() {
    everywhere(|base| {
        let world = base.world();
        let (kept, kept_id, one) = world.case(1);
        let (other_id, old_id) = (
            CaseId(uuid::Uuid::from_u128(88)),
            CaseId(uuid::Uuid::from_u128(89)),
        );
        let two = under_the_old_number(&world, other_id, old_id);
        assert_ne!(one, two);
        let answer = PersonRecord {
            requested: coordination(1),
            ..record(1, 9)
        };
        let change = world
            .storage
            .write(move |tx| tx.put_person(&answer))
            .unwrap();
        assert_eq!(
            change.merged,
            Some(Merge {
                from: two,
                into: one,
                duplicates: vec![(kept_id, other_id)]
            })
        );
        assert_eq!(change.subject, one);
        let epoch = world.epoch();
        world
            .storage
            .write(move |tx| {
                // Every number and the old id lead to the one that remains.
                assert_eq!(tx.subject_of_person(&coordination(1))?, Some(one));
                assert_eq!(tx.register(&two)?, tx.register(&one)?);
                assert_eq!(tx.register(&one)?.unwrap().opt_outs, ["phone"]);
                assert!(tx.disclose(&[two], Extent::Full, &[access(9)])?[0].is_some());
                // The case of the other round is theirs now; the duplicate is marked and stopped.
                assert_eq!(tx.case(&old_id)?.unwrap().subject, one);
                assert_eq!(tx.case(&other_id)?.unwrap().duplicate_of, Some(kept));
                let which = halsonav_storage::EffectRef {
                    case: other_id,
                    command: halsonav_domain::CommandId::derive(other_id, 1),
                };
                let claim = tx
                    .claim(&[which], at(10), epoch, &ContactGate::default())?
                    .remove(0);
                assert!(
                    matches!(
                        claim,
                        Claim::Blocked {
                            reason: Reason::Duplicate,
                            ..
                        }
                    ),
                    "{claim:?}"
                );
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn an_older_answer_does_not_overwrite_a_newer_one() {
    everywhere(|base| {
        let world = base.world();
        let dead = PersonRecord {
            status: PersonStatus::Deceased,
            ..record(1, 9)
        };
        world.storage.write(move |tx| tx.put_person(&dead)).unwrap();
        let change = world
            .storage
            .write(|tx| tx.put_person(&record(1, 8)))
            .unwrap();
        assert!(change.outdated && !change.matters());
        assert_eq!(change.after.status, Some(PersonStatus::Deceased));
    });
}

#[test]
fn the_address_of_a_protected_person_is_not_kept() {
    everywhere(|base| {
        let world = base.world();
        let protected = PersonRecord {
            protection: Protection::Sekretessmarkering,
            ..record(1, 5)
        };
        let change = world
            .storage
            .write(move |tx| tx.put_person(&protected))
            .unwrap();
        assert!(!change.after.has_address);
        assert!(
            disclose(&world, change.subject, Extent::Full)
                .unwrap()
                .address
                .is_none()
        );
    });
}

#[test]
fn an_erased_person_is_gone_and_the_log_is_whole() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, subject) = world.case(1);
        let erase = || {
            world
                .storage
                .write(move |tx| tx.erase(&subject, &access(9)))
        };
        let error = erase().expect_err("its case is open");
        assert_eq!(error.code(), "HUB-STORAGE-009");
        world
            .apply(CaseChange {
                ledger: Some(Ledger::ended("visited")),
                ..first(no, id)
            })
            .unwrap();
        erase().unwrap();
        // The register was just being asked about them, and a list was being taken in.
        let late = world.storage.write(|tx| tx.put_answers(&[record(1, 10)]));
        assert!(late.unwrap().is_empty());
        let opened = world
            .storage
            .write(move |tx| tx.create_cases(&[new_case(id, subject)]));
        assert_eq!(opened.expect_err("about nobody").code(), "HUB-STORAGE-010");
        assert!(disclose(&world, subject, Extent::Full).is_none());
        assert_eq!(find(&world, person(1)), None);
        assert!(world.storage.read(|tx| tx.case(&id)).unwrap().is_some());
        let verified = world.storage.read(|tx| tx.verify_audit(None)).unwrap();
        assert!(
            matches!(verified, halsonav_storage::Verified::Whole(point) if point.size == 2),
            "{verified:?}"
        );
    });
}

/// Else there could be a case about nobody.
#[test]
fn whoever_opens_a_case_waits_for_an_erasure_under_way() {
    everywhere(|base| {
        let world = base.world();
        let subject = world
            .storage
            .write(|tx| Ok(tx.put_person(&record(1, 0))?.subject))
            .unwrap();
        let id = CaseId(uuid::Uuid::from_u128(7));
        let (erased, is_erased) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let (tell, told) = mpsc::channel();
        thread::scope(|scope| {
            let storage = &world.storage;
            let erasing = scope.spawn(move || {
                storage.write(move |tx| {
                    tx.erase(&subject, &access(9))?;
                    erased.send(()).unwrap();
                    may_go_on.recv().unwrap();
                    Ok(())
                })
            });
            is_erased.recv().unwrap();
            scope.spawn(move || {
                let opened = storage.write(move |tx| tx.create_cases(&[new_case(id, subject)]));
                tell.send(opened).unwrap();
            });
            let early = told.recv_timeout(Duration::from_millis(500));
            assert!(early.is_err(), "not waited for: {early:?}");
            go_on.send(()).unwrap();
            erasing.join().unwrap().unwrap();
            let opened = told.recv().unwrap();
            assert_eq!(opened.expect_err("about nobody").code(), "HUB-STORAGE-010");
        });
    });
}

#[test]
fn open_cases_with_old_register_data_are_found() {
    everywhere(|base| {
        let world = base.world();
        let (_, _, one) = world.case(1);
        let (_, _, two) = world.case(2);
        world.storage.write(|tx| tx.enrol(&[person(3)])).unwrap();
        world
            .storage
            .write(|tx| tx.put_person(&record(2, 100)))
            .unwrap();
        let stale = |before| {
            world
                .storage
                .read(|tx| tx.stale_subjects(at(before), 10))
                .unwrap()
        };
        assert_eq!(stale(100), [one]);
        assert_eq!(stale(101), [one, two]);
        assert!(
            world
                .storage
                .write(move |tx| tx.opt_out(&one, "in box", true))
                .is_err()
        );
        world
            .storage
            .write(move |tx| tx.set_language(&one, Some("fi")))
            .unwrap();
        assert_eq!(
            world
                .storage
                .read(|tx| tx.register(&one))
                .unwrap()
                .unwrap()
                .language
                .as_deref(),
            Some("fi")
        );
    });
}
