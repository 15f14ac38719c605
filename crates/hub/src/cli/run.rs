//! `halsonav serve` and `halsonav migrate`.

use std::{net::TcpListener, process::ExitCode, sync::Arc, time::Duration};

use clap::Args;
use halsonav_adapter::Stop;
use halsonav_api::{Api, Keys, Settings, Unit};
use halsonav_domain::{Kind, Problem};
use serde_json::json;
use tokio::task::JoinSet;

use super::{Answer, Context, one};
use crate::{
    clock::{self, SystemClock, Time},
    config::{BusKind, ClockKind, Config, Region},
    definitions,
    door::HubDoor,
    runtime::{self, Core, Hub, Parts, Role, store_problem},
    signals, site, telemetry,
};

/// Longest wait for what is under way once told to stop.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// What this process does; without options, what `[run]` says.
#[derive(Debug, Args)]
pub struct Options {
    /// Roles of this process.
    #[arg(long, value_delimiter = ',', value_name = "ROLE,…")]
    roles: Option<Vec<Role>>,
    /// Adapters that this process runs.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    adapters: Option<Vec<String>>,
    /// Answer health and metrics of this process here, without a token.
    #[arg(long, value_name = "HOST:PORT")]
    monitor: Option<String>,
    /// Stop when standard input ends: for whoever starts this process as a child.
    #[arg(long)]
    until_eof: bool,
}

pub async fn serve(context: &Context, options: Options) -> Answer {
    let (mut config, region) = site::settings(context, None)?;
    if let Some(roles) = options.roles {
        config.run.roles = roles.into_iter().collect();
    }
    if let Some(adapters) = options.adapters {
        config.run.adapters = adapters.into_iter().collect();
    }
    if let Some(address) = options.monitor {
        config.monitor.listen = address;
    }
    let parts = parts(&config, &region).map_err(one)?;
    telemetry::start(&config.log.level, &config.log.format, None).map_err(one)?;
    let stop = Stop::new();
    site::verify(&config, &region).await?;
    let storage = site::store(&config).map_err(one)?;
    let time = match config.clock.kind {
        ClockKind::System => Time::of(Arc::new(SystemClock)),
        ClockKind::Shared => clock::shared(&storage, config.clock.label, &stop)
            .await
            .map_err(|error| one(store_problem(error)))?,
    };
    let core = site::assemble_on(storage, config, region, &parts, time)?;
    let mut tasks = JoinSet::new();
    // Every socket before any work: who cannot have one takes no partition and no lease from others.
    open(&core, &parts, &mut tasks, &stop)?;
    listen(&core, &mut tasks, &stop).await.map_err(one)?;
    let hub = Hub::start(core.clone(), &parts).await.map_err(one)?;
    tasks.spawn(runtime::serve(hub, stop.clone()));
    tasks.spawn(definitions::follow(core.clone(), stop.clone()));
    tracing::info!(region = core.region.name, roles = ?parts.roles, "the hub is running");
    let failed = tokio::select! {
        () = signals::told_to_stop() => None,
        () = signals::input_ends(), if options.until_eof => None,
        ended = tasks.join_next() => ended.and_then(Result::ok).and_then(Result::err),
    };
    stop.cancel();
    let rest = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(SHUTDOWN, rest).await.is_err() {
        tracing::warn!(
            code = "HUB-RUN-004",
            "some part did not stop in time; what it had in hand is taken up at the next start"
        );
    }
    let _ = tokio::task::spawn_blocking(move || core.spans.end()).await;
    failed.map_or(Ok(ExitCode::SUCCESS), |problem| Err(one(problem)))
}

/// What this process does, if it can be done.
///
/// # Errors
/// `HUB-CONFIG-010`.
pub(super) fn parts(config: &Config, region: &Region) -> Result<Parts, Problem> {
    let fault = |message: String| Problem::new(Kind::Invalid, "HUB-CONFIG-010", message);
    let parts = config.parts();
    if parts.roles.is_empty() {
        return Err(fault("run.roles: at least one is needed".to_owned()));
    }
    let set_up =
        |name: &String| config.adapters.contains_key(name) || region.adapters.contains_key(name);
    if let Some(name) = config.run.adapters.iter().find(|name| !set_up(name)) {
        let message = format!("run.adapters: there are no settings for the adapter '{name}'");
        return Err(fault(message));
    }
    if config.bus.kind == BusKind::Log && parts.roles != Parts::all().roles {
        let message = "run.roles: a hub on the embedded log is one process and has all roles";
        return Err(fault(message.to_owned()));
    }
    Ok(parts)
}

