//! Whoever waits is woken after the commit, and only when there is cause.

use halsonav_storage::{
    CaseChange, Claim, ContactGate, Error, NewDefinition, NewTimer, Result, Settled, Settlement,
    Storage, Wake, Writer,
};
use tokio::sync::watch;

use crate::world::{World, at, everywhere, first, record, send};

const ALL: [Wake; 5] = [
    Wake::Outbox,
    Wake::Timers,
    Wake::Held,
    Wake::Definitions,
    Wake::Clock,
];

struct Woken(Vec<(Wake, watch::Receiver<u64>)>);

impl Woken {
    fn new(storage: &Storage) -> Self {
        Self(
            ALL.iter()
                .map(|wake| (*wake, storage.woken(*wake)))
                .collect(),
        )
    }

    /// What there was cause for since the last look.
    fn since(&mut self) -> Vec<Wake> {
        self.0
            .iter_mut()
            .filter_map(|(wake, channel)| {
                let changed = channel.has_changed().unwrap();
                channel.mark_unchanged();
                changed.then_some(*wake)
            })
            .collect()
    }

    fn after<T: Send + 'static>(
        &mut self,
        world: &World,
        work: impl FnMut(&mut Writer) -> Result<T> + Send + 'static,
    ) -> Vec<Wake> {
        self.since();
        world.storage.write(work).unwrap();
        self.since()
    }
}

fn deploy(digest: &str) -> impl FnMut(&mut Writer) -> Result<u32> + use<> {
    let new = NewDefinition {
        kind: "bpmn".into(),
        id: "halsosamtal".into(),
        digest: digest.into(),
        tag: None,
        deployment: "d".into(),
        text: "<x/>".into(),
    };
    move |tx| tx.deploy(&new, at(1))
}

#[test]
fn each_cause_wakes_those_who_wait_for_it() {
    everywhere(|base| {
        let world = base.world();
        let mut woken = Woken::new(&world.storage);
        let (no, id, _) = world.case(1);
        assert_eq!(woken.since(), []);
        let mut change = first(no, id);
        change.effects.push(send(1));
        assert_eq!(
            woken.after(&world, move |tx| tx.apply(std::slice::from_ref(&change))),
            [Wake::Outbox]
        );
        let mut change = CaseChange::new(no, id, 1, 2, Vec::new(), at(2));
        change.arm.push(NewTimer {
            timer: 1,
            due: at(9),
            element: "a".into(),
        });
        assert_eq!(
            woken.after(&world, move |tx| tx.apply(std::slice::from_ref(&change))),
            [Wake::Timers]
        );
        assert_eq!(woken.after(&world, deploy("a")), [Wake::Definitions]);
        assert_eq!(woken.after(&world, deploy("a")), [], "it is there already");
        assert_eq!(
            woken.after(&world, |tx| {
                tx.wake(Wake::Clock);
                tx.set_setting("clock", Some("9"))
            }),
            [Wake::Clock]
        );
        assert_eq!(woken.after(&world, |tx| tx.set_setting("x", Some("9"))), []);
    });
}

#[test]
fn the_way_of_an_effect_wakes_those_concerned() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, send(1));
        let epoch = world.epoch();
        let mut woken = Woken::new(&world.storage);
        let late = at(25 * 3_600);
        let claim = move |tx: &mut Writer, now| -> Result<Claim> {
            Ok(tx
                .claim(&[which], now, epoch, &ContactGate::default())?
                .remove(0))
        };
        assert_eq!(
            woken.after(&world, move |tx| {
                assert!(matches!(claim(tx, late)?, Claim::Held { .. }));
                Ok(())
            }),
            [Wake::Outbox, Wake::Held],
            "the relay has a new time to wait for"
        );
        let whom = world.storage.read(|tx| tx.held_subjects(10)).unwrap();
        assert_eq!(whom.len(), 1);
        assert_eq!(
            woken.after(&world, move |tx| {
                tx.put_person(&record(1, 25 * 3_600))?;
                tx.release_held(&whom, late)
            }),
            [Wake::Outbox]
        );
        assert_eq!(world.storage.read(|tx| tx.held_subjects(10)).unwrap(), []);
        let settled = move |settled: Settled| {
            move |tx: &mut Writer| {
                let Claim::Ready(ready) = claim(tx, late)? else {
                    panic!("ready")
                };
                let settlement = Settlement {
                    effect: ready.effect.no,
                    epoch,
                    settled: settled.clone(),
                    references: Vec::new(),
                };
                tx.settle(&[settlement], late)?;
                Ok(ready.effect.no)
            }
        };
        let retry = Settled::Retry(late, "HUB-X-1".into());
        assert_eq!(woken.after(&world, settled(retry)), [Wake::Outbox]);
        let fail = settled(Settled::Failed("HUB-X-1".into()));
        let no = world.storage.write(fail).unwrap();
        assert_eq!(woken.since(), []);
        assert_eq!(
            woken.after(&world, move |tx| tx.requeue(no, late)),
            [Wake::Outbox]
        );
        assert_eq!(
            woken.after(&world, settled(Settled::Done)),
            [],
            "nothing is left to do"
        );
    });
}

#[test]
fn what_is_undone_wakes_nobody_and_nobody_is_woken_before_the_commit() {
    everywhere(|base| {
        let world = base.world();
        let mut woken = Woken::new(&world.storage);
        for n in 0..20u32 {
            let refused = world.storage.write(move |tx| {
                tx.wake(Wake::Clock);
                match n % 2 {
                    0 => Err::<(), _>(Error::Invalid("undone")),
                    _ => panic!("on purpose"),
                }
            });
            assert!(refused.is_err());
        }
        assert_eq!(woken.since(), []);
        let mut inside = world.storage.woken(Wake::Clock);
        assert_eq!(
            woken.after(&world, move |tx| {
                tx.wake(Wake::Clock);
                assert!(!inside.has_changed().unwrap());
                inside.mark_unchanged();
                Ok(())
            }),
            [Wake::Clock]
        );
    });
}
