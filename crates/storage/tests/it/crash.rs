//! kill -9 between two writes, or in the middle of one.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use halsonav_storage::{Place, Storage, VaultKeys, Verified};

use secrecy::ExposeSecret as _;

use crate::world::{at, everywhere, person};

const WHERE: &str = "HALSONAV_STORAGE_CRASH_PLACE";
const KEYS: &str = "HALSONAV_STORAGE_CRASH_KEYS";

/// Not a test of its own: what the killed process runs. Says a number on its output only after the
/// write that carries it was acknowledged.
#[test]
fn child() {
    let (Ok(place), Ok(keys)) = (std::env::var(WHERE), std::env::var(KEYS)) else {
        return;
    };
    let storage = open(&Place::parse(&place), &keys);
    for n in 0u64.. {
        storage
            .write(move |tx| {
                let subject = tx.enrol(&[person(n)])?[0].subject;
                tx.audit(&[halsonav_storage::NewAudit {
                    at: at(0),
                    actor: "child".into(),
                    action: "read".into(),
                    purpose: n.to_string(),
                    unit: None,
                    subject: Some(subject),
                    case: None,
                    detail: serde_json::Value::Null,
                }])?;
                tx.set_setting("last", Some(&n.to_string()))
            })
            .unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "acknowledged {n}").unwrap();
        out.flush().unwrap();
    }
}

fn open(place: &Place, keys: &str) -> Storage {
    Storage::open(place, VaultKeys::parse(keys).unwrap()).unwrap()
}

/// As [`Place::parse`] reads it.
fn text(place: &Place) -> String {
    match place {
        Place::Sqlite(path) => path.to_str().unwrap().to_owned(),
        Place::Postgres(server) => server.url.expose_secret().to_owned(),
    }
}

#[test]
fn every_acknowledged_write_survives_a_kill() {
    everywhere(|base| {
        let world = base.world();
        let mut least = 0;
        for round in 1..=3u64 {
            let mut child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "crash::child", "--nocapture"])
                .env(WHERE, text(&world.place))
                .env(KEYS, &world.keys)
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let lines = BufReader::new(child.stdout.take().unwrap()).lines();
            // The first line shares its beginning with the test harness's own.
            let acknowledged = lines
                .map_while(Result::ok)
                .filter_map(|line| {
                    line.split_once("acknowledged ")
                        .and_then(|(_, n)| n.parse::<u64>().ok())
                })
                .find(|n| *n >= 40 * round)
                .expect("the child writes");
            child.kill().unwrap();
            child.wait().unwrap();
            let storage = open(&world.place, &world.keys);
            storage
                .read(|tx| {
                    let last: u64 = tx.setting("last")?.unwrap().parse().unwrap();
                    assert!(last >= acknowledged, "{last} of {acknowledged}");
                    for n in 0..=last {
                        assert!(
                            tx.subject_of_person(&person(n))?.is_some(),
                            "person {n} was acknowledged"
                        );
                    }
                    let Verified::Whole(checkpoint) = tx.verify_audit(None)? else {
                        panic!("the log is not whole")
                    };
                    least += last + 1;
                    assert_eq!(
                        checkpoint.size, least,
                        "each write left its entry, none left half of one"
                    );
                    Ok(())
                })
                .unwrap();
        }
    });
}
