//! The parts of this process as tasks, until it is told to stop.

use std::{future::Future, sync::Arc, time::Duration};

use halsonav_adapter::Stop;
use halsonav_domain::{Kind, Problem, Timestamp};
use tokio::task::JoinSet;

use super::{Core, Dispatcher, Hub, Lease, Processor, Rounds, chore::tend, ended};
use crate::clock;

/// Wait after a failure of store or bus, so that a fault is not a storm.
const PAUSE: Duration = Duration::from_secs(1);
/// Wait after another engine has stepped the same case.
const YIELD: Duration = Duration::from_millis(20);
/// Longest sleep; a clock that was set is noticed then.
const NAP: Duration = Duration::from_secs(60);

/// Runs every part until `stop`. Each finishes its turn first.
///
/// # Errors
/// `HUB-RUN-001` when a part ends by itself.
pub async fn serve(hub: Hub, stop: Stop) -> Result<(), Problem> {
    let Hub {
        core,
        holder,
        processor,
        relay,
        scheduler,
        housekeeper,
        lanes,
        leases,
        registrar,
        rounds,
    } = hub;
    let mut parts = JoinSet::new();
    if let Some(processor) = processor {
        parts.spawn(process(processor, stop.clone()));
    }
    for lane in lanes {
        parts.spawn(carry(lane, stop.clone()));
    }
    if !leases.is_empty() {
        parts.spawn(keep(leases.clone(), stop.clone()));
    }
    let one = |name: &str| core.lease(name.to_owned(), &holder);
    if let Some(relay) = relay {
        parts.spawn(tend(core.clone(), relay, one("relay"), stop.clone()));
    }
    if let Some(scheduler) = scheduler {
        parts.spawn(tend(
            core.clone(),
            scheduler,
            one("scheduler"),
            stop.clone(),
        ));
    }
    if let Some(housekeeper) = housekeeper {
        let lease = one("housekeeper");
        parts.spawn(tend(core.clone(), housekeeper, lease, stop.clone()));
    }
    if core.register.is_some() {
        parts.spawn(tend(core.clone(), registrar, one("register"), stop.clone()));
    }
    parts.spawn(ask(core.clone(), rounds, stop.clone()));
    while let Some(part) = parts.join_next().await {
        if !stop.is_cancelled() {
            stop.cancel();
            return Err(part
                .err()
                .map_or_else(|| ended("a part"), |error| ended(&error.to_string())));
        }
    }
    for lease in leases {
        lease.let_go().await;
    }
    Ok(())
}

async fn process(mut processor: Processor, stop: Stop) {
    loop {
        // Waiting may be broken off; what has come is taken to the end.
        let polled = unless(&stop, processor.poll(Some(NAP))).await;
        let turn = match polled {
            None => return processor.leave().await,
            Some(Ok(delivered)) => processor.take(delivered).await,
            Some(Err(problem)) => Err(problem),
        };
        match turn {
            Ok(_) => {}
            Err(problem) if problem.kind == Kind::Conflict => {
                tracing::debug!(%problem, "another engine was first");
                unless(&stop, tokio::time::sleep(YIELD)).await;
            }
            Err(problem) => pause(&problem, &stop).await,
        }
    }
}

async fn carry(mut lane: Dispatcher, stop: Stop) {
    loop {
        // Waiting may be broken off; a turn that has begun is finished.
        match lane.batch(NAP, &stop).await {
            None => return lane.leave().await,
            Some(Ok(_)) => {}
            Some(Err(problem)) => pause(&problem, &stop).await,
        }
    }
}

/// Renews the lanes' leases while they are busy.
async fn keep(leases: Vec<Arc<Lease>>, stop: Stop) {
    let Some(every) = leases.iter().map(|lease| lease.ttl() / 4).min() else {
        return;
    };
    while unless(&stop, tokio::time::sleep(every)).await.is_some() {
        for lease in &leases {
            // One that was let go is its lane's to take again, under a new epoch.
            if lease.epoch().is_some()
                && let Err(problem) = lease.hold().await
            {
                tracing::warn!(%problem, "a lease could not be renewed");
            }
        }
    }
}

async fn ask(core: Arc<Core>, mut rounds: Rounds, stop: Stop) {
    let mut clock = core.clock_set.clone();
    loop {
        clock.borrow_and_update();
        let now = core.schedule.now();
        let done = match rounds.due().await {
            Ok(_) => clock::begun(&core, now).await,
            Err(problem) => Err(problem),
        };
        if let Err(problem) = done {
            pause(&problem, &stop).await;
        }
        let wait = until(&core, rounds.next()).min(core.lease_ttl / 3);
        let woken = async {
            tokio::select! {
                () = clock::is_set(&mut clock) => {}
                () = tokio::time::sleep(wait) => {}
            }
        };
        if unless(&stop, woken).await.is_none() {
            return rounds.let_go().await;
        }
    }
}

/// How long to sleep until `due`.
pub(super) fn until(core: &Core, due: Option<Timestamp>) -> Duration {
    let Some(due) = due else { return NAP };
    let wait = due.duration_since(core.schedule.now());
    Duration::try_from(wait).unwrap_or(Duration::ZERO).min(NAP)
}

pub(super) async fn pause(problem: &Problem, stop: &Stop) {
    tracing::error!(%problem, "a turn failed and will be done again");
    unless(stop, tokio::time::sleep(PAUSE)).await;
}

pub(super) async fn unless<T>(stop: &Stop, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        done = work => Some(done),
    }
}
