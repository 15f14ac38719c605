//! `halsonav demo`: a whole round against fakes of every neighbour, with a clock that runs ahead.

mod agenda;
mod dice;
mod driver;
mod names;
mod population;
mod post;
mod report;
mod residents;
mod roster;
mod staff;
mod state;
mod world;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use halsonav_adapter::Stop;
use halsonav_domain::{CaseId, Kind, PersonId, Problem, VirtualClock};
use jiff::tz::TimeZone;

use self::{
    agenda::Agenda,
    driver::Driver,
    population::Resident,
    post::Post,
    residents::Residents,
    staff::Staff,
    state::{State, unusable},
    world::World,
};
use crate::{
    cli::{Answer, Context, one, progress},
    cohort,
    config::Region,
    runtime::{self, Core, Hub},
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
    let zone = TimeZone::get("Europe/Stockholm").map_err(|error| {
        one(Problem::new(
            Kind::Internal,
            "HUB-DEMO-004",
            error.to_string(),
        ))
    })?;
    let starts = region
        .round
        .starts
        .at(7, 0, 0, 0)
        .to_zoned(zone.clone())
        .map_err(|error| one(unusable(&options.out, &error)))?;
    let state = State::take_up(&options, starts.timestamp()).map_err(one)?;
    telemetry::start(
        &config.log.level,
        "json",
        Some(&options.out.join("hub.log")),
    )
    .map_err(one)?;
    let taken_up = (state.now != starts.timestamp()).then_some(state.now);
    let clock = Arc::new(VirtualClock::new(state.now));
    let people = people(&options, &region).map_err(one)?;
    let questionnaires = site::forms(&region)?;
    let neighbours = options.out.join("neighbours");
    let world = world::start(
        people,
        &region,
        &questionnaires,
        &neighbours,
        &neighbours.join("vendor"),
        clock.clone(),
        options.seed,
    )
    .await
    .map_err(one)?;
    config.hub.data = options.out.join("data");
    // The gate asks the register again before every contact; the sweep only finds the rest.
    config.sweep.every_h = 24 * 7;
    config.adapters.extend(world.adapters(&region));
    let core = site::assemble(config, region, clock.clone())?;
    let stop = Stop::new();
    listen(&core, &world, &stop).await.map_err(one)?;
    let list = neighbours.join("roster.csv");
    roster::write(&world.people, &list).map_err(one)?;
    let show = !context.output.json;
    let imported = cohort::import(&core, &list, &case_ids(options.seed), show)
        .await
        .map_err(one)?;
    let hub = Hub::start(core.clone()).await.map_err(one)?;
    let bar = progress(show, "cases ended");
    bar.set_length(imported.opened + imported.known);
    let mut driver = Driver {
        hub,
        residents: Residents::new(options.seed, questionnaires, zone, taken_up),
        staff: Staff::default(),
        post: Post::default(),
        agenda: Agenda::open(&neighbours.join("acts.jsonl"))
            .map_err(|error| one(unusable(&options.out, &error)))?,
        world,
        clock,
        state,
        out: options.out.clone(),
    };
    driver
        .staff
        .learn(&driver.world, &core)
        .await
        .map_err(one)?;
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
