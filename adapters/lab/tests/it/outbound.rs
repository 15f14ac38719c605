use halsonav_adapter::{Adapter, Outbound, Reconciled, conformance};
use halsonav_domain::{Kind, Outcome};
use halsonav_neighbours::{faults::Fault, lab::Value};
use serde_json::json;

use crate::{TOLVAN, adapter, delivery, lis, order};

async fn one(
    adapter: &dyn Outbound,
    operation: &str,
    delivery: halsonav_adapter::Delivery,
) -> Outcome {
    adapter.deliver(operation, vec![delivery]).await.remove(0).1
}

fn done(outcome: Outcome) -> (serde_json::Value, Vec<halsonav_domain::Reference>) {
    match outcome {
        Outcome::Done(done) => (done.result, done.references),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_contract_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let lis = lis(dir.path()).await;
    let lab = adapter(lis.addr().port(), "");
    conformance::same_id_acts_once(lab.as_ref(), "order", order(1), || lis.count()).await;
    conformance::bad_payload_is_invalid(lab.as_ref(), "order", order(2)).await;
    conformance::bad_payload_is_invalid(lab.as_ref(), "cancel", order(2)).await;
    conformance::never_sent_is_absent(lab.as_ref(), "order", order(2)).await;
    lab.check().await.unwrap();
    // A port that was just ours is, for a moment, nobody's.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let away = adapter(port, "");
    conformance::refused_connection_is_unavailable(away.as_ref(), "order", order(3)).await;
    assert_eq!(away.check().await.unwrap_err().kind, Kind::Unavailable);
}

#[tokio::test]
async fn an_order_arrives_whole_and_nothing_in_it_becomes_structure() {
    let dir = tempfile::tempdir().unwrap();
    let lis = lis(dir.path()).await;
    let lab = adapter(lis.addr().port(), "");
    let (result, references) = done(one(lab.as_ref(), "order", order(1)).await);
    let order = lis.orders().remove(0);
    assert_eq!(result, json!({ "orderId": order.number }));
    assert_eq!(
        (references[0].kind.as_str(), &references[0].value),
        ("order", &order.number)
    );
    assert_eq!(
        (order.person.as_str(), order.authority.as_str()),
        (TOLVAN, "1.2.752.129.2.1.3.1")
    );
    assert_eq!(order.name, "Öst|berg\rOBX|1 Tolvan Åsa");
    assert_eq!(order.analyses, ["NPU27300", "NPU01566"]);
    assert_eq!(order.comment, "Riktat hälsosamtal ~ 40 år");
    assert_eq!(
        (order.planned.as_str(), order.unit.as_str()),
        ("20261201083000+0100", "SE2321000016-1HZ5")
    );
    assert!(order.control_id.len() <= 20 && order.number.len() <= 22);
}

#[tokio::test]
async fn a_lost_or_foreign_answer_is_unknown_and_sending_again_orders_once() {
    for fault in [
        Fault::LoseAnswer,
        Fault::WrongAnswer,
        Fault::Garbage,
        Fault::DropRequest,
    ] {
        let dir = tempfile::tempdir().unwrap();
        let lis = lis(dir.path()).await;
        let lab = adapter(lis.addr().port(), "");
        lis.faults().push(fault.clone());
        let outcome = one(lab.as_ref(), "order", order(1)).await;
        assert!(
            matches!(&outcome, Outcome::Unknown(problem) if problem.code == "HUB-LAB-004"),
            "{fault:?}: {outcome:?}"
        );
        assert!(matches!(
            lab.reconcile("order", &order(1)).await,
            Reconciled::Absent
        ));
        done(one(lab.as_ref(), "order", order(1)).await);
        assert_eq!(lis.count(), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lab_that_does_not_know_repeats_is_never_asked_twice() {
    let lab = adapter(1, "deduplicates = false");
    assert!(matches!(
        lab.reconcile("order", &order(1)).await,
        Reconciled::Unknowable
    ));
    assert!(matches!(
        lab.reconcile("cancel", &order(1)).await,
        Reconciled::Absent
    ));
    assert!(
        lab.operations()
            .iter()
            .any(|operation| operation.name == "order" && !operation.idempotent)
    );
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let lis = lis(dir.path()).await;
    let lab = adapter(lis.addr().port(), "");
    lis.faults().push(Fault::Technical);
    let later = one(lab.as_ref(), "order", order(1)).await;
    assert!(
        matches!(&later, Outcome::Failed(problem) if problem.kind == Kind::Unavailable),
        "{later:?}"
    );
    lis.faults().push(Fault::Logical);
    let refused = one(lab.as_ref(), "order", order(1)).await;
    assert!(
        matches!(&refused, Outcome::Refused { code, .. } if code == "lab-refused"),
        "{refused:?}"
    );
    assert_eq!(lis.count(), 0);

    let mut nobody = order(1);
    nobody.identity = None;
    let failed = one(lab.as_ref(), "order", nobody).await;
    assert!(
        matches!(&failed, Outcome::Failed(problem) if problem.code == "HUB-LAB-008"),
        "{failed:?}"
    );
    for analyses in [
        json!([]),
        json!(["NPU|1"]),
        json!([""]),
        json!(vec!["NPU1"; 51]),
    ] {
        let bad = one(
            lab.as_ref(),
            "order",
            delivery(1, "lab.order", json!({ "analyses": analyses })),
        )
        .await;
        assert!(
            matches!(&bad, Outcome::Failed(problem) if problem.kind == Kind::Invalid),
            "{bad:?}"
        );
    }
    assert_eq!(lis.count(), 0);
}

#[tokio::test]
async fn an_order_can_be_withdrawn_until_it_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let lis = lis(dir.path()).await;
    let lab = adapter(lis.addr().port(), "");
    let cancel = |job, order: &str| delivery(job, "lab.cancel", json!({ "orderId": order }));
    let none = one(lab.as_ref(), "cancel", delivery(9, "lab.cancel", json!({}))).await;
    assert_eq!(done(none).0, json!({ "cancelled": false }));
    let unknown = one(lab.as_ref(), "cancel", cancel(9, "NOSUCH")).await;
    assert_eq!(done(unknown).0, json!({ "cancelled": false }));

    for job in [1, 2] {
        done(one(lab.as_ref(), "order", order(job)).await);
    }
    let [first, second] = [0, 1].map(|index| lis.orders()[index].number.clone());
    for _ in 0..2 {
        assert_eq!(
            done(one(lab.as_ref(), "cancel", cancel(3, &first)).await).0,
            json!({ "cancelled": true })
        );
    }
    assert!(lis.orders()[0].cancelled);
    // Begun, as the lab sees it: a result has left, even if nobody took it.
    let sent = lis
        .answer(&second, &[Value::new("NPU27300", 40.0, "mmol/mol")], false)
        .await;
    assert!(sent.is_err(), "nobody to send it to");
    assert_eq!(
        done(one(lab.as_ref(), "cancel", cancel(4, &second)).await).0,
        json!({ "cancelled": false })
    );
}
