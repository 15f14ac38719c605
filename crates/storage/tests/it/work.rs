//! Work items, incidents, parked messages.

use halsonav_domain::{Envelope, HsaId, Kind};
use halsonav_storage::{
    CaseChange, Error, HubIncident, IncidentFilter, NewIncident, NewWorkItem, WorkFilter, WorkState,
};

use crate::world::{World, at, everywhere, first};

pub fn item(job: u64) -> NewWorkItem {
    NewWorkItem {
        job,
        element: "ring".into(),
        name: "Ring upp".into(),
        form: Some("samtal".into()),
        assignee: None,
        groups: Vec::new(),
        due: None,
        follow_up: None,
        priority: 50,
        payload: serde_json::json!({"why": "no answer"}),
        headers: std::collections::BTreeMap::new(),
    }
}

#[test]
fn work_is_listed_by_due_time_in_pages() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        // Equal due times and none at all: a page border may fall on either.
        for (job, due) in [
            (1, None),
            (2, Some(30)),
            (3, Some(10)),
            (4, Some(30)),
            (5, None),
            (6, Some(30)),
        ] {
            change.work_items.push(NewWorkItem {
                due: due.map(at),
                ..item(job)
            });
        }
        world.apply(change).unwrap();
        for limit in 1..=7 {
            let (mut jobs, mut after) = (Vec::new(), None);
            loop {
                let page = world
                    .storage
                    .read(|tx| tx.work_items(&WorkFilter::default(), after, limit))
                    .unwrap();
                let Some(last) = page.last() else { break };
                after = Some(last.cursor());
                jobs.extend(page.iter().map(|item| item.job));
            }
            assert_eq!(jobs, [3, 2, 4, 6, 1, 5], "pages of {limit}");
        }
    });
}

fn sorted_jobs(world: &World, filter: &WorkFilter) -> Vec<u64> {
    let items = world
        .storage
        .read(|tx| tx.work_items(filter, None, 100))
        .unwrap();
    let mut jobs: Vec<u64> = items.iter().map(|item| item.job).collect();
    jobs.sort_unstable();
    jobs
}

#[test]
fn work_is_found_by_group_unit_time_and_form() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        let groups = |job, groups: &[&str]| NewWorkItem {
            groups: groups.iter().map(|g| (*g).into()).collect(),
            ..item(job)
        };
        change.work_items = vec![
            groups(1, &[]),
            groups(2, &["nurse"]),
            groups(3, &["nurses", "doctor"]),
            groups(4, &["100%"]),
            NewWorkItem {
                follow_up: Some(at(50)),
                due: Some(at(60)),
                form: None,
                ..item(5)
            },
        ];
        world.apply(change).unwrap();
        let jobs = |filter| sorted_jobs(&world, &filter);
        let of = |names: &[&str]| WorkFilter {
            groups: Some(names.iter().map(|g| (*g).into()).collect()),
            ..WorkFilter::default()
        };
        assert_eq!(jobs(of(&[])), [1, 5]);
        assert_eq!(jobs(of(&["nurse"])), [1, 2, 5]);
        assert_eq!(jobs(of(&["nurse", "doctor"])), [1, 2, 3, 5]);
        assert_eq!(jobs(of(&["%"])), [1, 5], "a group's name is no pattern");
        assert_eq!(jobs(of(&["100%"])), [1, 4, 5]);
        let units = |unit: &str| WorkFilter {
            units: Some(vec![HsaId::new(unit)]),
            ..WorkFilter::default()
        };
        assert_eq!(jobs(units("SE2321000016-1hz5")).len(), 5);
        assert_eq!(jobs(units("SE1-OTHER")).len(), 0);
        assert_eq!(
            jobs(WorkFilter {
                shown_at: Some(at(49)),
                ..WorkFilter::default()
            }),
            [1, 2, 3, 4]
        );
        assert_eq!(
            jobs(WorkFilter {
                shown_at: Some(at(50)),
                ..WorkFilter::default()
            })
            .len(),
            5
        );
        assert_eq!(
            jobs(WorkFilter {
                due_before: Some(at(61)),
                ..WorkFilter::default()
            }),
            [5]
        );
        assert_eq!(
            jobs(WorkFilter {
                form: Some("samtal".into()),
                case: Some(id),
                ..WorkFilter::default()
            }),
            [1, 2, 3, 4]
        );
    });
}

fn conflict(answer: halsonav_storage::Result<()>) {
    assert!(matches!(&answer, Err(Error::Conflict(_))), "{answer:?}");
    assert_eq!(answer.unwrap_err().kind(), Kind::Conflict);
}

