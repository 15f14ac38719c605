//! The contract of every adapter.

use halsonav_adapter::{Adapter, Outbound, conformance};
use halsonav_domain::Outcome;
use halsonav_neighbours::{faults::Fault, forms::Status};
use serde_json::json;

use crate::support::{Hub, World, adapter, deliver, request};

#[tokio::test]
async fn bad_payloads_are_invalid() {
    let world = World::new().await;
    for operation in world.forms.operations() {
        conformance::bad_payload_is_invalid(
            &*world.forms,
            operation.name,
            world.delivery(1, operation.name, json!({})),
        )
        .await;
    }
    assert_eq!(world.engine.count(), 0);
}

#[tokio::test]
async fn an_engine_that_is_away_is_unavailable() {
    let world = World::new().await;
    let away = adapter("http://127.0.0.1:1/");
    for (operation, payload) in [("request", request()), ("cancel", json!({ "formId": "F" }))] {
        conformance::refused_connection_is_unavailable(
            &*away,
            operation,
            world.delivery(1, operation, payload),
        )
        .await;
    }
    assert!(away.check().await.is_err());
    assert_eq!(world.forms.check().await, Ok(()));
}

#[tokio::test]
async fn a_cancelled_form_is_cancelled_once() {
    let world = World::new().await;
    let form = world.placed(&Hub::new(&world), 1).await;
    let gone = || usize::from(world.engine.form(&form).unwrap().status == Status::Cancelled);
    let delivery = world.delivery(1, "cancel", json!({ "formId": form }));
    conformance::same_id_acts_once(&*world.forms, "cancel", delivery, gone).await;
}

#[tokio::test]
async fn a_form_whose_answer_was_lost_is_found() {
    for fault in [Fault::LoseAnswer, Fault::WrongAnswer] {
        let world = World::new().await;
        let delivery = world.delivery(1, "request", request());
        conformance::never_sent_is_absent(&*world.forms, "request", delivery.clone()).await;
        world.engine.faults().push(fault);
        let outcome = deliver(&world.forms, "request", delivery.clone()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        conformance::lost_answer_is_settled(&*world.forms, "request", delivery).await;
        assert_eq!(world.engine.count(), 1);
    }
}

#[tokio::test]
async fn a_form_that_never_arrived_is_absent() {
    for fault in [Fault::DropRequest, Fault::Garbage] {
        let world = World::new().await;
        world.engine.faults().push(fault);
        let delivery = world.delivery(1, "request", request());
        let outcome = deliver(&world.forms, "request", delivery.clone()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        conformance::never_sent_is_absent(&*world.forms, "request", delivery).await;
    }
}

#[tokio::test]
async fn a_cancellation_is_reconciled_too() {
    let world = World::new().await;
    let form = world.placed(&Hub::new(&world), 1).await;
    let delivery = world.delivery(1, "cancel", json!({ "formId": form }));
    conformance::never_sent_is_absent(&*world.forms, "cancel", delivery.clone()).await;
    world.engine.faults().push(Fault::LoseAnswer);
    let outcome = deliver(&world.forms, "cancel", delivery.clone()).await;
    assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    conformance::lost_answer_is_settled(&*world.forms, "cancel", delivery).await;
}
