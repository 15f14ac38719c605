//! A region's folder, as far as its process goes.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use halsonav_engine::{Anything, Deployment, Library, load};
use halsonav_expression::Decisions;
use serde_json::{Map, Value, json};

/// Switches, process files and tables of a region and those it extends.
pub struct Region {
    /// What the process sees as `region`.
    pub switches: Map<String, Value>,
    /// The definition that a case runs.
    pub process: String,
    /// Its definitions, deployed together.
    pub library: Arc<Library>,
}

/// Files by name.
type Texts = Vec<(String, String)>;

fn folder(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../config/regions")).join(name)
}

impl Region {
    /// Reads the region's folder; `changes` are laid over its switches.
    pub fn read(name: &str, changes: &[(String, Value)]) -> Self {
        let mut line = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(name) = next {
            let text = fs::read_to_string(folder(&name).join("region.toml"))
                .unwrap_or_else(|error| panic!("region {name}: {error}"));
            let file: toml::Table = toml::from_str(&text).expect("region.toml");
            next = file
                .get("extends")
                .and_then(toml::Value::as_str)
                .map(str::to_owned);
            line.push((name, file));
        }
        let (mut switches, mut process) = (Map::new(), String::new());
        let (mut files, mut tables) = (Texts::new(), Texts::new());
        for (name, file) in line.into_iter().rev() {
            if let Some(value) = file.get("process").and_then(toml::Value::as_str) {
                value.clone_into(&mut process);
            }
            let own = json!(file.get("switches").cloned());
            switches.extend(own.as_object().cloned().unwrap_or_default());
            overlay(&mut files, folder(&name), ".bpmn");
            overlay(&mut tables, folder(&name).join("rules"), ".dmn");
        }
        for (key, value) in changes {
            let known = switches.insert(key.clone(), value.clone());
            assert!(known.is_some(), "no switch '{key}'");
        }
        Self {
            switches,
            process,
            library: library(name, &files, &tables),
        }
    }
}

/// Loaded once for all runs.
fn library(region: &str, files: &[(String, String)], tables: &[(String, String)]) -> Arc<Library> {
    static KNOWN: Mutex<BTreeMap<String, Arc<Library>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap();
    let load = || Arc::new(deploy(files, tables));
    known.entry(region.to_owned()).or_insert_with(load).clone()
}

fn deploy(files: &[(String, String)], tables: &[(String, String)]) -> Library {
    let decisions = Arc::new(
        Decisions::load(tables).unwrap_or_else(|faults| panic!("the tables: {faults:#?}")),
    );
    let mut definitions = Vec::new();
    for (name, text) in files {
        let loaded = load(text, &decisions, &Anything)
            .unwrap_or_else(|faults| panic!("{name}: {faults:#?}"));
        definitions.extend(loaded.definitions);
    }
    for definition in &mut definitions {
        definition.version = 1;
    }
    let mut library = Library::new();
    let deployment = Deployment {
        definitions,
        decisions,
    };
    library.add(deployment).expect("the first deployment");
    library
}

/// Files of a folder over those read before, by name.
fn overlay(files: &mut Texts, folder: PathBuf, ending: &str) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if name.ends_with(ending) {
            files.retain(|(known, _)| *known != name);
            files.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    files.sort();
}
