//! Applying steps.

use halsonav_domain::{CaseId, HsaId, Kind};
use halsonav_storage::{
    Awaits, CaseChange, CaseState, Created, DefinitionRef, EffectState, Error, Ledger,
    NewSubscription, NewTimer, Record,
};

use crate::world::{at, everywhere, first, letter, new_case, send};

#[test]
fn a_step_is_stored_whole_and_read_back() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, subject) = world.case(1);
        let mut change = first(no, id);
        change.effects.push(send(1));
        change.arm.push(NewTimer {
            timer: 2,
            due: at(100),
            element: "vanta".into(),
        });
        change.milestones = vec!["invited".into(), "invited".into()];
        change.records.push(Record {
            kind: "booking".into(),
            key: "b1".into(),
            at: at(1),
            data: serde_json::json!({"start": 1}),
        });
        world.apply(change).unwrap();
        let world = world.reopened();
        world
            .storage
            .read(|tx| {
                let loaded = tx.load_instances(&[CaseId(uuid::Uuid::nil()), id])?;
                assert_eq!(loaded.len(), 1);
                assert_eq!(
                    (loaded[0].revision, loaded[0].state.as_slice()),
                    (1, b"one".as_slice())
                );
                assert_eq!(loaded[0].case.subject, subject);
                assert_eq!(
                    loaded[0].case.ledger,
                    Ledger::waiting(Some("svar".into()), None)
                );
                assert_eq!(loaded, tx.load_instances_by_no(&[no])?);
                assert_eq!(tx.case(&id)?.as_ref(), Some(&loaded[0].case));
                let effects = tx.effects_of(&id)?;
                assert_eq!(effects.len(), 1);
                assert_eq!(effects[0].command.kind.as_str(), "messaging.send");
                assert_eq!(effects[0].command.headers["k"], "v");
                assert_eq!(effects[0].command.unit, HsaId::new("SE2321000016-1HZ5"));
                assert_eq!(effects[0].command.id.job_of(id), Some(1));
                assert_eq!(tx.due_timers(at(99), 10)?, []);
                let due = tx.due_timers(at(100), 10)?;
                assert_eq!((due.len(), due[0].case, due[0].timer), (1, id, 2));
                assert_eq!(tx.next_due(at(0))?, Some(at(100)));
                assert_eq!(tx.milestones(&id)?.len(), 1);
                assert_eq!(tx.records(&id, Some("booking"))?.len(), 1);
                assert_eq!(tx.records(&id, Some("letter"))?.len(), 0);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_stale_revision_undoes_the_whole_batch() {
    everywhere(|base| {
        let world = base.world();
        let (one, one_id, _) = world.case(1);
        let (two, two_id, _) = world.case(2);
        world.apply(first(one, one_id)).unwrap();
        let batch = [first(two, two_id), first(one, one_id)];
        let error = world.storage.write(move |tx| tx.apply(&batch)).unwrap_err();
        assert!(matches!(error, Error::Stale(case) if case == one_id));
        assert_eq!(error.kind(), Kind::Conflict);
        let revision = |id| {
            world
                .storage
                .read(|tx| Ok(tx.load_instances(&[id])?[0].revision))
                .unwrap()
        };
        assert_eq!((revision(one_id), revision(two_id)), (1, 0));
        let skipped = CaseChange::new(one, one_id, 2, 3, Vec::new(), at(2));
        assert!(matches!(world.apply(skipped), Err(Error::Stale(_))));
        let standing = CaseChange::new(one, one_id, 1, 1, Vec::new(), at(2));
        assert!(matches!(world.apply(standing), Err(Error::Invalid(_))));
    });
}

#[test]
fn a_case_may_step_twice_in_one_batch() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let second = CaseChange::new(no, id, 1, 2, b"two".to_vec(), at(2));
        world
            .storage
            .write(move |tx| tx.apply(&[first(no, id), second.clone()]))
            .unwrap();
        let loaded = world.storage.read(|tx| tx.load_instances(&[id])).unwrap();
        assert_eq!(
            (loaded[0].revision, loaded[0].state.as_slice()),
            (2, b"two".as_slice())
        );
    });
}

