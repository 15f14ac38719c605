//! A region's folder, with what it inherits.

use std::collections::{BTreeMap, BTreeSet};

use halsonav_domain::{CommandKind, HsaId, Kind, Problem};
use serde::Deserialize;
use serde_json::Value;

use super::tree::Tree;
use crate::adapters;

/// How many regions may stand in a line of `extends`.
const DEPTH: usize = 8;

/// Everything that makes one region different from another.
#[derive(Clone, Debug)]
pub struct Region {
    /// Folder name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The region's own organisation.
    pub hsa_id: HsaId,
    /// Id of the definition that a case runs.
    pub process: String,
    /// The round being run.
    pub round: Round,
    /// Variables of every case, under the name `region`.
    pub switches: serde_json::Map<String, Value>,
    /// The care units.
    pub units: Vec<Unit>,
    /// The research project that contributions go to.
    pub research: Option<Project>,
    /// Settings of the adapters, by name; laid over those of the site.
    pub adapters: toml::Table,
    /// Adapters that are programs of their own, behind the topics: what each can do.
    pub outside: BTreeMap<String, Program>,
    /// Files by folder, nearest first in the line of inheritance.
    pub files: Files,
}

/// `[round]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// Its name.
    pub id: String,
    /// The year whose ages count.
    pub year: i16,
    /// First day.
    pub starts: jiff::civil::Date,
}

/// `[[units]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// HSA-id.
    pub hsa_id: HsaId,
    /// Name as residents know it.
    pub name: String,
    /// Visiting address, line by line.
    pub address: Vec<String>,
    /// Telephone.
    pub phone: String,
}

/// `[research]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Short name, part of file names.
    pub project: String,
    /// Registration number of the ethics approval, stated in every export.
    pub ethics_approval: String,
}

/// `[outside.<name>]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// By name: the second word of the command's kind.
    pub operations: BTreeMap<String, Deed>,
}

/// `[outside.<name>.operations.<operation>]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// Whether it reaches the resident, so that the gate must say yes first.
    pub contact: bool,
}

/// The region's files: path inside the region's folder → text.
#[derive(Clone, Debug, Default)]
pub struct Files(BTreeMap<String, String>);

