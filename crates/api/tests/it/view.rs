//! What is shown, and to whom.

use serde_json::json;

use crate::world::*;

#[tokio::test]
async fn a_case_tells_what_it_waits_for() {
    let world = World::new().await;
    let (_, case, work) = world.case(1, UNIT);
    let (status, body) = world
        .get(&format!("/v1/cases/{case}"), &world.nurse())
        .await;
    assert_eq!(status, 200);
    assert_eq!(body["waitingFor"], "Call");
    assert_eq!(body["nextWake"], json!(at(1000)));
    assert_eq!(
        body["milestones"],
        json!([{ "name": "invited", "at": at(1) }])
    );
    assert_eq!(
        body["openWork"],
        json!([{ "no": work.0, "form": "call", "due": at(500) }])
    );
    assert!(body.get("subject").is_none());
}

#[tokio::test]
async fn a_person_is_found_by_the_body_of_a_search() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    world.case(2, OTHER);
    for (n, found) in [(1, 1), (2, 0), (3, 0)] {
        let (status, body) = world
            .post(
                "/v1/cases:search",
                &world.nurse(),
                "",
                json!({ "personId": person(n).expose() }),
            )
            .await;
        assert_eq!((status, body.as_array().unwrap().len()), (200, found));
        if found == 1 {
            assert_eq!(body[0]["id"], case.to_string());
        }
    }
    let (status, body) = world
        .post(
            "/v1/cases:search",
            &world.nurse(),
            "",
            json!({ "personId": "191212121213" }),
        )
        .await;
    assert_eq!(status, 422);
    assert!(!body.to_string().contains("1912"));
}

#[tokio::test]
async fn a_protected_person_is_shown_to_coordinators_alone() {
    let world = World::new().await;
    let (_, open, _) = world.case(1, UNIT);
    let (_, protected, _) = world.case(99, UNIT);
    let (status, body) = world
        .get(&format!("/v1/cases/{open}/identity"), &world.nurse())
        .await;
    assert_eq!(
        (status, &body["name"], &body["protected"]),
        (200, &json!("Kanarie Fågelström"), &json!(false))
    );
    assert_eq!(body["address"], json!(["Burgatan 1", "57131 Nässjö"]));
    assert_eq!(
        world
            .get(&format!("/v1/cases/{protected}/identity"), &world.nurse())
            .await
            .0,
        403
    );
    let coordinator = world.issuer.token("c", &["coordinator"], &[UNIT]);
    let (status, body) = world
        .get(&format!("/v1/cases/{protected}/identity"), &coordinator)
        .await;
    assert_eq!((status, &body["protected"]), (200, &json!(true)));
}

#[tokio::test]
async fn pictures_cannot_run_anything() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let nurse = world.nurse();
    let response = world
        .send(
            reqwest::Method::GET,
            &format!("/v1/cases/{case}/profile.svg"),
            &nurse,
            None,
            None,
        )
        .await;
    assert_eq!(response.headers()["content-type"], "image/svg+xml");
    assert!(
        response.headers()["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("sandbox")
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert_eq!(response.text().await.unwrap(), "<svg/>");
    assert_eq!(
        world
            .get(&format!("/v1/cases/{case}/documents/letter/x"), &nurse)
            .await
            .0,
        404
    );
    assert_eq!(
        world
            .get(&format!("/v1/cases/{case}/profile"), &nurse)
            .await
            .1["data"]["levels"]["smoke"],
        "green"
    );
}

#[tokio::test]
async fn statistics_hide_the_few() {
    let world = World::new().await;
    for n in 1..=3 {
        world.case(n, UNIT);
    }
    for n in 11..=20 {
        world.case(n, OTHER);
    }
    let (status, body) = world
        .get("/v1/rounds/2026/statistics", &world.nurse())
        .await;
    assert_eq!(status, 200);
    // Three at one unit: neither they, nor the other unit's count from which they would follow.
    assert_eq!(body["standing"][0]["invited"], json!(null));
    assert_eq!(body["standing"][1]["invited"], json!(null));
    assert_eq!(body["invited"], 13);
    let (_, funnel) = world.get("/v1/rounds/2026/funnel", &world.nurse()).await;
    assert_eq!(
        funnel,
        json!([{ "unit": UNIT, "milestone": "invited", "cases": 3 }])
    );
}

#[tokio::test]
async fn health_is_open_and_says_little() {
    let world = World::new().await;
    assert_eq!(world.get("/health/live", "").await.0, 204);
    assert_eq!(
        world.get("/health/ready", "").await,
        (
            200,
            json!({ "ready": true, "parts": [{ "name": "bus", "ok": true }] })
        )
    );
    world
        .hub
        .down
        .store(true, std::sync::atomic::Ordering::SeqCst);
    let (status, body) = world.get("/health/ready", "").await;
    assert_eq!(status, 503);
    assert!(!body.to_string().contains("secret"));
    assert_eq!(world.get("/metrics", "").await.0, 401);
    let monitor = world.issuer.token("m", &["monitor"], &[]);
    assert_eq!(world.get("/metrics", &monitor).await.0, 200);
}

#[tokio::test]
async fn the_monitor_needs_no_token_and_has_nothing_else() {
    let world = World::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stop = tokio_util::sync::CancellationToken::new();
    let running = tokio::spawn(halsonav_api::monitor(
        world.hub.clone(),
        listener,
        stop.clone(),
    ));
    let get = async |path: &str| {
        let asked = world.client.get(format!("http://{address}{path}"));
        let answer = asked.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/health/live").await.0, 204);
    assert_eq!(get("/health/ready").await.0, 200);
    assert_eq!(get("/metrics").await, (200, "halsonav_up 1\n".to_owned()));
    for path in ["/", "/openapi.json", "/v1/cases", "/v1/rounds"] {
        assert_eq!(get(path).await.0, 404, "{path}");
    }
    stop.cancel();
    running.await.unwrap().unwrap();
}
