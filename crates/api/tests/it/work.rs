//! Work items: claimed, given back, done.

use std::sync::atomic::Ordering;

use halsonav_storage::WorkState;
use serde_json::{Value, json};

use crate::world::*;

async fn act(
    world: &World,
    no: i64,
    what: &str,
    token: &str,
    key: &str,
    body: Value,
) -> (u16, Value) {
    world
        .post(&format!("/v1/work-items/{no}/{what}"), token, key, body)
        .await
}

#[tokio::test]
async fn one_takes_it_and_does_it() {
    let world = World::new().await;
    let (_, case, work) = world.case(1, UNIT);
    let (a, b) = (
        world.nurse(),
        world.issuer.token("nurse-2", &["nurse"], &[UNIT]),
    );
    let (status, claimed) = act(&world, work.0, "claim", &a, "", json!({ "revision": 1 })).await;
    assert_eq!(
        (status, &claimed["claimedBy"], &claimed["revision"]),
        (200, &json!("nurse-1"), &json!(2))
    );
    assert_eq!(
        act(&world, work.0, "claim", &a, "", json!({ "revision": 1 }))
            .await
            .0,
        200
    );
    assert_eq!(
        act(&world, work.0, "claim", &b, "", json!({ "revision": 2 }))
            .await
            .0,
        409
    );
    assert_eq!(
        act(&world, work.0, "release", &b, "", json!({ "revision": 2 }))
            .await
            .0,
        403
    );
    assert_eq!(
        act(&world, work.0, "complete", &b, "k", json!({ "result": {} }))
            .await
            .0,
        409
    );
    let done = json!({ "revision": 2, "result": { "outcome": "booked", "start": at(5000) } });
    let first = act(&world, work.0, "complete", &a, "k", done.clone()).await;
    assert_eq!(
        first,
        (202, json!({ "id": format!("work-item-{}", work.0) }))
    );
    assert_eq!(
        act(&world, work.0, "complete", &a, "k", done.clone()).await,
        first
    );
    assert_eq!(act(&world, work.0, "complete", &a, "k2", done).await.0, 409);
    let events = world.events();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (events[0].kind.as_str(), events[0].subject),
        ("work-item.completed", Some(case))
    );
    assert_eq!(
        events[0].data,
        json!({ "job": 5, "result": { "outcome": "booked", "start": at(5000) } })
    );
    let item = world
        .storage
        .read(move |r| r.work_item(work))
        .unwrap()
        .unwrap();
    assert_eq!(
        (item.state, item.claimed_by.as_deref()),
        (WorkState::Done, Some("nurse-1"))
    );
}

#[tokio::test]
async fn a_completion_that_broke_off_may_be_repeated() {
    let world = World::new().await;
    let (_, _, work) = world.case(1, UNIT);
    let done = json!({ "revision": 1, "result": { "outcome": "no-answer" } });
    world.hub.down.store(true, Ordering::SeqCst);
    assert_eq!(
        act(
            &world,
            work.0,
            "complete",
            &world.nurse(),
            "k",
            done.clone()
        )
        .await
        .0,
        503
    );
    world.hub.down.store(false, Ordering::SeqCst);
    assert_eq!(
        act(&world, work.0, "complete", &world.nurse(), "k", done)
            .await
            .0,
        202
    );
    assert_eq!(world.events().len(), 1);
}

#[tokio::test]
async fn two_who_finish_at_once_are_one() {
    let world = World::new().await;
    let (_, _, work) = world.case(1, UNIT);
    let mut set = tokio::task::JoinSet::new();
    for n in 0..10 {
        let token = world
            .issuer
            .token(&format!("nurse-{n}"), &["nurse"], &[UNIT]);
        let url = format!("http://{}/v1/work-items/{}/complete", world.address, work.0);
        let request = world
            .client
            .post(url)
            .bearer_auth(token)
            .header("Idempotency-Key", "k");
        let request =
            request.json(&json!({ "revision": 1, "result": { "outcome": format!("{n}") } }));
        set.spawn(async move { request.send().await.unwrap().status().as_u16() });
    }
    let statuses = set.join_all().await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 202).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(world.events().len(), 1);
}

