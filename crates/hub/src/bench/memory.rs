//! What a waiting instance costs: bytes in the store, and memory of the hub.

use std::{fs, path::Path, process::Command};

use halsonav_domain::Problem;

use super::{
    Plan,
    hub::{Hub, directory},
    machine::{resident, told},
    measurement::Measurement,
    shape::{Shape, unfit},
};
use crate::{cli::Context, runtime::store_problem};

/// How often a hub is started: the least it takes is what it needs.
const STARTS: usize = 3;

/// Bytes of stored state per instance of the region's process that waits for the resident.
pub async fn stored(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let cases = if plan.quick { 50 } else { 2_000 };
    let dir = directory(plan).map_err(one)?;
    let (hub, shape) = waiting(plan, dir.path(), cases).await?;
    let all = hub.cases.clone();
    let states = hub
        .core
        .storage
        .read(|r| {
            Ok(r.load_instances(&all)?
                .iter()
                .map(|one| one.state.len())
                .collect::<Vec<_>>())
        })
        .map_err(|error| one(store_problem(error)))?;
    let each = states.iter().sum::<usize>() as f64 / states.len().max(1) as f64;
    // Closing the store moves the write-ahead log into the database.
    drop(hub);
    let file = fs::metadata(dir.path().join("halsonav.db")).map_or(0, |meta| meta.len());
    let conditions = format!(
        "state of {cases} instances of '{}' in region '{}' that wait for the resident, as stored; with case, subject, \
         effects, timers, subscriptions, milestones, ledger and indexes the database has {} bytes a case; {}",
        shape.process,
        plan.region.name,
        file / cases as u64,
        told()
    );
    Ok(Measurement::new(
        "memory_per_instance",
        each,
        "bytes",
        conditions,
    ))
}

/// How much more memory a hub takes that starts on a store with waiting instances than one that
/// starts on an empty store. Each is a process of its own, since memory is seldom given back.
pub async fn in_memory(context: &Context, plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let cases = if plan.quick { 200 } else { 10_000 };
    let (full, empty) = (directory(plan).map_err(one)?, directory(plan).map_err(one)?);
    let (hub, shape) = waiting(plan, full.path(), cases).await?;
    drop(hub);
    let (mut with, mut without) = (u64::MAX, u64::MAX);
    for _ in 0..STARTS {
        with = with.min(ask(context, full.path()).map_err(one)?);
        without = without.min(ask(context, empty.path()).map_err(one)?);
    }
    let each = (with as f64 - without as f64) / cases as f64;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let conditions = format!(
        "resident memory (VmRSS) of a hub that has started and looked for work: {:.1} MiB with {cases} instances of \
         '{}' waiting in its store, {:.1} MiB with none; instances are kept in the store only, what grows is the \
         page cache, which has a limit; {}",
        mebibytes(with),
        shape.process,
        mebibytes(without),
        told()
    );
    Ok(Measurement::new(
        "resident_per_instance",
        each,
        "bytes",
        conditions,
    ))
}

/// A hub with so many instances of the region's process that wait for the resident.
async fn waiting(plan: &Plan, dir: &Path, cases: usize) -> Result<(Hub, Shape), Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let shape = Shape::of_region(&plan.region)?;
    let mut hub = Hub::open(plan, &plan.config, dir, &shape)?;
    hub.invite(cases, &shape).await.map_err(one)?;
    Ok((hub, shape))
}

/// Starts this program again on the store in `dir`; its resident memory in bytes.
///
/// # Errors
/// `HUB-BENCH-003` when it does not come up.
pub fn ask(context: &Context, dir: &Path) -> Result<u64, Problem> {
    let failed = || unfit("a hub to look at could not be started");
    let mut command = Command::new(std::env::current_exe().map_err(|_| failed())?);
    for (option, value) in [
        ("--config", &context.config),
        ("--regions", &context.regions),
    ] {
        if let Some(value) = value {
            command.arg(option).arg(value);
        }
    }
    let output = command
        .args(["bench", "--resident-in"])
        .arg(dir)
        .output()
        .map_err(|_| failed())?;
    String::from_utf8_lossy(&output.stdout)
        .trim()
        .parse()
        .map_err(|_| failed())
}

/// The other end of [`in_memory`]: starts a hub on the store in `dir`, looks once for work, and
/// tells its memory.
pub async fn resident_in(plan: &Plan, dir: &Path) -> Result<u64, Vec<Problem>> {
    let shape = Shape::of_region(&plan.region)?;
    let mut hub = Hub::open(plan, &plan.config, dir, &shape)?;
    hub.look().await.map_err(|problem| vec![problem])?;
    resident().ok_or_else(|| vec![unfit("this machine does not tell the memory of a process")])
}
