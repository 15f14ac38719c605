//! What a job looks like, and what does not become one.

use std::io::Read;

use halsonav_domain::{HsaId, Kind, Outcome};
use halsonav_print::{Config, Print};
use serde_json::{Value, json};

use crate::support::{World, id, letter, letters, pdf, world};

fn package(world: &World, name: &str) -> Vec<u8> {
    std::fs::read(world.vendor.shop().folders().incoming().join(name)).unwrap()
}

fn entries(package: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(package)).unwrap();
    let count = zip.len();
    let read = |n| {
        let mut file = zip.by_index(n).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        (file.name().unwrap().into_owned(), bytes)
    };
    (0..count).map(read).collect()
}

#[tokio::test]
async fn a_job_is_one_package_with_its_manifest_first() {
    let world = world().await;
    let mut batch = letters(1..3);
    batch[1].command.unit = HsaId::new("SE2321000999-VC02");
    let done = world.sent(batch).await;
    let names = world.lies("in");
    assert_eq!(names.len(), 1, "one job, nothing half");
    let job = names[0].trim_end_matches(".zip");
    assert!(done.iter().all(|done| done.result["jobId"] == job));
    assert_eq!(done[0].references[0].kind, "letter");
    assert_eq!(
        done[0].result["letterId"],
        done[0].references[0].value.as_str()
    );

    let entries = entries(&package(&world, &names[0]));
    assert_eq!(entries[0].0, "manifest.json");
    assert_eq!(entries[1].0, "manifest.sha256");
    let manifest: Value = serde_json::from_slice(&entries[0].1).unwrap();
    assert_eq!(manifest["jobId"], job);
    assert_eq!(manifest["letters"][0]["letterId"], id(1));
    assert_eq!(manifest["letters"][0]["returnAddress"][1], "Box 1");
    assert_eq!(manifest["letters"][1]["returnAddress"][1], "Box 2");
    let roles: Vec<_> = manifest["letters"][0]["files"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(roles.len(), 3);
    assert_eq!(roles[0]["role"], "letter");
    assert_eq!(roles[0]["name"], entries[2].0.as_str());
    assert_eq!(entries[2].1, pdf("letter of 1").to_vec());
    assert_eq!(entries[3].1, pdf("form of 1").to_vec());
    assert_eq!(entries[4].1, pdf("map of 1").to_vec());
}

#[tokio::test]
async fn nobody_can_be_known_by_the_manifest_or_the_names() {
    let world = world().await;
    world.sent(vec![letter(1)]).await;
    let names = world.lies("in");
    let entries = entries(&package(&world, &names[0]));
    let text = format!(
        "{names:?} {} {:?}",
        String::from_utf8_lossy(&entries[0].1),
        entries.iter().map(|entry| &entry.0).collect::<Vec<_>>()
    );
    for secret in ["1912", "Tolvan", "Storgatan", "57131"] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_same_letters_in_any_order_are_the_same_bytes() {
    let world = world().await;
    world.sent(letters(1..4)).await;
    let name = world.lies("in").remove(0);
    let first = package(&world, &name);
    std::fs::remove_file(world.vendor.shop().folders().incoming().join(&name)).unwrap();
    let mut turned = letters(1..4);
    turned.reverse();
    turned
        .iter_mut()
        .for_each(|delivery| delivery.now += jiff::SignedDuration::from_hours(9));
    world.sent(turned).await;
    assert_eq!(world.lies("in"), [name.as_str()]);
    assert_eq!(package(&world, &name), first);
}

#[tokio::test]
async fn a_batch_that_is_too_large_becomes_several_jobs() {
    let world = world().await;
    let big = pdf(&"x".repeat(40 << 20));
    let mut batch = letters(1..5);
    for delivery in &mut batch {
        delivery.attachments[1].bytes = big.clone();
    }
    world.sent(batch).await;
    assert_eq!(world.lies("in").len(), 2, "two times 40 MB fit into 100 MB");
    assert_eq!(world.pickup().printed, 4);
}

#[tokio::test]
async fn what_cannot_be_posted_does_not_stop_the_others() {
    let world = world().await;
    let mut batch = letters(1..6);
    batch[0].identity.as_mut().unwrap().address = None;
    batch[1].identity = None;
    batch[2].attachments.remove(1);
    batch[3].attachments[0].bytes = "<html>".as_bytes().into();
    let outcomes = world.send(batch).await;
    assert_eq!(outcomes.len(), 5);
    let told: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            Outcome::Done(_) => "done".to_owned(),
            Outcome::Refused { code, .. } => code.clone(),
            Outcome::Failed(problem) => problem.code.clone(),
            Outcome::Unknown(_) => "unknown".to_owned(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "no-address",
            "HUB-PRINT-011",
            "HUB-PRINT-012",
            "HUB-PRINT-013",
            "done"
        ]
    );
    assert_eq!(world.pickup().printed, 1);
}

#[tokio::test]
async fn settings_that_can_never_work_are_told() {
    use halsonav_adapter::Build;
    let world = world().await;
    let good = || crate::support::config(world.folder.path(), world.vendor.addr(), "SHA256:x");
    let check = |tune: fn(&mut Config), expect: &str| {
        let mut config = good();
        tune(&mut config);
        let problem = Print::build(config).unwrap_err();
        assert_eq!(
            (problem.kind, problem.code.as_str()),
            (Kind::Invalid, expect)
        );
    };
    check(|config| config.host.clear(), "HUB-PRINT-001");
    check(|config| config.host_keys.clear(), "HUB-PRINT-002");
    check(
        |config| config.host_keys = vec!["any".into()],
        "HUB-PRINT-002",
    );
    check(|config| config.key = "nowhere".into(), "HUB-PRINT-003");
    check(|config| config.return_address.clear(), "HUB-PRINT-004");
    check(|config| config.poll_minutes = 0, "HUB-PRINT-005");
    let unknown = json!({ "host": "h", "user": "u", "key": "k", "host_keys": [], "vendor": "v",
        "return_address": [], "password": "secret" });
    assert!(serde_json::from_value::<Config>(unknown).is_err());
}
