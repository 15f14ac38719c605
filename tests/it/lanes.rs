//! Stopping and starting lanes from the command line.

use std::fs;

use halsonav_storage::{AuditFilter, Place, Storage, VaultKeys};
use serde_json::{Value, json};

use crate::support::{Said, binary, folder, halsonav};

#[test]
fn a_lane_is_stopped_listed_and_started_and_the_log_says_by_whom() {
    if binary().is_none() {
        return;
    }
    let dir = folder("lanes");
    fs::create_dir_all(&dir).unwrap();
    let (data, settings) = (dir.join("data"), dir.join("site.toml"));
    let text = format!("[hub]\nregion = \"demo\"\ndata = {data:?}\n[adapters.print]\n");
    fs::write(&settings, text).unwrap();
    let lane = |arguments: &[&str]| -> Said {
        let mut all = vec!["--json", "--config", settings.to_str().unwrap(), "lane"];
        all.extend(arguments);
        halsonav(&all)
    };
    let of = |said: &Said, name: &str| -> Value {
        let list = said.json()["lanes"].as_array().unwrap().clone();
        list.into_iter()
            .find(|lane| lane["adapter"] == name)
            .unwrap()
    };

    assert_eq!(of(&lane(&["list"]), "print")["state"], "running");
    let stop = ["stop", "print", "--why", "the wrong sender"];
    assert_eq!(
        lane(&stop).json(),
        json!({ "stopped": "print", "changed": true })
    );
    assert_eq!(lane(&stop).json()["changed"], false);
    let print = of(&lane(&["list"]), "print");
    assert_eq!(print["state"], "stopped");
    assert_eq!(
        (&print["why"], &print["waiting"]),
        (&json!("the wrong sender"), &json!(0))
    );
    let by = print["by"].as_str().unwrap();
    assert!(by.starts_with("cli:") && by.len() > 4, "{by}");
    assert_eq!(
        lane(&["start", "print"]).json(),
        json!({ "started": "print", "changed": true })
    );
    assert_eq!(of(&lane(&["list"]), "print")["state"], "running");

    let unknown = lane(&["stop", "fax"]);
    assert!(!unknown.status.success());
    assert_eq!(unknown.json()["problems"][0]["code"], "HUB-CLI-008");

    let keys = fs::read_to_string(data.join("vault.key")).unwrap();
    let place = Place::Sqlite(data.join("halsonav.db"));
    let storage = Storage::open(&place, VaultKeys::parse(&keys).unwrap()).unwrap();
    let log = storage
        .read(|r| r.audit_page(&AuditFilter::default(), None, 10))
        .unwrap();
    let told: Vec<_> = log
        .iter()
        .map(|it| (it.entry.purpose.as_str(), it.entry.actor.as_str()))
        .collect();
    assert_eq!(
        told,
        [("stop-lane", by), ("stop-lane", by), ("start-lane", by)]
    );
}
