//! The audit log cannot be changed without it showing.

use halsonav_domain::{CaseId, HsaId, SubjectId};
use halsonav_storage::{AuditFilter, Checkpoint, NewAudit, Verified};
use sha2::{Digest, Sha256};

use crate::world::{Base, World, at, everywhere};

const ENTRIES: i64 = 60;

fn entry(n: i64) -> NewAudit {
    NewAudit {
        at: at(n),
        actor: format!("user:{}", n % 3),
        action: "read".into(),
        purpose: "visit".into(),
        unit: (n % 2 == 0).then(|| HsaId::new("SE1-A")),
        subject: (n % 5 != 0)
            .then(|| SubjectId(uuid::Uuid::from_u128(u128::from(n.unsigned_abs() % 4)))),
        case: Some(CaseId(uuid::Uuid::from_u128(1))),
        detail: serde_json::json!({ "n": n }),
    }
}

fn logged(base: &Base) -> (World, Checkpoint) {
    let world = base.world();
    for part in 0..3 {
        world
            .storage
            .write(move |tx| {
                tx.audit(
                    &(part * 20 + 1..=part * 20 + 20)
                        .map(entry)
                        .collect::<Vec<_>>(),
                )
            })
            .unwrap();
    }
    let checkpoint = world.storage.read(|tx| tx.checkpoint()).unwrap();
    assert_eq!(checkpoint.size, ENTRIES.unsigned_abs());
    assert_eq!(
        verify(&world, Some(checkpoint)),
        Verified::Whole(checkpoint)
    );
    (world, checkpoint)
}

fn verify(world: &World, since: Option<Checkpoint>) -> Verified {
    world
        .storage
        .read(|tx| tx.verify_audit(since.as_ref()))
        .unwrap()
}

/// The triggers are for accidents; whoever owns the file can drop them.
fn tampered(base: &Base, sql: &str) -> (World, Checkpoint) {
    let (world, checkpoint) = logged(base);
    world.behind(match base {
        Base::Sqlite => "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;",
        Base::Postgres(_) => "DROP TRIGGER audit_no_change ON audit;",
    });
    world.behind(sql);
    (world, checkpoint)
}

fn check(base: &Base, sql: &str, expect: u64) {
    let (world, checkpoint) = tampered(base, sql);
    match verify(&world, Some(checkpoint)) {
        Verified::Tampered { seq, .. } => assert_eq!(seq, expect, "{sql}"),
        whole @ Verified::Whole(_) => panic!("{sql}: {whole:?}"),
    }
}

#[test]
fn every_change_of_an_entry_shows_where() {
    everywhere(|base| {
        for column in [
            "at = at + 1",
            "actor = 'x'",
            "action = 'x'",
            "purpose = 'x'",
            "unit = 'x'",
            &format!("subject = {}", base.zeros(1)),
            "case_id = NULL",
            "detail = '{}'",
            &format!("leaf = {}", base.zeros(32)),
            &format!("link = {}", base.zeros(32)),
        ] {
            check(
                base,
                &format!("UPDATE audit SET {column} WHERE seq = 17"),
                17,
            );
        }
    });
}

#[test]
fn deletion_insertion_swap_and_truncation_show() {
    everywhere(|base| {
        check(base, "DELETE FROM audit WHERE seq = 1", 1);
        check(base, "DELETE FROM audit WHERE seq = 30", 30);
        check(base, "DELETE FROM audit WHERE seq > 50", 51);
        check(base, "DELETE FROM audit", 1);
        check(
            base,
            "UPDATE audit SET seq = 9017 WHERE seq = 17; UPDATE audit SET seq = 17 WHERE seq = 18; UPDATE audit SET seq = 18 WHERE seq = 9017",
            17,
        );
        check(
            base,
            "INSERT INTO audit SELECT 61, at, actor, action, purpose, unit, subject, case_id, detail, leaf, link FROM audit WHERE seq = 60",
            61,
        );
        // Closing the gap by renumbering does not help.
        check(
            base,
            "DELETE FROM audit WHERE seq = 30; UPDATE audit SET seq = seq - 1 WHERE seq > 30",
            30,
        );
        if let Base::Postgres(_) = base {
            // There is no stretch that it could be in.
            return;
        }
        check(
            base,
            "INSERT INTO audit SELECT 0, at, actor, action, purpose, unit, subject, case_id, detail, leaf, link FROM audit WHERE seq = 60",
            0,
        );
    });
}

