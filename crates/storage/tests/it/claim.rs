//! The gate, the claim and the settlement.

use halsonav_domain::{CommandId, PersonRecord, PersonStatus, Protection, Reference};
use halsonav_storage::{
    CaseChange, Claim, ContactGate, EffectRef, EffectState, Epoch, Ledger, NewEffect, Reason,
    Settled, Settlement,
};

use crate::world::{Base, World, at, everywhere, letter, record, send};

const HOUR: i64 = 3_600;

impl World {
    fn claim(&self, which: EffectRef, seconds: i64, epoch: Epoch) -> Claim {
        self.storage
            .write(move |tx| {
                Ok(tx
                    .claim(&[which], at(seconds), epoch, &ContactGate::default())?
                    .remove(0))
            })
            .unwrap()
    }

    fn settle(&self, claim: &Claim, epoch: Epoch, settled: Settled) -> bool {
        let effect = match claim {
            Claim::Ready(ready) => ready.effect.no,
            Claim::Blocked { effect, .. } => *effect,
            other => panic!("{other:?}"),
        };
        let settlement = Settlement {
            effect,
            epoch,
            settled,
            references: vec![Reference {
                kind: "message".into(),
                value: "m1".into(),
            }],
        };
        self.storage
            .write(move |tx| tx.settle(std::slice::from_ref(&settlement), at(5)))
            .unwrap()
            .is_empty()
    }

    fn state(&self, which: EffectRef) -> EffectState {
        self.storage
            .read(|tx| tx.effect(&which))
            .unwrap()
            .unwrap()
            .state
    }

    fn publish(&self, seconds: i64) -> usize {
        self.storage
            .write(move |tx| {
                let due = tx.publishable(at(seconds), 100)?;
                tx.mark_published(&due)?;
                Ok(due.len())
            })
            .unwrap()
    }
}

/// What the gate says of `effect` an hour after the register answered `change`.
fn check(
    base: &Base,
    effect: NewEffect,
    change: impl FnOnce(&mut PersonRecord),
    expect: Result<(), Reason>,
) {
    let world = base.world();
    let epoch = world.epoch();
    let (_, which) = world.effect(1, effect);
    let mut fresh = record(1, 10);
    change(&mut fresh);
    world
        .storage
        .write(move |tx| tx.put_person(&fresh))
        .unwrap();
    match (world.claim(which, HOUR, epoch), expect) {
        (Claim::Ready(_), Ok(())) => {}
        (Claim::Blocked { reason, .. }, Err(expected)) => assert_eq!(reason, expected),
        (claim, expect) => panic!("{claim:?}, expected {expect:?}"),
    }
}

#[test]
fn the_gate_asks_the_register() {
    everywhere(|base| {
        check(base, send(1), |_| {}, Ok(()));
        check(base, letter(1), |_| {}, Ok(()));
        check(
            base,
            send(1),
            |r| r.status = PersonStatus::Deceased,
            Err(Reason::Deceased),
        );
        check(
            base,
            send(1),
            |r| r.status = PersonStatus::Emigrated,
            Err(Reason::Emigrated),
        );
        check(
            base,
            send(1),
            |r| r.status = PersonStatus::Deregistered,
            Err(Reason::Deregistered),
        );
        check(
            base,
            send(1),
            |r| r.status = PersonStatus::Unknown,
            Err(Reason::Unknown),
        );
        check(
            base,
            send(1),
            |r| r.protection = Protection::Sekretessmarkering,
            Err(Reason::Protected),
        );
        check(
            base,
            letter(1),
            |r| r.protection = Protection::SkyddadFolkbokforing,
            Err(Reason::Protected),
        );
        check(
            base,
            send(1),
            |r| r.test_person = true,
            Err(Reason::TestPerson),
        );
        check(
            base,
            letter(1),
            |r| r.paper_opt_out = true,
            Err(Reason::OptedOut),
        );
        check(base, send(1), |r| r.paper_opt_out = true, Ok(()));
        check(
            base,
            letter(1),
            |r| r.address = None,
            Err(Reason::NoAddress),
        );
        check(base, send(1), |r| r.address = None, Ok(()));
        // The gravest reason wins.
        check(
            base,
            letter(1),
            |r| (r.status, r.paper_opt_out) = (PersonStatus::Deceased, true),
            Err(Reason::Deceased),
        );
        // What does not reach the resident passes.
        check(
            base,
            NewEffect {
                contact: false,
                ..send(1)
            },
            |r| r.status = PersonStatus::Deceased,
            Ok(()),
        );
    });
}

