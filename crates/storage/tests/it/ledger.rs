//! The ledger adds up.

use halsonav_domain::{HsaId, RoundId};
use halsonav_storage::{
    Awaits, CaseChange, CaseFilter, CaseState, Document, Idempotent, Ledger, NewDefinition,
    NewSubscription, NewTimer, Record, Totals, Writer,
};

use crate::world::{World, at, everywhere, first, send};

fn totals(world: &World) -> Totals {
    let round = RoundId("2026".into());
    let of_round = world.storage.read(|tx| tx.totals(Some(&round))).unwrap();
    assert_eq!(of_round, world.storage.read(|tx| tx.totals(None)).unwrap());
    assert_eq!(
        world
            .storage
            .read(|tx| tx.totals(Some(&RoundId("1999".into()))))
            .unwrap(),
        Totals::default()
    );
    of_round
}

#[test]
fn what_waits_for_nothing_is_unaccounted() {
    everywhere(|base| {
        let world = base.world();
        // Made, and never started.
        let (no, id, _) = world.case(1);
        assert_eq!(totals(&world).unaccounted, 1);
        assert_eq!(
            world.storage.read(|tx| tx.unaccounted(None, 10)).unwrap(),
            [id]
        );
        let mut revision = 0;
        let mut step = |change: &dyn Fn(&mut CaseChange), expect: u64| {
            let mut next = CaseChange::new(no, id, revision, revision + 1, Vec::new(), at(1));
            revision += 1;
            change(&mut next);
            world.apply(next).unwrap();
            assert_eq!(totals(&world).unaccounted, expect);
        };
        let due = at(5);
        step(
            &|c| {
                c.arm.push(NewTimer {
                    timer: 1,
                    due,
                    element: "a".into(),
                })
            },
            0,
        );
        let announce = |world: &World| {
            world
                .storage
                .write(|tx| {
                    let due = tx.due_timers(at(9), 10)?;
                    tx.announced(&due)?;
                    Ok(due.len())
                })
                .unwrap()
        };
        assert_eq!((announce(&world), announce(&world)), (1, 0));
        assert_eq!(
            totals(&world).unaccounted,
            0,
            "an announced timer still counts"
        );
        step(&|c| c.disarm.push(1), 1);
        step(&|c| c.effects.push(send(2)), 0);
        step(&|c| c.consumed.push(2), 1);
        step(&|c| c.effects.push(send(3)), 0);
        step(&|c| c.withdraw.push(3), 1);
        let (awaits, name) = (Awaits::Message, "x");
        let correlation = id.to_string();
        step(
            &|c| {
                c.subscribe.push(NewSubscription {
                    key: 4,
                    awaits,
                    name: name.into(),
                    correlation: correlation.clone(),
                })
            },
            0,
        );
        step(&|c| c.unsubscribe.push(4), 1);
        step(&|c| c.work_items.push(crate::work::item(5)), 0);
        step(&|c| c.withdraw.push(5), 1);
        step(&|c| c.ledger = Some(Ledger::incident(None, None)), 0);
        step(&|c| c.ledger = Some(Ledger::waiting(None, None)), 1);
        let envelope = halsonav_domain::Envelope::new(
            "/x",
            "1",
            "y",
            Some(id),
            at(1),
            serde_json::Value::Null,
        );
        world
            .storage
            .write(move |tx| tx.park(Some(no), &envelope, "HUB-X-1", "it broke", at(1)))
            .unwrap();
        assert_eq!(totals(&world).unaccounted, 0);
        world.storage.write(move |tx| tx.unpark(no)).unwrap();
        step(&|c| c.ledger = Some(Ledger::ended("declined")), 0);
    });
}

