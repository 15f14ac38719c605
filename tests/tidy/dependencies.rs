//! What the house is built of, and on which terms.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    exceptions::list,
    house::{metadata, none},
    licence::is_allowed,
};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn foreign() -> Vec<&'static Value> {
    let packages = metadata()["packages"].as_array().unwrap().iter();
    let used: BTreeSet<&str> = metadata()["resolve"]["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| node["id"].as_str().unwrap())
        .collect();
    let foreign: Vec<&Value> = packages
        .filter(|p| !p["source"].is_null() && used.contains(p["id"].as_str().unwrap()))
        .collect();
    assert!(foreign.len() > 100, "found only {}", foreign.len());
    foreign
}

fn name(package: &Value) -> &str {
    package["name"].as_str().unwrap()
}

fn version(package: &Value) -> &str {
    package["version"].as_str().unwrap()
}

#[test]
fn licences_are_permissive() {
    let faults: Vec<String> = foreign()
        .into_iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| {
            format!(
                "{} {}: {}",
                name(package),
                version(package),
                package["license"]
            )
        })
        .collect();
    none("licences that are not on the list", &faults);
}

#[test]
fn everything_comes_from_the_registry() {
    let faults: Vec<String> = foreign()
        .into_iter()
        .filter(|package| package["source"] != REGISTRY)
        .map(|package| format!("{}: {}", name(package), package["source"]))
        .collect();
    none("other sources", &faults);
}

/// The part of a version that must be the same for two to be one: `1`, `0.4`, `0.0.9`.
fn line(version: &str) -> String {
    let mut line = String::new();
    for part in version.split(['.', '-', '+']) {
        line.push_str(part);
        if part != "0" {
            break;
        }
        line.push('.');
    }
    line
}

#[test]
fn nothing_new_is_there_twice() {
    let mut lines: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in foreign() {
        lines
            .entry(name(package))
            .or_default()
            .insert(line(version(package)));
    }
    let allowed = &list().duplicates;
    let twice = |name: &str| lines.get(name).is_some_and(|lines| lines.len() > 1);
    let mut faults: Vec<String> = lines
        .iter()
        .filter(|(name, lines)| lines.len() > 1 && !allowed.iter().any(|known| known == *name))
        .map(|(name, lines)| format!("{name}: {lines:?}"))
        .collect();
    let gone = allowed.iter().filter(|name| !twice(name));
    faults.extend(gone.map(|name| format!("{name}: there once only, strike it out")));
    none("in more than one version", &faults);
}

#[test]
fn lines_of_versions() {
    for (version, expect) in [
        ("1.2.3", "1"),
        ("0.4.0", "0.4"),
        ("0.0.9", "0.0.9"),
        ("0.9.12+spec", "0.9"),
    ] {
        assert_eq!(line(version), expect);
    }
}
