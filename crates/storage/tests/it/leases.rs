//! One holder at a time, and nothing for whoever no longer holds.

use std::time::Duration;

use halsonav_storage::{Claim, ContactGate, EffectRef, EffectState, Epoch, Settled, Settlement};

use crate::world::{World, at, everywhere, send};

const HOUR: Duration = Duration::from_secs(3_600);

fn take(world: &World, name: &'static str, holder: &'static str, ttl: Duration) -> Option<Epoch> {
    world
        .storage
        .write(move |tx| tx.take_lease(name, holder, ttl))
        .unwrap()
}

fn renew(world: &World, name: &'static str, epoch: Epoch, ttl: Duration) -> bool {
    world
        .storage
        .write(move |tx| tx.renew_lease(name, epoch, ttl))
        .unwrap()
}

fn claim(world: &World, which: EffectRef, epoch: Epoch) -> Claim {
    world
        .storage
        .write(move |tx| {
            Ok(tx
                .claim(&[which], at(2), epoch, &ContactGate::default())?
                .remove(0))
        })
        .unwrap()
}

fn abandoned(world: &World, adapter: &str) -> usize {
    let left = world.storage.read(|tx| tx.abandoned(adapter, 10)).unwrap();
    left.len()
}

#[test]
fn a_lease_has_one_holder_and_every_taking_a_larger_epoch() {
    everywhere(|base| {
        let world = base.world();
        let one = take(&world, "relay", "a", HOUR).unwrap();
        assert_eq!(take(&world, "relay", "b", HOUR), None);
        let other = take(&world, "scheduler", "b", HOUR).unwrap();
        assert!(other > one);
        // The holder itself may begin anew; what it had before is over.
        let again = take(&world, "relay", "a", HOUR).unwrap();
        assert!(again > other);
        assert!(!renew(&world, "relay", one, HOUR));
        assert!(renew(&world, "relay", again, HOUR));
        // Releasing what is somebody else's by now changes nothing.
        let release = |epoch| {
            world
                .storage
                .write(move |tx| tx.release_lease("relay", epoch))
                .unwrap();
        };
        release(one);
        assert_eq!(take(&world, "relay", "b", HOUR), None);
        release(again);
        let taken = take(&world, "relay", "b", HOUR).unwrap();
        assert!(taken > again);
        let leases = world.storage.read(|tx| tx.leases()).unwrap();
        assert_eq!(
            leases
                .iter()
                .map(|lease| (
                    lease.name.as_str(),
                    lease.holder.as_str(),
                    lease.epoch,
                    lease.live
                ))
                .collect::<Vec<_>>(),
            [("relay", "b", taken, true), ("scheduler", "b", other, true)]
        );
        world.storage.write(|tx| tx.end_all_leases()).unwrap();
        assert_eq!(world.storage.read(|tx| tx.leases()).unwrap(), []);
        assert!(take(&world, "relay", "c", HOUR).unwrap() > taken);
    });
}

#[test]
fn a_lease_that_ran_out_is_free_and_cannot_be_renewed() {
    everywhere(|base| {
        let world = base.world();
        let short = take(&world, "relay", "a", Duration::from_millis(30)).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        let leases = world.storage.read(|tx| tx.leases()).unwrap();
        assert!(!leases[0].live && leases[0].epoch == short);
        assert!(!renew(&world, "relay", short, HOUR));
        assert!(take(&world, "relay", "b", HOUR).unwrap() > short);
        assert!(!renew(&world, "relay", short, HOUR));
    });
}

#[test]
fn renewal_counts_from_now() {
    everywhere(|base| {
        let world = base.world();
        let epoch = take(&world, "relay", "a", Duration::from_secs(20)).unwrap();
        let until = |world: &World| world.storage.read(|tx| tx.leases()).unwrap()[0].until;
        let first = until(&world);
        assert!(renew(&world, "relay", epoch, HOUR));
        assert!(until(&world) > first);
        assert!(renew(&world, "relay", epoch, Duration::from_secs(1)));
        assert!(until(&world) < first, "also to an earlier end");
    });
}

