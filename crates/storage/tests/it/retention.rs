//! Old entries of the log are dropped, and the rest can still be verified.

use halsonav_storage::{AuditFilter, NewAudit, Storage, Verified};

use crate::world::{Base, World, at, everywhere};

fn append(world: &World, from: i64, to: i64) {
    let entries: Vec<NewAudit> = (from..=to)
        .map(|n| NewAudit {
            at: at(n),
            actor: "user:1".into(),
            action: "read".into(),
            purpose: n.to_string(),
            unit: None,
            subject: None,
            case: None,
            detail: serde_json::Value::Null,
        })
        .collect();
    world.storage.write(move |tx| tx.audit(&entries)).unwrap();
}

/// Stretches of ten entries instead of a million.
fn short(base: &Base) -> World {
    let world = base.world();
    world.behind("UPDATE audit_start SET room = 10");
    if let Base::Postgres(_) = base {
        world.behind("DROP TABLE audit_0; SET ROLE halsonav_migrator; SELECT audit_room(1)");
    }
    world
}

#[test]
fn whole_stretches_are_dropped_and_the_rest_is_verified_from_there() {
    everywhere(|base| {
        let world = short(base);
        append(&world, 1, 7);
        append(&world, 8, 34);
        append(&world, 35, 35);
        let root = world.storage.read(|tx| tx.merkle_root()).unwrap();
        let end = world.storage.read(|tx| tx.checkpoint()).unwrap();
        assert_eq!(end.size, 35);
        // The third stretch has entries that are to be kept.
        let start = Storage::retire_audit(&world.owner(), at(25)).unwrap();
        assert_eq!(start.size, 20);
        let verify = |since| world.storage.read(|tx| tx.verify_audit(since)).unwrap();
        assert_eq!(verify(None), Verified::Whole(end));
        assert_eq!(verify(Some(&start)), Verified::Whole(end));
        let first = world
            .storage
            .read(|tx| tx.audit_page(&AuditFilter::default(), None, 1))
            .unwrap();
        assert_eq!(first[0].seq, 21);
        assert_eq!(
            world.storage.read(|tx| tx.merkle_root()).unwrap(),
            root,
            "also over what was dropped"
        );
        append(&world, 36, 52);
        assert!(matches!(verify(Some(&end)), Verified::Whole(now) if now.size == 52));
        assert_eq!(
            Storage::retire_audit(&world.owner(), at(25)).unwrap(),
            start,
            "nothing more is old enough"
        );
        assert_eq!(
            Storage::retire_audit(&world.owner(), at(999)).unwrap().size,
            50
        );
        assert!(matches!(verify(None), Verified::Whole(now) if now.size == 52));
        // A checkpoint of what is gone proves nothing any more.
        assert!(matches!(verify(Some(&end)), Verified::Tampered { .. }));
        append(&world, 53, 61);
        assert!(matches!(verify(None), Verified::Whole(now) if now.size == 61));
    });
}

#[test]
fn a_forged_start_shows_against_the_checkpoint() {
    everywhere(|base| {
        let world = short(base);
        append(&world, 1, 35);
        let start = Storage::retire_audit(&world.owner(), at(15)).unwrap();
        world.behind(&format!("UPDATE audit_start SET link = {}", base.zeros(32)));
        let verified = world.storage.read(|tx| tx.verify_audit(Some(&start)));
        assert!(matches!(
            verified.unwrap(),
            Verified::Tampered { seq: 10, .. }
        ));
    });
}
