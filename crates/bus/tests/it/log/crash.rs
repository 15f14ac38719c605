use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
};

use halsonav_bus::Bus;
use halsonav_domain::Topic;

use super::{drain, open};
use crate::publish;

const CHILD: &str = "HALSONAV_BUS_CHILD";

/// The child: publishes and says what was acknowledged, until it is killed.
#[tokio::test]
async fn child_publishes_until_it_is_killed() {
    let Ok(dir) = env::var(CHILD) else { return };
    let log = open(Path::new(&dir));
    let mut next = 0;
    loop {
        let batch = 1 + next % 4;
        publish(&log, next..next + batch).await;
        next += batch;
        // Straight to the pipe: the test harness captures `println!`.
        writeln!(std::io::stderr(), "acknowledged {next}").unwrap();
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_by_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    for lines in [1, 7, 40] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "log::crash::child_publishes_until_it_is_killed",
                "--nocapture",
            ])
            .env(CHILD, dir.path().join(lines.to_string()))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let acknowledged: u64 = said
            .by_ref()
            .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok())
            .nth(lines - 1)
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let later = said
            .filter_map(|line| line.strip_prefix("acknowledged ")?.parse().ok())
            .last();
        let acknowledged = later.unwrap_or(acknowledged);

        let log = open(&dir.path().join(lines.to_string()));
        let mut consumer = log.subscribe("g", &[Topic::Events]).unwrap();
        let found = drain(consumer.as_mut()).await;
        assert!(
            found.len() as u64 >= acknowledged,
            "{} of {acknowledged}",
            found.len()
        );
        assert!(
            found.iter().copied().eq(0..found.len() as u64),
            "in order, once each"
        );
    }
}
