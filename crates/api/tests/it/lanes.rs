//! Stopping and starting the commands of an adapter.

use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn an_operator_stops_and_starts_a_lane() {
    let world = World::new().await;
    let token = world.issuer.token("op", &["operator"], &["*"]);
    let why = json!({ "reason": "the wrong sender" });
    let (status, list) = world.get("/v1/lanes", &token).await;
    assert_eq!(
        (status, &list),
        (
            200,
            &json!([{ "adapter": "messaging" }, { "adapter": "print" }])
        )
    );
    let stopped = world
        .post("/v1/lanes/print/stop", &token, "k1", why.clone())
        .await;
    assert_eq!(stopped.0, 202);
    let list = world.get("/v1/lanes", &token).await.1;
    assert_eq!(list[0], json!({ "adapter": "messaging" }));
    assert_eq!(
        list[1],
        json!({ "adapter": "print", "stopped": at(10), "by": "user:op", "why": "the wrong sender" })
    );
    let unknown = world.post("/v1/lanes/fax/stop", &token, "k2", why.clone());
    assert_eq!(unknown.await.0, 404);
    let empty = json!({ "reason": " " });
    let silent = world.post("/v1/lanes/print/start", &token, "k3", empty);
    assert_eq!(silent.await.0, 422);
    let started = world.post("/v1/lanes/print/start", &token, "k4", why).await;
    assert_eq!(started.0, 202);
    assert_eq!(
        world.get("/v1/lanes", &token).await.1[1],
        json!({ "adapter": "print" })
    );
    let log = world
        .storage
        .read(|r| r.audit_page(&Default::default(), None, 100))
        .unwrap();
    let told: Vec<_> = log
        .iter()
        .map(|it| (it.entry.purpose.as_str(), it.entry.actor.as_str()))
        .filter(|(purpose, _)| purpose.ends_with("-lane"))
        .collect();
    assert_eq!(told, [("stop-lane", "user:op"), ("start-lane", "user:op")]);
}
