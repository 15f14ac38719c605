//! Who may know whom.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::house::{metadata, none};

/// Normal dependencies inside the house. `domain` is everybody's; whoever is not named may know only it.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("expression", &[]),
    ("engine", &["expression"]),
    ("profile", &[]),
    ("document", &[]),
    ("rivta", &[]),
    ("hl7", &[]),
    ("fhir", &[]),
    ("adapter", &[]),
    ("bus", &[]),
    ("storage", &[]),
    ("api", &["storage"]),
    ("neighbours", &["rivta", "hl7", "fhir"]),
    ("roster", &["adapter", "rivta"]),
    ("messaging", &["adapter", "rivta"]),
    ("booking", &["adapter", "rivta"]),
    ("forms", &["adapter", "rivta"]),
    ("lab", &["adapter", "hl7"]),
    ("print", &["adapter"]),
    ("journal", &["adapter", "fhir"]),
    ("research", &["adapter"]),
];

/// Known in tests only: the fakes, and a crate's own producers of examples.
const IN_TESTS: &[&str] = &["neighbours", "profile"];

/// Crates that decide and do no I/O: nothing they are built of runs tasks, opens sockets or speaks SQL.
/// What `dsntk` brings for external functions is not looked at: `expression` refuses those when it loads.
const PURE: &[&str] = &["domain", "expression", "engine", "profile"];
const NOT_PURE: &[&str] = &[
    "tokio",
    "actix-web",
    "reqwest",
    "diesel",
    "libsqlite3-sys",
    "mio",
];

fn short(name: &str) -> Option<&str> {
    name.strip_prefix("halsonav-")
}

fn packages() -> impl Iterator<Item = &'static Value> {
    metadata()["packages"].as_array().unwrap().iter()
}

fn house() -> impl Iterator<Item = (&'static str, &'static Value)> {
    packages()
        .filter(|package| package["source"].is_null())
        .map(|package| (package["name"].as_str().unwrap(), package))
}

#[test]
fn crates_know_only_whom_they_may() {
    let mut faults = Vec::new();
    for (name, package) in house() {
        // The binary and the tests are where things meet.
        if matches!(name, "halsonav" | "halsonav-tests") {
            continue;
        }
        let crate_name = short(name).expect("crates are named halsonav-…");
        let Some((_, allowed)) = MAY_KNOW.iter().find(|(known, _)| *known == crate_name) else {
            faults.push(format!("{crate_name}: say in this test whom it may know"));
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let Some(known) = short(dependency["name"].as_str().unwrap()) else {
                continue;
            };
            let in_tests = dependency["kind"] == "dev" && IN_TESTS.contains(&known);
            let fine = known == "domain" || allowed.contains(&known) || in_tests;
            if !fine {
                faults.push(format!("{crate_name} must not know {known}"));
            }
        }
    }
    none("edges", &faults);
}

#[test]
fn nobody_knows_the_binary() {
    let knows = |package: &Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        dependencies.iter().any(|d| d["name"] == "halsonav")
    };
    let faults: Vec<String> = house()
        // The tests turn its parts by hand, through `halsonav::rehearsal`.
        .filter(|(name, package)| *name != "halsonav-tests" && knows(package))
        .map(|(name, _)| name.to_owned())
        .collect();
    none("who knows the binary", &faults);
}

#[test]
fn who_decides_does_no_input_or_output() {
    let names: BTreeMap<&str, &str> = packages()
        .map(|package| {
            (
                package["id"].as_str().unwrap(),
                package["name"].as_str().unwrap(),
            )
        })
        .collect();
    let nodes: BTreeMap<&str, &Value> = metadata()["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["id"].as_str().unwrap(), node))
        .collect();
    let mut faults = Vec::new();
    for (name, package) in house() {
        if !short(name).is_some_and(|name| PURE.contains(&name)) {
            continue;
        }
        let mut seen = BTreeSet::new();
        let mut open = vec![package["id"].as_str().unwrap()];
        while let Some(id) = open.pop() {
            if names[id].starts_with("dsntk-") || !seen.insert(id) {
                continue;
            }
            let normal = |dep: &&Value| {
                let kinds = dep["dep_kinds"].as_array().unwrap();
                kinds.iter().any(|kind| kind["kind"].is_null())
            };
            let deps = nodes[id]["deps"].as_array().unwrap().iter();
            open.extend(deps.filter(normal).map(|dep| dep["pkg"].as_str().unwrap()));
        }
        let bad = seen
            .iter()
            .map(|id| names[id])
            .filter(|n| NOT_PURE.contains(n));
        faults.extend(bad.map(|bad| format!("{name} is built of {bad}")));
    }
    none("impure", &faults);
}
