//! Every crate tells what it is.

use crate::house::{members, none, present, text};

#[test]
fn every_crate_has_a_readme() {
    let wanted: Vec<String> = members()
        .iter()
        .map(|member| format!("{member}/README.md"))
        .collect();
    present("crates without a README.md", &wanted);
}

#[test]
fn every_crate_begins_with_its_story() {
    let begins = |member: &String| {
        ["lib.rs", "main.rs"]
            .iter()
            .map(|name| format!("{member}/src/{name}"))
            .filter(|path| crate::house::is_there(path))
            .all(|path| text(&path).starts_with("//! "))
    };
    let faults: Vec<String> = members().into_iter().filter(|m| !begins(m)).collect();
    none("crates whose first line is no //! doc", &faults);
}

#[test]
fn every_crate_takes_lints_and_versions_from_the_workspace() {
    let mut faults = Vec::new();
    for member in members().into_iter().chain(["tests".to_owned()]) {
        let manifest: toml::Value = toml::from_str(&text(&format!("{member}/Cargo.toml"))).unwrap();
        if manifest["lints"]["workspace"].as_bool() != Some(true) {
            faults.push(format!("{member}: [lints] workspace = true"));
        }
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(table).and_then(toml::Value::as_table) else {
                continue;
            };
            let own = table
                .iter()
                .filter(|(_, wanted)| wanted.get("workspace").is_none());
            faults
                .extend(own.map(|(name, _)| format!("{member}: {name} has a version of its own")));
        }
    }
    none("manifests that go their own way", &faults);
}