/// Nine cases at two units: three visited, one declined, one incident, four waiting.
fn nine(world: &World) {
    for n in 1..=9 {
        let (no, id, _) = world.case(n);
        let mut change = first(no, id);
        change.unit = Some(HsaId::new(if n % 2 == 0 { "SE1-EVEN" } else { "SE1-ODD" }));
        change.milestones.push("invited".into());
        change.arm.push(NewTimer {
            timer: 1,
            due: at(5),
            element: "a".into(),
        });
        match n {
            1..=3 => {
                change.ledger = Some(Ledger::ended("visited"));
                change.milestones.push("visited".into());
            }
            4 => change.ledger = Some(Ledger::ended("declined")),
            5 => change.ledger = Some(Ledger::incident(Some("brev".into()), None)),
            _ => {}
        }
        world.apply(change).unwrap();
    }
}

#[test]
fn totals_and_funnel_agree() {
    everywhere(|base| {
        let world = base.world();
        nine(&world);
        let totals = totals(&world);
        assert!(totals.adds_up(), "{totals:?}");
        assert_eq!((totals.invited, totals.waiting, totals.incident), (9, 4, 1));
        assert_eq!(
            totals.ended,
            [("declined".to_owned(), 1), ("visited".to_owned(), 3)]
        );
        let funnel = world
            .storage
            .read(|tx| tx.funnel(Some(&RoundId("2026".into()))))
            .unwrap();
        let row = |unit: &str, milestone: &str| {
            funnel
                .iter()
                .find(|row| row.unit.as_str() == unit && row.milestone == milestone)
                .map(|row| row.cases)
        };
        assert_eq!(
            (row("SE1-EVEN", "invited"), row("SE1-ODD", "invited")),
            (Some(4), Some(5))
        );
        assert_eq!(
            (row("SE1-EVEN", "visited"), row("SE1-ODD", "visited")),
            (Some(1), Some(2))
        );
    });
}

#[test]
fn cases_are_listed_in_pages() {
    everywhere(|base| {
        let world = base.world();
        nine(&world);
        let list = |filter: &CaseFilter, limit| {
            let (mut pages, mut after) = (Vec::new(), None);
            loop {
                let page = world
                    .storage
                    .read(|tx| tx.cases(filter, after, limit))
                    .unwrap();
                let Some(last) = page.last() else {
                    return pages;
                };
                after = Some(last.no);
                pages.extend(page);
            }
        };
        assert_eq!(list(&CaseFilter::default(), 2).len(), 9);
        let odd = CaseFilter {
            units: Some(vec![HsaId::new("se1-odd")]),
            ..CaseFilter::default()
        };
        assert_eq!(list(&odd, 2).len(), 5);
        assert_eq!(
            list(
                &CaseFilter {
                    units: Some(Vec::new()),
                    ..CaseFilter::default()
                },
                2
            )
            .len(),
            0
        );
        let ended = CaseFilter {
            state: Some(CaseState::Ended),
            outcome: Some("visited".into()),
            ..odd
        };
        assert_eq!(list(&ended, 100).len(), 2);
        let waiting = CaseFilter {
            waiting_for: Some("brev".into()),
            ..CaseFilter::default()
        };
        assert_eq!(list(&waiting, 100).len(), 1);
    });
}

#[test]
fn records_are_replaced_and_paged_and_documents_kept() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let record = |key: &str, n: i64| Record {
            kind: "letter".into(),
            key: key.into(),
            at: at(n),
            data: serde_json::json!(n),
        };
        let rows = [
            (no, record("a", 3)),
            (no, record("b", 1)),
            (no, record("a", 4)),
        ];
        world
            .storage
            .write(move |tx| tx.put_records(&rows))
            .unwrap();
        let of_case = world.storage.read(|tx| tx.records(&id, None)).unwrap();
        assert_eq!(of_case, [record("b", 1), record("a", 4)]);
        let page = |after| {
            world
                .storage
                .read(|tx| tx.records_of_kind("letter", None, after, 1))
                .unwrap()
        };
        let first = page(None).remove(0);
        assert_eq!((first.case, first.record.key.as_str()), (id, "a"));
        assert_eq!(page(Some(first.no)).remove(0).record.key, "b");
        let document = |bytes: &[u8]| Document {
            kind: "profile".into(),
            key: "1".into(),
            media_type: "image/svg+xml".into(),
            at: at(1),
            bytes: bytes.to_vec(),
        };
        let (one, two) = (document(b"one"), document(b"two"));
        let kept = two.clone();
        world
            .storage
            .write(move |tx| {
                tx.put_document(no, &one)
                    .and_then(|()| tx.put_document(no, &two))
            })
            .unwrap();
        assert_eq!(
            world
                .storage
                .read(|tx| tx.document(&id, "profile", "1"))
                .unwrap(),
            Some(kept)
        );
        assert_eq!(
            world.storage.read(|tx| tx.documents(&id)).unwrap(),
            [("profile".to_owned(), "1".to_owned())]
        );
    });
}

