//! Who wins when a letter is recalled.

use crate::support::{expect_done, id, letter, world};
use halsonav_adapter::Outbound;

#[tokio::test]
async fn a_letter_that_waits_is_stopped_and_its_job_mates_are_not() {
    let world = world().await;
    world.sent(vec![letter(1), letter(2)]).await;
    assert!(world.recall(1).await);
    assert!(world.recall(1).await, "asked twice");
    let pickup = world.pickup();
    assert_eq!((pickup.printed, pickup.recalled), (1, 1));
    let printed = world.vendor.letters();
    assert_eq!(printed.len(), 1);
    assert_eq!(printed[0].letter_id, id(2));
    assert!(world.recall(1).await, "the receipt says so afterwards");
    assert!(world.lies("in").is_empty());
}

#[tokio::test]
async fn a_letter_that_was_fetched_goes_out() {
    let world = world().await;
    world.sent(vec![letter(1)]).await;
    world.pickup();
    assert!(!world.recall(1).await);
    assert_eq!(world.vendor.letters().len(), 1);
    assert!(world.lies("in").is_empty(), "no recall is left behind");
}

#[tokio::test]
async fn a_recall_of_no_letter_harms_nothing() {
    let world = world().await;
    assert!(!world.recall(7).await);
    let mut delivery = letter(1);
    for payload in [
        serde_json::json!({}),
        serde_json::json!({ "letterId": null }),
    ] {
        delivery.command.payload = payload;
        let mut outcomes = world.print.deliver("recall", vec![delivery.clone()]).await;
        assert_eq!(expect_done(outcomes.remove(0).1).result["recalled"], false);
    }
    assert!(world.lies("in").is_empty());
}

/// The vendor has renamed the job but not yet looked for recalls.
#[tokio::test]
async fn a_recall_that_comes_after_the_job_was_taken_is_taken_back() {
    let world = world().await;
    world.sent(vec![letter(1)]).await;
    let incoming = world.vendor.shop().folders().incoming();
    let job = world.lies("in").remove(0);
    std::fs::rename(incoming.join(&job), incoming.join(format!("{job}.taken"))).unwrap();
    assert!(!world.recall(1).await);
    assert_eq!(
        world.pickup().printed,
        1,
        "the vendor goes on with what it had begun"
    );
    assert_eq!(world.vendor.letters().len(), 1);
}
