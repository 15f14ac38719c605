//! Messages, and everything that can become of them.

use std::sync::Arc;

use halsonav_adapter::{Adapter, Build, Delivery, Outbound, Reconciled, conformance};
use halsonav_domain::{Kind, Outcome, command::messaging::Sent};
use halsonav_messaging::{Config, Messaging};
use halsonav_neighbours::{faults::Fault, inbox::Account};
use serde_json::{Value, json};

use crate::{House, config, delivery, house, now, open, send, tolvan};

async fn one(messaging: &Messaging, operation: &str, delivery: Delivery) -> Outcome {
    messaging
        .deliver(operation, vec![delivery])
        .await
        .remove(0)
        .1
}

fn done(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Done(done) => done.result,
        other => panic!("expected Done, got {other:?}"),
    }
}

fn build(house: &House, change: impl FnOnce(&mut Config)) -> Arc<Messaging> {
    let mut config = config(&house.inbox.url());
    change(&mut config);
    Arc::new(Messaging::build(config).unwrap())
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let house = house().await;
    let Outcome::Done(outcome) = one(&house.messaging, "send", send(1)).await else {
        panic!()
    };
    let id = send(1).command.id.to_string();
    let sent: Sent = serde_json::from_value(outcome.result.clone()).unwrap();
    assert_eq!(
        (sent.message_id.as_str(), sent.notified_by),
        (id.as_str(), vec!["SMS".to_owned()])
    );
    assert_eq!(outcome.result["basis"], "screening-call");
    assert_eq!(
        (
            outcome.references[0].kind.as_str(),
            &outcome.references[0].value
        ),
        ("message", &id)
    );
    assert!(!outcome.result.to_string().contains(tolvan().expose()));
    let message = house.inbox.messages().remove(0);
    assert_eq!(
        message.description.as_deref(),
        Some("Välkommen på hälsosamtal")
    );
    assert_eq!(
        message.text,
        "Du erbjuds ett samtal om din hälsa <gratis> & frivilligt."
    );
    assert_eq!(
        (
            message.person.as_str(),
            message.unit.as_str(),
            message.unit_name.as_str()
        ),
        ("191212121212", "SE2321000999-VC01", "Vårdcentralen Björken")
    );
    assert_eq!(
        (
            message.thread.as_str(),
            message.notify,
            message.source_system.as_deref()
        ),
        (id.as_str(), true, Some("SE2321000999-HUB"))
    );
    let link = message.link.unwrap();
    assert_eq!(
        (link.text.as_str(), link.query.as_deref()),
        (
            "Boka",
            Some(format!("m={id}&c={}", send(1).command.case).as_str())
        )
    );
}

#[tokio::test]
async fn an_account_is_asked_for() {
    let house = house().await;
    let check = || delivery(1, "check", json!({}));
    assert_eq!(
        done(one(&house.messaging, "check", check()).await),
        json!({ "active": true, "notifiedBy": ["SMS"] })
    );
    house.inbox.set_account(&tolvan(), Account::default());
    assert_eq!(
        done(one(&house.messaging, "check", check()).await),
        json!({ "active": false, "notifiedBy": [] })
    );
}

#[tokio::test]
async fn who_has_no_account_is_a_refusal_of_the_business() {
    let house = house().await;
    house.inbox.set_account(&tolvan(), Account::default());
    let outcome = one(&house.messaging, "send", send(1)).await;
    assert!(
        matches!(&outcome, Outcome::Refused { code, .. } if code == "not-active"),
        "{outcome:?}"
    );
    house.inbox.set_account(&tolvan(), Account::active());
    house.inbox.faults().push(Fault::Logical);
    let outcome = one(&house.messaging, "send", send(1)).await;
    assert!(
        matches!(&outcome, Outcome::Refused { code, .. } if code == "message-refused"),
        "{outcome:?}"
    );
    assert!(house.inbox.is_empty());
}

