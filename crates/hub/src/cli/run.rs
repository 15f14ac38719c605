//! `halsonav serve` and `halsonav migrate`.

use std::{net::TcpListener, process::ExitCode, sync::Arc, time::Duration};

use halsonav_adapter::Stop;
use halsonav_api::{Api, Keys, Settings, Unit};
use halsonav_domain::{Kind, Problem};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Answer, Context, one};
use crate::{
    door::HubDoor,
    runtime::{self, Core, Hub},
    site, telemetry,
};

/// Longest wait for what is under way once told to stop.
const SHUTDOWN: Duration = Duration::from_secs(10);

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
        let address = tell.await.map_err(|_| {
            one(Problem::new(
                Kind::Unavailable,
                "HUB-RUN-003",
                format!("{name} cannot listen"),
            ))
        })?;
        tracing::info!(adapter = name, %address, "listening");
    }
    let hub = Hub::start(core.clone()).await.map_err(one)?;
    parts.spawn(runtime::serve(hub, stop.clone()));
    match api(&core)? {
        Some((api, listener)) => {
            parts.spawn(halsonav_api::serve(api, listener, stop.clone()));
        }
        None => tracing::warn!(
            code = "HUB-RUN-005",
            "auth.jwks is not set: no token could be accepted, so the API is not opened"
        ),
    }
    tracing::info!(region = core.region.name, "the hub is running");
    let failed = tokio::select! {
        () = told_to_stop() => None,
        ended = parts.join_next() => ended.and_then(Result::ok).and_then(Result::err),
    };
    stop.cancel();
    let rest = async { while parts.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN, rest).await.is_err() {
        tracing::warn!(
            code = "HUB-RUN-004",
            "some part did not stop in time; what it had in hand is taken up at the next start"
        );
    }
    failed.map_or(Ok(ExitCode::SUCCESS), |problem| Err(one(problem)))
}

/// The API and its socket, if there is an issuer whose tokens it could accept.
fn api(core: &Arc<Core>) -> Result<Option<(Api, TcpListener)>, Vec<Problem>> {
    let config = &core.config;
    if config.auth.jwks.is_empty() {
        return Ok(None);
    }
    let unreadable = |error: std::io::Error| {
        one(Problem::new(
            Kind::Invalid,
            "HUB-CONFIG-007",
            format!("auth.jwks: {} cannot be read: {error}", config.auth.jwks),
        ))
    };
    let keys = Keys::parse(&std::fs::read_to_string(&config.auth.jwks).map_err(unreadable)?)
        .map_err(one)?;
    let mut settings = Settings::new(&config.auth.audience, &config.auth.issuer, keys);
    settings.leeway = Duration::from_secs(config.auth.leeway_s);
    settings.body_limit = config.http.body_limit;
    let units = core.region.units.iter();
    settings.units = units
        .map(|unit| Unit {
            hsa_id: unit.hsa_id.clone(),
            name: unit.name.clone(),
        })
        .collect();
    let forms = site::forms(&core.region)?;
    settings.forms = forms.iter().map(|form| form.template.clone()).collect();
    let listener = TcpListener::bind(&config.http.listen).map_err(|error| {
        one(Problem::new(
            Kind::Unavailable,
            "HUB-RUN-006",
            format!("http.listen: {}: {error}", config.http.listen),
        ))
    })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(%address, "the API is open");
    }
    let door = Arc::new(HubDoor::new(core.clone(), forms));
    Ok(Some((
        Api {
            storage: core.storage.clone(),
            door,
            clock: core.clock.clone(),
            settings,
        },
        listener,
    )))
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
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
    context.output.result(&json!({ "migrated": path }), || {
        format!("{path}: up to date")
    });
    Ok(ExitCode::SUCCESS)
}