#[test]
fn a_task_may_widen_its_gate_but_not_to_the_dead() {
    everywhere(|base| {
        let despite = |words: &str| NewEffect {
            headers: [("gate-despite".to_owned(), words.to_owned())].into(),
            ..letter(1)
        };
        check(
            base,
            despite("protected no-address"),
            |r| r.protection = Protection::SkyddadFolkbokforing,
            Ok(()),
        );
        check(
            base,
            despite("protected"),
            |r| r.protection = Protection::SkyddadFolkbokforing,
            Err(Reason::NoAddress),
        );
        check(
            base,
            despite("deceased"),
            |r| r.status = PersonStatus::Deceased,
            Err(Reason::Deceased),
        );
        check(
            base,
            despite("test-person"),
            |r| r.test_person = true,
            Err(Reason::TestPerson),
        );
    });
}

#[test]
fn opt_outs_milestones_and_the_end_of_the_case_stop_contact() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, send(1));
        let subject = world
            .storage
            .read(|tx| tx.case(&which.case))
            .unwrap()
            .unwrap()
            .subject;
        world
            .storage
            .write(move |tx| tx.opt_out(&subject, "letter", true))
            .unwrap();
        let undone = world.storage.write(move |tx| {
            let claim = tx
                .claim(&[which], at(5), epoch, &ContactGate::default())?
                .remove(0);
            assert!(
                matches!(claim, Claim::Ready(_)),
                "an opt-out from letters is not one from messages"
            );
            Err::<(), _>(halsonav_storage::Error::Invalid("undo"))
        });
        assert!(undone.is_err());
        world
            .storage
            .write(move |tx| tx.opt_out(&subject, "inbox", true))
            .unwrap();
        assert!(matches!(
            world.claim(which, 5, epoch),
            Claim::Blocked {
                reason: Reason::OptedOut,
                ..
            }
        ));

        let stopped = |n, change: fn(&mut CaseChange), headers: &[(&str, &str)], reason| {
            let headers = headers
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect();
            let (no, which) = world.effect(n, NewEffect { headers, ..send(1) });
            let mut step = CaseChange::new(no, which.case, 1, 2, Vec::new(), at(2));
            change(&mut step);
            world.apply(step).unwrap();
            match world.claim(which, 5, epoch) {
                Claim::Blocked { reason: is, .. } => assert_eq!(is, reason),
                other => panic!("{other:?}"),
            }
        };
        stopped(
            2,
            |step| step.milestones.push("declined".into()),
            &[],
            Reason::Declined,
        );
        stopped(
            3,
            |step| step.milestones.push("booked".into()),
            &[("gate-unless", "visited booked")],
            Reason::Overtaken,
        );
        stopped(
            4,
            |step| step.ledger = Some(Ledger::ended("done")),
            &[],
            Reason::CaseEnded,
        );
    });
}

#[test]
fn old_or_absent_register_data_holds_until_the_register_answers() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, send(1));
        world.publish(1);
        let held = world.claim(which, 25 * HOUR, epoch);
        let Claim::Held { subject, until, .. } = held else {
            panic!("{held:?}")
        };
        assert_eq!(until, at(25 * HOUR + 900));
        assert_eq!(world.publish(25 * HOUR), 0);
        // A message delivered again meanwhile does not pass the hold.
        assert!(matches!(
            world.claim(which, 25 * HOUR, epoch),
            Claim::Gone {
                state: Some(EffectState::Held),
                ..
            }
        ));
        let now = 25 * HOUR + 60;
        let released = world
            .storage
            .write(move |tx| {
                tx.put_person(&record(1, now))?;
                tx.release_held(&[subject], at(now))
            })
            .unwrap();
        assert_eq!(released, 1);
        assert_eq!(world.publish(now), 1);
        assert!(matches!(world.claim(which, now, epoch), Claim::Ready(_)));
        // Never asked at all: hold.
        let never = world
            .storage
            .write(move |tx| {
                let subject = tx.enrol(&[crate::world::person(7)])?[0].subject;
                let id = halsonav_domain::CaseId(uuid::Uuid::from_u128(70));
                tx.create_cases(&[crate::world::new_case(id, subject)])?;
                let mut change = crate::world::first(tx.case_no(&id)?.unwrap(), id);
                change.effects.push(send(1));
                tx.apply(&[change])?;
                let which = EffectRef {
                    case: id,
                    command: CommandId::derive(id, 1),
                };
                Ok(tx
                    .claim(&[which], at(5), epoch, &ContactGate::default())?
                    .remove(0))
            })
            .unwrap();
        assert!(matches!(never, Claim::Held { .. }), "{never:?}");
    });
}

