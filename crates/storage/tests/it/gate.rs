//! The gate: who may be written to, asked at the claim.

use halsonav_domain::{PersonRecord, PersonStatus, Protection};
use halsonav_storage::{
    CaseChange, Claim, ContactGate, EffectState, Ledger, NewEffect, Reason, Settled,
};

use crate::world::{Base, HOUR, at, everywhere, letter, record, send};

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