#[test]
fn work_is_claimed_once_and_completed_by_whom_it_is_claimed() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        change.work_items = vec![item(1), item(2)];
        world.apply(change).unwrap();
        let items = world
            .storage
            .read(|tx| tx.work_items(&WorkFilter::default(), None, 10))
            .unwrap();
        let (one, two) = (items[0].no, items[1].no);
        let revision = world
            .storage
            .write(move |tx| tx.claim_work_item(one, 1, "anna"))
            .unwrap();
        assert_eq!(revision, 2);
        let result = serde_json::json!({"reached": true});
        let complete = |who: &'static str, no, revision| {
            let result = result.clone();
            world
                .storage
                .write(move |tx| tx.complete_work_item(no, revision, who, &result, at(9)))
        };
        conflict(
            world
                .storage
                .write(move |tx| tx.claim_work_item(one, 1, "bo").map(|_| ())),
        );
        conflict(
            world
                .storage
                .write(move |tx| tx.claim_work_item(one, 2, "bo").map(|_| ())),
        );
        conflict(complete("bo", one, 2));
        conflict(complete("anna", one, 1));
        complete("anna", one, 2).unwrap();
        conflict(complete("anna", one, 3));
        let done = world.storage.read(|tx| tx.work_item(one)).unwrap().unwrap();
        assert_eq!(
            (done.state, done.result, done.closed),
            (WorkState::Done, Some(result.clone()), Some(at(9)))
        );
        // Given back, taken by another, and withdrawn by the process under his hands.
        let revision = world
            .storage
            .write(move |tx| {
                let revision = tx.claim_work_item(two, 1, "anna")?;
                let revision = tx.release_work_item(two, revision)?;
                tx.claim_work_item(two, revision, "bo")
            })
            .unwrap();
        let mut change = CaseChange::new(no, id, 1, 2, Vec::new(), at(10));
        change.withdraw.push(2);
        world.apply(change).unwrap();
        conflict(complete("bo", two, revision));
        assert!(sorted_jobs(&world, &WorkFilter::default()).is_empty());
        let all = WorkFilter {
            closed_too: true,
            ..WorkFilter::default()
        };
        assert_eq!(sorted_jobs(&world, &all), [1, 2]);
    });
}

fn engine_incident() -> NewIncident {
    NewIncident {
        key: 7,
        element: "gw".into(),
        job: Some(3),
        kind: Kind::Invalid,
        code: "HUB-ENGINE-001".into(),
        message: "no condition holds".into(),
    }
}

fn lane_incident() -> HubIncident {
    HubIncident {
        case: None,
        element: "print".into(),
        kind: Kind::Denied,
        code: "HUB-PRINT-002".into(),
        message: "the vendor refuses the key".into(),
        at: at(2),
    }
}

#[test]
fn incidents_of_the_engine_and_of_the_hub_stand_side_by_side() {
    everywhere(|base| {
        let world = base.world();
        let (no, id, _) = world.case(1);
        let mut change = first(no, id);
        change.incidents.push(engine_incident());
        world.apply(change).unwrap();
        let (lane, same) = (lane_incident(), lane_incident());
        let (one, two) = world
            .storage
            .write(move |tx| Ok((tx.open_incident(&lane)?, tx.open_incident(&same)?)))
            .unwrap();
        assert_eq!(one, two, "a lane that stays stopped is one incident");
        let list = |filter: &IncidentFilter| {
            world
                .storage
                .read(|tx| tx.incidents(filter, None, 10))
                .unwrap()
        };
        let open = list(&IncidentFilter::default());
        assert_eq!(open.len(), 2);
        assert_eq!(
            (open[0].case, open[0].key, open[0].job, open[0].kind),
            (Some(id), Some(7), Some(3), Kind::Invalid)
        );
        assert_eq!((open[1].case, open[1].kind), (None, Kind::Denied));
        assert_eq!(
            list(&IncidentFilter {
                case: Some(id),
                ..IncidentFilter::default()
            })
            .len(),
            1
        );
        assert_eq!(
            list(&IncidentFilter {
                code: Some("HUB-PRINT-002".into()),
                ..IncidentFilter::default()
            })
            .len(),
            1
        );
        assert!(
            world
                .storage
                .write(move |tx| tx.resolve_incident(one, "anna: new key", at(3)))
                .unwrap()
        );
        assert!(
            !world
                .storage
                .write(move |tx| tx.resolve_incident(one, "again", at(4)))
                .unwrap()
        );
        let mut change = CaseChange::new(no, id, 1, 2, Vec::new(), at(5));
        change.resolve.push(7);
        world.apply(change).unwrap();
        assert_eq!(list(&IncidentFilter::default()), []);
        let all = list(&IncidentFilter {
            resolved_too: true,
            ..IncidentFilter::default()
        });
        assert_eq!(
            (all[0].resolved, all[1].how.as_deref()),
            (Some(at(5)), Some("anna: new key"))
        );
        assert_eq!(
            world.storage.read(|tx| tx.incident(one)).unwrap(),
            Some(all[1].clone())
        );
    });
}

#[test]
fn a_parked_message_stops_its_case_only_and_comes_back_in_order() {
    everywhere(|base| {
        let world = base.world();
        let (one, one_id, _) = world.case(1);
        let (two, _, _) = world.case(2);
        let message = |id: &str| {
            Envelope::new(
                "/x",
                id,
                "form.completed",
                Some(one_id),
                at(1),
                serde_json::json!({"a": 1}),
            )
        };
        let (a, b, c) = (message("a"), message("b"), message("c"));
        let expect = vec![a.clone(), b.clone()];
        world
            .storage
            .write(move |tx| {
                tx.park(Some(one), &a, "HUB-X-1", "it broke", at(1))?;
                tx.park(Some(one), &b, "HUB-PARKED-BEHIND", "", at(2))?;
                tx.park(None, &c, "HUB-X-2", "about no case", at(3))
            })
            .unwrap();
        let stopped = world.storage.read(|tx| tx.stopped(&[one, two])).unwrap();
        assert_eq!(stopped.into_iter().collect::<Vec<_>>(), [one]);
        let all = world.storage.read(|tx| tx.parked(None, 10)).unwrap();
        assert_eq!((all.len(), all[2].case), (3, None));
        assert_eq!(
            world.storage.write(move |tx| tx.unpark(one)).unwrap(),
            expect
        );
        assert_eq!(
            world.storage.read(|tx| tx.stopped(&[one])).unwrap().len(),
            0
        );
        let last = all[2].no;
        world.storage.write(move |tx| tx.drop_parked(last)).unwrap();
        assert!(matches!(
            world.storage.write(move |tx| tx.drop_parked(last)),
            Err(Error::NotFound(_))
        ));
    });
}
