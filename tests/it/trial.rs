//! The hub as the README has it run for a trial: fake neighbours in one process, the hub over four, each
//! started by hand; a list comes in, and one of two engines is killed.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::Duration,
};

use halsonav_storage::{Idempotent, Place, Storage, VaultKeys, scratch::Scratch};
use halsonav_tests::{
    site::Site,
    trial::{self, Running},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::collector::Collector;
use crate::support::{binary, command, folder, halsonav, schema, services, until};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);
const RESIDENTS: &str = "60";

fn start(out: &Path, name: &str, arguments: &[&str]) -> Running {
    let log = out.join(format!("{name}.log"));
    Running::start(&mut command(arguments), &log).unwrap()
}

/// The site's own settings.
fn site(out: &Path, store: Option<&Scratch>, brokers: Option<&str>) -> String {
    use secrecy::ExposeSecret as _;
    fs::create_dir_all(out).unwrap();
    let url = store.map(Scratch::url);
    let path = out.join("site.toml");
    let settings = Site {
        store: url.as_ref().map(|url| url.expose_secret()),
        brokers,
        lease_s: Some(3),
    };
    settings.write(&path).unwrap();
    let data = out.join("data").display().to_string();
    let own = format!("[hub]\ndata = \"{data}\"\nvault_key = \"{data}/vault.key\"\n");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{own}{text}")).unwrap();
    path.display().to_string()
}

/// Fake neighbours, and the settings of a hub among them.
fn neighbours(out: &Path, site: &str) -> (Running, String) {
    let folder = out.join("neighbours");
    let place = folder.display().to_string();
    let arguments = [
        "--config",
        site,
        "neighbours",
        "--out",
        &place,
        "--residents",
        RESIDENTS,
    ];
    let running = start(out, "neighbours", &arguments);
    let settings = folder.join("site.toml");
    until(PATIENCE, "the neighbours", || {
        settings.exists().then_some(())
    });
    (running, settings.display().to_string())
}

fn tell(site: &str, words: &[&str]) -> Value {
    let said = halsonav(&[&["--config", site, "--json"], words].concat());
    assert!(said.status.success(), "{words:?}: {}{}", said.out, said.err);
    said.json()
}

fn messages(out: &Path) -> BTreeMap<String, u64> {
    trial::messages(&out.join("neighbours"))
}