#[tokio::test]
async fn results_are_checked_before_anything_happens() {
    let world = World::new().await;
    let (_, _, work) = world.case(1, UNIT);
    for result in [
        json!([]),
        json!({ "outcome": 7 }),
        json!({ "consent": "yes" }),
        json!({ "start": "tomorrow" }),
        json!({ "answers": { "smoke": "no" } }),
        json!({ "form": "halsa", "answers": {} }),
        json!({ "form": "halsa", "answers": { "smoke": "no" }, "mode": "telepathic" }),
        json!({ "observations": [{ "code": "height", "value": 1.8, "unit": "cm" }] }),
        json!({ "observations": "many" }),
        json!({ "note": "hon heter 191212121212" }),
    ] {
        let (status, _) = act(
            &world,
            work.0,
            "complete",
            &world.nurse(),
            "k",
            json!({ "result": result }),
        )
        .await;
        assert!(matches!(status, 400 | 422), "{result}: {status}");
    }
    assert!(world.events().is_empty());
    let item = world
        .storage
        .read(move |r| r.work_item(work))
        .unwrap()
        .unwrap();
    assert_eq!(item.state, WorkState::Open);
}

#[tokio::test]
async fn paper_answers_end_the_entering_of_that_form() {
    let world = World::new().await;
    let (no, case, _) = world.case(1, UNIT);
    let work = world.work(no, case, 1, item("paper-form", json!({ "form": "halsa" })));
    let token = world.issuer.token("a", &["assistant"], &[UNIT]);
    let body = json!({ "answers": { "smoke": "no" }, "mode": "paper" });
    assert_eq!(
        world
            .post(
                &format!("/v1/cases/{case}/forms/halsa/answers"),
                &token,
                "k",
                body
            )
            .await
            .0,
        202
    );
    let event = world.events().remove(0);
    assert_eq!(event.id, format!("work-item-{}", work.0));
    let result = json!({ "outcome": "entered", "form": "halsa", "mode": "paper", "answers": { "smoke": "no" } });
    assert_eq!(event.data, json!({ "job": 7, "result": result }));
    // Health data is not kept a second time with the work item.
    let item = world
        .storage
        .read(move |r| r.work_item(work))
        .unwrap()
        .unwrap();
    assert_eq!(
        (item.state, item.result.unwrap().get("answers")),
        (WorkState::Done, None)
    );
}

#[tokio::test]
async fn the_hub_books_as_the_answer_to_a_call() {
    let world = World::new().await;
    let (_, case, work) = world.case(1, UNIT);
    let (path, body) = (
        format!("/v1/cases/{case}/bookings"),
        json!({ "start": at(5000) }),
    );
    assert_eq!(
        world.post(&path, &world.nurse(), "k", body.clone()).await.0,
        202
    );
    let event = world.events().remove(0);
    assert_eq!(event.id, format!("work-item-{}", work.0));
    assert_eq!(
        event.data["result"],
        json!({ "outcome": "booked", "start": at(5000) })
    );
    let (status, problem) = world.post(&path, &world.nurse(), "k2", body).await;
    assert_eq!(status, 409);
    assert!(problem["detail"].as_str().unwrap().contains("bookingId"));
}

#[tokio::test]
async fn the_list_comes_in_pages() {
    let world = World::new().await;
    for n in 1..=5 {
        world.case(n, UNIT);
    }
    for path in ["/v1/work-items?limit=2", "/v1/cases?limit=2"] {
        let (mut seen, mut next) = (Vec::new(), String::new());
        loop {
            let (status, page) = world.get(&format!("{path}{next}"), &world.nurse()).await;
            assert_eq!(status, 200);
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|item| {
                item["case"]
                    .as_str()
                    .or(item["id"].as_str())
                    .unwrap()
                    .to_owned()
            }));
            match page["next"].as_str() {
                Some(after) => next = format!("&after={after}"),
                None => break,
            }
        }
        let count = seen.len();
        seen.dedup();
        assert_eq!((count, seen.len()), (5, 5), "{path}");
    }
    assert_eq!(
        world.get("/v1/work-items?after=x", &world.nurse()).await.0,
        400
    );
}
