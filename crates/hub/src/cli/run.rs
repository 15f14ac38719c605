//! `halsonav serve` and `halsonav migrate`.

use std::{process::ExitCode, sync::Arc};

use halsonav_adapter::Stop;
use halsonav_domain::{Kind, Problem};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Answer, Context, one};
use crate::{
    runtime::{self, Hub},
    site, telemetry,
};

/// Longest wait for what is under way once told to stop.
const SHUTDOWN: std::time::Duration = std::time::Duration::from_secs(10);

pub async fn serve(context: &Context) -> Answer {
    let (config, region) = site::settings(context, None)?;
    telemetry::start(&config.log.level, &config.log.format, None).map_err(one)?;
    let core = site::assemble(config, region, Arc::new(site::SystemClock))?;
    let stop = Stop::new();
    let mut parts = JoinSet::new();
    for (name, listener) in core.adapters.listeners() {
        let (bound, tell) = tokio::sync::oneshot::channel();
        let (inlet, stop) = (runtime::inlet(&core), stop.clone());
        parts.spawn(async move { listener.listen(inlet, bound, stop).await });
        let address = tell.await.map_err(|_| one(Problem::new(Kind::Unavailable, "HUB-RUN-003", format!("{name} cannot listen"))))?;
        tracing::info!(adapter = name, %address, "listening");
    }
    let hub = Hub::start(core.clone()).await.map_err(one)?;
    parts.spawn(runtime::serve(hub, stop.clone()));
    tracing::info!(region = core.region.name, "the hub is running");
    let failed = tokio::select! {
        () = told_to_stop() => None,
        ended = parts.join_next() => ended.and_then(Result::ok).and_then(Result::err),
    };
    stop.cancel();
    let rest = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN, rest).await.is_err() {
        tracing::warn!(code = "HUB-RUN-004", "some part did not stop in time; what it had in hand is taken up at the next start");
    }
    failed.map_or(Ok(ExitCode::SUCCESS), |problem| Err(one(problem)))
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

pub fn migrate(context: &Context) -> Answer {
    let (config, _) = site::settings(context, None)?;
    // Opening brings the shape up to date.
    site::store(&config.hub.data).map_err(one)?;
    let path = config.hub.data.display().to_string();
    context.output.result(&json!({ "migrated": path }), || format!("{path}: up to date"));
    Ok(ExitCode::SUCCESS)
}
