//! Hälsonav: the integration hub for riktade hälsosamtal. The binary is [`main`]; nothing else in here
//! is for others, but for [`rehearsal`], with which tests turn a hub by hand.

mod adapters;
mod bench;
mod cli;
mod clock;
mod cohort;
mod config;
mod crash;
mod definitions;
mod demo;
mod door;
#[cfg(debug_assertions)]
pub mod rehearsal;
mod research;
mod runtime;
mod signals;
mod site;
mod spans;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(cli::run(arguments)),
        Err(error) => {
            eprintln!("HUB-RUN-002: no threads to run on: {error}");
            ExitCode::FAILURE
        }
    }
}