#[tokio::test]
async fn info_is_done_with_a_notice() {
    let house = house().await;
    house.inbox.set_account(
        &tolvan(),
        Account {
            active: true,
            notified_by: Vec::new(),
        },
    );
    let result = done(one(&house.messaging, "send", send(1)).await);
    assert!(
        result["notice"]
            .as_str()
            .is_some_and(|notice| notice.contains("avisering")),
        "{result}"
    );
    assert_eq!(house.inbox.len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_settled_by_asking() {
    let house = house().await;
    for (n, fault, there) in [
        (1, Fault::LoseAnswer, true),
        (2, Fault::DropRequest, false),
        (3, Fault::WrongAnswer, true),
        (4, Fault::Garbage, false),
    ] {
        house.inbox.faults().push(fault.clone());
        let outcome = one(&house.messaging, "send", send(n)).await;
        assert!(
            matches!(outcome, Outcome::Unknown(_)),
            "{fault:?}: {outcome:?}"
        );
        if there {
            conformance::lost_answer_is_settled(&*house.messaging, "send", send(n)).await;
        } else {
            conformance::never_sent_is_absent(&*house.messaging, "send", send(n)).await;
        }
    }
    house.inbox.faults().push(Fault::Technical);
    let outcome = one(&house.messaging, "send", send(5)).await;
    assert!(
        matches!(&outcome, Outcome::Failed(problem) if problem.kind == Kind::Unavailable),
        "{outcome:?}"
    );
    assert_eq!(house.inbox.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_asked_is_later_or_unknowable() {
    let house = house().await;
    for fault in [
        Fault::LoseAnswer,
        Fault::Garbage,
        Fault::Technical,
        Fault::WrongAnswer,
    ] {
        one(&house.messaging, "send", send(1)).await;
        house.inbox.faults().push(fault.clone());
        let answer = house.messaging.reconcile("send", &send(1)).await;
        assert!(
            matches!(answer, Reconciled::Later(_)),
            "{fault:?}: {answer:?}"
        );
    }
    house.inbox.faults().push(Fault::Logical);
    assert!(matches!(
        house.messaging.reconcile("send", &send(1)).await,
        Reconciled::Unknowable
    ));
    let blind = build(&house, |config| config.thread_status = false);
    assert!(matches!(
        blind.reconcile("send", &send(1)).await,
        Reconciled::Unknowable
    ));
}

#[tokio::test]
async fn a_second_attempt_asks_first() {
    let house = house().await;
    conformance::same_id_acts_once(&*house.messaging, "send", send(1), || house.inbox.len()).await;
    assert_eq!(
        house
            .inbox
            .messages_of_thread(&send(1).command.id.to_string()),
        1
    );
    // The inbox itself knows no repetition: that is why.
    let blind = build(&house, |config| config.thread_status = false);
    one(&blind, "send", send(1)).await;
    assert_eq!(
        house
            .inbox
            .messages_of_thread(&send(1).command.id.to_string()),
        2
    );
}

#[tokio::test]
async fn read_or_not_also_after_a_restart() {
    let house = house().await;
    let id = send(1).command.id.to_string();
    let status = |id: &str| delivery(1, "status", json!({ "messageId": id }));
    let outcome = one(&house.messaging, "status", status(&id)).await;
    assert!(
        matches!(&outcome, Outcome::Failed(problem) if problem.kind == Kind::NotFound),
        "{outcome:?}"
    );
    one(&house.messaging, "send", send(1)).await;
    assert_eq!(
        done(one(&house.messaging, "status", status(&id)).await),
        json!({ "read": false, "readAt": null })
    );
    house.inbox.mark_read(&[tolvan()], &id, now()).unwrap();
    assert!(
        house
            .inbox
            .mark_read(&[tolvan()], "another", now())
            .is_err()
    );
    drop(house.inbox);
    let inbox = open(&house.folder).await;
    let messaging = Messaging::build(config(&inbox.url())).unwrap();
    assert_eq!(
        done(one(&messaging, "status", status(&id)).await),
        json!({ "read": true, "readAt": "2026-09-01T10:00:00Z" })
    );
    assert_eq!(
        (inbox.since(0).0.len(), inbox.since(1)),
        (1, (Vec::new(), 1))
    );
}

#[tokio::test]
async fn the_contract_of_an_adapter() {
    let house = house().await;
    for operation in ["send", "check", "status"] {
        conformance::bad_payload_is_invalid(&*house.messaging, operation, send(1)).await;
    }
    let invalid = |outcome: &Outcome, kind: Kind, code: &str| {
        assert!(
            matches!(outcome, Outcome::Failed(p) if p.kind == kind && p.code == code),
            "{outcome:?}"
        );
    };
    let mut wrong = send(1);
    wrong.attachments.clear();
    invalid(
        &one(&house.messaging, "send", wrong).await,
        Kind::Internal,
        "HUB-MESSAGING-017",
    );
    let mut wrong = send(1);
    wrong.identity = None;
    invalid(
        &one(&house.messaging, "send", wrong).await,
        Kind::Internal,
        "HUB-MESSAGING-016",
    );
    let mut wrong = send(1);
    wrong.command.unit = halsonav_domain::HsaId::new("SE2321000999-VC09");
    invalid(
        &one(&house.messaging, "send", wrong).await,
        Kind::Invalid,
        "HUB-MESSAGING-014",
    );
    let wrong = delivery(1, "send", json!({ "template": "x", "links": ["decline"] }));
    invalid(
        &one(&house.messaging, "send", wrong).await,
        Kind::Invalid,
        "HUB-MESSAGING-015",
    );
    let short = build(&house, |config| config.max_characters = 10);
    invalid(
        &one(&short, "send", send(1)).await,
        Kind::Invalid,
        "HUB-MESSAGING-013",
    );
    invalid(
        &one(&house.messaging, "fly", send(1)).await,
        Kind::Invalid,
        "HUB-MESSAGING-010",
    );
    assert!(house.inbox.is_empty());
    house.messaging.check().await.unwrap();
    let url = house.inbox.url();
    drop(house.inbox);
    let away = Messaging::build(config(&url)).unwrap();
    conformance::refused_connection_is_unavailable(&away, "send", send(1)).await;
    assert_eq!(away.check().await.unwrap_err().kind, Kind::Unavailable);
}