impl Files {
    /// Files in `folder` with this ending, by file name.
    pub fn of<'a>(
        &'a self,
        folder: &'a str,
        ending: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.0.iter().filter_map(move |(path, text)| {
            let name = match folder {
                "" => path.as_str(),
                folder => path.strip_prefix(folder)?.strip_prefix('/')?,
            };
            (!name.contains('/') && name.ends_with(ending)).then_some((name, text.as_str()))
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    extends: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    hsa_id: Option<HsaId>,
    #[serde(default)]
    process: Option<String>,
    #[serde(default)]
    switches: toml::Table,
    #[serde(default)]
    round: Option<Round>,
    #[serde(default)]
    units: Option<Vec<Unit>>,
    #[serde(default)]
    research: Option<Project>,
    #[serde(default)]
    adapters: toml::Table,
    #[serde(default)]
    outside: BTreeMap<String, Program>,
}

/// Reads `config/regions/<name>` and what it extends, down to `config/base`.
///
/// # Errors
/// `HUB-CONFIG-002` names the file and what is wrong with it; all faults of one file at once as far
/// as TOML tells them.
pub fn load(tree: &Tree, name: &str) -> Result<Region, Problem> {
    let line = lineage(tree, name)?;
    let mut region = Region {
        name: name.to_owned(),
        title: name.to_owned(),
        hsa_id: HsaId::new(""),
        process: String::new(),
        round: Round {
            id: String::new(),
            year: 0,
            starts: jiff::civil::Date::ZERO,
        },
        switches: serde_json::Map::new(),
        units: Vec::new(),
        research: None,
        adapters: toml::Table::new(),
        outside: BTreeMap::new(),
        files: Files(tree.below("base").collect()),
    };
    for (ancestor, file) in line.into_iter().rev() {
        overlay(&mut region, file)?;
        region
            .files
            .0
            .extend(tree.below(&format!("regions/{ancestor}")));
    }
    check(&region)?;
    Ok(region)
}

/// From `name` to its oldest ancestor.
fn lineage(tree: &Tree, name: &str) -> Result<Vec<(String, File)>, Problem> {
    let mut line = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = Some(name.to_owned());
    while let Some(name) = next {
        let path = format!("regions/{name}/region.toml");
        if !seen.insert(name.clone()) || line.len() == DEPTH {
            return Err(fault(
                &path,
                "extends itself, or more than eight regions in a line",
            ));
        }
        let text = tree.text(&path).ok_or_else(|| {
            Problem::new(
                Kind::NotFound,
                "HUB-CONFIG-003",
                format!("no region '{name}': {path} is not there"),
            )
        })?;
        let file: File = toml::from_str(&text).map_err(|error| fault(&path, &error.to_string()))?;
        if file.name.as_deref().is_some_and(|own| own != name) {
            return Err(fault(&path, "name differs from the folder's"));
        }
        next = file.extends.clone();
        line.push((name, file));
    }
    Ok(line)
}

fn overlay(region: &mut Region, file: File) -> Result<(), Problem> {
    if let Some(title) = file.title {
        region.title = title;
    }
    if let Some(hsa_id) = file.hsa_id {
        region.hsa_id = hsa_id;
    }
    if let Some(round) = file.round {
        region.round = round;
    }
    if let Some(units) = file.units {
        region.units = units;
    }
    if let Some(research) = file.research {
        region.research = Some(research);
    }
    if let Some(process) = file.process {
        region.process = process;
    }
    for (key, value) in file.switches {
        let value = serde_json::to_value(value)
            .map_err(|error| fault("region.toml", &error.to_string()))?;
        region.switches.insert(key, value);
    }
    region.outside.extend(file.outside);
    for (adapter, settings) in file.adapters {
        match (region.adapters.get_mut(&adapter), settings) {
            (Some(toml::Value::Table(known)), toml::Value::Table(new)) => known.extend(new),
            (_, settings) => {
                region.adapters.insert(adapter, settings);
            }
        }
    }
    Ok(())
}

fn check(region: &Region) -> Result<(), Problem> {
    let path = format!("regions/{}/region.toml", region.name);
    if region.process.is_empty() {
        return Err(fault(&path, "process is missing"));
    }
    if region.round.id.is_empty()
        || !region
            .round
            .id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return Err(fault(
            &path,
            "round.id is missing, or has other than letters, digits, - and _",
        ));
    }
    if region.units.is_empty() {
        return Err(fault(&path, "units are missing"));
    }
    for (name, program) in &region.outside {
        let taken =
            adapters::NAMES.contains(&name.as_str()) || adapters::OWN.contains(&name.as_str());
        let kinds = program.operations.keys();
        let mut kinds = kinds.map(|deed| format!("{name}.{deed}").parse::<CommandKind>());
        if taken || program.operations.is_empty() || kinds.any(|kind| kind.is_err()) {
            let message = format!(
                "outside.{name}: a name of its own and operations, in a-z, 0-9 and -, are needed"
            );
            return Err(fault(&path, &message));
        }
    }
    Ok(())
}

fn fault(path: &str, message: &str) -> Problem {
    Problem::new(
        Kind::Invalid,
        "HUB-CONFIG-002",
        format!("{path}: {message}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_region_loads_and_inherits() {
        let tree = Tree::load(None).expect("the shipped tree");
        for name in ["demo", "utan-lab", "endast-brev", "stjarnprofil"] {
            let region = load(&tree, name).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            assert_eq!(region.process, "halsosamtal", "{name}");
            assert_eq!(region.files.of("", ".bpmn").count(), 2, "{name}");
            assert_eq!(region.files.of("rules", ".dmn").count(), 6, "{name}");
        }
        let demo = load(&tree, "demo").expect("demo");
        let without_lab = load(&tree, "utan-lab").expect("utan-lab");
        assert_eq!(demo.switches["lab"], true);
        assert_eq!(without_lab.switches["lab"], false);
        assert_eq!(without_lab.switches["graphic"], demo.switches["graphic"]);
    }

    #[test]
    fn an_unknown_region_is_said_to_be_unknown() {
        let tree = Tree::load(None).expect("the shipped tree");
        assert_eq!(
            load(&tree, "atlantis")
                .map(|r| r.name)
                .expect_err("unknown")
                .code,
            "HUB-CONFIG-003"
        );
    }
}
