//! The contract that every adapter keeps.

use halsonav_adapter::{Adapter, conformance};
use halsonav_domain::{Kind, Outcome};

use crate::support::{build, config, letter, world, world_where};

#[tokio::test]
async fn the_same_letter_is_printed_once_even_by_a_vendor_that_does_not_look() {
    let world = world_where(false).await;
    let printed = || {
        world.pickup();
        world.vendor.letters().len()
    };
    conformance::same_id_acts_once(&*world.print, "letter", letter(1), printed).await;
    assert!(world.vendor.printed_twice().is_empty());
}

#[tokio::test]
async fn a_payload_of_the_wrong_shape_is_invalid() {
    let world = world().await;
    for operation in ["letter", "recall"] {
        conformance::bad_payload_is_invalid(&*world.print, operation, letter(1)).await;
    }
    assert!(world.lies("in").is_empty());
}

#[tokio::test]
async fn a_vendor_that_is_away_is_unavailable() {
    let world = world().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let print = build(config(world.folder.path(), addr, &world.vendor.host_key()));
    conformance::refused_connection_is_unavailable(&*print, "letter", letter(1)).await;
    assert_eq!(print.check().await.unwrap_err().kind, Kind::Unavailable);
}

#[tokio::test]
async fn what_was_never_sent_is_absent_and_what_was_sent_is_settled_wherever_it_is() {
    let world = world().await;
    conformance::never_sent_is_absent(&*world.print, "letter", letter(1)).await;
    world.sent(vec![letter(1), letter(2)]).await;
    conformance::lost_answer_is_settled(&*world.print, "letter", letter(1)).await;
    world.pickup();
    conformance::lost_answer_is_settled(&*world.print, "letter", letter(1)).await;
    conformance::never_sent_is_absent(&*world.print, "letter", letter(3)).await;
}

#[tokio::test]
async fn operations_are_declared_as_they_are() {
    let world = world().await;
    let outbound = world.print.clone().outbound().unwrap();
    let contact: Vec<_> = outbound
        .operations()
        .iter()
        .map(|operation| (operation.name, operation.contact, operation.idempotent))
        .collect();
    assert_eq!(contact, [("letter", true, false), ("recall", false, true)]);
    let outcome = outbound.deliver("fold", vec![letter(1)]).await.remove(0).1;
    assert!(matches!(outcome, Outcome::Failed(problem) if problem.code == "HUB-PRINT-010"));
}
