//! What waits is told as it is, whoever has done it.

use std::collections::BTreeMap;

use halsonav_domain::Kind;
use halsonav_storage::{Backlog, HubIncident, LaneStop, NewTimer, Settled};

use crate::world::{World, at, everywhere, first, letter, send};

impl World {
    fn backlog(&self, seconds: i64) -> Backlog {
        self.storage.read(move |r| r.backlog(at(seconds))).unwrap()
    }
}

fn one(adapter: &str) -> BTreeMap<String, u64> {
    BTreeMap::from([(adapter.to_owned(), 1)])
}

#[test]
fn each_thing_that_waits_is_told_until_it_no_longer_waits() {
    everywhere(|base| {
        let world = base.world();
        let epoch = world.epoch();
        assert_eq!(world.backlog(0), Backlog::default());
        let (_, message) = world.effect(1, send(1));
        let (_, paper) = world.effect(2, letter(1));
        assert_eq!(world.backlog(0).command, None, "not yet due");
        assert_eq!(world.backlog(60).command, Some(at(1)));
        world.publish(2);
        assert_eq!(world.backlog(60), Backlog::default());

        let sent = world.claim(message, 3, epoch);
        assert_eq!(world.backlog(60).in_hand, one("messaging"));
        world.settle(&sent, epoch, Settled::Done);
        assert_eq!(world.backlog(60).in_hand, BTreeMap::new());

        let stop = LaneStop {
            adapter: "print".into(),
            at: at(4),
            until: None,
            by: "cli:anna".into(),
            why: String::new(),
        };
        world.storage.write(move |tx| tx.stop_lane(&stop)).unwrap();
        world.claim(paper, 5, epoch);
        assert_eq!(world.backlog(60).stopped, one("print"));

        // Register data is a day old by then.
        let (_, late) = world.effect(3, send(1));
        world.publish(3);
        world.claim(late, 25 * 3_600, epoch);
        assert_eq!(world.backlog(60).held, 1);

        let (no, id, _) = world.case(4);
        let mut change = first(no, id);
        change.arm.push(NewTimer {
            timer: 1,
            due: at(10),
            element: "Overdue".into(),
        });
        world.apply(change).unwrap();
        assert_eq!(world.backlog(9).timer, None);
        assert_eq!(world.backlog(60).timer, Some(at(10)));

        let incident = HubIncident {
            case: None,
            element: "bus".into(),
            kind: Kind::Invalid,
            code: "HUB-INTAKE-003".into(),
            message: "unreadable".into(),
            at: at(6),
        };
        let opened = world
            .storage
            .write(move |tx| tx.open_incident(&incident))
            .unwrap();
        assert_eq!(world.backlog(60).incidents, 1);
        world
            .storage
            .write(move |tx| tx.resolve_incident(opened, "seen to", at(7)))
            .unwrap();
        assert_eq!(world.backlog(60).incidents, 0);
    });
}
