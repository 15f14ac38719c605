//! `halsonav vault rotate|rewrap|erase`.

use std::{process::ExitCode, sync::Arc};

use clap::Subcommand;
use halsonav_bus::Bus;
use halsonav_domain::{CaseId, Clock as _, Kind, Problem};
use halsonav_storage::{Access, Storage, VaultKeys};
use serde_json::json;

use super::{Answer, Context, one, order};
use crate::{
    clock::SystemClock,
    config::{BusKind, Config},
    runtime::store_problem,
    site,
};

/// People sealed again in one transaction: a hub that runs does not wait long for it.
const BATCH: u32 = 1_000;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a version of each key to the key file, which writes from now on. The hub must not run.
    Rotate,
    /// Seal everybody again under the newest keys. The hub may run.
    Rewrap,
    /// Destroy the identity of a resident whose cases have all ended. Cannot be undone.
    Erase {
        /// A case of the resident.
        case: CaseId,
        /// The decision that says so. No personal data.
        #[arg(long)]
        why: String,
    },
}

pub fn run(context: &Context, command: Command) -> Answer {
    let (config, _) = site::settings(context, None)?;
    match command {
        Command::Rotate => rotate(context, &config),
        Command::Rewrap => rewrap(context, &site::store(&config).map_err(one)?),
        Command::Erase { case, why } => {
            erase(context, &site::store(&config).map_err(one)?, case, why)
        }
    }
}

/// Opening the store afterwards lets it know the new keys: from then on it refuses a process without them.
fn rotate(context: &Context, config: &Config) -> Answer {
    let place = site::place(config).map_err(one)?;
    let path = site::key_file(config, &place).map_err(one)?;
    // Are those in the file the vault's?
    let storage = site::store(config).map_err(one)?;
    let _nobody_else = alone(config, &storage)?;
    drop(storage);
    let keys = VaultKeys::load(&path)
        .and_then(|keys| keys.rotated())
        .map_err(|e| one(store_problem(e)))?;
    keys.replace(&path).map_err(|e| one(store_problem(e)))?;
    let storage = site::store(config).map_err(one)?;
    let (at, by) = (SystemClock.now(), order::by());
    storage
        .write(move |tx| tx.audit(&[order::entry("rotate-keys", &by, at, json!({}))]))
        .map_err(|e| one(store_problem(e)))?;
    context.output.result(&json!({ "rotated": true }), || {
        "the key file has a new version of each key; `vault rewrap` seals everybody under it"
            .to_owned()
    });
    Ok(ExitCode::SUCCESS)
}

/// The lock of the embedded log, which a hub that runs has; on Kafka some process of it has a lease.
fn alone(config: &Config, storage: &Storage) -> Result<Option<Arc<dyn Bus>>, Vec<Problem>> {
    let runs = |told: &str| {
        let message = format!("{told}; a hub that runs has the old keys: stop it first");
        one(Problem::new(Kind::Conflict, "HUB-CLI-006", message))
    };
    if config.bus.kind == BusKind::Log {
        return match site::bus(config) {
            Ok((log, _)) => Ok(Some(log)),
            Err(problem) if problem.kind == Kind::Conflict => Err(runs(&problem.to_string())),
            Err(problem) => Err(one(problem)),
        };
    }
    let leases = storage.read(|r| r.leases());
    let leases = leases.map_err(|e| one(store_problem(e)))?;
    match leases.into_iter().find(|lease| lease.live) {
        Some(lease) => Err(runs(&format!("the lease {} is in force", lease.name))),
        None => Ok(None),
    }
}

fn rewrap(context: &Context, storage: &Storage) -> Answer {
    let mut people = 0;
    loop {
        let (at, by) = (SystemClock.now(), order::by());
        let batch = storage
            .write(move |tx| {
                let people = tx.rewrap(BATCH)?;
                if people > 0 {
                    let detail = json!({ "people": people });
                    tx.audit(&[order::entry("rewrap", &by, at, detail)])?;
                }
                Ok(people)
            })
            .map_err(|e| one(store_problem(e)))?;
        people += batch;
        if batch == 0 {
            break;
        }
    }
    context.output.result(&json!({ "rewrapped": people }), || {
        format!("{people} people were sealed again; the older lines `seal` of the key file are needed for backups alone")
    });
    Ok(ExitCode::SUCCESS)
}

fn erase(context: &Context, storage: &Storage, case: CaseId, why: String) -> Answer {
    let (at, actor) = (SystemClock.now(), order::by());
    storage
        .write(move |tx| {
            let found = tx.case(&case)?;
            let found = found.ok_or(halsonav_storage::Error::NotFound("case"))?;
            let access = Access {
                actor: actor.clone(),
                action: "erase".to_owned(),
                purpose: why.clone(),
                unit: Some(found.unit),
                case: Some(case),
                at,
            };
            tx.erase(&found.subject, &access)
        })
        .map_err(|e| one(store_problem(e)))?;
    context.output.result(&json!({ "erased": case }), || {
        "the identity is destroyed; case, records and log stay".to_owned()
    });
    Ok(ExitCode::SUCCESS)
}