/// Opens the monitor and the API, where they are wanted.
fn open(
    core: &Arc<Core>,
    parts: &Parts,
    tasks: &mut JoinSet<Result<(), Problem>>,
    stop: &Stop,
) -> Result<(), Vec<Problem>> {
    let door = Arc::new(HubDoor::new(core.clone(), site::forms(&core.region)?));
    let address = &core.config.monitor.listen;
    if !address.is_empty() {
        let listener = bind("monitor.listen", address).map_err(one)?;
        tasks.spawn(halsonav_api::monitor(door.clone(), listener, stop.clone()));
    }
    if !parts.has(Role::Api) {
        return Ok(());
    }
    match api(core, door)? {
        Some((api, listener)) => {
            tasks.spawn(halsonav_api::serve(api, listener, stop.clone()));
        }
        None => tracing::warn!(
            code = "HUB-RUN-005",
            "auth.jwks is not set: no token could be accepted, so the API is not opened"
        ),
    }
    Ok(())
}

/// Opens the sockets on which neighbours call the adapters of this process.
async fn listen(
    core: &Arc<Core>,
    tasks: &mut JoinSet<Result<(), Problem>>,
    stop: &Stop,
) -> Result<(), Problem> {
    for (name, listener) in core.adapters.listeners() {
        let (bound, tell) = tokio::sync::oneshot::channel();
        let (inlet, stop) = (runtime::inlet(core), stop.clone());
        tasks.spawn(async move { listener.listen(inlet, bound, stop).await });
        let address = tell.await.map_err(|_| {
            let message = format!("{name} cannot listen");
            Problem::new(Kind::Unavailable, "HUB-RUN-003", message)
        })?;
        tracing::info!(adapter = name, %address, "listening");
    }
    Ok(())
}

/// The API and its socket, if there is an issuer whose tokens it could accept.
fn api(core: &Arc<Core>, door: Arc<HubDoor>) -> Result<Option<(Api, TcpListener)>, Vec<Problem>> {
    let config = &core.config;
    let Some(keys) = keys(config).map_err(one)? else {
        return Ok(None);
    };
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
    settings.forms = door.forms().map(str::to_owned).collect();
    let listener = bind("http.listen", &config.http.listen).map_err(one)?;
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

/// The keys of the issuer whose tokens the API accepts, if there is one.
///
/// # Errors
/// `HUB-CONFIG-007`, `HUB-API-030`.
pub(super) fn keys(config: &Config) -> Result<Option<Keys>, Problem> {
    let path = &config.auth.jwks;
    if path.is_empty() {
        return Ok(None);
    }
    let jwks = std::fs::read_to_string(path).map_err(|error| {
        let message = format!("auth.jwks: {path} cannot be read: {error}");
        Problem::new(Kind::Invalid, "HUB-CONFIG-007", message)
    })?;
    Keys::parse(&jwks).map(Some)
}

/// Whether an address of the settings could be listened on.
///
/// # Errors
/// `HUB-CONFIG-014`.
pub(super) fn address(key: &'static str, address: &str) -> Result<(), Problem> {
    let parts = address.rsplit_once(':');
    if parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
        return Ok(());
    }
    let message = format!("{key}: '{address}' is not HOST:PORT");
    Err(Problem::new(Kind::Invalid, "HUB-CONFIG-014", message))
}

/// A socket on an address of the settings.
fn bind(key: &'static str, address: &str) -> Result<TcpListener, Problem> {
    self::address(key, address)?;
    let listener = TcpListener::bind(address).map_err(|error| {
        let message = format!("{key}: {address}: {error}");
        Problem::new(Kind::Unavailable, "HUB-RUN-006", message)
    })?;
    if let Ok(address) = listener.local_addr() {
        tracing::info!(key, %address, "open");
    }
    Ok(listener)
}

pub fn migrate(context: &Context) -> Answer {
    let (config, _) = site::settings(context, None)?;
    let place = site::migrate(&config).map_err(one)?;
    context.output.result(&json!({ "migrated": place }), || {
        format!("{place}: up to date")
    });
    Ok(ExitCode::SUCCESS)
}