#[test]
fn what_is_in_the_hands_of_a_live_holder_stays_there() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, send(1));
        let one = take(&world, "lane-1", "a", HOUR).unwrap();
        let other = take(&world, "lane-2", "b", HOUR).unwrap();
        assert!(matches!(claim(&world, which, other), Claim::Ready(_)));
        // Neither the earlier nor the later epoch takes it from the other.
        for epoch in [one, other] {
            assert!(matches!(
                claim(&world, which, epoch),
                Claim::Gone {
                    state: Some(EffectState::Sending),
                    ..
                }
            ));
        }
        assert_eq!(abandoned(&world, "messaging"), 0);
        world
            .storage
            .write(move |tx| tx.release_lease("lane-2", other))
            .unwrap();
        assert_eq!(
            (abandoned(&world, "messaging"), abandoned(&world, "print")),
            (1, 0)
        );
        // Whose lease is over gets nothing, not even its own.
        assert!(matches!(claim(&world, which, other), Claim::Fenced { .. }));
        let Claim::Ready(ready) = claim(&world, which, one) else {
            panic!("taken over")
        };
        assert!(ready.reconcile);
        assert_eq!(abandoned(&world, "messaging"), 0);
        let refused = settle(&world, &ready.effect.no, other, Settled::Done);
        assert!(refused, "the earlier claim is not its any more");
        assert!(!settle(&world, &ready.effect.no, one, Settled::Done));
    });
}

fn settle(
    world: &World,
    effect: &halsonav_storage::EffectNo,
    epoch: Epoch,
    settled: Settled,
) -> bool {
    let settlement = Settlement {
        effect: *effect,
        epoch,
        settled,
        references: Vec::new(),
    };
    world
        .storage
        .write(move |tx| tx.settle(std::slice::from_ref(&settlement), at(3)))
        .unwrap()
        == [*effect]
}

#[test]
fn what_is_asked_for_later_is_not_abandoned_before_its_time() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, send(1));
        let epoch = take(&world, "lane", "a", HOUR).unwrap();
        let Claim::Ready(ready) = claim(&world, which, epoch) else {
            panic!("ready")
        };
        let no = ready.effect.no;
        settle(&world, &no, epoch, Settled::Ask(at(60), "HUB-X-1".into()));
        assert_eq!(abandoned(&world, "messaging"), 0, "it is the relay's");
        world
            .storage
            .write(move |tx| {
                let asked = tx.outbox(at(60), 10)?.due;
                tx.mark_published(&asked)
            })
            .unwrap();
        // On the bus, and in nobody's hands: whoever meets it first asks.
        assert_eq!(abandoned(&world, "messaging"), 1);
        let Claim::Ready(ready) = claim(&world, which, epoch) else {
            panic!("ready")
        };
        assert!(ready.reconcile);
    });
}

#[test]
fn what_is_handed_to_an_adapter_outside_waits_for_its_word() {
    everywhere(|base| {
        let world = base.world();
        let (no, which) = world.effect(1, send(1));
        let epoch = take(&world, "lane", "a", HOUR).unwrap();
        let word = |settled: Settled| {
            world
                .storage
                .write(move |tx| tx.settle_outside(no, 1, &settled, at(9)))
        };
        assert!(!word(Settled::Done).unwrap(), "not in its hands yet");
        let Claim::Ready(ready) = claim(&world, which, epoch) else {
            panic!("ready")
        };
        assert!(!settle(&world, &ready.effect.no, epoch, Settled::Handed));
        world.storage.write(|tx| tx.end_all_leases()).unwrap();
        let epoch = take(&world, "lane", "b", HOUR).unwrap();
        assert_eq!(abandoned(&world, "messaging"), 0);
        assert!(matches!(
            claim(&world, which, epoch),
            Claim::Gone {
                state: Some(EffectState::Handed),
                ..
            }
        ));
        let totals = world.storage.read(|tx| tx.totals(None)).unwrap();
        assert!(totals.adds_up(), "the case waits for it: {totals:?}");
        assert!(word(Settled::Handed).is_err());
        assert!(word(Settled::Retry(at(20), "HUB-X-1".into())).unwrap());
        assert!(!word(Settled::Done).unwrap(), "told once");
        let Claim::Gone { state, .. } = claim(&world, which, epoch) else {
            panic!("not due yet")
        };
        assert_eq!(state, Some(EffectState::New));
    });
}

#[test]
fn withdrawing_what_is_outside_is_told() {
    everywhere(|base| {
        let world = base.world();
        let (no, which) = world.effect(1, send(1));
        let epoch = take(&world, "lane", "a", HOUR).unwrap();
        let Claim::Ready(ready) = claim(&world, which, epoch) else {
            panic!("ready")
        };
        settle(&world, &ready.effect.no, epoch, Settled::Handed);
        let mut change = halsonav_storage::CaseChange::new(no, which.case, 1, 2, Vec::new(), at(3));
        change.withdraw.push(1);
        assert_eq!(world.apply(change).unwrap().in_flight, [(no, 1)]);
        let failed = Settled::Failed("HUB-X-1".into());
        let told = world
            .storage
            .write(move |tx| tx.settle_outside(no, 1, &failed, at(9)))
            .unwrap();
        assert!(told);
    });
}
