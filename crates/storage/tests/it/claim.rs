//! The claim and the settlement.

use halsonav_domain::{CommandId, Reference};
use halsonav_storage::{
    CaseChange, Claim, ContactGate, EffectRef, EffectState, Epoch, Settled, Settlement,
};

use crate::world::{World, at, everywhere, send};

impl World {
    pub fn claim(&self, which: EffectRef, seconds: i64, epoch: Epoch) -> Claim {
        self.storage
            .write(move |tx| {
                Ok(tx
                    .claim(&[which], at(seconds), epoch, &ContactGate::default())?
                    .remove(0))
            })
            .unwrap()
    }

    pub fn settle(&self, claim: &Claim, epoch: Epoch, settled: Settled) -> bool {
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

    pub fn state(&self, which: EffectRef) -> EffectState {
        self.storage
            .read(|tx| tx.effect(&which))
            .unwrap()
            .unwrap()
            .state
    }

    pub fn publish(&self, seconds: i64) -> usize {
        self.storage
            .write(move |tx| {
                let due = tx.outbox(at(seconds), 100)?.due;
                tx.mark_published(&due)?;
                Ok(due.len())
            })
            .unwrap()
    }
}

#[test]
fn an_effect_is_claimed_once_and_settled_once() {
    everywhere(|base| {
        let world = base.world();
        let (no, which) = world.effect(1, send(1));
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
        let open = || world.storage.read(|tx| tx.open_references("message", 10));
        assert_eq!(open().unwrap(), [(which.case, "m1".to_owned())]);
        let reference = |value: &str| Reference {
            kind: "message".into(),
            value: value.into(),
        };
        let mut change = CaseChange::new(no, which.case, 1, 2, b"two".to_vec(), at(3));
        change.references = vec![reference("m1"), reference("m2"), reference("m3")];
        change.references_over = vec![reference("m1"), reference("m3"), reference("m4")];
        world.apply(change).unwrap();
        assert_eq!(open().unwrap(), [(which.case, "m2".to_owned())]);
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
            world.storage.read(|tx| tx.outbox(at(2), 1)).unwrap().later,
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
