//! What the containers are told is what the repository has. There is no engine to try them with.

use std::collections::BTreeSet;

use crate::house::{present, text};

const COMPOSE: &str = "docker/compose.yaml";
const DOCKERFILE: &str = "docker/Dockerfile";

/// What `--roles` may name: docs/adr/0009-production-runtime.md.
const ROLES: &[&str] = &["api", "dispatch", "engine", "relay", "scheduler"];

/// Everything that stands after `flag` in the commands of the services.
fn told(compose: &str, flag: &str) -> BTreeSet<String> {
    let commands = compose.lines().filter(|line| line.contains("command: ["));
    let words = commands.flat_map(|line| {
        let (_, after) = line.split_once(flag).unwrap_or_default();
        let end = after.find([']', '-']).unwrap_or(after.len());
        after[..end]
            .split([',', '"', ' '])
            .filter(|word| !word.is_empty())
    });
    words.map(str::to_owned).collect()
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn every_role_and_every_adapter_runs_somewhere() {
    let compose = text(COMPOSE);
    assert_eq!(told(&compose, "--roles,"), named(ROLES));
    let adapters = crate::house::members()
        .into_iter()
        .filter_map(|member| member.strip_prefix("adapters/").map(str::to_owned))
        .collect();
    assert_eq!(told(&compose, "--adapters,"), adapters);
}

#[test]
fn what_is_copied_and_mounted_is_there() {
    let dockerfile = text(DOCKERFILE);
    let copied = dockerfile.lines().filter_map(|line| {
        let mut words = line.strip_prefix("COPY ")?.split(' ');
        words.next().filter(|first| !first.starts_with("--"))
    });
    let compose = text(COMPOSE);
    let mounted = compose.lines().filter_map(|line| {
        let (path, _) = line.trim().strip_prefix("- ")?.split_once(":/")?;
        path.starts_with('.').then_some(path)
    });
    let mounted = mounted.map(|path| match path.strip_prefix("../") {
        Some(path) => path.to_owned(),
        None => format!("docker/{}", path.trim_start_matches("./")),
    });
    let wanted: Vec<String> = copied
        .map(str::to_owned)
        .chain(mounted)
        // Made by secrets.sh.
        .filter(|path| path != "docker/config")
        .collect();
    present("copied or mounted, and not there", &wanted);
}

#[test]
fn versions_are_those_of_the_house() {
    let channel: toml::Value = toml::from_str(&text("rust-toolchain.toml")).unwrap();
    let rust = channel["toolchain"]["channel"].as_str().unwrap();
    let minor = rust
        .rsplit_once('.')
        .filter(|_| rust.matches('.').count() == 2);
    let image = format!("FROM rust:{}-", minor.map_or(rust, |(minor, _)| minor));
    assert!(text(DOCKERFILE).contains(&image), "not built with {image}");

    let services = text("tests/services.d/kafka");
    let kafka = services
        .lines()
        .find_map(|line| line.strip_prefix("kafka_version="))
        .unwrap();
    let image = format!("image: apache/kafka:{kafka}\n");
    assert!(text(COMPOSE).contains(&image), "not tested with {image}");
}

#[test]
fn flags_are_found() {
    let compose = "command: [serve, --roles, \"relay,api\"]\ncommand: [serve, --roles, dispatch, --adapters, x]";
    assert_eq!(
        told(compose, "--roles,"),
        named(&["api", "dispatch", "relay"])
    );
    assert_eq!(told(compose, "--adapters,"), named(&["x"]));
}