#[test]
fn a_relay_that_notes_late_does_not_undo_a_hold() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, send(1));
        let read = world.storage.read(|r| r.publishable(at(1), 100)).unwrap();
        assert_eq!(read.len(), 1);
        // The record is on the bus, and a lane meets it before the relay has noted so.
        let held = world.claim(which, 25 * HOUR, epoch);
        assert!(matches!(held, Claim::Held { .. }), "{held:?}");
        world
            .storage
            .write(move |tx| tx.mark_published(&read))
            .unwrap();
        assert_eq!(world.state(which), EffectState::Held);
        assert_eq!(world.publish(25 * HOUR), 0);
        assert_eq!(world.publish(25 * HOUR + 900), 1);
    });
}

#[test]
fn death_between_the_decision_and_the_sending_is_seen() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, send(1));
        world.publish(1);
        let dead = PersonRecord {
            status: PersonStatus::Deceased,
            ..record(1, 2)
        };
        world.storage.write(move |tx| tx.put_person(&dead)).unwrap();
        let epoch = world.epoch();
        let claim = world.claim(which, 3, epoch);
        assert!(matches!(
            claim,
            Claim::Blocked {
                reason: Reason::Deceased,
                job: 1,
                ..
            }
        ));
        // No stays no, whatever the register says later: the refusal may be on the bus already.
        world
            .storage
            .write(move |tx| tx.put_person(&record(1, 9)))
            .unwrap();
        assert!(matches!(
            world.claim(which, 10, epoch),
            Claim::Blocked {
                reason: Reason::Deceased,
                ..
            }
        ));
        assert!(world.settle(&claim, epoch, Settled::Refused("deceased".into())));
        assert!(matches!(
            world.claim(which, 11, epoch),
            Claim::Gone {
                state: Some(EffectState::Refused),
                ..
            }
        ));
    });
}

#[test]
fn an_effect_is_claimed_once_and_settled_once() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, send(1));
        let epoch = world.epoch();
        world.publish(1);
        let claim = world.claim(which, 2, epoch);
        let Claim::Ready(ready) = &claim else {
            panic!("{claim:?}")
        };
        assert_eq!((ready.attempt, ready.reconcile), (1, false));
        assert!(matches!(
            world.claim(which, 2, epoch),
            Claim::Gone {
                state: Some(EffectState::Sending),
                ..
            }
        ));
        assert!(world.settle(&claim, epoch, Settled::Done));
        assert!(
            !world.settle(&claim, epoch, Settled::Failed("X".into())),
            "settled once"
        );
        assert_eq!(world.state(which), EffectState::Done);
        let noted = world
            .storage
            .read(|tx| tx.case_of_reference("message", "m1"))
            .unwrap()
            .unwrap();
        assert_eq!(
            (noted.case, noted.payload["template"].as_str()),
            (which.case, Some("inbjudan"))
        );
        let open = world
            .storage
            .read(|tx| tx.open_references("message", 10))
            .unwrap();
        assert_eq!(open, [(which.case, "m1".to_owned())]);
        world
            .storage
            .write(|tx| tx.settle_reference("message", "m1"))
            .unwrap();
        assert_eq!(
            world
                .storage
                .read(|tx| tx.open_references("message", 10))
                .unwrap(),
            []
        );
        assert!(
            world
                .storage
                .read(|tx| tx.case_of_reference("message", "m1"))
                .unwrap()
                .is_some()
        );
    });
}

