//! `halsonav neighbours`: the fakes of every neighbour alone, for a hub that runs elsewhere.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use serde_json::json;

use super::{
    crew::Crew,
    population, roster,
    state::unusable,
    world::{self, World},
};
use crate::{
    cli::{Answer, Context, one},
    clock::SystemClock,
    config::{Config, Region},
    signals, site, telemetry,
};

/// Who lives there, and where what is needed to reach them is written.
#[derive(Debug, Args)]
pub struct Options {
    /// Residents to make.
    #[arg(long, default_value_t = 200)]
    residents: usize,
    /// Same seed, same residents.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where settings, list of residents and the neighbours' memory are written.
    #[arg(long, default_value = "out/neighbours", value_name = "DIR")]
    out: PathBuf,
}

/// Runs until told to stop. Says where `adapters.toml` is, to be added to the site's settings, and
/// `roster.csv`, for `cohort import`.
pub async fn run(context: &Context, options: Options) -> Answer {
    let (mut config, region) = site::settings(context, None)?;
    telemetry::start(&config.log.level, &config.log.format, None).map_err(one)?;
    let failed = |error: std::io::Error| one(unusable(&options.out, &error));
    std::fs::create_dir_all(&options.out).map_err(failed)?;
    let world = start(&options, &region).await?;
    config.adapters = world.adapters(&region);
    Crew::settle_ports(&mut config, &options.out).map_err(one)?;
    Crew::introduce(&config, &world).map_err(one)?;
    let settings = options.out.join("adapters.toml");
    std::fs::write(&settings, text(&config)).map_err(failed)?;
    let list = options.out.join("roster.csv");
    roster::write(&world.people, &list).map_err(one)?;
    context
        .output
        .result(&json!({ "settings": settings, "roster": list }), || {
            format!("{}\n{}", settings.display(), list.display())
        });
    signals::told_to_stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn start(options: &Options, region: &Region) -> Result<World, Vec<halsonav_domain::Problem>> {
    let units: Vec<_> = region
        .units
        .iter()
        .map(|unit| unit.hsa_id.clone())
        .collect();
    let round = &region.round;
    let people = population::make(
        options.residents,
        options.seed,
        round.year,
        round.starts,
        &units,
    );
    let questionnaires = site::forms(region)?;
    let letters = options.out.join("vendor");
    world::start(
        people,
        region,
        &questionnaires,
        &options.out,
        &letters,
        Arc::new(SystemClock),
        options.seed,
    )
    .await
    .map_err(one)
}

/// The adapters' settings as a piece of a site's file.
fn text(config: &Config) -> String {
    let adapters = [("adapters".to_owned(), config.adapters.clone().into())];
    toml::Table::from_iter(adapters).to_string()
}
