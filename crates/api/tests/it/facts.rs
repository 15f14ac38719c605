//! What is told becomes the fact that the processor reads.

use halsonav_api::Format;
use serde_json::{Value, json};

use crate::world::*;

async fn check(path: &str, body: Value, status: u16, kind: &str, data: Value) {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let token = world
        .issuer
        .token("x", &["coordinator", "operator"], &["*"]);
    let answer = world
        .post(&path.replace("CASE", &case.to_string()), &token, "k", body)
        .await;
    assert_eq!(answer.0, status, "{path}: {}", answer.1);
    match world.events().as_slice() {
        [] => assert_eq!(kind, "", "{path}"),
        [event] => assert_eq!((event.kind.as_str(), &event.data), (kind, &data), "{path}"),
        more => panic!("{more:?}"),
    }
}

#[tokio::test]
async fn facts_have_the_shape_of_their_type() {
    check(
        "/v1/cases/CASE/opt-out",
        json!({ "by": "letter" }),
        202,
        "resident.opted-out",
        json!({ "by": "letter" }),
    )
    .await;
    let consent = json!({ "project": "p-1", "given": false });
    check(
        "/v1/cases/CASE/consents",
        consent.clone(),
        202,
        "consent.given",
        consent,
    )
    .await;
    let booking = json!({ "bookingId": "B1", "start": at(1000), "end": at(2000) });
    check(
        "/v1/cases/CASE/bookings",
        booking.clone(),
        202,
        "booking.made",
        booking,
    )
    .await;
    let by = "user:x";
    check(
        "/v1/cases/CASE/cancel",
        json!({ "reason": "moved" }),
        202,
        "operator.cancel",
        json!({ "reason": "moved", "by": by }),
    )
    .await;
    let set = json!({ "variables": { "a": 1 }, "scope": 0, "reason": "r", "by": by });
    check(
        "/v1/cases/CASE/variables",
        json!({ "variables": { "a": 1 }, "reason": "r" }),
        202,
        "operator.set-variables",
        set,
    )
    .await;
    let form =
        json!({ "formId": "", "template": "halsa", "answers": { "smoke": "no" }, "mode": "paper" });
    check(
        "/v1/cases/CASE/forms/halsa/answers",
        json!({ "answers": { "smoke": "no" }, "mode": "paper" }),
        202,
        "form.completed",
        form,
    )
    .await;
    let retry = json!({ "incident": 9, "variables": {}, "reason": "again", "by": by });
    check(
        "/v1/incidents/1/retry",
        json!({ "reason": "again" }),
        202,
        "operator.retry",
        retry,
    )
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    for (path, body, status) in [
        ("/v1/cases/CASE/decline", json!({ "by": "pigeon" }), 400),
        (
            "/v1/cases/CASE/decline",
            json!({ "by": "phone", "x": 1 }),
            400,
        ),
        ("/v1/cases/CASE/decline", json!({}), 400),
        ("/v1/cases/CASE/decline", json!([]), 400),
        (
            "/v1/cases/CASE/bookings",
            json!({ "bookingId": "B1", "start": at(1000) }),
            422,
        ),
        (
            "/v1/cases/CASE/bookings",
            json!({ "bookingId": "B1", "start": at(1000), "end": at(1000) }),
            422,
        ),
        (
            "/v1/cases/CASE/bookings",
            json!({ "start": at(-1000) }),
            422,
        ),
        (
            "/v1/cases/CASE/forms/unknown/answers",
            json!({ "answers": {}, "mode": "paper" }),
            404,
        ),
        (
            "/v1/cases/CASE/forms/halsa/answers",
            json!({ "answers": {}, "mode": "paper" }),
            422,
        ),
        (
            "/v1/cases/CASE/forms/halsa/answers",
            json!({ "answers": { "smoke": 1 }, "mode": "digital" }),
            400,
        ),
    ] {
        check(path, body, status, "", Value::Null).await;
    }
}

#[tokio::test]
async fn values_reasons_and_names_have_limits() {
    for (path, body, status) in [
        (
            "/v1/cases/CASE/measurements",
            json!({ "observations": [] }),
            422,
        ),
        (
            "/v1/cases/CASE/measurements",
            json!({ "observations": [{ "code": "height", "value": 1.8, "unit": "cm" }] }),
            422,
        ),
        (
            "/v1/cases/CASE/measurements",
            json!({ "observations": [{ "code": "height", "value": 180, "unit": "m" }] }),
            422,
        ),
        ("/v1/cases/CASE/cancel", json!({ "reason": "  " }), 422),
        (
            "/v1/cases/CASE/cancel",
            json!({ "reason": "191212121212 rang" }),
            422,
        ),
        (
            "/v1/cases/CASE/cancel",
            json!({ "reason": "19121212-1212" }),
            422,
        ),
        (
            "/v1/messages",
            json!({ "name": "operator.cancel", "correlationKey": "k" }),
            422,
        ),
        (
            "/v1/messages",
            json!({ "name": "work-item.completed", "correlationKey": "k" }),
            422,
        ),
        (
            "/v1/messages",
            json!({ "name": "a", "correlationKey": "191212121212" }),
            422,
        ),
    ] {
        check(path, body, status, "", Value::Null).await;
    }
}

