//! Everything said on the wire against the official schemas, where they are at hand.

use halsonav_adapter::{Adapter, Outbound};
use halsonav_neighbours::{faults::Fault, wiretap};
use serde_json::json;

use crate::support::{Hub, World, answers, at, request};

#[tokio::test]
async fn all_messages_are_valid() {
    let world = World::new().await;
    let hub = Hub::new(&world);
    world.engine.wiretap().listen();
    let (form, other) = (world.placed(&hub, 1).await, world.placed(&hub, 2).await);
    world
        .engine
        .answer(&form, &answers(), at("2026-09-02T10:00:00Z"))
        .unwrap();
    let poller = world.forms.clone().pollers().remove(0);
    assert_eq!(poller.poll(&hub.inlet()).await, Ok(1));
    world
        .forms
        .reconcile(
            "cancel",
            &world.delivery(2, "cancel", json!({ "formId": other })),
        )
        .await;
    world.deliver(2, "cancel", json!({ "formId": other })).await;
    world.deliver(2, "cancel", json!({ "formId": other })).await;
    world.engine.faults().push(Fault::Logical);
    world.deliver(2, "request", request()).await;
    let kept = json!({ "template": "halsoenkat", "version": "2", "expires": "2026-09-30", "keepUntil": "2026-12-31" });
    world.deliver(3, "request", kept).await;
    let heard = world.engine.wiretap().heard();
    for contract in ["CreateFormRequest", "GetForm", "GetForms", "CancelForm"] {
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
fn the_example_in_the_readme_is_a_configuration() {
    let readme = include_str!("../../README.md");
    let example = readme
        .split("```toml")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    let file: toml::Value = toml::from_str(example).unwrap();
    let part = file["adapters"]["forms"].clone();
    let config: halsonav_forms::Config = part.try_into().unwrap();
    assert!(config.notifications.is_some());
}