#[test]
fn a_message_is_first_seen_once_for_each_case_and_source() {
    everywhere(|base| {
        let world = base.world();
        let (no, _, _) = world.case(1);
        let seen = |source: &'static str, id: &'static str, case| {
            world
                .storage
                .write(move |tx| tx.first_seen(&[(case, source, id)], at(1)))
                .unwrap()[0]
        };
        assert!(seen("/a", "1", Some(no)));
        assert!(!seen("/a", "1", Some(no)));
        assert!(seen("/b", "1", Some(no)));
        assert!(seen("/a", "1", None));
        assert!(!seen("/a", "1", None));
        // The border between source and id counts.
        assert!(seen("/a1", "", None) && seen("/a", "11", None) && seen("/a1", "1", None));
        assert_eq!(
            world
                .storage
                .write(|tx| tx.forget_seen(at(2), 100))
                .unwrap(),
            6
        );
        assert!(seen("/a", "1", Some(no)));
    });
}

#[test]
fn a_duplicate_in_one_batch_and_a_rolled_back_sight_are_told_apart() {
    everywhere(|base| {
        let world = base.world();
        let both = world
            .storage
            .write(|tx| tx.first_seen(&[(None, "/a", "1"), (None, "/a", "1")], at(1)))
            .unwrap();
        assert_eq!(both, [true, false]);
        let undone = world.storage.write(|tx| {
            assert_eq!(tx.first_seen(&[(None, "/a", "2")], at(1))?, [true]);
            Err::<(), _>(Error::Invalid("undo"))
        });
        assert!(undone.is_err());
        assert_eq!(
            world
                .storage
                .write(|tx| tx.first_seen(&[(None, "/a", "2")], at(1)))
                .unwrap(),
            [true]
        );
    });
}

#[test]
fn a_withdrawn_job_never_leaves_and_one_on_its_way_is_told() {
    everywhere(|base| {
        let world = base.world();
        let (no, which) = world.effect(1, send(1));
        let mut change = CaseChange::new(no, which.case, 1, 2, Vec::new(), at(2));
        change.effects.push(letter(2));
        change.withdraw.push(1);
        assert_eq!(world.apply(change).unwrap().in_flight, []);
        let left = world.storage.read(|tx| tx.outbox(at(9), 10)).unwrap().due;
        assert_eq!(
            left.iter().map(|effect| effect.job).collect::<Vec<_>>(),
            [2]
        );
        // What the relay has read before the withdrawal must not come back to life.
        let state = world
            .storage
            .write(move |tx| {
                let effects = tx.effects_of(&which.case)?;
                tx.mark_published(&effects)?;
                Ok(tx
                    .effects_of(&which.case)?
                    .iter()
                    .map(|effect| effect.state)
                    .collect::<Vec<_>>())
            })
            .unwrap();
        assert_eq!(state, [EffectState::Withdrawn, EffectState::Published]);
    });
}

