//! Everything said on the wire against the official schemas, where they are at hand.

use halsonav_domain::Outcome;
use halsonav_neighbours::{faults::Fault, wiretap};
use halsonav_rivta::engagement::{self, Engagement, PROCESS_NOTIFICATION};
use serde_json::json;

use crate::support::{TYPE, World, at, facility, person, unit};

#[tokio::test]
async fn all_messages_are_valid() {
    let world = World::with(facility().with_notice(TYPE, "Kom fastande."), |_| {}).await;
    world.system.wiretap().listen();
    let invitation = world.system.open_invitation(&person(1), &unit()).unwrap();
    world
        .deliver(
            1,
            "book",
            json!({ "timeType": TYPE, "invitation": invitation }),
        )
        .await;
    let id = world.booked(2).await;
    world.deliver(2, "lookup", json!({ "bookingId": id })).await;
    let timed = world
        .system
        .timed_invitation(
            &person(3),
            &unit(),
            at("2026-09-07T00:00:00Z"),
            at("2026-09-30T00:00:00Z"),
        )
        .unwrap();
    world
        .deliver(3, "lookup", json!({ "bookingId": timed.id }))
        .await;
    world
        .deliver(
            2,
            "rebook",
            json!({ "timeType": TYPE, "bookingId": id, "notBefore": "2026-09-14T00:00:00Z" }),
        )
        .await;
    world.deliver(2, "cancel", json!({ "bookingId": id })).await;
    world.deliver(2, "cancel", json!({ "bookingId": id })).await;
    world.system.change_faults().push(Fault::Logical);
    let outcome = world
        .deliver(
            4,
            "book",
            json!({ "timeType": TYPE, "start": "2026-09-14T06:00:00Z" }),
        )
        .await;
    assert!(
        matches!(outcome, Outcome::Done(_)),
        "the other leader had time: {outcome:?}"
    );
    let heard = world.system.wiretap().heard();
    assert!(heard.len() >= 24, "{}", heard.len());
    for contract in [
        "GetAvailableTimeslots",
        "GetBookingDetails",
        "GetSubjectOfCareSchedule",
        "MakeBooking",
        "UpdateBooking",
        "CancelBooking",
    ] {
        assert!(
            heard
                .iter()
                .any(|envelope| envelope.contains(&format!("{contract}Response>"))),
            "{contract} was not heard"
        );
    }
    if let Some(verdict) = wiretap::validate(&heard).unwrap() {
        verdict.unwrap();
    }
}

#[test]
fn notifications_are_valid() {
    let engagement = Engagement {
        deleted: true,
        resident: "191212121212".into(),
        service_domain: "riv:crm:scheduling".into(),
        categorization: "Booking".into(),
        logical_address: "SE2321000156-TEST1".into(),
        object: "BK-1".into(),
        interest: "NA".into(),
        most_recent: Some(at("2026-09-14T06:00:00Z")),
        source_system: "SE2321000156-BOOK".into(),
        created: Some(at("2026-09-01T06:00:00Z")),
        updated: Some(at("2026-09-01T06:00:00Z")),
        data_controller: "2321000156".into(),
        owner: None,
    };
    let present = Engagement {
        deleted: false,
        ..engagement.clone()
    };
    let envelope = |body: String, header: &str| {
        format!(
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
    };
    let address = "<i:LogicalAddress xmlns:i=\"urn:riv:itintegration:registry:1\">SE2321000156-HUB</i:LogicalAddress>";
    let envelopes = [
        envelope(
            engagement::write(&PROCESS_NOTIFICATION, &[engagement, present]),
            address,
        ),
        envelope(engagement::taken(&PROCESS_NOTIFICATION), ""),
    ];
    if let Some(verdict) = wiretap::validate(&envelopes).unwrap() {
        verdict.unwrap();
    }
}

#[test]
fn the_example_in_the_readme_is_a_configuration() {
    let readme = include_str!("../../README.md");
    let example = readme
        .split("```toml")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let file: toml::Value = toml::from_str(example).unwrap();
    let part = file["adapters"]["booking"].clone();
    let config: halsonav_booking::Config = part.try_into().unwrap();
    assert!(config.notifications.is_some());
}
