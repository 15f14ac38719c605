//! Commands and what becomes of them.

use halsonav_adapter::{Outbound, Reconciled};
use halsonav_domain::{Kind, Outcome};
use halsonav_neighbours::faults::Fault;
use serde_json::json;

use crate::support::{Hub, World, answers, at, done, person, request};

#[tokio::test]
async fn a_form_is_placed_with_the_resident() {
    let world = World::new().await;
    let outcome = world
        .deliver(
            1,
            "request",
            json!({ "template": "halsoenkat", "expires": "2026-09-30", "keepUntil": "2026-12-31" }),
        )
        .await;
    let Outcome::Done(done) = outcome else {
        panic!("{outcome:?}")
    };
    let form = world
        .engine
        .form(done.result["formId"].as_str().unwrap())
        .unwrap();
    assert_eq!(
        (form.template.as_str(), form.version),
        ("HALSOENKAT40", 2),
        "the newest version"
    );
    assert_eq!(form.person, person(1).expose());
    assert_eq!(form.keep_until.unwrap().to_string(), "2026-12-31");
    assert_eq!(form.system.as_deref(), Some("SE2321000156-HUB"));
    let kinds: Vec<_> = done
        .references
        .iter()
        .map(|reference| (reference.kind.as_str(), reference.value.clone()))
        .collect();
    assert_eq!(
        kinds,
        [("form", form.id), ("form-request", form.interest.unwrap())]
    );
}

#[tokio::test]
async fn a_hundred_requests_are_one_call() {
    let world = World::new().await;
    world.engine.wiretap().listen();
    let batch: Vec<_> = (1..=100)
        .map(|n| world.delivery(n, "request", request()))
        .collect();
    let people: Vec<_> = batch
        .iter()
        .map(|delivery| {
            (
                delivery.command.id,
                delivery.identity.as_ref().unwrap().person_id.clone(),
            )
        })
        .collect();
    let outcomes = world.forms.deliver("request", batch).await;
    assert_eq!((outcomes.len(), world.engine.count()), (100, 100));
    assert_eq!(world.engine.wiretap().heard().len(), 2);
    for (id, outcome) in outcomes {
        let form = world
            .engine
            .form(done(outcome)["formId"].as_str().unwrap())
            .unwrap();
        let (_, expect) = people.iter().find(|(known, _)| *known == id).unwrap();
        assert_eq!(form.person, expect.expose(), "everyone has their own form");
    }
}

#[tokio::test]
async fn one_bad_request_does_not_spoil_the_batch() {
    let world = World::new().await;
    let mut batch: Vec<_> = (1..=100)
        .map(|n| world.delivery(n, "request", request()))
        .collect();
    batch[41].command.payload["template"] = json!("finns-inte");
    batch[77].command.payload["expires"] = json!("30 september");
    batch[5].identity = None;
    let ids: Vec<_> = batch.iter().map(|delivery| delivery.command.id).collect();
    let outcomes = world.forms.deliver("request", batch).await;
    assert_eq!((outcomes.len(), world.engine.count()), (100, 97));
    let of = |n: usize| {
        outcomes
            .iter()
            .find(|(id, _)| *id == ids[n])
            .map(|(_, outcome)| outcome)
            .unwrap()
    };
    assert!(
        matches!(of(41), Outcome::Refused { code, result } if code == "form-refused" && result["text"] == "Mallen finns inte.")
    );
    assert!(matches!(of(77), Outcome::Failed(problem) if problem.kind == Kind::Invalid));
    assert!(matches!(of(5), Outcome::Failed(problem) if problem.kind == Kind::Internal));
    let placed = outcomes
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Done(_)))
        .count();
    assert_eq!(placed, 97);
}

#[tokio::test]
async fn a_batch_without_an_answer_is_unknown_as_a_whole() {
    let world = World::new().await;
    world.engine.faults().push(Fault::LoseAnswer);
    let batch: Vec<_> = (1..=3)
        .map(|n| world.delivery(n, "request", request()))
        .collect();
    let again = batch.clone();
    let outcomes = world.forms.deliver("request", batch).await;
    assert!(
        outcomes
            .iter()
            .all(|(_, outcome)| matches!(outcome, Outcome::Unknown(_)))
    );
    for delivery in again {
        assert!(matches!(
            world.forms.reconcile("request", &delivery).await,
            Reconciled::Settled(_)
        ));
    }
    world.engine.faults().push(Fault::Technical);
    let outcome = world.deliver(4, "request", request()).await;
    assert!(
        matches!(&outcome, Outcome::Failed(problem) if problem.kind == Kind::Unavailable),
        "{outcome:?}"
    );
    assert_eq!(world.engine.count(), 3);
}

#[tokio::test]
async fn days_and_versions_are_checked_before_anything_is_sent() {
    let world = World::new().await;
    for payload in [
        json!({ "template": "halsoenkat", "expires": "2026-02-30" }),
        json!({ "template": "halsoenkat", "expires": "2026-09-30", "keepUntil": "2026-09-01" }),
        json!({ "template": "halsoenkat", "expires": "2026-09-30", "version": "två" }),
        json!({ "template": " ", "expires": "2026-09-30" }),
    ] {
        let outcome = world.deliver(1, "request", payload.clone()).await;
        assert!(
            matches!(&outcome, Outcome::Failed(problem) if problem.code == "HUB-FORMS-006"),
            "{payload}: {outcome:?}"
        );
    }
    let old = json!({ "template": "HALSOENKAT40", "version": "1", "expires": "2026-09-30" });
    let id = done(world.deliver(1, "request", old).await)["formId"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        world.engine.form(&id).unwrap().version,
        1,
        "an engine's own template id and a version work too"
    );
}

#[tokio::test]
async fn cancelling_does_no_harm() {
    let world = World::new().await;
    let hub = Hub::new(&world);
    let cancelled = |yes: bool| json!({ "cancelled": yes });
    assert_eq!(
        done(world.deliver(1, "cancel", json!({})).await),
        cancelled(false)
    );
    assert_eq!(
        done(
            world
                .deliver(1, "cancel", json!({ "formId": "okänd" }))
                .await
        ),
        cancelled(false)
    );
    let (open, answered) = (world.placed(&hub, 1).await, world.placed(&hub, 1).await);
    world
        .engine
        .answer(&answered, &answers(), at("2026-09-02T10:00:00Z"))
        .unwrap();
    assert_eq!(
        done(
            world
                .deliver(1, "cancel", json!({ "formId": answered }))
                .await
        ),
        cancelled(false)
    );
    assert_eq!(
        done(world.deliver(1, "cancel", json!({ "formId": open })).await),
        cancelled(true)
    );
    assert!(
        world
            .engine
            .answer(&open, &answers(), at("2026-09-02T10:00:00Z"))
            .is_err()
    );
    let delivery = world.delivery(1, "cancel", json!({ "formId": answered }));
    let Reconciled::Settled(outcome) = world.forms.reconcile("cancel", &delivery).await else {
        panic!("not settled")
    };
    assert_eq!(done(outcome), cancelled(false));
}
