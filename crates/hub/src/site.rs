//! A site put together: settings, region, store, bus, adapters, definitions.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use halsonav_bus::{Bus, Kafka, Log};
use halsonav_domain::{Kind, Problem, Topic};
use halsonav_storage::{Place, Postgres, Storage, VaultKeys};
use jiff::SignedDuration;

use crate::{
    adapters,
    cli::Context,
    clock::Time,
    config::{self, BusKind, Config, Region, Tree},
    definitions,
    runtime::{
        CaseWorker, Core, Documents, FOREVER, Gate, Metrics, Outside, Parts, ProfileWorker,
        Registry, Wanted, bus_problem, store_problem,
    },
    spans::Spans,
};

/// Settings and region, read and checked.
///
/// # Errors
/// What is wrong with either; `HUB-CONFIG-012`.
pub fn settings(context: &Context, region: Option<&str>) -> Result<(Config, Region), Vec<Problem>> {
    let config = config::load(context.config.as_deref()).map_err(|problem| vec![problem])?;
    let tree = Tree::load(context.regions.as_deref()).map_err(|problem| vec![problem])?;
    let name = region.unwrap_or(&config.hub.region).to_owned();
    let region = config::region::load(&tree, &name).map_err(|problem| vec![problem])?;
    remembers(&config).map_err(|problem| vec![problem])?;
    Ok((config, region))
}

/// A message that the bus still has must be known when it comes again.
fn remembers(config: &Config) -> Result<(), Problem> {
    let for_ever = |days: u32| if days == 0 { u32::MAX } else { days };
    let (key, carried) = match config.bus.kind {
        BusKind::Log => ("keep.log_days", for_ever(config.keep.log_days)),
        BusKind::Kafka => {
            let days = kafka(config)?.retention_days.events;
            ("kafka.retention_days.events", days)
        }
    };
    let seen = for_ever(config.keep.seen_days);
    if seen > carried || seen == u32::MAX {
        return Ok(());
    }
    let message = format!("keep.seen_days: not more than {key}, so a repetition could count twice");
    Err(Problem::new(Kind::Invalid, "HUB-CONFIG-012", message))
}

/// Where the store is.
///
/// # Errors
/// `HUB-CONFIG-008` when the address cannot be read or used.
pub fn place(config: &Config) -> Result<Place, Problem> {
    let fault = |message: String| {
        Problem::new(
            Kind::Invalid,
            "HUB-CONFIG-008",
            format!("storage: {message}"),
        )
    };
    let storage = &config.storage;
    let address = if storage.url_file.is_empty() {
        storage.url.clone()
    } else {
        fs::read_to_string(&storage.url_file)
            .map_err(|error| fault(format!("url_file: {}", error.kind())))?
            .trim()
            .to_owned()
    };
    if address.is_empty() {
        return Ok(Place::Sqlite(config.hub.data.join("halsonav.db")));
    }
    match Place::parse(&address) {
        Place::Postgres(server) => Ok(Place::Postgres(Postgres {
            writers: storage.writers.max(1),
            readers: storage.readers.max(1),
            ..server
        })),
        Place::Sqlite(_) => Err(fault("url: begins with postgresql://".to_owned())),
    }
}

/// Opens the store, with the vault's keys from their file.
///
/// # Errors
/// `HUB-STORE-002`, `HUB-STORAGE-…` when the folder or the files in it cannot be used, or the keys are
/// not those that the vault was sealed with.
pub fn store(config: &Config) -> Result<Storage, Problem> {
    let place = place(config)?;
    let path = key_file(config, &place)?;
    let keys = match &place {
        Place::Sqlite(file) if !file.exists() => {
            let data = &config.hub.data;
            fs::create_dir_all(data).map_err(|error| unmade(data, &error))?;
            VaultKeys::load_or_create(&path)
        }
        // Whatever has a database has keys: fresh ones would only do harm.
        Place::Sqlite(_) | Place::Postgres(_) => VaultKeys::load(&path),
    };
    Storage::open(&place, keys.map_err(store_problem)?).map_err(store_problem)
}

/// Brings the store to this version's shape, making the vault's keys if there are none. Answers where
/// the store is.
///
/// # Errors
/// As [`store`].
pub fn migrate(config: &Config) -> Result<String, Problem> {
    let place = place(config)?;
    if let Place::Postgres(_) = place {
        let path = key_file(config, &place)?;
        Storage::migrate(&place).map_err(store_problem)?;
        if !Storage::has_keys(&place).map_err(store_problem)? {
            let folder = path.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).map_err(|error| unmade(folder, &error))?;
            VaultKeys::load_or_create(&path).map_err(store_problem)?;
        }
    }
    // Opening says whether keys and vault belong together; of a file it also does the rest.
    store(config).map(drop)?;
    Ok(match place {
        Place::Sqlite(path) => path.display().to_string(),
        Place::Postgres(_) => "the database of storage.url".to_owned(),
    })
}

fn unmade(data: &Path, error: &std::io::Error) -> Problem {
    let message = format!("{} cannot be made: {error}", data.display());
    Problem::new(Kind::Invalid, "HUB-STORE-002", message)
}

/// Where the vault's keys are. On PostgreSQL the settings say it: each process would else look in a
/// folder of its own, and `migrate` make one wherever it was called.
///
/// # Errors
/// `HUB-CONFIG-011`.
pub fn key_file(config: &Config, place: &Place) -> Result<PathBuf, Problem> {
    match (config.hub.vault_key.as_str(), place) {
        ("", Place::Postgres(_)) => Err(Problem::new(
            Kind::Invalid,
            "HUB-CONFIG-011",
            "hub.vault_key: with storage.url it names the file that all processes have",
        )),
        ("", Place::Sqlite(_)) => Ok(config.hub.data.join("vault.key")),
        (named, _) => Ok(named.into()),
    }
}

