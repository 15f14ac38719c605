//! Commands and what becomes of them.

use halsonav_adapter::Outbound;
use halsonav_domain::{Kind, Outcome, PersonId};
use halsonav_neighbours::faults::Fault;
use serde_json::json;

use crate::support::{TYPE, World, at, deliver, done, facility, person, refused, settled, unit};

fn instant(value: &serde_json::Value) -> halsonav_domain::Timestamp {
    at(value.as_str().expect("a text"))
}

#[tokio::test]
async fn the_first_free_time_of_the_window_is_taken() {
    let world = World::new().await;
    let window = json!({ "timeType": TYPE, "notBefore": "2026-09-14T00:00:00Z", "notAfter": "2026-09-20T00:00:00Z" });
    // Two leaders: two at eight, the third at nine.
    for (n, start) in [
        (1, "2026-09-14T06:00:00Z"),
        (2, "2026-09-14T06:00:00Z"),
        (3, "2026-09-14T07:00:00Z"),
    ] {
        let outcome = world.deliver(n, "book", window.clone()).await;
        let Outcome::Done(done) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(instant(&done.result["start"]), at(start), "resident {n}");
        assert_eq!(done.references[0].kind, "booking");
        assert_eq!(done.result["bookingId"], done.references[0].value.as_str());
    }
    assert_eq!(world.system.bookings().len(), 3);
}

