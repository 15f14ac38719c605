//! A lane that is stopped lets nothing out, and loses nothing.

use std::{sync::mpsc, time::Duration};

use halsonav_domain::Kind;
use halsonav_storage::{
    Claim, ContactGate, EffectRef, EffectState, Epoch, Gate, GateFacts, HubIncident,
    IncidentFilter, LaneStop, Settled, Verdict,
};

use crate::world::{World, at, everywhere, letter, on_postgres, send};

fn stop(adapter: &str, seconds: i64, until: Option<i64>) -> LaneStop {
    LaneStop {
        adapter: adapter.into(),
        at: at(seconds),
        until: until.map(at),
        by: "cli:anna".into(),
        why: "the vendor prints the wrong sender".into(),
    }
}

impl World {
    fn stop(&self, stop: LaneStop) -> bool {
        self.storage.write(move |tx| tx.stop_lane(&stop)).unwrap()
    }

    fn start(&self, adapter: &'static str, seconds: i64) -> bool {
        self.storage
            .write(move |tx| tx.start_lane(adapter, "cli:bo", at(seconds)))
            .unwrap()
    }

    /// A turn of the relay: how much it let go, then what it put on the bus.
    fn relay(&self, seconds: i64) -> (usize, Vec<EffectRef>) {
        self.storage
            .write(move |tx| {
                let free = tx.outbox(at(seconds), 100)?.free;
                tx.let_go(&free)?;
                let due = tx.outbox(at(seconds), 100)?.due;
                tx.mark_published(&due)?;
                let which = due.iter().map(|effect| EffectRef {
                    case: effect.command.case,
                    command: effect.command.id,
                });
                Ok((free.len(), which.collect()))
            })
            .unwrap()
    }

    fn next(&self, seconds: i64) -> Option<halsonav_domain::Timestamp> {
        let outbox = self.storage.read(|tx| tx.outbox(at(seconds), 1)).unwrap();
        if outbox.is_due() {
            return Some(at(seconds));
        }
        outbox.later
    }
}

fn is_ready(claim: &Claim) -> bool {
    matches!(claim, Claim::Ready(_))
}

fn is_stopped(claim: &Claim) -> bool {
    matches!(claim, Claim::Stopped { .. })
}

#[test]
fn what_is_asked_for_in_a_stopped_lane_waits_and_goes_on_in_order() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let which: Vec<EffectRef> = (1..=4).map(|n| world.effect(n, letter(1)).1).collect();
        let (_, other) = world.effect(9, send(1));
        assert_eq!(world.publish(1), 5);
        let in_hand = world.claim(which[0], 2, epoch);
        assert!(is_ready(&in_hand));
        assert!(world.stop(stop("print", 3, None)));
        assert!(!world.stop(stop("print", 4, None)), "the first one stays");
        let told = world.storage.read(|tx| tx.lane_stops(at(5))).unwrap();
        assert_eq!(told, [stop("print", 3, None)]);

        // In any order, and twice: nothing leaves, nothing is lost.
        for which in [which[2], which[1], which[3], which[1]] {
            assert!(is_stopped(&world.claim(which, 5, epoch)));
            assert_eq!(world.state(which), EffectState::Stopped);
        }
        assert!(is_ready(&world.claim(other, 5, epoch)), "other lanes go on");
        assert!(world.settle(&in_hand, epoch, Settled::Done), "is finished");
        assert_eq!(world.next(9), None);
        assert_eq!(world.relay(9), (0, Vec::new()));
        let totals = world.storage.read(|tx| tx.totals(None)).unwrap();
        assert_eq!((totals.waiting, totals.unaccounted), (5, 0));

        let world = world.reopened();
        let epoch = world.epoch();
        assert!(world.start("print", 10));
        assert!(!world.start("print", 10));
        assert_eq!(world.next(10), Some(at(10)));
        assert_eq!(world.relay(10), (3, which[1..].to_vec()));
        assert_eq!(world.relay(10), (0, Vec::new()));
        for which in &which[1..] {
            assert!(is_ready(&world.claim(*which, 11, epoch)));
        }
    });
}

#[test]
fn a_relay_that_notes_late_does_not_keep_what_was_let_go() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, letter(1));
        let read = world.storage.read(|r| r.outbox(at(1), 100)).unwrap().due;
        assert_eq!(read.len(), 1);
        // It is on the bus, its lane is stopped and started, and another relay lets it go.
        assert!(world.stop(stop("print", 2, None)));
        assert!(is_stopped(&world.claim(which, 3, epoch)));
        assert!(world.start("print", 4));
        let free = world.storage.read(|r| r.outbox(at(4), 100)).unwrap().free;
        world.storage.write(move |tx| tx.let_go(&free)).unwrap();
        world
            .storage
            .write(move |tx| tx.mark_published(&read))
            .unwrap();
        assert_eq!(world.publish(4), 1, "it is put on the bus again");
    });
}

/// Says that nobody may be asked.
struct NotAsked;

impl Gate for NotAsked {
    fn decide(&self, _: &GateFacts<'_>) -> Verdict {
        panic!("a lane that is stopped asks no gate")
    }
}

