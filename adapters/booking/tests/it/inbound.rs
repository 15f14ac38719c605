//! What the index tells, and what the hub hears.

use std::{collections::HashSet, sync::atomic::Ordering};

use halsonav_domain::Clock;
use halsonav_neighbours::{
    faults::Fault,
    scheduling::{Scheduling, Settings},
};
use halsonav_rivta::ServerConfig;
use serde_json::json;

use crate::support::{Hub, TYPE, World, at, case, facility, person, unit};

async fn world() -> World {
    World::with(facility(), |config| {
        config.notifications = Some(ServerConfig::loopback())
    })
    .await
}

fn september() -> (halsonav_domain::Timestamp, halsonav_domain::Timestamp) {
    (at("2026-09-14T00:00:00Z"), at("2026-09-30T00:00:00Z"))
}

#[tokio::test]
async fn residents_book_move_and_cancel() {
    let world = world().await;
    let (hub, stop) = Hub::listening(&world).await;
    let (from, to) = september();
    let booking = world
        .system
        .book_as_resident(&person(1), &unit(), from, to, None)
        .unwrap();
    let made = json!({ "bookingId": booking.id, "start": "2026-09-14T06:00:00Z", "end": "2026-09-14T07:00:00Z" });
    assert_eq!(hub.heard(&world).await, [("booking.made".to_owned(), made)]);
    // The hub's storage now knows the booking.
    hub.references
        .lock()
        .unwrap()
        .insert(booking.id.clone(), case(1));
    world
        .system
        .rebook_as_resident(&booking.id, at("2026-09-21T00:00:00Z"), to)
        .unwrap();
    let moved = json!({ "bookingId": booking.id, "start": "2026-09-21T06:00:00Z", "end": "2026-09-21T07:00:00Z" });
    assert_eq!(
        hub.heard(&world).await[1..],
        [("booking.changed".to_owned(), moved)]
    );
    world.system.cancel_as_resident(&booking.id).unwrap();
    assert_eq!(
        hub.heard(&world).await[2..],
        [(
            "booking.cancelled".to_owned(),
            json!({ "bookingId": booking.id })
        )]
    );
    let events = hub.events.lock().unwrap().clone();
    assert!(
        events
            .iter()
            .all(|event| event.subject == Some(case(1)) && event.source == "/adapters/booking")
    );
    assert_eq!(
        events
            .iter()
            .map(|event| &event.id)
            .collect::<HashSet<_>>()
            .len(),
        3
    );
    assert_eq!(events[0].time, world.clock.now());
    stop.cancel();
}

#[tokio::test]
async fn our_own_changes_come_back_as_echoes_and_are_let_go() {
    let world = world().await;
    let id = world.booked(1).await;
    let (hub, stop) = Hub::listening(&world).await;
    assert_eq!(hub.heard(&world).await, []);
    world.deliver(1, "cancel", json!({ "bookingId": id })).await;
    assert_eq!(hub.heard(&world).await, []);
    assert_eq!(world.booking.received().counts(), (0, 0, 2));
    stop.cancel();
}

#[tokio::test]
async fn what_is_not_ours_is_thanked_for_and_counted() {
    let mut other = facility();
    other.time_types.insert(
        0,
        halsonav_neighbours::scheduling::TimeType {
            id: "VACCINATION".into(),
            name: "Vaccination".into(),
            notice: None,
        },
    );
    let world = World::with(other, |config| {
        config.notifications = Some(ServerConfig::loopback())
    })
    .await;
    let (hub, stop) = Hub::listening(&world).await;
    let (from, to) = september();
    // Another kind of time, and a resident without a case.
    world
        .system
        .book_as_resident(&person(1), &unit(), from, to, None)
        .unwrap();
    world
        .system
        .book_as_resident(&person(77), &unit(), from, to, None)
        .unwrap();
    assert_eq!(hub.heard(&world).await, []);
    assert_eq!(world.booking.received().counts(), (0, 2, 0));
    stop.cancel();
}

#[tokio::test]
async fn an_answered_kallelse_is_a_booking_and_no_cancellation() {
    let world = world().await;
    let (hub, stop) = Hub::listening(&world).await;
    let (from, to) = september();
    let invitation = world.system.open_invitation(&person(1), &unit()).unwrap();
    assert_eq!(hub.heard(&world).await, [], "an open kallelse has no time");
    world
        .system
        .book_as_resident(&person(1), &unit(), from, to, Some(&invitation))
        .unwrap();
    let kinds: Vec<_> = hub
        .heard(&world)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert_eq!(kinds, ["booking.made"]);
    // A timed one that is moved stays one booking under its id.
    let timed = world
        .system
        .timed_invitation(&person(2), &unit(), from, to)
        .unwrap();
    world
        .system
        .rebook_as_resident(&timed.id, at("2026-09-21T00:00:00Z"), to)
        .unwrap();
    let kinds: Vec<_> = hub
        .heard(&world)
        .await
        .into_iter()
        .map(|(kind, _)| kind)
        .collect();
    assert!(
        !kinds.contains(&"booking.cancelled".to_owned()),
        "{kinds:?}"
    );
    world.system.cancel_as_resident(&timed.id).unwrap();
    assert_eq!(
        hub.heard(&world).await.last().unwrap().0,
        "booking.cancelled"
    );
    stop.cancel();
}

