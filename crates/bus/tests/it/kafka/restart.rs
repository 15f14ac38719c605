//! A broker that goes down and comes back, under load.

use std::{
    env,
    sync::Arc,
    time::{Duration, Instant},
};

use halsonav_bus::{Bus as _, Kafka};

use super::{
    broker::Broker,
    flow::{Member, Publisher, Seen},
};
use crate::stand::{make_topics, settings_for};

/// Within this time after a broker is back, records must flow.
const PROGRESS: Duration = Duration::from_secs(30);

/// How many times a broker is restarted: more by `HALSONAV_RESTARTS`.
fn rounds() -> u32 {
    env::var("HALSONAV_RESTARTS").map_or(3, |n| n.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_broker_restarts_and_nothing_acknowledged_is_lost() {
    let Some(broker) = Broker::start().await else {
        return;
    };
    let broker = Arc::new(broker);
    let settings = settings_for(&broker.address, 6);
    make_topics(&settings).await;
    let seen = Arc::new(Seen::default());
    // Publishing fails while the broker is away, so that producers are given up as well.
    let mut hasty = settings.clone();
    hasty.delivery_s = 3;
    let publisher = Publisher::start(&hasty, Duration::from_millis(5));
    let members = [
        Member::start(&settings, &seen),
        Member::start(&settings, &seen),
    ];
    let mut worst = Duration::ZERO;
    for round in 0..rounds() {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let (how, which) = (["fast", "kill"][round as usize % 2], Arc::clone(&broker));
        tokio::task::spawn_blocking(move || which.restart(how))
            .await
            .unwrap();
        let (back, before) = (Instant::now(), seen.count());
        while seen.count() < before + 1000 {
            assert!(back.elapsed() < PROGRESS, "round {round}: no progress");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        eprintln!(
            "round {round}, {how}: records flow {:?} after it is back",
            back.elapsed()
        );
        worst = worst.max(back.elapsed());
    }
    let longest = *publisher.longest.lock().unwrap();
    let numbers = publisher.stop().await;
    let again = seen.check(numbers, PROGRESS).await;
    eprintln!(
        "{} records, {again} came again; flow after {worst:?} at worst, longest publish {longest:?}",
        numbers * super::flow::KEYS
    );
    for member in members {
        member.leave().await;
    }
    let bus = Kafka::new(settings).unwrap();
    bus.health().await.now.unwrap();
}
