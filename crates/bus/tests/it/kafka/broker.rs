//! A broker of a test's own, by `tests/services`.

use std::{env, path::PathBuf, process::Command};

use crate::stand::not_checked;

/// A broker that this test may do to as it likes.
pub struct Broker {
    script: PathBuf,
    dir: tempfile::TempDir,
    /// Where it listens.
    pub address: String,
}

impl Broker {
    /// Starts one, with sessions of 6 seconds.
    pub async fn start() -> Option<Self> {
        tokio::task::spawn_blocking(Self::start_now).await.unwrap()
    }

    fn start_now() -> Option<Self> {
        // Whoever gives us no Kafka does not want one started either.
        if env::var("HALSONAV_KAFKA").is_err() {
            return not_checked("HALSONAV_KAFKA is not set: no broker is restarted");
        }
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/services");
        if !script.exists() {
            return not_checked("there is no tests/services to restart a broker with");
        }
        let mut broker = Self {
            script,
            dir: tempfile::tempdir().unwrap(),
            address: String::new(),
        };
        let owner = std::process::id().to_string();
        broker.run(&["start"], &["kafka", "--owner", &owner]);
        let told = broker.run(&["env"], &[]);
        let address = told
            .lines()
            .find_map(|line| line.strip_prefix("export HALSONAV_KAFKA="));
        broker.address = address.unwrap().to_owned();
        Some(broker)
    }

    fn run(&self, before: &[&str], after: &[&str]) -> String {
        let mut command = Command::new(&self.script);
        let output = command
            .args(before)
            .arg(self.dir.path())
            .args(after)
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{before:?}: {error}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Ends it as `how` says, and starts it again.
    pub fn restart(&self, how: &str) {
        self.run(&["restart"], &["kafka", how]);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let mut command = Command::new(&self.script);
        let _ = command.arg("remove").arg(self.dir.path()).status();
    }
}