#[tokio::test]
async fn the_past_is_never_asked_for() {
    let world = World::new().await;
    world.clock.advance(at("2026-09-01T08:30:00Z"));
    let result = done(
        world
            .deliver(
                1,
                "book",
                json!({ "timeType": TYPE, "notBefore": "2026-08-01T00:00:00Z" }),
            )
            .await,
    );
    assert_eq!(instant(&result["start"]), at("2026-09-01T09:00:00Z"));
    refused(
        world
            .deliver(
                2,
                "book",
                json!({ "timeType": TYPE, "start": "2026-09-01T07:00:00Z" }),
            )
            .await,
    );
    let upside_down = json!({ "timeType": TYPE, "notBefore": "2026-09-03T00:00:00Z", "notAfter": "2026-09-02T00:00:00Z" });
    let outcome = world.deliver(2, "book", upside_down).await;
    assert!(
        matches!(&outcome, Outcome::Failed(problem) if problem.code == "HUB-BOOKING-006"),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn an_exact_start_is_taken_or_refused() {
    let world = World::new().await;
    let exact = json!({ "timeType": TYPE, "start": "2026-10-26T08:00:00Z" });
    for n in 1..=2 {
        let result = done(world.deliver(n, "book", exact.clone()).await);
        assert_eq!(instant(&result["start"]), at("2026-10-26T08:00:00Z"));
        assert_eq!(instant(&result["end"]), at("2026-10-26T09:00:00Z"));
    }
    assert_eq!(
        refused(world.deliver(3, "book", exact).await),
        "Det finns ingen ledig tid."
    );
    refused(
        world
            .deliver(
                3,
                "book",
                json!({ "timeType": TYPE, "start": "2026-10-26T08:17:00Z" }),
            )
            .await,
    );
    refused(
        world
            .deliver(3, "book", json!({ "timeType": "TANDVARD" }))
            .await,
    );
}

#[tokio::test]
async fn a_notice_of_the_booking_system_is_handed_on() {
    let world = World::with(facility().with_notice(TYPE, "Kom fastande."), |_| {}).await;
    let result = done(world.deliver(1, "book", json!({ "timeType": TYPE })).await);
    assert_eq!(result["notice"], "Kom fastande.");
}

#[tokio::test]
async fn a_time_that_others_took_first_gives_way_to_the_next() {
    let world = World::new().await;
    world.system.change_faults().push(Fault::Logical);
    world.system.change_faults().push(Fault::Logical);
    let result = done(
        world
            .deliver(
                1,
                "book",
                json!({ "timeType": TYPE, "notBefore": "2026-09-14T00:00:00Z" }),
            )
            .await,
    );
    // Both leaders' times at eight were refused.
    assert_eq!(instant(&result["start"]), at("2026-09-14T07:00:00Z"));
    (0..5).for_each(|_| world.system.change_faults().push(Fault::Logical));
    assert_eq!(
        refused(world.deliver(2, "book", json!({ "timeType": TYPE })).await),
        "Åtgärden kunde inte utföras."
    );
}

#[tokio::test]
async fn concurrent_bookings_do_not_fight_for_one_time() {
    let world = World::new().await;
    let tasks: Vec<_> = (1..=20)
        .map(|n| {
            let delivery = world.delivery(n, "book", json!({ "timeType": TYPE }));
            let booking = world.booking.clone();
            tokio::spawn(async move { deliver(&booking, "book", delivery).await })
        })
        .collect();
    for task in tasks {
        done(task.await.unwrap());
    }
    assert_eq!(world.system.bookings().len(), 20);
}

#[tokio::test]
async fn an_open_kallelse_is_used_up_once() {
    let world = World::new().await;
    let invitation = world.system.open_invitation(&person(1), &unit()).unwrap();
    let book = json!({ "timeType": TYPE, "invitation": invitation });
    let id = done(world.deliver(1, "book", book.clone()).await)["bookingId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(id, invitation);
    assert!(world.system.booking(&invitation).is_none());
    let again =
        json!({ "timeType": TYPE, "invitation": invitation, "notBefore": "2026-09-14T00:00:00Z" });
    assert_eq!(
        refused(world.deliver(1, "book", again).await),
        "Kallelsen är redan använd."
    );
    assert_eq!(world.system.bookings().len(), 1);
}

#[tokio::test]
async fn a_timed_kallelse_is_moved_and_not_booked() {
    let world = World::new().await;
    let (from, to) = (at("2026-09-07T00:00:00Z"), at("2026-09-30T00:00:00Z"));
    let timed = world
        .system
        .timed_invitation(&person(1), &unit(), from, to)
        .unwrap();
    let book =
        json!({ "timeType": TYPE, "invitation": timed.id, "notBefore": "2026-09-21T00:00:00Z" });
    let result = done(world.deliver(1, "book", book).await);
    assert_eq!(result["bookingId"], timed.id.as_str());
    let moved = world.system.booking(&timed.id).unwrap();
    assert_eq!(moved.slot.unwrap().start, at("2026-09-21T06:00:00Z"));
    assert!(!moved.invitation, "it is a booking now");
    assert_eq!(world.system.bookings().len(), 1);
}

#[tokio::test]
async fn a_booking_is_moved() {
    let world = World::new().await;
    let id = world.booked(1).await;
    let result = done(
        world
            .deliver(
                1,
                "rebook",
                json!({ "timeType": TYPE, "bookingId": id, "notBefore": "2026-09-14T00:00:00Z" }),
            )
            .await,
    );
    assert_eq!(result["bookingId"], id.as_str());
    assert_eq!(instant(&result["start"]), at("2026-09-14T06:00:00Z"));
    assert_eq!(world.system.bookings().len(), 1);
    let gone = json!({ "timeType": TYPE, "bookingId": "BK-999999" });
    assert_eq!(
        refused(world.deliver(1, "rebook", gone).await),
        "Bokningen finns inte."
    );
}

#[tokio::test]
async fn cancelling_does_no_harm() {
    let world = World::new().await;
    let id = world.booked(1).await;
    assert_eq!(
        done(world.deliver(1, "cancel", json!({})).await),
        json!({ "cancelled": false })
    );
    assert_eq!(
        done(
            world
                .deliver(1, "cancel", json!({ "bookingId": "BK-999999" }))
                .await
        ),
        json!({ "cancelled": false })
    );
    world.system.change_faults().push(Fault::Logical);
    assert_eq!(
        refused(world.deliver(1, "cancel", json!({ "bookingId": id })).await),
        "Åtgärden kunde inte utföras."
    );
    assert_eq!(
        done(world.deliver(1, "cancel", json!({ "bookingId": id })).await),
        json!({ "cancelled": true })
    );
    assert!(world.system.bookings().is_empty());
}

#[tokio::test]
async fn a_lookup_tells_what_is_there_and_what_is_not() {
    let world = World::new().await;
    let id = world.booked(1).await;
    let there = done(world.deliver(1, "lookup", json!({ "bookingId": id })).await);
    assert_eq!(there["exists"], true);
    assert_eq!(instant(&there["start"]), at("2026-09-01T06:00:00Z"));
    let gone = done(
        world
            .deliver(1, "lookup", json!({ "bookingId": "BK-999999" }))
            .await,
    );
    assert_eq!(gone, json!({ "exists": false, "start": null, "end": null }));
}

#[tokio::test]
async fn technical_errors_are_passing_and_nothing_happened() {
    let world = World::new().await;
    world.system.change_faults().push(Fault::Technical);
    let outcome = world.deliver(1, "book", json!({ "timeType": TYPE })).await;
    assert!(
        matches!(&outcome, Outcome::Failed(problem) if problem.kind == Kind::Unavailable),
        "{outcome:?}"
    );
    world.system.faults().push(Fault::LoseAnswer);
    let outcome = world.deliver(1, "book", json!({ "timeType": TYPE })).await;
    assert!(
        matches!(&outcome, Outcome::Failed(_)),
        "a question that got no answer left nothing behind: {outcome:?}"
    );
    assert!(world.system.bookings().is_empty());
}

#[tokio::test]
async fn a_number_that_the_contract_cannot_carry_is_invalid() {
    let world = World::new().await;
    let mut delivery = world.delivery(1, "book", json!({ "timeType": TYPE }));
    delivery.identity.as_mut().unwrap().person_id = PersonId::parse("22840101AB1C").unwrap();
    let outcome = deliver(&world.booking, "book", delivery).await;
    assert!(
        matches!(&outcome, Outcome::Failed(problem) if problem.code == "HUB-BOOKING-004"),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_booking_of_another_time_settles_too() {
    let world = World::new().await;
    world
        .system
        .book_as_resident(
            &person(1),
            &unit(),
            at("2026-09-14T00:00:00Z"),
            at("2026-09-15T00:00:00Z"),
            None,
        )
        .unwrap();
    let book = world.delivery(
        1,
        "book",
        json!({ "timeType": TYPE, "start": "2026-09-21T06:00:00Z" }),
    );
    let result = settled(world.booking.reconcile("book", &book).await);
    assert_eq!(
        instant(&result["start"]),
        at("2026-09-14T06:00:00Z"),
        "never two times for one resident"
    );
}

#[tokio::test]
async fn staff_see_free_times() {
    let world = World::new().await;
    world.booked(1).await;
    let (from, to) = (at("2026-09-01T00:00:00Z"), at("2026-09-16T00:00:00Z"));
    let slots = world
        .booking
        .slots(
            &unit(),
            &person(1),
            (from, to),
            TYPE,
            at("2026-09-01T06:00:00Z"),
        )
        .await
        .unwrap();
    // Eleven working days, eight hours, two leaders, one time gone.
    assert_eq!(slots.len(), 11 * 8 * 2 - 1);
    assert!(slots.is_sorted_by_key(|slot| slot.start));
    let beyond = at("2028-09-01T00:00:00Z");
    assert!(
        world
            .booking
            .slots(&unit(), &person(1), (from, beyond), TYPE, from)
            .await
            .is_err()
    );
}
