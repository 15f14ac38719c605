//! The same request twice is done once.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn a_repeat_is_answered_as_the_first_time() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let (path, token) = (format!("/v1/cases/{case}/decline"), world.nurse());
    let first = world
        .post(&path, &token, "k1", json!({ "by": "phone" }))
        .await;
    assert_eq!(first.0, 202);
    assert_eq!(
        world
            .post(&path, &token, "k1", json!({ "by": "phone" }))
            .await,
        first
    );
    assert_eq!(
        world
            .post(&path, &token, "\"k1\"", json!({ "by": "phone" }))
            .await,
        first
    );
    assert_eq!(world.events().len(), 1);
    let event = &world.events()[0];
    assert_eq!(
        (event.kind.as_str(), event.source.as_str()),
        ("resident.declined", "/api")
    );
    assert_eq!(event.id, first.1["id"]);
    assert_eq!(event.data, json!({ "by": "phone" }));

    let (status, body) = world
        .post(&path, &token, "k1", json!({ "by": "visit" }))
        .await;
    assert_eq!((status, &body["code"]), (422, &json!("HUB-API-008")));
    let elsewhere = world
        .post(
            &format!("/v1/cases/{case}/opt-out"),
            &token,
            "k1",
            json!({ "by": "phone" }),
        )
        .await;
    assert_eq!(elsewhere.0, 422);
    assert_eq!(world.events().len(), 1);

    // Another caller's key is another key.
    let other = world.issuer.token("nurse-2", &["nurse"], &[UNIT]);
    let second = world
        .post(&path, &other, "k1", json!({ "by": "phone" }))
        .await;
    assert_eq!(second.0, 202);
    assert_ne!(second.1["id"], first.1["id"]);
}

#[tokio::test]
async fn what_changes_something_needs_a_key() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let (status, body) = world
        .post(
            &format!("/v1/cases/{case}/decline"),
            &world.nurse(),
            "",
            json!({ "by": "phone" }),
        )
        .await;
    assert_eq!((status, &body["code"]), (400, &json!("HUB-API-007")));
    let long = "k".repeat(256);
    assert_eq!(
        world
            .post(
                &format!("/v1/cases/{case}/decline"),
                &world.nurse(),
                &long,
                json!({ "by": "phone" })
            )
            .await
            .0,
        400
    );
    assert!(world.events().is_empty());
}

#[tokio::test]
async fn nothing_is_promised_that_is_not_durable() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let (path, token) = (format!("/v1/cases/{case}/decline"), world.nurse());
    world.hub.down.store(true, Ordering::SeqCst);
    let (status, body) = world
        .post(&path, &token, "k1", json!({ "by": "phone" }))
        .await;
    assert_eq!((status, &body["code"]), (503, &json!("HUB-BUS-001")));
    assert!(!body.to_string().contains("secret"), "{body}");
    world.hub.down.store(false, Ordering::SeqCst);
    assert_eq!(
        world
            .post(&path, &token, "k1", json!({ "by": "phone" }))
            .await
            .0,
        202
    );
    assert_eq!(world.events().len(), 1);
}

#[tokio::test]
async fn many_at_once_are_one() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let (path, token) = (format!("/v1/cases/{case}/decline"), world.nurse());
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (client, url, token) = (
            world.client.clone(),
            format!("http://{}{path}", world.address),
            token.clone(),
        );
        set.spawn(async move {
            let request = client
                .post(url)
                .bearer_auth(token)
                .header("Idempotency-Key", "k1")
                .json(&json!({ "by": "phone" }));
            request.send().await.unwrap().status().as_u16()
        });
    }
    let statuses = set.join_all().await;
    assert!(
        statuses.iter().all(|status| matches!(status, 202 | 409)),
        "{statuses:?}"
    );
    assert!(statuses.contains(&202));
    assert_eq!(world.events().len(), 1);
}
