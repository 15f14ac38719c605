//! The region's process files and decision tables, read, checked and deployed.

use std::{collections::BTreeMap, sync::Arc};

use halsonav_adapter::Stop;
use halsonav_domain::{Kind, Problem, Timestamp};
use halsonav_engine::{Anything, Deployment, Fault, Known, Library, Severity, load};
use halsonav_expression::Decisions;
use halsonav_storage::{NewDefinition, Storage, StoredDefinition, Wake};

use crate::{
    config::Region,
    runtime::{Core, store_problem},
};

/// What the hub knows when a process file is checked.
pub struct Knowledge<'a> {
    /// Whether some adapter carries out this job type.
    pub kinds: &'a dyn Fn(&str) -> bool,
    /// Processes in the region's folder.
    pub processes: Vec<String>,
}

impl Known for Knowledge<'_> {
    fn job_kind(&self, kind: &str) -> bool {
        (self.kinds)(kind)
    }

    fn process(&self, id: &str) -> bool {
        self.processes.iter().any(|known| known == id)
    }
}

/// A region's files, loaded.
pub struct Loaded {
    /// Processes with version 0, and decisions.
    pub deployment: Deployment,
    /// Text of each process file by the processes in it.
    pub sources: BTreeMap<String, String>,
    /// What is worth a look but does not stop the file.
    pub warnings: Vec<Fault>,
}

/// Reads and checks every process file and decision table of the region.
///
/// # Errors
/// All faults of all files at once.
pub fn read(region: &Region, kinds: &dyn Fn(&str) -> bool) -> Result<Loaded, Vec<Problem>> {
    let tables: Vec<(String, String)> = region
        .files
        .of("rules", ".dmn")
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect();
    let pairs: Vec<(&str, &str)> = tables
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let decisions = Arc::new(Decisions::load(&pairs).map_err(|faults| {
        faults
            .iter()
            .map(|fault| Problem::new(Kind::Invalid, "HUB-RULES-001", fault.to_string()))
            .collect::<Vec<_>>()
    })?);
    let files: Vec<(&str, &str)> = region.files.of("", ".bpmn").collect();
    let processes = files
        .iter()
        .filter_map(|(_, text)| load(text, &decisions, &Anything).ok())
        .flat_map(|file| file.definitions.into_iter().map(|definition| definition.id))
        .collect();
    let knowledge = Knowledge { kinds, processes };
    let mut problems = Vec::new();
    let mut loaded = Loaded {
        deployment: Deployment {
            definitions: Vec::new(),
            decisions: decisions.clone(),
        },
        sources: BTreeMap::new(),
        warnings: Vec::new(),
    };
    for (name, text) in files {
        match load(text, &decisions, &knowledge) {
            Ok(file) => {
                for definition in file.definitions {
                    loaded
                        .sources
                        .insert(definition.id.clone(), text.to_owned());
                    loaded.deployment.definitions.push(definition);
                }
                loaded.warnings.extend(file.warnings);
            }
            Err(faults) => problems.extend(
                faults
                    .iter()
                    .filter(|f| f.severity == Severity::Error)
                    .map(|f| problem(name, f)),
            ),
        }
    }
    let missing = !loaded
        .deployment
        .definitions
        .iter()
        .any(|definition| definition.id == region.process);
    if problems.is_empty() && missing {
        let message = format!(
            "no process file of region '{}' holds the process '{}'",
            region.name, region.process
        );
        problems.push(Problem::new(Kind::Invalid, "HUB-PROCESS-002", message));
    }
    if problems.is_empty() {
        Ok(loaded)
    } else {
        Err(problems)
    }
}

/// A fault of a process file, as a problem.
pub fn problem(file: &str, fault: &Fault) -> Problem {
    Problem::new(Kind::Invalid, "HUB-PROCESS-001", format!("{file}: {fault}"))
}

/// Deploys what was read and answers everything that was ever deployed, so that instances finish on
/// the version they began with.
///
/// # Errors
/// When the store fails, or a version that is deployed can no longer be read.
pub fn deploy(
    storage: &Storage,
    region: &Region,
    loaded: Loaded,
    now: Timestamp,
) -> Result<Library, Vec<Problem>> {
    let Loaded {
        mut deployment,
        sources,
        ..
    } = loaded;
    let files = new_definitions(region, &deployment, &sources);
    let versions = storage
        .write(move |tx| {
            files
                .iter()
                .map(|file| tx.deploy(file, now))
                .collect::<halsonav_storage::Result<Vec<_>>>()
        })
        .map_err(|error| vec![store_problem(error)])?;
    for (definition, version) in deployment.definitions.iter_mut().zip(versions) {
        definition.version = version;
    }
    let mut library = Library::new();
    let is_current = |id: &str, version| {
        let mut current = deployment.definitions.iter();
        current.any(|d| d.id == id && d.version == version)
    };
    for earlier in unknown(storage, &is_current)? {
        library
            .add(earlier)
            .map_err(|clash| vec![Problem::new(clash.kind(), clash.code(), clash.to_string())])?;
    }
    library
        .add(deployment)
        .map_err(|clash| vec![Problem::new(clash.kind(), clash.code(), clash.to_string())])?;
    Ok(library)
}

