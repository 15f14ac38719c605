//! Status files and what becomes of them.

use std::sync::atomic::Ordering;

use halsonav_domain::Kind;

use crate::support::{Hub, at, id, letter, letters, world};

fn told(n: u128, status: &str, code: &str, time: &str) -> String {
    let id = id(n);
    format!(
        r#"{{"letters":[{{"letterId":"{id}","status":"{status}","code":"{code}","time":"{time}"}}]}}"#
    )
}

#[tokio::test]
async fn a_letter_is_accepted_dispatched_and_returned() {
    let world = world().await;
    let hub = Hub::new(&world);
    hub.knows(1);
    world.sent(vec![letter(1)]).await;
    assert_eq!(world.poll(&hub).await.unwrap(), 0);
    world.pickup();
    assert_eq!(world.poll(&hub).await.unwrap(), 2);
    assert_eq!(hub.heard(), ["letter.accepted 1", "letter.dispatched 1"]);
    world.clock.advance(at("2026-09-20T06:00:00Z"));
    assert!(world.vendor.return_letter(&id(1), "R11").is_err());
    assert!(world.vendor.return_letter(&id(2), "R01").is_err());
    world.vendor.return_letter(&id(1), "R09").unwrap();
    // The dispatch was told in a file fetched long ago: the receipt still knows.
    assert_eq!(world.poll(&hub).await.unwrap(), 1);
    assert_eq!(hub.heard()[2], "letter.returned 1 R09");
    assert!(world.lies("status").is_empty());
    assert_eq!(world.lies("status/done").len(), 3);
    assert_eq!(world.poll(&hub).await.unwrap(), 0);
}

#[tokio::test]
async fn a_file_is_set_aside_only_when_the_hub_has_it() {
    let world = world().await;
    let hub = Hub::new(&world);
    hub.knows(1);
    world.sent(vec![letter(1)]).await;
    world.pickup();
    hub.away.store(true, Ordering::SeqCst);
    assert_eq!(world.poll(&hub).await.unwrap_err().kind, Kind::Unavailable);
    assert_eq!(world.lies("status").len(), 2);
    hub.away.store(false, Ordering::SeqCst);
    assert_eq!(world.poll(&hub).await.unwrap(), 2);
    assert!(world.lies("status").is_empty());
}

#[tokio::test]
async fn news_told_twice_has_the_same_ids() {
    let world = world().await;
    let hub = Hub::new(&world);
    hub.knows(1);
    for _ in 0..2 {
        world.tell("a.json", &told(1, "ACCEPTED", "", "2026-09-01T06:00:00Z"));
        assert_eq!(world.poll(&hub).await.unwrap(), 1);
    }
    let ids = hub.ids();
    assert_eq!(ids[0], ids[1]);
    assert_eq!(world.lies("status/done"), ["a.json"]);
}

#[tokio::test]
async fn a_refused_job_is_told_letter_by_letter() {
    let world = world().await;
    let hub = Hub::new(&world);
    (1..3).for_each(|n| hub.knows(n));
    world.vendor.shop().refuse_next_job("PAPER");
    world.sent(letters(1..3)).await;
    assert_eq!(world.pickup().rejected, 2);
    world.poll(&hub).await.unwrap();
    let mut heard = hub.heard();
    heard.sort();
    assert_eq!(
        heard,
        ["letter.rejected 1 PAPER", "letter.rejected 2 PAPER"]
    );
}

#[tokio::test]
async fn our_own_recall_is_no_news() {
    let world = world().await;
    let hub = Hub::new(&world);
    hub.knows(1);
    world.sent(vec![letter(1)]).await;
    assert!(world.recall(1).await);
    world.pickup();
    assert_eq!(world.poll(&hub).await.unwrap(), 0);
    assert!(world.lies("status").is_empty());
}

#[tokio::test]
async fn a_letter_not_yet_noted_holds_its_file_and_then_is_heard() {
    let world = world().await;
    let hub = Hub::new(&world);
    world.sent(vec![letter(1)]).await;
    world.pickup();
    assert_eq!(world.poll(&hub).await.unwrap(), 0);
    assert_eq!(world.lies("status").len(), 2);
    hub.knows(1);
    assert_eq!(world.poll(&hub).await.unwrap(), 2);
    assert!(world.lies("status").is_empty());
}

#[tokio::test]
async fn what_makes_no_sense_for_a_day_is_put_aside_and_the_rest_is_heard() {
    let world = world().await;
    let hub = Hub::new(&world);
    hub.knows(1);
    hub.knows(2);
    let noon = "2026-09-01T06:00:00Z";
    // Letter 1 comes back although it was never posted; nobody knows letter 9; the third is no file.
    world.tell("b.json", &told(1, "RETURNED", "R01", noon));
    world.tell("c.json", &told(9, "ACCEPTED", "", noon));
    world.tell("d.json", "{ \"letters\": [] }");
    world.tell(
        "e.csv",
        &format!("letterId;status;time\n{};REJECTED;{noon}\n", id(2)),
    );
    assert_eq!(world.poll(&hub).await.unwrap(), 1);
    assert_eq!(hub.heard(), ["letter.rejected 2 unknown"]);
    assert_eq!(world.lies("status"), ["b.json", "c.json"]);
    assert_eq!(world.lies("status/unknown"), ["d.json"]);
    world.clock.advance(at("2026-09-02T06:00:00Z"));
    assert_eq!(world.poll(&hub).await.unwrap(), 0);
    assert!(world.lies("status").is_empty());
    assert_eq!(world.lies("status/unknown"), ["b.json", "c.json", "d.json"]);
}

#[tokio::test]
async fn a_return_that_came_before_its_dispatch_is_heard_with_it() {
    let world = world().await;
    let hub = Hub::new(&world);
    hub.knows(1);
    let noon = "2026-09-01T06:00:00Z";
    world.tell("a.json", &told(1, "RETURNED", "R02", noon));
    assert_eq!(world.poll(&hub).await.unwrap(), 0);
    world.tell("b.json", &told(1, "DISPATCHED", "", noon));
    assert_eq!(world.poll(&hub).await.unwrap(), 2);
    assert!(world.lies("status").is_empty());
}

#[tokio::test]
async fn a_file_that_is_being_written_is_left_alone() {
    let world = world().await;
    let hub = Hub::new(&world);
    world.tell("a.json.part", "{");
    assert_eq!(world.poll(&hub).await.unwrap(), 0);
    assert_eq!(world.lies("status"), ["a.json.part"]);
}
