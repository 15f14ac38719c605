//! What there is to look at: files, crates, and what cargo says about them.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

use serde_json::Value;

/// Folders that are no part of the source.
const NOT_SOURCE: &[&str] = &[".git", "target", "out", "node_modules"];

/// The top of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the tests' package stands in the workspace")
}

/// Every source file whose name ends so, by its path from the top, sorted.
pub fn files(ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    walk(root(), ending, &mut found);
    found.sort();
    found
}

fn walk(folder: &Path, ending: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            if !NOT_SOURCE.contains(&name.as_str()) {
                walk(&entry.path(), ending, found);
            }
        } else if name.ends_with(ending) {
            let path = entry.path();
            found.push(
                path.strip_prefix(root())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
}

/// What stands in a file.
pub fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Whether there is such a file or folder.
pub fn is_there(path: &str) -> bool {
    root().join(path).exists()
}

/// Folders of the crates and adapters, such as `adapters/print`.
pub fn members() -> Vec<String> {
    let mut members: Vec<String> = ["crates", "adapters"]
        .iter()
        .flat_map(|parent| {
            fs::read_dir(root().join(parent))
                .unwrap()
                .map(move |entry| (parent, entry.unwrap()))
        })
        .filter(|(_, entry)| entry.path().join("Cargo.toml").is_file())
        .map(|(parent, entry)| format!("{parent}/{}", entry.file_name().to_str().unwrap()))
        .collect();
    members.sort();
    members
}

/// What cargo knows of the workspace and all it is built of on this kind of machine.
pub fn metadata() -> &'static Value {
    static METADATA: LazyLock<Value> = LazyLock::new(|| {
        let host = host();
        // First without the network: what this test runs on has been fetched already.
        let offline = cargo(&["--offline", "--filter-platform", &host]);
        let answer = offline.or_else(|_| cargo(&["--filter-platform", &host]));
        let json = answer.unwrap_or_else(|error| panic!("cargo metadata: {error}"));
        serde_json::from_str(&json).expect("cargo metadata is JSON")
    });
    &METADATA
}

fn cargo(more: &[&str]) -> Result<String, String> {
    let program = env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let output = Command::new(program)
        .current_dir(root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(more)
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().expect("rustc");
    let told = String::from_utf8(output.stdout).unwrap();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc tells its host").to_owned()
}

/// Panics with all of them, if there are any.
pub fn none(what: &str, faults: &[String]) {
    assert!(
        faults.is_empty(),
        "{what}: {}\n  {}",
        faults.len(),
        faults.join("\n  ")
    );
}

/// Each of these is there.
pub fn present(what: &str, wanted: &[String]) {
    let missing: Vec<String> = wanted
        .iter()
        .filter(|path| !is_there(path))
        .cloned()
        .collect();
    none(what, &missing);
}
