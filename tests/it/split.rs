//! The same hub on other stores and buses, in one process and in four, and with its processes killed.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::LazyLock,
    thread,
    time::Duration,
};

use halsonav_storage::scratch::Scratch;
use halsonav_tests::{
    processes::{children, signal},
    site::Site,
};

use crate::support::{Round, command, folder, ledgers_differ, schema, services};

const ARGUMENTS: [&str; 4] = ["--residents", "20", "--seed", "3"];

/// The site's settings beside the run's folder.
fn site(out: &Path, store: Option<&Scratch>, brokers: Option<&str>) -> String {
    use secrecy::ExposeSecret as _;
    let url = store.map(Scratch::url);
    let site = Site {
        store: url.as_ref().map(|url| url.expose_secret()),
        brokers,
        lease_s: None,
    };
    let path = out.with_extension("toml");
    site.write(&path).unwrap();
    path.to_str().unwrap().to_owned()
}

fn call(out: &Path, site: &str, more: &[&str]) -> Command {
    let mut all = vec![
        "--config",
        site,
        "demo",
        "--json",
        "--out",
        out.to_str().unwrap(),
    ];
    all.extend(ARGUMENTS);
    all.extend(more);
    command(&all)
}

fn finished(out: &Path, output: &std::process::Output) -> Round {
    let err = String::from_utf8_lossy(&output.stderr);
    let told = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("not one JSON object: {error}\n{err}"));
    assert!(output.status.success(), "{told}\n{err}");
    Round {
        out: out.to_owned(),
        told,
    }
}

fn ran(name: &str, store: Option<&Scratch>, kafka: Option<&str>, more: &[&str]) -> Round {
    let out = folder(name);
    let site = site(&out, store, kafka);
    let output = call(&out, &site, more).output().unwrap();
    finished(&out, &output)
}

/// Run once for all tests: they are at it at the same time, and it has one folder.
fn undisturbed() -> &'static Round {
    static ROUND: LazyLock<Round> = LazyLock::new(|| Round::run("split-none", &ARGUMENTS));
    &ROUND
}

#[test]
fn the_ledger_is_the_same_on_postgres_and_on_kafka_over_four_processes() {
    let Some((postgres, kafka)) = services() else {
        return;
    };
    let alone = undisturbed();
    let store = schema(&postgres, "it_split_one");
    let on_postgres = ran("split-postgres", Some(&store), None, &[]);
    let store = schema(&postgres, "it_split_four");
    let more = ["--processes", "4"];
    let on_both = ran("split-four", Some(&store), Some(&kafka), &more);
    for (name, other) in [("PostgreSQL", &on_postgres), ("four processes", &on_both)] {
        if let Some(difference) = ledgers_differ(alone, other) {
            panic!("{name}: {difference}");
        }
        for what in [
            "ended",
            "letters",
            "messages",
            "forms",
            "lab_results",
            "documents",
        ] {
            assert_eq!(alone.told[what], other.told[what], "{name}: {what}");
        }
        assert_eq!(other.number("effects_twice"), 0, "{name}");
        assert_eq!(other.number("unaccounted"), 0, "{name}");
    }
}

#[test]
fn processes_that_are_killed_leave_nothing_lost_and_nothing_twice() {
    let Some((postgres, kafka)) = services() else {
        return;
    };
    let store = schema(&postgres, "it_split_kill");
    let out = folder("split-kill");
    let site = site(&out, Some(&store), Some(&kafka));
    let mut demo = call(&out, &site, &["--processes", "4", "--respawn"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Each of the four in turn, at moments that nobody chose.
    let mut killed = 0;
    for turn in 0..8 {
        thread::sleep(Duration::from_millis(3_000 + turn * 137));
        let family = children(demo.id()).unwrap();
        let Some(victim) = family.get(usize::try_from(turn).unwrap() % family.len().max(1)) else {
            break;
        };
        killed += usize::from(signal("-KILL", victim).unwrap());
    }
    assert!(killed > 0, "nobody was killed: {:?}", demo.try_wait());
    let output = demo.wait_with_output().unwrap();
    let round = finished(&out, &output);
    assert_eq!(round.number("effects_twice"), 0, "{}", round.told);
    assert_eq!(round.number("unaccounted"), 0, "{}", round.told);
    assert_eq!(round.number("waiting"), 0, "{}", round.told);
    assert_eq!(round.told["invited"], undisturbed().told["invited"]);
}