#[test]
fn after_a_crash_the_next_epoch_takes_over_and_the_old_one_is_fenced() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, send(1));
        let old = world.epoch();
        let before = world.claim(which, 2, old);
        let world = world.reopened();
        let new = world.epoch();
        assert!(new > old);
        assert_eq!(
            world
                .storage
                .read(|tx| tx.abandoned("messaging", 10))
                .unwrap()
                .len(),
            1
        );
        let taken = world.claim(which, 3, new);
        let Claim::Ready(ready) = &taken else {
            panic!("{taken:?}")
        };
        assert_eq!((ready.attempt, ready.reconcile), (2, true));
        assert_eq!(
            world
                .storage
                .read(|tx| tx.abandoned("messaging", 10))
                .unwrap(),
            []
        );
        assert!(matches!(world.claim(which, 3, old), Claim::Fenced { .. }));
        assert!(!world.settle(&before, old, Settled::Done));
        assert_eq!(world.state(which), EffectState::Sending);
        assert_eq!(world.storage.read(|tx| tx.fenced()).unwrap(), 2);
        assert!(world.settle(&taken, new, Settled::Unknown("HUB-X-1".into())));
        assert_eq!(world.state(which), EffectState::Unknown);
        assert!(matches!(
            world.claim(which, 4, new),
            Claim::Gone {
                state: Some(EffectState::Unknown),
                ..
            }
        ));
        let no = ready.effect.no;
        world
            .storage
            .write(move |tx| tx.requeue(no, at(9)))
            .unwrap();
        assert!(
            world
                .storage
                .write(move |tx| tx.requeue(no, at(9)))
                .is_err(),
            "asked for once"
        );
        assert_eq!(world.publish(9), 1);
    });
}

#[test]
fn a_retry_waits_and_an_open_question_is_asked_not_sent() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, send(1));
        let epoch = world.epoch();
        let claim = world.claim(which, 2, epoch);
        assert!(world.settle(&claim, epoch, Settled::Retry(at(60), "HUB-X-1".into())));
        assert_eq!(
            world.storage.read(|tx| tx.next_publish()).unwrap(),
            Some(at(60))
        );
        assert!(matches!(
            world.claim(which, 59, epoch),
            Claim::Gone {
                state: Some(EffectState::New),
                ..
            }
        ));
        assert_eq!((world.publish(59), world.publish(60)), (0, 1));
        let claim = world.claim(which, 61, epoch);
        let Claim::Ready(ready) = &claim else {
            panic!("{claim:?}")
        };
        assert_eq!((ready.attempt, ready.reconcile), (2, false));
        assert!(world.settle(&claim, epoch, Settled::Ask(at(90), "HUB-X-2".into())));
        assert_eq!(
            (world.publish(89), world.publish(90), world.publish(91)),
            (0, 1, 0)
        );
        assert_eq!(world.state(which), EffectState::Sending);
        let claim = world.claim(which, 92, epoch);
        let Claim::Ready(ready) = &claim else {
            panic!("{claim:?}")
        };
        assert!(ready.reconcile);
    });
}

#[test]
fn what_is_withdrawn_on_its_way_out_is_told_and_not_tried_again() {
    everywhere(|base| {
        let world = base.world();
        let (no, which) = world.effect(1, send(1));
        let epoch = world.epoch();
        let claim = world.claim(which, 2, epoch);
        let mut change = CaseChange::new(no, which.case, 1, 2, Vec::new(), at(3));
        change.withdraw.push(1);
        assert_eq!(world.apply(change).unwrap().in_flight, [(no, 1)]);
        assert!(world.settle(&claim, epoch, Settled::Retry(at(60), "HUB-X-1".into())));
        assert_eq!(world.state(which), EffectState::Withdrawn);
        assert_eq!(world.publish(1000), 0);
    });
}

#[test]
fn a_command_nobody_issued_is_gone() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, send(1));
        let other = EffectRef {
            command: CommandId::derive(which.case, 2),
            ..which
        };
        let foreign = EffectRef {
            command: CommandId(uuid::Uuid::nil()),
            ..which
        };
        for which in [other, foreign] {
            assert!(matches!(
                world.claim(which, 2, epoch),
                Claim::Gone { state: None, .. }
            ));
        }
    });
}