#[test]
fn a_log_rebuilt_from_scratch_shows_only_against_a_checkpoint() {
    everywhere(|base| {
        let (world, checkpoint) = tampered(base, "DELETE FROM audit");
        world
            .storage
            .write(|tx| {
                tx.audit(
                    &(1..=ENTRIES)
                        .map(|n| entry(if n == 9 { 10 } else { n }))
                        .collect::<Vec<_>>(),
                )
            })
            .unwrap();
        assert!(matches!(verify(&world, None), Verified::Whole(_)));
        assert!(matches!(
            verify(&world, Some(checkpoint)),
            Verified::Tampered { seq: 60, .. }
        ));
        // A truncated log that has grown again past the checkpoint shows too.
        let (world, checkpoint) = tampered(base, "DELETE FROM audit WHERE seq > 50");
        world
            .storage
            .write(|tx| tx.audit(&(100..=120).map(entry).collect::<Vec<_>>()))
            .unwrap();
        assert!(matches!(verify(&world, None), Verified::Whole(_)));
        assert!(matches!(
            verify(&world, Some(checkpoint)),
            Verified::Tampered { seq: 60, .. }
        ));
    });
}

#[test]
fn the_log_is_append_only_for_whoever_forgets() {
    everywhere(|base| {
        let (world, _) = logged(base);
        for forbidden in [
            "DELETE FROM audit WHERE seq = 3",
            "UPDATE audit SET actor = 'x' WHERE seq = 3",
        ] {
            assert!(world.try_behind(forbidden).is_err(), "{forbidden}");
        }
        if let Base::Postgres(_) = base {
            assert!(world.try_behind("TRUNCATE audit").is_err());
        }
    });
}

#[test]
fn the_log_grows_on_from_an_old_checkpoint_and_can_be_searched() {
    everywhere(|base| {
        let (world, checkpoint) = logged(base);
        world.storage.write(|tx| tx.audit(&[entry(61)])).unwrap();
        assert!(matches!(verify(&world, Some(checkpoint)), Verified::Whole(now) if now.size == 61));
        let page = |filter: AuditFilter, after| {
            world
                .storage
                .read(|tx| tx.audit_page(&filter, after, 100))
                .unwrap()
        };
        let subject = SubjectId(uuid::Uuid::from_u128(2));
        let of_subject = page(
            AuditFilter {
                subject: Some(subject),
                ..AuditFilter::default()
            },
            None,
        );
        assert_eq!(
            of_subject.len(),
            (1..=61).filter(|n| n % 5 != 0 && n % 4 == 2).count()
        );
        let narrow = AuditFilter {
            actor: Some("user:1".into()),
            unit: Some(HsaId::new("se1-a")),
            from: Some(at(10)),
            until: Some(at(20)),
            ..AuditFilter::default()
        };
        assert_eq!(
            page(narrow, None)
                .iter()
                .map(|found| found.seq)
                .collect::<Vec<_>>(),
            [10, 16]
        );
        assert_eq!(page(AuditFilter::default(), Some(60)).len(), 1);
    });
}

#[test]
fn the_merkle_root_is_that_of_rfc_6962() {
    everywhere(|base| {
        let world = base.world();
        let root = || world.storage.read(|tx| tx.merkle_root()).unwrap();
        assert_eq!(root(), <[u8; 32]>::from(Sha256::digest([])));
        for n in 1..=13 {
            world
                .storage
                .write(move |tx| tx.audit(&[entry(n)]))
                .unwrap();
            let leaves: Vec<[u8; 32]> = world
                .storage
                .read(|tx| tx.audit_page(&AuditFilter::default(), None, 100))
                .unwrap()
                .iter()
                .map(|found| found.leaf)
                .collect();
            assert_eq!(root(), recursive(&leaves), "{n} leaves");
        }
    });
}

/// The definition of RFC 6962 §2.1, word for word.
fn recursive(leaves: &[[u8; 32]]) -> [u8; 32] {
    if let [leaf] = leaves {
        return *leaf;
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    Sha256::new()
        .chain_update([1])
        .chain_update(recursive(left))
        .chain_update(recursive(right))
        .finalize()
        .into()
}
