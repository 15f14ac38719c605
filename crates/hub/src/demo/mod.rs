//! `halsonav demo`: a whole round against fakes of every neighbour, with a clock that runs ahead.

mod agenda;
mod between;
mod crew;
mod dice;
mod driver;
mod family;
mod names;
pub mod neighbours;
mod population;
mod post;
mod report;
mod residents;
mod roster;
mod staff;
mod state;
mod tally;
mod world;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use halsonav_adapter::Stop;
use halsonav_bus::kafka::topics;
use halsonav_domain::{CaseId, Kind, PersonId, Problem, Timestamp, VirtualClock};
use halsonav_storage::CaseFilter;
use jiff::tz::TimeZone;

use self::{
    agenda::Agenda,
    between::Between,
    crew::Crew,
    driver::{Driven, Driver},
    population::Resident,
    post::Post,
    residents::Residents,
    staff::Staff,
    state::{State, unusable},
    world::World,
};
use crate::{
    cli::{Answer, Context, one, progress},
    clock::{self, Time},
    cohort,
    config::{BusKind, ClockKind, Config, Region},
    runtime::{self, Core, Hub, Parts, bus_problem, store_problem},
    site, telemetry,
};

/// What to run.
#[derive(Debug, Args)]
pub struct Options {
    /// Listed residents to make.
    #[arg(long, default_value_t = 200)]
    pub residents: usize,
    /// Same seed, same ledger.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The region's folder.
    #[arg(long, default_value = "demo")]
    pub region: String,
    /// A population of your own: one JSON object a line, as docs/how-to/demo.md has it.
    #[arg(long, value_name = "FILE")]
    pub population: Option<PathBuf>,
    /// Processes that the hub is split over. More than one needs Kafka and PostgreSQL in the settings.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=family::MOST as i64))]
    pub processes: u8,
    /// Start a process again that has died: for those who kill them.
    #[arg(long, hide = true)]
    pub respawn: bool,
    /// Say where the neighbours are and what hour it is, and wait to be answered: for those who stand
    /// between.
    #[arg(long, hide = true)]
    pub between: bool,
    /// Where everything is written.
    #[arg(long, default_value = "out/demo", value_name = "DIR")]
    pub out: PathBuf,
    /// Begin anew, also when an unfinished run lies there.
    #[arg(long)]
    pub fresh: bool,
}