#[tokio::test]
async fn an_error_never_repeats_what_was_sent() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    for body in [
        json!({ "by": "191212121212" }),
        json!({ "191212121213": "x" }),
        json!({ "by": { "Kanarie": 1 } }),
    ] {
        let (_, answer) = world
            .post(
                &format!("/v1/cases/{case}/decline"),
                &world.nurse(),
                "k",
                body,
            )
            .await;
        let text = answer.to_string();
        assert!(
            !text.contains("1912") && !text.contains("Kanarie"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_message_goes_by_its_key() {
    let world = World::new().await;
    let token = world.issuer.token("x", &["integration"], &["*"]);
    let body =
        json!({ "name": "sample.delivered", "correlationKey": "ORDER1", "variables": { "n": 1 } });
    assert_eq!(world.post("/v1/messages", &token, "k", body).await.0, 202);
    let event = world.events().remove(0);
    assert_eq!(
        (event.subject, event.correlationkey.as_deref()),
        (None, Some("ORDER1"))
    );
}

#[tokio::test]
async fn measurements_join_those_that_are_there() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let path = format!("/v1/cases/{case}/measurements");
    let one =
        |code: &str, value: f64, unit: &str| json!({ "code": code, "value": value, "unit": unit });
    let first = json!({ "observations": [one("height", 180.0, "cm"), one("weight", 80.0, "kg")] });
    assert_eq!(world.post(&path, &world.nurse(), "a", first).await.0, 202);
    let second = json!({ "observations": [one("weight", 79.0, "kg")] });
    assert_eq!(world.post(&path, &world.nurse(), "b", second).await.0, 202);
    assert_eq!(world.events()[0].kind, "measurements.taken");
    let (_, records) = world
        .get(
            &format!("/v1/cases/{case}/records?kind=measurements"),
            &world.nurse(),
        )
        .await;
    let values: Vec<_> = records[0]["data"]["observations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["value"].as_f64().unwrap())
        .collect();
    assert_eq!(values, [180.0, 79.0]);
}

#[tokio::test]
async fn a_roster_goes_through_the_door() {
    let world = World::new().await;
    let token = world.issuer.token("x", &["region-admin"], &["*"]);
    let send = |kind: &'static str, file: Vec<u8>, key: &'static str| {
        let url = format!("http://{}/v1/cohorts?round=2026", world.address);
        let request = world
            .client
            .post(url)
            .bearer_auth(&token)
            .header("Idempotency-Key", key)
            .header("Content-Type", kind);
        async move { request.body(file).send().await.unwrap().status().as_u16() }
    };
    // Larger than other bodies may be, and personal identity numbers belong in it.
    let file = "191212121212\n".repeat(20_000).into_bytes();
    assert_eq!(send("text/csv", file.clone(), "k").await, 202);
    assert_eq!(send("text/csv", file.clone(), "k").await, 202);
    assert_eq!(send("application/x-ndjson", file, "k").await, 422);
    assert_eq!(send("application/zip", vec![1], "k2").await, 415);
    assert_eq!(send("text/csv", vec![], "k3").await, 400);
    let uploads = world.hub.uploads.lock().unwrap();
    assert_eq!(uploads.len(), 1);
    assert_eq!(
        (uploads[0].format, uploads[0].by.as_str()),
        (Format::Csv, "user:x")
    );
    assert!(!format!("{:?}", uploads[0]).contains("1912"));
}

#[tokio::test]
async fn a_fact_belongs_to_the_trace_of_the_request() {
    let world = World::new().await;
    let (_, case, _) = world.case(1, UNIT);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for (key, told, kept) in [
        ("1", Some(trace), Some(trace)),
        ("2", None, None),
        // Whatever else it is, it would go to neighbours.
        ("3", Some("00-191212121212-1-01"), None),
    ] {
        let path = format!("http://{}/v1/cases/{case}/consents", world.address);
        let mut request = world
            .client
            .post(path)
            .bearer_auth(world.nurse())
            .header("Idempotency-Key", key)
            .json(&json!({ "project": key, "given": true }));
        if let Some(told) = told {
            request = request.header("traceparent", told);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 202);
        let events = world.events();
        let event = events.last().unwrap();
        assert_eq!(event.data["project"], key);
        assert_eq!(event.traceparent.as_deref(), kept);
    }
}