/// The library with what others have deployed since; `None` when there is nothing new.
///
/// # Errors
/// When the store fails, or a version that is deployed cannot be read.
pub fn refreshed(storage: &Storage, known: &Library) -> Result<Option<Library>, Vec<Problem>> {
    let is_known = |id: &str, version| known.get(id, version).is_some();
    let fresh = unknown(storage, &is_known)?;
    if fresh.is_empty() {
        return Ok(None);
    }
    let mut library = known.clone();
    for deployment in fresh {
        library
            .add(deployment)
            .map_err(|clash| vec![Problem::new(clash.kind(), clash.code(), clash.to_string())])?;
    }
    Ok(Some(library))
}

/// Takes in what other processes deploy, until `stop`.
///
/// # Errors
/// None: a library that cannot be refreshed stays as it is, and the log says why.
pub async fn follow(core: Arc<Core>, stop: Stop) -> Result<(), Problem> {
    let mut woken = core.storage.woken(Wake::Definitions);
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            changed = woken.changed() => if changed.is_err() { return Ok(()) },
        }
        let known = core.library();
        let storage = core.storage.clone();
        let fresh = tokio::task::spawn_blocking(move || refreshed(&storage, &known)).await;
        match fresh.unwrap_or_else(|_| Ok(None)) {
            Ok(Some(library)) => core.replace(library),
            Ok(None) => {}
            Err(problems) => {
                for problem in problems {
                    tracing::error!(%problem, "a deployed definition cannot be taken in");
                }
            }
        }
    }
}

/// The tables travel as one file: an instance keeps the tables it began with, all of them.
fn rules_of(region: &Region) -> (String, String) {
    let tables: BTreeMap<&str, &str> = region.files.of("rules", ".dmn").collect();
    let text = serde_json::to_string(&tables).unwrap_or_default();
    (
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned(),
        text,
    )
}

fn new_definitions(
    region: &Region,
    deployment: &Deployment,
    sources: &BTreeMap<String, String>,
) -> Vec<NewDefinition> {
    let (rules, text) = rules_of(region);
    let processes = deployment
        .definitions
        .iter()
        .map(|definition| NewDefinition {
            kind: "bpmn".to_owned(),
            id: definition.id.clone(),
            // Another table is another behaviour: the version counts up with the tables too.
            digest: format!("{}-{rules}", definition.digest),
            tag: definition.version_tag.clone(),
            deployment: rules.clone(),
            text: sources.get(&definition.id).cloned().unwrap_or_default(),
        });
    let tables = NewDefinition {
        kind: "rules".to_owned(),
        id: rules.clone(),
        digest: rules.clone(),
        tag: None,
        deployment: rules.clone(),
        text,
    };
    processes.chain(std::iter::once(tables)).collect()
}

/// Versions that are deployed and not known here.
fn unknown(
    storage: &Storage,
    is_known: &dyn Fn(&str, u32) -> bool,
) -> Result<Vec<Deployment>, Vec<Problem>> {
    let stored = storage
        .read(|r| r.definitions())
        .map_err(|error| vec![store_problem(error)])?;
    stored
        .iter()
        .filter(|file| {
            file.definition.kind == "bpmn" && !is_known(&file.definition.id, file.version)
        })
        .map(|file| {
            let rules = stored.iter().find(|r| {
                r.definition.kind == "rules" && r.definition.id == file.definition.deployment
            });
            again(file, rules).ok_or_else(|| {
                let message = format!(
                    "{} version {} was deployed and can no longer be read",
                    file.definition.id, file.version
                );
                vec![Problem::new(Kind::Internal, "HUB-PROCESS-003", message)]
            })
        })
        .collect()
}

/// An earlier version with the tables it was deployed with.
fn again(file: &StoredDefinition, rules: Option<&StoredDefinition>) -> Option<Deployment> {
    let tables: BTreeMap<String, String> = serde_json::from_str(&rules?.definition.text).ok()?;
    let pairs: Vec<(&str, &str)> = tables
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let decisions = Arc::new(Decisions::load(&pairs).ok()?);
    let mut definitions = load(&file.definition.text, &decisions, &Anything)
        .ok()?
        .definitions;
    definitions.retain(|definition| definition.id == file.definition.id);
    for definition in &mut definitions {
        definition.version = file.version;
    }
    Some(Deployment {
        definitions,
        decisions,
    })
}
