//! A site put together: settings, region, store, bus, adapters, definitions.

use std::{fs, path::Path, sync::Arc};

use halsonav_bus::Log;
use halsonav_domain::{Clock, Kind, Problem, Timestamp};
use halsonav_storage::{Storage, VaultKeys};
use jiff::SignedDuration;

use crate::{
    adapters,
    cli::Context,
    config::{self, Config, Region, Tree},
    definitions,
    runtime::{CaseWorker, Core, Documents, Gate, Metrics, ProfileWorker, Wanted, store_problem},
};

/// The machine's clock, in whole milliseconds.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    // The one place where the machine's clock is read.
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(Timestamp::now().as_millisecond())
            .unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Settings and region, read and checked.
///
/// # Errors
/// What is wrong with either.
pub fn settings(context: &Context, region: Option<&str>) -> Result<(Config, Region), Vec<Problem>> {
    let config = config::load(context.config.as_deref()).map_err(|problem| vec![problem])?;
    let tree = Tree::load(context.regions.as_deref()).map_err(|problem| vec![problem])?;
    let name = region.unwrap_or(&config.hub.region).to_owned();
    let region = config::region::load(&tree, &name).map_err(|problem| vec![problem])?;
    Ok((config, region))
}

/// Opens the store under `data`, with the vault's key beside it.
///
/// # Errors
/// `HUB-STORE-…` when the folder or the files in it cannot be used.
pub fn store(data: &Path) -> Result<Storage, Problem> {
    fs::create_dir_all(data).map_err(|error| {
        Problem::new(
            Kind::Invalid,
            "HUB-STORE-002",
            format!("{} cannot be made: {error}", data.display()),
        )
    })?;
    let keys = VaultKeys::load_or_create(&data.join("vault.key")).map_err(store_problem)?;
    Storage::open(&data.join("halsonav.db"), keys).map_err(store_problem)
}

/// Puts the parts together. Opens the store and the log; speaks to no neighbour.
///
/// # Errors
/// Everything that is wrong with settings, region, adapters and definitions.
pub fn assemble(
    config: Config,
    region: Region,
    clock: Arc<dyn Clock>,
) -> Result<Arc<Core>, Vec<Problem>> {
    let region = Arc::new(region);
    let built = adapters::build(&config, &region)?;
    let mut registry = built.registry;
    registry.add_worker(
        "case",
        Arc::new(CaseWorker {
            wanted: wanted(&region),
        }),
    );
    let instruments = instruments(&region)?;
    registry.add_worker("profile", Arc::new(ProfileWorker { instruments }));
    let documents = Documents::load(&region)?;
    let loaded = definitions::read(&region, &|kind| registry.operation(kind).is_some())?;
    let tables = loaded.deployment.decisions.clone();
    let storage = store(&config.hub.data).map_err(|problem| vec![problem])?;
    let library = definitions::deploy(&storage, &region, loaded, clock.now())?;
    let log = Log::open(
        &config.hub.data.join("log"),
        halsonav_bus::Settings::default(),
    )
    .map_err(|error| vec![Problem::new(error.kind(), "HUB-BUS-001", error.to_string())])?;
    let gate = Gate {
        max_age: SignedDuration::from_hours(config.gate.max_age_h),
    };
    Ok(Arc::new(Core {
        config,
        region,
        storage,
        bus: Arc::new(log),
        clock,
        adapters: registry,
        register: built.register,
        documents,
        gate,
        metrics: Metrics::new(),
        tables,
        definitions: std::sync::RwLock::new(Arc::new(library)),
    }))
}

/// The region's scoring tables.
///
/// # Errors
/// All faults of all tables.
pub fn instruments(region: &Region) -> Result<halsonav_profile::Instruments, Vec<Problem>> {
    halsonav_profile::Instruments::load(region.files.of("instruments", ".toml")).map_err(|faults| {
        faults
            .iter()
            .map(|f| Problem::new(Kind::Invalid, "HUB-INSTRUMENT-001", f.to_string()))
            .collect()
    })
}

/// The region's questionnaires.
///
/// # Errors
/// All faults of all files.
pub fn forms(region: &Region) -> Result<Vec<halsonav_profile::FormDefinition>, Vec<Problem>> {
    let mut forms = Vec::new();
    let mut problems = Vec::new();
    for (name, text) in region.files.of("forms", ".toml") {
        match halsonav_profile::FormDefinition::load(name, text) {
            Ok(form) => forms.push(form),
            Err(faults) => problems.extend(
                faults
                    .iter()
                    .map(|f| Problem::new(Kind::Invalid, "HUB-FORM-001", f.to_string())),
            ),
        }
    }
    if problems.is_empty() {
        Ok(forms)
    } else {
        Err(problems)
    }
}

fn wanted(region: &Region) -> Wanted {
    let list = |key: &str| {
        let values = region.switches.get(key).and_then(|value| value.as_array());
        values
            .into_iter()
            .flatten()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect()
    };
    let lab = region
        .switches
        .get("lab")
        .and_then(serde_json::Value::as_bool)
        .unwrap_or(false);
    Wanted {
        forms: list("forms"),
        analyses: if lab { list("analyses") } else { Vec::new() },
    }
}