#[test]
fn definitions_count_up_only_when_they_differ() {
    everywhere(|base| {
        let world = base.world();
        let deploy = |digest: &str| {
            let new = NewDefinition {
                kind: "bpmn".into(),
                id: "halsosamtal".into(),
                digest: digest.into(),
                tag: None,
                deployment: "d".into(),
                text: format!("<{digest}/>"),
            };
            world
                .storage
                .write(move |tx| tx.deploy(&new, at(1)))
                .unwrap()
        };
        assert_eq!(
            [
                deploy("a"),
                deploy("a"),
                deploy("b"),
                deploy("b"),
                deploy("a")
            ],
            [1, 1, 2, 2, 3]
        );
        let latest = world
            .storage
            .read(|tx| tx.definition("bpmn", "halsosamtal", None))
            .unwrap()
            .unwrap();
        assert_eq!(
            (latest.version, latest.definition.text.as_str()),
            (3, "<a/>")
        );
        let second = world
            .storage
            .read(|tx| tx.definition("bpmn", "halsosamtal", Some(2)))
            .unwrap()
            .unwrap();
        assert_eq!(second.definition.digest, "b");
        assert_eq!(world.storage.read(|tx| tx.definitions()).unwrap().len(), 3);
        assert_eq!(
            world
                .storage
                .read(|tx| tx.definition("dmn", "halsosamtal", None))
                .unwrap(),
            None
        );
    });
}

#[test]
fn an_idempotency_key_answers_the_same_and_only_the_same() {
    everywhere(|base| {
        let world = base.world();
        let ask = |digest: &str| {
            world
                .storage
                .read(|tx| tx.idempotent("client", "k", digest))
                .unwrap()
        };
        assert_eq!(ask("d"), Idempotent::First);
        world
            .storage
            .write(|tx| tx.answer_once("client", "k", "d", 201, "{}", at(1)))
            .unwrap();
        assert_eq!(
            ask("d"),
            Idempotent::Again {
                status: 201,
                body: "{}".into()
            }
        );
        assert_eq!(ask("other"), Idempotent::Mismatch);
        assert!(
            world
                .storage
                .write(|tx| tx.answer_once("client", "k", "d", 201, "{}", at(1)))
                .is_err()
        );
        assert_eq!(
            world
                .storage
                .read(|tx| tx.idempotent("else", "k", "d"))
                .unwrap(),
            Idempotent::First
        );
        for (n, key) in (2..).zip(["l", "m", "n"]) {
            let answer =
                move |tx: &mut Writer| tx.answer_once("client", key, "d", 201, "{}", at(n));
            world.storage.write(answer).unwrap();
        }
        let forget = |before, limit| {
            let forget = move |tx: &mut Writer| tx.forget_answers(before, limit);
            world.storage.write(forget).unwrap()
        };
        assert_eq!(forget(at(4), 2), 2, "the oldest first");
        assert_eq!(ask("d"), Idempotent::First);
        assert_eq!(forget(at(4), 2), 1);
        assert_eq!(forget(at(4), 2), 0, "the last is to be kept");
    });
}
