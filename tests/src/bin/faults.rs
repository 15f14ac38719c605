//! Lost acknowledgements, poison, slow neighbours and neighbours that are away, under the whole hub:
//! `halsonav_tests::faults`. One JSON object on standard output; exit code 1 on a breach.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use halsonav_tests::faults::{Plan, run};

/// Stands between a hub and its neighbours.
#[derive(Debug, Parser)]
struct Options {
    /// The hub's binary.
    #[arg(long, default_value = "target/debug/halsonav")]
    binary: PathBuf,
    /// Where the rounds leave their files.
    #[arg(long, default_value = "out/faults")]
    out: PathBuf,
    /// Of the faults and of the first round.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Residents in each round.
    #[arg(long, default_value_t = 60)]
    residents: usize,
    /// Rounds for each kind of fault.
    #[arg(long, default_value_t = 20)]
    rounds: u64,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let outcome = run(&Plan {
        binary: options.binary.canonicalize()?,
        dir: std::path::absolute(options.out)?,
        seed: options.seed,
        residents: options.residents,
        rounds: options.rounds,
    })?;
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(match outcome.breaches.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
