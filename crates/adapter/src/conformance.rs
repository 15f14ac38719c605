//! The contract of an adapter, as tests. Every adapter's `tests/it` calls these with its own
//! neighbour; a third-party adapter can do the same.

use halsonav_domain::{CommandId, Outcome};

use crate::{Delivery, Outbound, Reconciled};

/// Delivers twice under the same id and demands that the neighbour acted once.
///
/// `effects` counts what the neighbour holds.
///
/// # Panics
/// When the contract is broken, saying how.
pub async fn same_id_acts_once(
    adapter: &dyn Outbound,
    operation: &str,
    delivery: Delivery,
    effects: impl Fn() -> usize,
) {
    let id = delivery.command.id;
    let before = effects();
    for attempt in 1..=2 {
        let mut again = delivery.clone();
        again.attempt = attempt;
        let outcome = single(id, adapter.deliver(operation, vec![again]).await);
        assert!(
            matches!(outcome, Outcome::Done(_)),
            "attempt {attempt}: expected Done, got {outcome:?}"
        );
    }
    assert_eq!(
        effects() - before,
        1,
        "the neighbour acted more than once for one command id"
    );
}

/// A payload of the wrong shape is `Invalid`, at once and without a call to the neighbour.
///
/// # Panics
/// When the contract is broken.
pub async fn bad_payload_is_invalid(
    adapter: &dyn Outbound,
    operation: &str,
    mut delivery: Delivery,
) {
    delivery.command.payload = serde_json::json!({ "no-such-field": true });
    let id = delivery.command.id;
    match single(id, adapter.deliver(operation, vec![delivery]).await) {
        Outcome::Failed(problem) => {
            assert_eq!(problem.kind, halsonav_domain::Kind::Invalid, "{problem}")
        }
        other => panic!("expected Failed(Invalid), got {other:?}"),
    }
}

/// A neighbour that is away is `Unavailable`, never `Unknown`: nothing left the house.
///
/// # Panics
/// When the contract is broken.
pub async fn refused_connection_is_unavailable(
    adapter: &dyn Outbound,
    operation: &str,
    delivery: Delivery,
) {
    let id = delivery.command.id;
    match single(id, adapter.deliver(operation, vec![delivery]).await) {
        Outcome::Failed(problem) => assert_eq!(
            problem.kind,
            halsonav_domain::Kind::Unavailable,
            "{problem}"
        ),
        other => panic!("expected Failed(Unavailable), got {other:?}"),
    }
}

/// After a delivery whose answer was lost, the neighbour knows that the effect is there.
///
/// # Panics
/// When the contract is broken.
pub async fn lost_answer_is_settled(adapter: &dyn Outbound, operation: &str, delivery: Delivery) {
    match adapter.reconcile(operation, &delivery).await {
        Reconciled::Settled(Outcome::Done(_)) => {}
        other => panic!("expected Settled(Done), got {other:?}"),
    }
}

/// An effect that never happened is known to be absent.
///
/// # Panics
/// When the contract is broken.
pub async fn never_sent_is_absent(adapter: &dyn Outbound, operation: &str, delivery: Delivery) {
    match adapter.reconcile(operation, &delivery).await {
        Reconciled::Absent => {}
        other => panic!("expected Absent, got {other:?}"),
    }
}

fn single(id: CommandId, mut outcomes: Vec<(CommandId, Outcome)>) -> Outcome {
    assert_eq!(outcomes.len(), 1, "one delivery, one outcome");
    let (answered, outcome) = outcomes.remove(0);
    assert_eq!(answered, id, "the outcome belongs to the delivery");
    outcome
}
