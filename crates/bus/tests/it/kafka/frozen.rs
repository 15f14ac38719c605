//! A process that is stopped for longer than its session, and wakes as if nothing had happened.

use std::{
    collections::BTreeSet,
    env,
    io::{BufRead, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use halsonav_bus::{Bus as _, Kafka, kafka::Settings};
use halsonav_domain::Topic;

use super::broker::Broker;
use crate::{
    publish,
    stand::{make_topics, settings_for},
    value,
};

const CHILD: &str = "HALSONAV_BUS_FROZEN";

fn settings(brokers: &str, prefix: &str) -> Settings {
    let mut settings = settings_for(brokers, 4);
    prefix.clone_into(&mut settings.prefix);
    // Limits that a stop breaks too.
    settings.poll_s = 4;
    settings
}

/// The child: takes and commits, and says what it took.
#[tokio::test]
async fn child_consumes_until_it_is_killed() {
    let Ok(where_to) = env::var(CHILD) else {
        return;
    };
    let (brokers, prefix) = where_to.split_once(' ').unwrap();
    let bus = Kafka::new(settings(brokers, prefix)).unwrap();
    let mut consumer = bus.subscribe("g", &[Topic::Events]).unwrap();
    loop {
        let found = consumer.poll(20, None).await.unwrap();
        for delivered in &found {
            writeln!(std::io::stderr(), "took {}", value(delivered)).unwrap();
        }
        // It is stopped now and then between taking and committing.
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ = consumer.commit().await;
    }
}

fn spawn(brokers: &str, prefix: &str, taken: &Arc<Mutex<BTreeSet<u64>>>) -> Child {
    let mut child = Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "kafka::frozen::child_consumes_until_it_is_killed",
            "--nocapture",
        ])
        .env(CHILD, format!("{brokers} {prefix}"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let taken = Arc::clone(taken);
    std::thread::spawn(move || {
        for line in said.lines().map_while(Result::ok) {
            if let Some(n) = line.strip_prefix("took ") {
                taken.lock().unwrap().insert(n.parse().unwrap());
            }
        }
    });
    child
}

fn signal(child: &Child, name: &str) {
    let mut kill = Command::new("kill");
    kill.args([name, &child.id().to_string()]);
    assert!(kill.status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_was_stopped_loses_nothing_for_the_group() {
    let Some(broker) = Broker::start().await else {
        return;
    };
    let prefix = "frozen.";
    let settings = settings(&broker.address, prefix);
    make_topics(&settings).await;
    let bus = Kafka::new(settings).unwrap();
    let taken = Arc::new(Mutex::new(BTreeSet::new()));
    let mut children = [0, 1].map(|_| spawn(&broker.address, prefix, &taken));
    let mut end = 0;
    for round in 0..4 {
        let frozen = &children[round % 2];
        let start = Instant::now();
        // The session is 6 s: stopped for less, then for more.
        let stop = Duration::from_secs([3, 10][round / 2]);
        let mut stopped = false;
        while start.elapsed() < stop + Duration::from_secs(4) {
            let batch: Vec<_> = (end..end + 20)
                .map(|n| crate::record(&n.to_string(), n))
                .collect();
            bus.publish(&Topic::Events, batch).await.unwrap();
            end += 20;
            tokio::time::sleep(Duration::from_millis(50)).await;
            let should = (2..2 + stop.as_secs()).contains(&start.elapsed().as_secs());
            if should != stopped {
                signal(frozen, if should { "-STOP" } else { "-CONT" });
                stopped = should;
            }
        }
    }
    publish(&bus, [end]).await;
    let start = Instant::now();
    while taken.lock().unwrap().len() as u64 <= end {
        let missing = (0..=end).find(|n| !taken.lock().unwrap().contains(n));
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "{missing:?} of {end}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    for child in &mut children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
