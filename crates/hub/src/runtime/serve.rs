//! The hub as tasks, until it is told to stop.

use std::{future::Future, sync::Arc, time::Duration};

use halsonav_adapter::Stop;
use halsonav_domain::{Problem, Timestamp};
use tokio::{sync::Notify, task::JoinSet};

use super::{Core, Dispatcher, Hub, Processor, Relay, Rounds, ended, store_problem};

/// Wait after a failure of store or bus, so that a fault is not a storm.
const PAUSE: Duration = Duration::from_secs(1);
/// Longest sleep; a clock that was set is noticed then.
const NAP: Duration = Duration::from_secs(60);

/// Runs every part until `stop`. Each finishes its turn first.
///
/// # Errors
/// `HUB-RUN-001` when a part ends by itself.
pub async fn serve(hub: Hub, stop: Stop) -> Result<(), Problem> {
    let Hub {
        core,
        processor,
        relay,
        lanes,
        rounds,
    } = hub;
    let decided = Arc::new(Notify::new());
    let mut parts = JoinSet::new();
    parts.spawn(process(
        core.clone(),
        processor,
        decided.clone(),
        stop.clone(),
    ));
    parts.spawn(publish(core.clone(), relay, decided, stop.clone()));
    for lane in lanes {
        parts.spawn(carry(core.clone(), lane, stop.clone()));
    }
    parts.spawn(ask(core, rounds, stop.clone()));
    while let Some(part) = parts.join_next().await {
        if !stop.is_cancelled() {
            stop.cancel();
            return Err(part
                .err()
                .map_or_else(|| ended("a part"), |error| ended(&error.to_string())));
        }
    }
    Ok(())
}

async fn process(core: Arc<Core>, mut processor: Processor, decided: Arc<Notify>, stop: Stop) {
    loop {
        let wait = match core.storage.read_async(|r| r.next_due()).await {
            Ok(due) => until(&core, due),
            Err(error) => {
                pause(&store_problem(error), &stop).await;
                continue;
            }
        };
        let Some(turn) = unless(&stop, processor.turn(Some(wait))).await else {
            return;
        };
        match turn {
            Ok(turn) if turn.inputs > 0 => decided.notify_one(),
            Ok(_) => {}
            Err(problem) => pause(&problem, &stop).await,
        }
    }
}

async fn publish(core: Arc<Core>, relay: Relay, decided: Arc<Notify>, stop: Stop) {
    loop {
        match relay.turn().await {
            Ok(0) => {
                let due = core
                    .storage
                    .read_async(|r| r.next_publish())
                    .await
                    .unwrap_or_default();
                let wait = until(&core, due);
                if unless(&stop, async {
                    tokio::time::timeout(wait, decided.notified()).await
                })
                .await
                .is_none()
                {
                    return;
                }
            }
            Ok(_) => {}
            Err(problem) => pause(&problem, &stop).await,
        }
        if stop.is_cancelled() {
            return;
        }
    }
}

async fn carry(core: Arc<Core>, mut lane: Dispatcher, stop: Stop) {
    loop {
        let wait = until(&core, None);
        // Waiting may be broken off; a turn that has begun is finished.
        match lane.batch(wait, &stop).await {
            None => return,
            Some(Ok(_)) => {}
            Some(Err(problem)) => pause(&problem, &stop).await,
        }
    }
}

async fn ask(core: Arc<Core>, mut rounds: Rounds, stop: Stop) {
    loop {
        if let Err(problem) = rounds.due().await {
            pause(&problem, &stop).await;
        }
        let wait = until(&core, rounds.next());
        if unless(&stop, tokio::time::sleep(wait)).await.is_none() {
            return;
        }
    }
}

fn until(core: &Core, due: Option<Timestamp>) -> Duration {
    let Some(due) = due else { return NAP };
    let wait = due.duration_since(core.clock.now());
    Duration::try_from(wait).unwrap_or(Duration::ZERO).min(NAP)
}

async fn pause(problem: &Problem, stop: &Stop) {
    tracing::error!(%problem, "a turn failed and will be done again");
    unless(stop, tokio::time::sleep(PAUSE)).await;
}

async fn unless<T>(stop: &Stop, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        done = work => Some(done),
    }
}