#[test]
fn an_ended_case_keeps_nothing_that_could_wake_it() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, subject) = world.case(1);
        let mut change = first(no, id);
        change.arm.push(NewTimer {
            timer: 1,
            due: at(5),
            element: "a".into(),
        });
        change.subscribe.push(NewSubscription {
            key: 2,
            awaits: Awaits::Message,
            name: "form.completed".into(),
            correlation: "form-1".into(),
        });
        world.apply(change).unwrap();
        assert_eq!(
            world
                .storage
                .read(|tx| tx.awaiting_message("form.completed", "form-1"))
                .unwrap(),
            [id]
        );
        assert!(
            world
                .storage
                .read(|tx| tx.open_case_of(&subject))
                .unwrap()
                .is_some()
        );
        let mut end = CaseChange::new(no, id, 1, 2, Vec::new(), at(3));
        end.ledger = Some(Ledger::ended("declined"));
        world.apply(end).unwrap();
        world
            .storage
            .read(|tx| {
                assert_eq!(tx.next_due(at(0))?, None);
                assert_eq!(tx.awaiting_message("form.completed", "form-1")?, []);
                assert_eq!(tx.open_case_of(&subject)?, None);
                let case = tx.case(&id)?.unwrap();
                assert_eq!(
                    (case.ledger.state, case.ended),
                    (CaseState::Ended, Some(at(3)))
                );
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn subscriptions_are_found_by_correlation_and_signals_by_name() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        let sub = |key, awaits, name: &str, correlation: String| NewSubscription {
            key,
            awaits,
            name: name.into(),
            correlation,
        };
        change.subscribe = vec![
            sub(1, Awaits::Message, "booking.made", id.to_string()),
            sub(2, Awaits::Message, "lab.result", "order-1".into()),
            sub(3, Awaits::Signal, "round.closed", String::new()),
        ];
        change.arm.push(NewTimer {
            timer: 9,
            due: at(50),
            element: "a".into(),
        });
        world.apply(change).unwrap();
        world
            .storage
            .read(|tx| {
                assert_eq!(tx.awaiting_message("lab.result", "order-1")?, [id]);
                assert_eq!(tx.awaiting_message("booking.made", "order-1")?, []);
                assert_eq!(tx.awaiting_message("round.closed", "")?, []);
                assert_eq!(tx.awaiting_signal("round.closed", None, 10)?, [(no, id)]);
                assert_eq!(tx.awaiting_signal("round.closed", Some(no), 10)?, []);
                Ok(())
            })
            .unwrap();
        let mut change = CaseChange::new(no, id, 1, 2, Vec::new(), at(2));
        change.unsubscribe = vec![2, 3];
        change.disarm.push(9);
        // Armed again under the same key in the same step: the new one counts.
        change.arm.push(NewTimer {
            timer: 9,
            due: at(70),
            element: "a".into(),
        });
        world.apply(change).unwrap();
        world
            .storage
            .read(|tx| {
                assert_eq!(tx.awaiting_message("lab.result", "order-1")?, []);
                assert_eq!(tx.awaiting_signal("round.closed", None, 10)?, []);
                assert_eq!(tx.next_due(at(0))?, Some(at(70)));
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_timer_is_announced_once_and_anew_when_armed_anew() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let timer = |due| NewTimer {
            timer: 1,
            due: at(due),
            element: "a".into(),
        };
        let mut change = first(no, id);
        change.arm.push(timer(5));
        world.apply(change).unwrap();
        let due = || world.storage.read(|tx| tx.due_timers(at(99), 10)).unwrap();
        let announce = |timers: Vec<halsonav_storage::DueTimer>| {
            world
                .storage
                .write(move |tx| tx.announced(&timers))
                .unwrap();
        };
        let seen = due();
        announce(seen.clone());
        assert_eq!(due(), []);
        assert_eq!(world.storage.read(|tx| tx.next_due(at(0))).unwrap(), None);
        let mut change = CaseChange::new(no, id, 1, 2, Vec::new(), at(6));
        change.arm.push(timer(7));
        world.apply(change).unwrap();
        // The scheduler marks late what it announced before the timer was armed anew.
        announce(seen);
        assert_eq!(
            due().iter().map(|timer| timer.due).collect::<Vec<_>>(),
            [at(7)]
        );
        assert_eq!(
            world.storage.read(|tx| tx.next_due(at(0))).unwrap(),
            Some(at(7))
        );
    });
}

#[test]
fn a_subject_has_one_case_in_a_round() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, subject) = world.case(1);
        let again = new_case(CaseId(uuid::Uuid::from_u128(99)), subject);
        let created = world
            .storage
            .write(move |tx| tx.create_cases(std::slice::from_ref(&again)))
            .unwrap();
        assert_eq!(created, [Created::Exists(no, id)]);
        let (_, _, other) = world.case(2);
        let taken = halsonav_storage::NewCase {
            round: halsonav_domain::RoundId("2027".into()),
            ..new_case(id, other)
        };
        assert!(matches!(
            world
                .storage
                .write(move |tx| tx.create_cases(std::slice::from_ref(&taken))),
            Err(Error::Conflict(_))
        ));
        let nobody = new_case(
            CaseId(uuid::Uuid::from_u128(5)),
            halsonav_domain::SubjectId(uuid::Uuid::nil()),
        );
        assert!(matches!(
            world
                .storage
                .write(move |tx| tx.create_cases(std::slice::from_ref(&nobody))),
            Err(Error::NotFound("subject"))
        ));
    });
}

#[test]
fn a_migrated_case_tells_its_new_definition_and_unit() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        change.definition = Some(DefinitionRef {
            id: "halsosamtal".into(),
            version: 2,
        });
        change.unit = Some(HsaId::new("SE2321000016-2abc"));
        world.apply(change).unwrap();
        let case = world.storage.read(|tx| tx.case(&id)).unwrap().unwrap();
        assert_eq!(
            (case.definition.version, case.unit.as_str()),
            (2, "SE2321000016-2ABC")
        );
    });
}

#[test]
fn a_job_key_too_large_for_a_command_id_is_refused() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        change.effects.push(send(1 << 48));
        assert!(matches!(world.apply(change), Err(Error::Invalid(_))));
    });
}
