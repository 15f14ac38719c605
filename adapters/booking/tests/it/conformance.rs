//! The contract of every adapter.

use halsonav_adapter::{Adapter, Outbound, conformance};
use halsonav_domain::Outcome;
use halsonav_neighbours::faults::Fault;
use serde_json::json;

use crate::support::{TYPE, World, adapter};

#[tokio::test]
async fn bad_payloads_are_invalid() {
    let world = World::new().await;
    for operation in world.booking.operations() {
        let delivery = world.delivery(1, operation.name, json!({}));
        conformance::bad_payload_is_invalid(&*world.booking, operation.name, delivery).await;
    }
    assert!(world.system.bookings().is_empty());
}

#[tokio::test]
async fn a_system_that_is_away_is_unavailable() {
    let world = World::new().await;
    let away = adapter("http://127.0.0.1:1/", |_| {});
    let payloads = [
        ("book", json!({ "timeType": TYPE })),
        ("rebook", json!({ "timeType": TYPE, "bookingId": "BK-1" })),
        ("cancel", json!({ "bookingId": "BK-1" })),
        ("lookup", json!({ "bookingId": "BK-1" })),
    ];
    for (operation, payload) in payloads {
        conformance::refused_connection_is_unavailable(
            &*away,
            operation,
            world.delivery(1, operation, payload),
        )
        .await;
    }
    assert!(away.check().await.is_err());
    assert_eq!(world.booking.check().await, Ok(()));
}

#[tokio::test]
async fn a_cancelled_booking_is_cancelled_once() {
    let world = World::new().await;
    let id = world.booked(1).await;
    let delivery = world.delivery(1, "cancel", json!({ "bookingId": id }));
    let gone = || 1 - world.system.bookings().len();
    conformance::same_id_acts_once(&*world.booking, "cancel", delivery, gone).await;
}

#[tokio::test]
async fn a_booking_whose_answer_was_lost_is_found() {
    for fault in [Fault::LoseAnswer, Fault::WrongAnswer] {
        let world = World::new().await;
        world.system.change_faults().push(fault);
        let delivery = world.delivery(1, "book", json!({ "timeType": TYPE }));
        conformance::never_sent_is_absent(&*world.booking, "book", delivery.clone()).await;
        let outcome = crate::support::deliver(&world.booking, "book", delivery.clone()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        conformance::lost_answer_is_settled(&*world.booking, "book", delivery).await;
        assert_eq!(world.system.bookings().len(), 1);
    }
}

#[tokio::test]
async fn a_booking_that_never_arrived_is_absent() {
    for fault in [Fault::DropRequest, Fault::Garbage] {
        let world = World::new().await;
        world.system.change_faults().push(fault);
        let delivery = world.delivery(1, "book", json!({ "timeType": TYPE }));
        let outcome = crate::support::deliver(&world.booking, "book", delivery.clone()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
        conformance::never_sent_is_absent(&*world.booking, "book", delivery).await;
    }
}

#[tokio::test]
async fn moves_and_cancellations_are_reconciled_too() {
    let world = World::new().await;
    let id = world.booked(1).await;
    let rebook = world.delivery(
        1,
        "rebook",
        json!({ "timeType": TYPE, "bookingId": id, "notBefore": "2026-09-10T00:00:00Z" }),
    );
    let cancel = world.delivery(1, "cancel", json!({ "bookingId": id }));
    for (operation, delivery) in [("rebook", rebook), ("cancel", cancel)] {
        conformance::never_sent_is_absent(&*world.booking, operation, delivery.clone()).await;
        world.system.change_faults().push(Fault::LoseAnswer);
        let outcome = crate::support::deliver(&world.booking, operation, delivery.clone()).await;
        assert!(
            matches!(outcome, Outcome::Unknown(_)),
            "{operation}: {outcome:?}"
        );
        conformance::lost_answer_is_settled(&*world.booking, operation, delivery).await;
    }
}