/// The metrics of a process, from where it says it shows them.
fn monitored(out: &Path, name: &str) -> String {
    let log = fs::read_to_string(out.join(format!("{name}.log"))).unwrap();
    let told = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["fields"]["key"] == "monitor.listen");
    let address = told.unwrap()["fields"]["address"].clone();
    let address = address.as_str().unwrap();
    let mut socket = TcpStream::connect(address).unwrap();
    write!(
        socket,
        "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}

/// Whoever has other keys than the store was made with does nothing, and makes none.
fn other_keys_are_refused(out: &Path, site: &str) {
    let text = fs::read_to_string(site).unwrap();
    let (ours, theirs) = (out.join("data/vault.key"), out.join("other/vault.key"));
    let (ours, theirs) = (ours.display().to_string(), theirs.display().to_string());
    assert!(text.contains(&ours), "{text}");
    let other = out.join("other.toml").display().to_string();
    fs::write(&other, text.replace(&ours, &theirs)).unwrap();
    let refused = |words: &[&str], code: &str| {
        let said = halsonav(&[&["--config", &other, "--json"], words].concat());
        assert!(!said.status.success(), "{words:?}: {}", said.out);
        let told = format!("{}{}", said.out, said.err);
        assert!(told.contains(code), "{words:?}: {told}");
    };
    refused(&["migrate"], "HUB-STORAGE-007");
    assert!(!Path::new(&theirs).exists(), "keys that nobody wants");
    fs::create_dir(out.join("other")).unwrap();
    VaultKeys::load_or_create(Path::new(&theirs)).unwrap();
    refused(&["migrate"], "HUB-STORAGE-015");
    refused(&["cohort", "show"], "HUB-STORAGE-015");
    refused(&["serve", "--roles", "engine"], "HUB-STORAGE-015");
    fs::write(&other, text.replace(&ours, "")).unwrap();
    refused(&["check"], "HUB-CONFIG-011");
}

#[test]
fn by_hand_over_four_processes_a_killed_engine_is_not_missed() {
    let Some((postgres, kafka)) = services() else {
        return;
    };
    let out = folder("trial");
    let store = schema(&postgres, "it_trial");
    let own = site(&out, Some(&store), Some(&kafka));
    let collector = Collector::start();
    collector.is_named_in(Path::new(&own));
    let (_neighbours, site) = neighbours(&out, &own);
    tell(&site, &["migrate"]);
    let plan = |words: &[&str]| {
        tell(&site, words)["plan"]["steps"]
            .as_array()
            .unwrap()
            .len()
    };
    assert!(plan(&["topics", "plan"]) > 0);
    plan(&["topics", "apply"]);
    assert_eq!(plan(&["topics", "plan"]), 0);
    other_keys_are_refused(&out, &site);

    let serve = |name: &str, roles: &str| {
        let rest = ["serve", "--roles", roles, "--monitor", "127.0.0.1:0"];
        let arguments = [&["--config", &site], rest.as_slice()].concat();
        start(&out, name, &arguments)
    };
    let mut engine = serve("engine-1", "engine");
    let _others = [
        serve("engine-2", "engine"),
        serve("relay", "relay,scheduler"),
        serve("dispatch", "dispatch"),
    ];
    let list = out.join("neighbours/roster.csv").display().to_string();
    let imported = tell(&site, &["cohort", "import", &list]);
    let invited = imported["opened"].as_u64().unwrap();
    assert!(invited > 10, "{imported}");
    until(PATIENCE, "somebody is written to", || {
        (!messages(&out).is_empty()).then_some(())
    });
    engine.kill().unwrap();
    // Everybody comes to where a resident, a person at work or the calendar is waited for.
    let waits = || {
        let told = tell(&site, &["case", "list", "--limit", "1000"]);
        let cases = told["cases"].as_array().unwrap();
        (cases.len() as u64, trial::on_their_way(cases))
    };
    until(PATIENCE, "everybody waits for others", || {
        (waits() == (invited, 0)).then_some(())
    });
    let ledger = tell(&site, &["cohort", "show"]);
    assert_eq!(ledger["unaccounted"], 0, "{ledger}");
    assert_eq!(ledger["incidents"], 0, "{ledger}");
    for (name, counts) in [
        ("engine-2", "halsonav_engine_steps_total"),
        ("relay", "\nhalsonav_outbox_oldest_seconds 0\n"),
        ("dispatch", "halsonav_effects_total"),
    ] {
        let metrics = monitored(&out, name);
        assert!(metrics.contains(counts), "{name}: {metrics}");
    }
    let twice: Vec<_> = messages(&out).into_iter().filter(|(_, n)| *n > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    // A message was sent by one process because of a step in another.
    until(PATIENCE, "spans that follow from each other", || {
        collector.caused("command.done", "messaging.send")
    });
    collector.names_nobody(&out.join("neighbours"));
}

/// A fact, or the key of a request, of so many days ago.
fn remember(storage: &Storage, days: i64) {
    let at = Timestamp::now() - SignedDuration::from_hours(24 * days);
    let remembered = storage.write(move |tx| {
        let id = format!("{days} days ago");
        tx.first_seen(&[(None, "/adapters/lab", &id)], at)?;
        tx.answer_once("client", &id, "digest", 202, "{}", at)
    });
    remembered.unwrap();
}

#[test]
fn what_is_old_is_forgotten_by_itself() {
    if binary().is_none() {
        return;
    }
    let out = folder("housekeeping");
    let own = site(&out, None, None);
    let (_neighbours, site) = neighbours(&out, &own);
    tell(&site, &["migrate"]);
    let keys = VaultKeys::load(&out.join("data/vault.key")).unwrap();
    let storage = Storage::open(&Place::Sqlite(out.join("data/halsonav.db")), keys).unwrap();
    for days in [401, 399, 31, 29] {
        remember(&storage, days);
    }
    let mut hub = start(&out, "hub", &["--config", &site, "serve"]);
    let answered = |days: i64| {
        let key = format!("{days} days ago");
        let kept = storage.read(|r| r.idempotent("client", &key, "digest"));
        kept.unwrap() != Idempotent::First
    };
    until(PATIENCE, "the oldest answers are forgotten", || {
        (!answered(401) && !answered(399) && !answered(31)).then_some(())
    });
    // Messages are forgotten before answers are.
    hub.kill().unwrap();
    assert!(answered(29));
    let before = |days: i64| {
        let at = Timestamp::now() - SignedDuration::from_hours(24 * days);
        storage.write(move |tx| tx.forget_seen(at, 100)).unwrap()
    };
    assert_eq!(before(400), 0, "seen too long ago");
    assert_eq!(before(398), 1, "seen not too long ago");
}
