//! `halsonav demo`: a whole round against fakes of every neighbour, with a clock that runs ahead.

mod dice;
mod names;
mod population;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;

use crate::cli::{Answer, Context};

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

pub async fn run(_: &Context, _: Options) -> Answer { Ok(ExitCode::SUCCESS) }