#[test]
fn the_gate_is_asked_when_the_lane_starts_and_not_before() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, send(1));
        world.publish(1);
        assert!(world.stop(stop("messaging", 1, None)));
        let claims = world
            .storage
            .write(move |tx| tx.claim(&[which], at(2), epoch, &NotAsked))
            .unwrap();
        assert!(is_stopped(&claims[0]));
        world.start("messaging", 25 * 3_600);
        world.relay(25 * 3_600);
        let claim = world.claim(which, 25 * 3_600, epoch);
        assert!(matches!(claim, Claim::Held { .. }), "{claim:?}");
    });
}

#[test]
fn what_may_have_left_before_a_crash_is_asked_about_once_the_lane_starts() {
    everywhere(|base| {
        let world = base.world();
        let (_, which) = world.effect(1, letter(1));
        let old = world.epoch();
        world.publish(1);
        assert!(is_ready(&world.claim(which, 2, old)));
        assert!(world.stop(stop("print", 3, None)));
        let new = world.epoch();
        let left = world.storage.read(|tx| tx.abandoned("print", 10)).unwrap();
        assert_eq!(left.len(), 1);
        assert!(is_stopped(&world.claim(which, 4, new)));
        assert_eq!(world.state(which), EffectState::Sending, "it may be there");
        let left = world.storage.read(|tx| tx.abandoned("print", 10)).unwrap();
        assert_eq!(left, [], "in nobody's hands");
        let backlog = world.storage.read(|tx| tx.backlog(at(5))).unwrap();
        assert_eq!((backlog.stopped["print"], backlog.in_hand.len()), (1, 0));
        assert_eq!(world.next(5), None);
        world.start("print", 6);
        assert_eq!(world.relay(6), (1, vec![which]));
        assert_eq!(world.relay(6), (0, Vec::new()));
        let Claim::Ready(ready) = world.claim(which, 7, new) else {
            panic!("it is the neighbour's to tell")
        };
        assert!(ready.reconcile);
    });
}

#[test]
fn a_lane_stopped_for_a_time_starts_by_itself_unless_somebody_stops_it() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        let (_, which) = world.effect(1, letter(1));
        world.publish(1);
        assert!(world.stop(stop("print", 1, Some(60))));
        assert!(!world.stop(stop("print", 1, Some(30))), "the longer one");
        assert!(world.stop(stop("print", 1, Some(90))));
        assert!(is_stopped(&world.claim(which, 2, epoch)));
        assert_eq!(world.next(2), Some(at(90)));
        assert_eq!(world.relay(89), (0, Vec::new()));
        assert_eq!(world.relay(90), (1, vec![which]));
        assert!(world.stop(stop("print", 91, None)));
        assert!(
            !world.stop(stop("print", 92, Some(200))),
            "a person's stays"
        );
        assert!(is_stopped(&world.claim(which, 93, epoch)));
        assert_eq!(world.relay(300), (0, Vec::new()));
    });
}

#[test]
fn starting_a_lane_settles_its_incident() {
    everywhere(|base| {
        let world = base.world();
        let open = |element: &str, kind, code: &str| HubIncident {
            case: None,
            element: element.into(),
            kind,
            code: code.into(),
            message: "HTTP 403".into(),
            at: at(1),
        };
        let incidents = [
            open("print", Kind::Denied, "HUB-PRINT-905"),
            open("lab", Kind::Denied, "HUB-LAB-905"),
            open("print", Kind::Unavailable, "HUB-PRINT-901"),
        ];
        world
            .storage
            .write(move |tx| {
                for incident in &incidents {
                    tx.open_incident(incident)?;
                }
                tx.stop_lane(&stop("print", 1, Some(60)))
            })
            .unwrap();
        assert!(world.start("print", 2));
        let open = world
            .storage
            .read(|tx| tx.incidents(&IncidentFilter::default(), None, 10))
            .unwrap();
        let open: Vec<_> = open
            .iter()
            .map(|it| (it.element.as_str(), it.kind))
            .collect();
        assert_eq!(open, [("lab", Kind::Denied), ("print", Kind::Unavailable)]);
    });
}

#[test]
fn whoever_stops_a_lane_is_answered_after_the_claims_that_were_first() {
    on_postgres(|base| {
        let world = base.world();
        let epoch: Epoch = world.epoch();
        let (_, which) = world.effect(1, letter(1));
        world.publish(1);
        let (claimed, has_claimed) = mpsc::channel();
        let (go, may_go) = mpsc::channel::<()>();
        let (storage, stopper) = (world.storage.clone(), &world.storage);
        let mut may_go = Some(may_go);
        let claim = std::thread::spawn(move || {
            storage.write(move |tx| {
                let claim = tx.claim(&[which], at(2), epoch, &ContactGate::default())?;
                let _ = claimed.send(());
                if let Some(may_go) = may_go.take() {
                    let _ = may_go.recv();
                }
                Ok(claim)
            })
        });
        has_claimed.recv().unwrap();
        std::thread::scope(|scope| {
            let (told, answer) = mpsc::channel();
            let stopping = scope.spawn(move || {
                let stopped = stopper.write(|tx| tx.stop_lane(&stop("print", 3, None)));
                let _ = told.send(());
                stopped
            });
            let early = answer.recv_timeout(Duration::from_millis(300));
            assert!(early.is_err(), "answered while a claim was under way");
            go.send(()).unwrap();
            assert!(is_ready(&claim.join().unwrap().unwrap()[0]));
            assert!(stopping.join().unwrap().unwrap());
        });
    });
}