/// Makes or takes up a run, brings it to its end, and tells.
pub async fn run(context: &Context, options: Options) -> Answer {
    let (mut config, region) = site::settings(context, Some(&options.region))?;
    if options.processes > 1 && (config.bus.kind == BusKind::Log || !is_shared(&config)) {
        let message = "--processes needs bus.kind = \"kafka\" and storage.url";
        return Err(one(Problem::new(Kind::Invalid, "HUB-DEMO-006", message)));
    }
    let zone = zone().map_err(one)?;
    let starts = begins(&options, &region, &zone).map_err(one)?;
    let state = State::take_up(&options, starts).map_err(one)?;
    let log = options.out.join("hub.log");
    telemetry::start(&config.log.level, "json", Some(&log)).map_err(one)?;
    let taken_up = (state.now != starts).then_some(state.now);
    let clock = Arc::new(VirtualClock::new(state.now));
    let questionnaires = site::forms(&region)?;
    let world = world(&options, &region, &questionnaires, &clock)
        .await
        .map_err(one)?;
    settle_in(&mut config, &options, &region, &world).map_err(one)?;
    let parts = if options.processes > 1 {
        Parts::none()
    } else {
        Parts::all()
    };
    if is_shared(&config) {
        site::migrate(&config).map_err(one)?;
    }
    make_topics(&config, &region).await?;
    let core = site::assemble(config, region, &parts, Time::of(clock.clone()))?;
    own(&core, state.fresh).await.map_err(one)?;
    let stop = Stop::new();
    listen(&core, &world, &stop).await.map_err(one)?;
    let list = options.out.join("neighbours").join("roster.csv");
    roster::write(&world.people, &list).map_err(one)?;
    let show = !context.output.json;
    let imported = cohort::import(&core, &list, &case_ids(options.seed), show)
        .await
        .map_err(one)?;
    let hub = driven(context, &core, &options, &world)
        .await
        .map_err(one)?;
    let bar = progress(show, "cases ended");
    bar.set_length(imported.opened + imported.known);
    let mut staff = Staff::default();
    staff.learn(&world, &core).await.map_err(one)?;
    let acts = options.out.join("neighbours").join("acts.jsonl");
    let mut driver = Driver {
        hub,
        core: core.clone(),
        residents: Residents::new(options.seed, questionnaires, zone, taken_up),
        staff,
        post: Post::default(),
        agenda: Agenda::open(&acts).map_err(|error| one(unusable(&options.out, &error)))?,
        world,
        clock,
        state,
        out: options.out.clone(),
        between: between(&options),
    };
    let spent = driver.run(&bar).await.map_err(one)?;
    bar.finish_and_clear();
    let report = report::write(&core, &driver.world, &options.out, spent)
        .await
        .map_err(one)?;
    driver.state.finished = true;
    driver.state.keep(&options.out).map_err(one)?;
    stop.cancel();
    context
        .output
        .result(&report.value, || report.text(&options.out));
    let sound = report.value["unaccounted"] == 0 && report.value["effects_twice"] == 0;
    Ok(if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn between(options: &Options) -> Between {
    Between {
        there: options.between,
    }
}

fn zone() -> Result<TimeZone, Problem> {
    TimeZone::get("Europe/Stockholm")
        .map_err(|error| Problem::new(Kind::Internal, "HUB-DEMO-004", error.to_string()))
}

/// The first morning of the round.
fn begins(options: &Options, region: &Region, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let morning = region.round.starts.at(7, 0, 0, 0).to_zoned(zone.clone());
    morning
        .map(|at| at.timestamp())
        .map_err(|error| unusable(&options.out, &error))
}

/// Every neighbour, with the people in it.
async fn world(
    options: &Options,
    region: &Region,
    questionnaires: &[halsonav_profile::FormDefinition],
    clock: &Arc<VirtualClock>,
) -> Result<World, Problem> {
    let people = people(options, region)?;
    let neighbours = options.out.join("neighbours");
    world::start(
        people,
        region,
        questionnaires,
        &neighbours,
        &neighbours.join("vendor"),
        clock.clone(),
        options.seed,
    )
    .await
}

/// Settings of a hub among these neighbours.
fn settle_in(
    config: &mut Config,
    options: &Options,
    region: &Region,
    world: &World,
) -> Result<(), Problem> {
    config.hub.data = options.out.join("data");
    region.name.clone_into(&mut config.hub.region);
    // The gate asks the register again before every contact; the sweep only finds the rest.
    config.sweep.every_h = 24 * 7;
    // What was said is written out at the end.
    config.keep.log_days = 0;
    config.adapters.extend(world.adapters(region));
    between(options).meet(&mut config.adapters)?;
    let key = config.hub.data.join("vault.key");
    config.hub.vault_key = key.display().to_string();
    if options.processes > 1 {
        config.clock.kind = ClockKind::Shared;
        Crew::settle_ports(config, &options.out)?;
    }
    Ok(())
}

/// The demo is its own operator.
async fn make_topics(config: &Config, region: &Region) -> Result<(), Vec<Problem>> {
    if config.bus.kind == BusKind::Log {
        return Ok(());
    }
    let failed = |error| one(bus_problem(error));
    let settings = site::kafka(config).map_err(one)?;
    let wanted = site::topics(config, region)?;
    let plan = topics::plan(&settings, &wanted).await.map_err(failed)?;
    topics::apply(&settings, &plan).await.map_err(failed)
}

fn is_shared(config: &Config) -> bool {
    !(config.storage.url.is_empty() && config.storage.url_file.is_empty())
}

/// The hub, in this process or in several.
async fn driven(
    context: &Context,
    core: &Arc<Core>,
    options: &Options,
    world: &World,
) -> Result<Driven, Problem> {
    if options.processes == 1 {
        let hub = Hub::start(core.clone(), &Parts::all()).await?;
        return Ok(Driven::Here(Box::new(hub)));
    }
    Crew::introduce(&core.config, world)?;
    // It stands right before anybody looks at it.
    let now = core.clock.now();
    let set = core.storage.write_async(move |tx| {
        clock::set(tx, clock::Step::Time, now)?;
        clock::set(tx, clock::Step::Begin, now)
    });
    set.await.map_err(store_problem)?;
    let count = usize::from(options.processes);
    Crew::start(context, core.clone(), count, options.respawn, &options.out).map(Driven::Crew)
}

/// A run begins with an empty store: one of another run, or of a region, is left alone.
async fn own(core: &Core, fresh: bool) -> Result<(), Problem> {
    let is_used = core
        .storage
        .read_async(|r| Ok(!r.cases(&CaseFilter::default(), None, 1)?.is_empty()))
        .await
        .map_err(store_problem)?;
    if fresh && is_used {
        let message = "the database holds cases already: the demo needs one of its own";
        return Err(Problem::new(Kind::Conflict, "HUB-DEMO-008", message));
    }
    Ok(())
}

/// The population: of the file, or made from the seed.
fn people(options: &Options, region: &Region) -> Result<Vec<Resident>, Problem> {
    match &options.population {
        Some(file) => roster::read(file),
        None => {
            let units: Vec<_> = region
                .units
                .iter()
                .map(|unit| unit.hsa_id.clone())
                .collect();
            Ok(population::make(
                options.residents,
                options.seed,
                region.round.year,
                region.round.starts,
                &units,
            ))
        }
    }
}

/// Case ids as a function of the seed, so that two runs can be laid side by side.
fn case_ids(seed: u64) -> impl Fn(&PersonId) -> CaseId {
    move |person| {
        let mut hash = blake3::Hasher::new();
        hash.update(&seed.to_le_bytes())
            .update(person.expose().as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        CaseId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// Opens the hub's sockets and tells the neighbours where they are.
async fn listen(core: &Arc<Core>, world: &World, stop: &Stop) -> Result<(), Problem> {
    for (name, listener) in core.adapters.listeners() {
        let (bound, tell) = tokio::sync::oneshot::channel();
        let (inlet, stop) = (runtime::inlet(core), stop.clone());
        tokio::spawn(async move {
            if let Err(problem) = listener.listen(inlet, bound, stop).await {
                tracing::error!(adapter = name, %problem, "a listener ended");
            }
        });
        let address = tell.await.map_err(|_| {
            Problem::new(
                Kind::Unavailable,
                "HUB-RUN-003",
                format!("{name} cannot listen"),
            )
        })?;
        world.introduce(name, address)?;
    }
    Ok(())
}