/// Opens the bus; whether it is the embedded log, whose lock says that no other process is at work.
///
/// # Errors
/// `HUB-BUS-…`, `HUB-CONFIG-009`.
pub fn bus(config: &Config) -> Result<(Arc<dyn Bus>, bool), Problem> {
    match config.bus.kind {
        BusKind::Log => {
            let settings = halsonav_bus::Settings::default();
            let log = Log::open(&config.hub.data.join("log"), settings).map_err(bus_problem)?;
            Ok((Arc::new(log), true))
        }
        BusKind::Kafka => {
            let kafka = Kafka::new(kafka(config)?).map_err(bus_problem)?;
            Ok((Arc::new(kafka), false))
        }
    }
}

/// The settings of `[kafka]`.
///
/// # Errors
/// `HUB-CONFIG-009` names the key.
pub fn kafka(config: &Config) -> Result<halsonav_bus::kafka::Settings, Problem> {
    config
        .kafka
        .clone()
        .try_into()
        .map_err(|error: toml::de::Error| {
            Problem::new(
                Kind::Invalid,
                "HUB-CONFIG-009",
                format!("kafka: {}", error.message()),
            )
        })
}

/// Shares into which a batch of facts is divided. A server takes several transactions at once. A file
/// takes one, and meanwhile the other share is decided on.
#[must_use]
pub fn shares(config: &Config) -> usize {
    match place(config) {
        Ok(Place::Postgres(server)) => server.writers.max(1) as usize,
        _ => 2,
    }
}

/// Every topic that the region's hub uses, in whatever process.
///
/// # Errors
/// What is wrong with the adapters' settings.
pub fn topics(config: &Config, region: &Region) -> Result<Vec<Topic>, Vec<Problem>> {
    let registry = adapters::build(config, region, &Parts::none())?.registry;
    let outside = || region.outside.keys().cloned();
    let commands = registry
        .names()
        .map(str::to_owned)
        .chain(adapters::OWN.iter().map(|name| (*name).to_owned()))
        .chain(outside());
    let mut topics = vec![Topic::Events, Topic::Documentation];
    topics.extend(commands.map(Topic::Commands));
    topics.extend(outside().map(Topic::Intents));
    Ok(topics)
}

/// Whether the topics are there and as the hub relies on; the embedded log makes its own.
///
/// # Errors
/// `HUB-BUS-…` tells the first difference.
pub async fn verify(config: &Config, region: &Region) -> Result<(), Vec<Problem>> {
    if config.bus.kind == BusKind::Log {
        return Ok(());
    }
    let one = |problem: Problem| vec![problem];
    let settings = kafka(config).map_err(one)?;
    halsonav_bus::kafka::topics::verify(&settings, &topics(config, region)?)
        .await
        .map_err(|error| one(bus_problem(error)))
}

/// Puts the parts together. Opens store and bus; speaks to no neighbour.
///
/// # Errors
/// Everything that is wrong with settings, region, adapters and definitions.
pub fn assemble(
    config: Config,
    region: Region,
    parts: &Parts,
    time: Time,
) -> Result<Arc<Core>, Vec<Problem>> {
    let storage = store(&config).map_err(|problem| vec![problem])?;
    assemble_on(storage, config, region, parts, time)
}

/// [`assemble`] on a store that is open.
///
/// # Errors
/// As there.
pub fn assemble_on(
    storage: Storage,
    config: Config,
    region: Region,
    parts: &Parts,
    time: Time,
) -> Result<Arc<Core>, Vec<Problem>> {
    let region = Arc::new(region);
    let built = adapters::build(&config, &region, parts)?;
    let mut registry = built.registry;
    let (bus, alone) = bus(&config).map_err(|problem| vec![problem])?;
    own_lanes(&mut registry, &region, &bus)?;
    let documents = Arc::new(Documents::load(&region)?);
    let loaded = definitions::read(&region, &|kind| registry.operation(kind).is_some())?;
    let tables = loaded.deployment.decisions.clone();
    let library = definitions::deploy(&storage, &region, loaded, time.clock.now())?;
    let gate = Gate {
        max_age: SignedDuration::from_hours(config.gate.max_age_h),
    };
    let lease_ttl = if alone {
        FOREVER
    } else {
        Duration::from_secs(config.lease.ttl_s.max(1))
    };
    let shares = shares(&config);
    let spans = Spans::of(&config.traces).map_err(|problem| vec![problem])?;
    Ok(Arc::new(Core {
        config,
        region,
        storage,
        bus,
        alone,
        lease_ttl,
        shares,
        clock: time.clock,
        schedule: time.schedule,
        clock_set: time.set,
        adapters: registry,
        register: built.register,
        documents,
        gate,
        metrics: Metrics::new(),
        spans,
        tables,
        definitions: std::sync::RwLock::new(Arc::new(library)),
    }))
}

/// Adds the lanes that speak to no neighbour: the hub's own work, and the gates of programs outside.
///
/// # Errors
/// All faults of the region's scoring tables.
pub fn own_lanes(
    registry: &mut Registry,
    region: &Region,
    bus: &Arc<dyn Bus>,
) -> Result<(), Vec<Problem>> {
    let wanted = wanted(region);
    registry.add_worker("case", Arc::new(CaseWorker { wanted }));
    let instruments = instruments(region)?;
    registry.add_worker("profile", Arc::new(ProfileWorker { instruments }));
    for (name, program) in &region.outside {
        let lane = Outside::new(bus.clone(), name, program);
        registry.add_outside(name, Arc::new(lane));
    }
    Ok(())
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
