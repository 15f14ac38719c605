//! Kills, standstills and restarts of real services while a round runs: `halsonav_tests::storm`. One
//! JSON object on standard output; exit code 1 on a breach.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use halsonav_tests::storm::{Plan, run};

/// Hurts a hub over four processes, its broker and its database.
#[derive(Debug, Parser)]
struct Options {
    /// The hub's binary.
    #[arg(long, default_value = "target/debug/halsonav")]
    binary: PathBuf,
    /// Where the rounds leave their files.
    #[arg(long, default_value = "out/storm")]
    out: PathBuf,
    /// Of the faults and of the first round.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Residents in each round.
    #[arg(long, default_value_t = 40)]
    residents: usize,
    /// `kill -9` of a process of the hub.
    #[arg(long, default_value_t = 200)]
    kills: usize,
    /// A process stands still for more than two leases.
    #[arg(long, default_value_t = 20)]
    standstills: usize,
    /// `kill -9` of the broker.
    #[arg(long, default_value_t = 50)]
    brokers: usize,
    /// Immediate stops of the database.
    #[arg(long, default_value_t = 50)]
    databases: usize,
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let plan = Plan {
        binary: options.binary.canonicalize()?,
        dir: std::path::absolute(options.out)?,
        seed: options.seed,
        residents: options.residents,
        kills: options.kills,
        standstills: options.standstills,
        brokers: options.brokers,
        databases: options.databases,
    };
    let Some(outcome) = run(&plan)? else {
        return Ok(ExitCode::FAILURE);
    };
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(match outcome.breaches.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