#[tokio::test]
async fn nobody_is_thanked_before_the_fact_is_durable() {
    let world = world().await;
    let (hub, stop, subscriber) = Hub::open(&world).await;
    hub.failures.store(2, Ordering::SeqCst);
    let (from, to) = september();
    world
        .system
        .book_as_resident(&person(1), &unit(), from, to, None)
        .unwrap();
    world.system.notify(Some(&subscriber)).unwrap();
    assert_eq!(hub.heard(&world).await.len(), 1);
    assert_eq!(
        hub.failures.load(Ordering::SeqCst),
        0,
        "it came again until it was taken"
    );
    stop.cancel();
}

#[tokio::test]
async fn a_booking_system_that_cannot_answer_now_is_asked_again() {
    let world = world().await;
    let (hub, stop, subscriber) = Hub::open(&world).await;
    let (from, to) = september();
    world
        .system
        .book_as_resident(&person(1), &unit(), from, to, None)
        .unwrap();
    // Details and schedule both fail the first time.
    world.system.faults().push(Fault::Technical);
    world.system.faults().push(Fault::Technical);
    world.system.notify(Some(&subscriber)).unwrap();
    assert_eq!(hub.heard(&world).await.len(), 1);
    stop.cancel();
}

#[tokio::test]
async fn the_same_news_has_the_same_id() {
    let world = world().await;
    let (from, to) = september();
    world
        .system
        .book_as_resident(&person(1), &unit(), from, to, None)
        .unwrap();
    let (first, stop) = Hub::listening(&world).await;
    first.heard(&world).await;
    stop.cancel();
    // The booking system was killed before it noted the thanks, and tells again.
    let tape = world.folder.path().join("tape.jsonl");
    let kept: String = std::fs::read_to_string(&tape)
        .unwrap()
        .lines()
        .filter(|line| !line.contains("Notified"))
        .map(|line| format!("{line}\n"))
        .collect();
    let copy = world.folder.path().join("copy.jsonl");
    std::fs::write(&copy, kept).unwrap();
    let system = Scheduling::start(Settings::new(vec![facility()], copy, world.clock.clone()))
        .await
        .unwrap();
    let url = system.url();
    let booking = crate::support::adapter(&url, |config| {
        config.notifications = Some(ServerConfig::loopback())
    });
    let mut again = World::new().await;
    (again.system, again.booking) = (system, booking);
    assert_eq!(again.system.waiting_notifications(), 1);
    let (second, stop) = Hub::listening(&again).await;
    second.heard(&again).await;
    let ids = |hub: &Hub| {
        hub.events
            .lock()
            .unwrap()
            .iter()
            .map(|event| event.id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ids(&second));
    stop.cancel();
}

#[tokio::test]
async fn the_search_is_quick_with_twenty_thousand_bookings() {
    let mut big = facility();
    big.leaders = (0..40)
        .map(|n| halsonav_neighbours::scheduling::Leader {
            id: halsonav_domain::HsaId::new(&format!("L{n}")),
            name: format!("L{n}"),
        })
        .collect();
    let world = World::with(big, |config| config.horizon_days = 365).await;
    let to = at("2027-08-31T00:00:00Z");
    let number = |n: u32| {
        let head = format!(
            "19{:02}{:02}{:02}{:03}",
            50 + n % 49,
            1 + n / 49 % 12,
            1 + n / 588 % 28,
            n / 16464 % 1000
        );
        (0..10)
            .find_map(|digit| halsonav_domain::PersonId::parse(&format!("{head}{digit}")).ok())
            .unwrap()
    };
    let first = at("2026-09-14T00:00:00Z");
    for n in 0..20_000 {
        // 320 times a day, five days a week.
        let near = first + jiff::SignedDuration::from_hours(24 * 7 * i64::from(n / 1600));
        world
            .system
            .book_as_resident(&number(n), &unit(), near, to, None)
            .unwrap();
    }
    let started = std::time::Instant::now();
    let slots = world
        .booking
        .slots(
            &unit(),
            &person(1),
            (first, at("2027-01-31T00:00:00Z")),
            TYPE,
            first,
        )
        .await
        .unwrap();
    assert!(!slots.is_empty());
    eprintln!(
        "{} free times found behind 20 000 bookings in {:?}",
        slots.len(),
        started.elapsed()
    );
}
