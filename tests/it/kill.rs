//! `kill -9` at any moment changes nothing but the time it takes.

use std::{
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use crate::support::{Round, binary, command, folder, halsonav, ledgers_differ, region};

/// Small numbers by chance, the same each time.
struct Chance(u64);

impl Chance {
    /// From `from` to `to`, in milliseconds.
    fn between(&mut self, from: u64, to: u64) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Duration::from_millis(from + self.0 % (to - from))
    }
}

/// Kills the run at random moments until it has been killed `kills` times, then lets it finish.
fn killed(name: &str, seed: u64, kills: usize) -> (Round, usize) {
    let out = folder(name);
    let arguments = [
        "demo",
        "--json",
        "--residents",
        "60",
        "--seed",
        "3",
        "--out",
        out.to_str().unwrap(),
    ];
    let mut chance = Chance(seed);
    let mut done = 0;
    for _ in 0..kills {
        let mut child = command(&arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let until = Instant::now() + chance.between(300, 3000);
        while Instant::now() < until && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(5));
        }
        if child.try_wait().unwrap().is_some() {
            break; // it was quicker
        }
        child.kill().unwrap();
        child.wait().unwrap();
        done += 1;
    }
    // A finished run is begun anew by the next call, and must then come to the same end.
    let said = halsonav(&arguments);
    let told = said.json();
    assert!(
        said.status.success(),
        "killed {done} times: {told}\n{}",
        said.err
    );
    (Round { out, told }, done)
}

fn undisturbed(name: &str, seed: u64, kills: usize) {
    let (round, done) = killed(name, seed, kills);
    let whole = region("demo");
    assert_eq!(
        round.number("effects_twice"),
        0,
        "killed {done} times: {}",
        round.told
    );
    assert_eq!(
        round.number("unaccounted"),
        0,
        "killed {done} times: {}",
        round.told
    );
    assert_eq!(
        round.number("incidents"),
        0,
        "killed {done} times: {}",
        round.told
    );
    if let Some(difference) = ledgers_differ(&whole, &round) {
        panic!("killed {done} times: {difference}");
    }
    for what in [
        "ended",
        "letters",
        "messages",
        "lab_results",
        "dialogues",
        "documents",
    ] {
        assert_eq!(
            round.told[what], whole.told[what],
            "{what}, killed {done} times"
        );
    }
    assert!(done > 0, "it was never killed");
}

#[test]
fn killed_a_few_times_early_and_late() {
    if binary().is_some() {
        undisturbed("kill-1", 0x9E37_79B9_7F4A_7C15, 6);
    }
}

#[test]
fn killed_at_other_moments() {
    if binary().is_some() {
        undisturbed("kill-2", 0xD1B5_4A32_D192_ED03, 6);
    }
}
