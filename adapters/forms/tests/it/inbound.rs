//! Answered forms, told and found.

use std::sync::atomic::Ordering;

use halsonav_adapter::Adapter;
use halsonav_neighbours::{
    faults::Fault,
    forms::{Forms as Engine, Settings},
};
use serde_json::json;

use crate::support::{Hub, World, answers, at, case, template};

#[tokio::test]
async fn an_answered_form_becomes_an_event_in_both_spellings() {
    for spelling in ["FormComplete", "FormCompleted"] {
        let world = World::with(|settings| settings.completed = spelling).await;
        let hub = Hub::new(&world);
        let (stop, subscriber) = hub.listen(&world).await;
        world.engine.notify(Some(&subscriber)).unwrap();
        let form = world.placed(&hub, 1).await;
        assert!(hub.heard(&world).await.is_empty(), "FormCreated is no news");
        world
            .engine
            .answer(&form, &answers(), at("2026-09-02T10:00:00Z"))
            .unwrap();
        let events = hub.heard(&world).await;
        assert_eq!(events.len(), 1, "{spelling}");
        let event = &events[0];
        assert_eq!(
            (event.kind.as_str(), event.subject),
            ("form.completed", Some(case(1)))
        );
        assert_eq!(event.correlationkey.as_deref(), Some(form.as_str()));
        assert_eq!(event.time, at("2026-09-02T10:00:00Z"));
        let expect = json!({
            "formId": form,
            "template": "halsoenkat",
            "answers": { "tobak": "aldrig", "mat": ["frukt", "fisk"], "langd": 170.5, "p2b1q2": "Nej & <ja>" },
            "mode": "digital",
        });
        assert_eq!(event.data, expect);
        stop.cancel();
    }
}

#[tokio::test]
async fn the_poller_finds_what_nobody_told() {
    let world = World::new().await;
    let hub = Hub::new(&world);
    let poller = world.forms.clone().pollers().remove(0);
    assert_eq!(poller.every().as_secs(), 3600);
    let mut forms = Vec::new();
    for n in 1..=5 {
        forms.push(world.placed(&hub, n).await);
    }
    assert_eq!(poller.poll(&hub.inlet()).await, Ok(0));
    for form in &forms[..3] {
        world
            .engine
            .answer(form, &answers(), at("2026-09-02T10:00:00Z"))
            .unwrap();
    }
    assert_eq!(poller.poll(&hub.inlet()).await, Ok(3));
    forms[..3].iter().for_each(|form| hub.settle(form));
    assert_eq!(
        poller.poll(&hub.inlet()).await,
        Ok(0),
        "settled forms are not asked for"
    );
    // The notification says the same under the same id.
    let found = hub.by_form();
    let (stop, subscriber) = hub.listen(&world).await;
    world.engine.notify(Some(&subscriber)).unwrap();
    assert_eq!(hub.heard(&world).await.len(), 6);
    assert_eq!(hub.by_form(), found);
    stop.cancel();
}

#[tokio::test]
async fn an_answer_quicker_than_our_note_finds_its_case() {
    let world = World::new().await;
    let (hub, forgetful) = (Hub::new(&world), Hub::new(&world));
    let form = world.placed(&forgetful, 2).await;
    let stranger = world.placed(&forgetful, 77).await;
    world
        .engine
        .answer(&form, &answers(), at("2026-09-02T10:00:00Z"))
        .unwrap();
    world
        .engine
        .answer(&stranger, &answers(), at("2026-09-02T10:00:00Z"))
        .unwrap();
    let (stop, subscriber) = hub.listen(&world).await;
    world.engine.notify(Some(&subscriber)).unwrap();
    let events = hub.heard(&world).await;
    assert_eq!(
        events.len(),
        1,
        "who has no case is thanked for and passed over"
    );
    assert_eq!(
        (events[0].subject, &events[0].data["template"]),
        (Some(case(2)), &json!("halsoenkat"))
    );
    assert_eq!(world.forms.received().counts(), (1, 3));
    stop.cancel();
}

#[tokio::test]
async fn nobody_is_thanked_before_the_fact_is_durable() {
    let world = World::new().await;
    let hub = Hub::new(&world);
    let form = world.placed(&hub, 1).await;
    world
        .engine
        .answer(&form, &answers(), at("2026-09-02T10:00:00Z"))
        .unwrap();
    hub.failures.store(2, Ordering::SeqCst);
    world.engine.faults().push(Fault::Technical);
    let (stop, subscriber) = hub.listen(&world).await;
    world.engine.notify(Some(&subscriber)).unwrap();
    assert_eq!(hub.heard(&world).await.len(), 1);
    assert_eq!(
        hub.failures.load(Ordering::SeqCst),
        0,
        "it came again until it was taken"
    );
    // The poller's facts are no different.
    hub.failures.store(1, Ordering::SeqCst);
    let poller = world.forms.clone().pollers().remove(0);
    assert!(poller.poll(&hub.inlet()).await.is_err());
    stop.cancel();
}

#[tokio::test]
async fn the_engine_remembers_after_a_kill() {
    let world = World::new().await;
    let hub = Hub::new(&world);
    let (answered, open) = (world.placed(&hub, 1).await, world.placed(&hub, 2).await);
    world
        .engine
        .answer(&answered, &answers(), at("2026-09-02T10:00:00Z"))
        .unwrap();
    let settings = Settings::new(
        vec![template()],
        world.folder.path().join("tape.jsonl"),
        world.clock.clone(),
    );
    let again = Engine::start(settings).await.unwrap();
    assert_eq!(again.waiting_notifications(), 3);
    let (forms, cursor) = again.open_forms(0);
    assert_eq!(
        (forms.len(), forms[0].id.as_str(), cursor),
        (1, open.as_str(), 2)
    );
    assert!(again.open_forms(cursor).0.is_empty());
    assert!(
        again
            .answer(&answered, &answers(), at("2026-09-03T10:00:00Z"))
            .is_err(),
        "an answered form is answered"
    );
}
