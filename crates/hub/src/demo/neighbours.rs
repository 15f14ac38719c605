//! `halsonav neighbours`: the fakes of every neighbour alone, for a hub that runs elsewhere.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use halsonav_domain::{Kind, Problem};
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
    config::Region,
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

/// Runs until told to stop. Says where `site.toml` is, the settings it was called with and the way to
/// every neighbour, for a hub; and `roster.csv`, for `cohort import`.
pub async fn run(context: &Context, mut options: Options) -> Answer {
    let (mut config, region) = site::settings(context, None)?;
    telemetry::start(&config.log.level, &config.log.format, None).map_err(one)?;
    let out = options.out.clone();
    let failed = |error: std::io::Error| one(unusable(&out, &error));
    std::fs::create_dir_all(&out).map_err(failed)?;
    // Wherever the hub is started, it finds the keys that its settings name.
    options.out = out.canonicalize().map_err(failed)?;
    let settings = options.out.join("site.toml");
    // Those of an earlier life lead nowhere. Who waits for these sees when they are there.
    if settings.exists() {
        std::fs::remove_file(&settings).map_err(failed)?;
    }
    let world = start(&options, &region).await?;
    config.adapters = world.adapters(&region);
    Crew::settle_ports(&mut config, &options.out).map_err(one)?;
    Crew::introduce(&config, &world).map_err(one)?;
    let list = options.out.join("roster.csv");
    roster::write(&world.people, &list).map_err(one)?;
    let text = site(context.config.as_deref(), config.adapters).map_err(one)?;
    let written = settings.with_extension("part");
    std::fs::write(&written, text).map_err(failed)?;
    std::fs::rename(&written, &settings).map_err(failed)?;
    context
        .output
        .result(&json!({ "settings": settings, "roster": list }), || {
            format!("{}\n{}", settings.display(), list.display())
        });
    signals::told_to_stop().await;
    Ok(ExitCode::SUCCESS)
}

async fn start(options: &Options, region: &Region) -> Result<World, Vec<Problem>> {
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

/// The site's own file with these adapters. What the environment says is not in it: it may be secret.
fn site(path: Option<&Path>, adapters: toml::Table) -> Result<String, Problem> {
    let own = path.map(std::fs::read_to_string).transpose();
    let own = own.map_err(|error| unusable(path.unwrap_or(Path::new("")), &error))?;
    let mut table: toml::Table =
        own.unwrap_or_default()
            .parse()
            .map_err(|error: toml::de::Error| {
                Problem::new(Kind::Invalid, "HUB-CONFIG-004", error.message())
            })?;
    table.insert("adapters".to_owned(), adapters.into());
    Ok(table.to_string())
}
