//! The top level is a table of contents.

use std::{fs, process::Command};

use crate::house::{none, present, root};

/// What stands there, and nothing else.
const REQUIRED: &[&str] = &[
    ".cargo",
    ".ci",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "adapters",
    "config",
    "contracts",
    "crates",
    "docker",
    "docs",
    "rust-toolchain.toml",
    "tests",
];

/// Whether git was told to look away.
fn is_ignored(name: &str) -> bool {
    Command::new("git")
        .current_dir(root())
        .args(["check-ignore", "--quiet", name])
        .status()
        .is_ok_and(|status| status.success())
}

#[test]
fn the_top_level_holds_nothing_else() {
    let faults: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".git" && name != "target" && !REQUIRED.contains(&name.as_str()))
        .filter(|name| !is_ignored(name))
        .collect();
    none("at the top level by mistake", &faults);
}

#[test]
fn the_top_level_is_whole() {
    let wanted: Vec<String> = REQUIRED.iter().map(|name| (*name).to_owned()).collect();
    present("missing at the top level", &wanted);
}
