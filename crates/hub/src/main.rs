//! `halsonav`: the integration hub for riktade hälsosamtal.

mod adapters;
mod bench;
mod cli;
mod cohort;
mod config;
mod definitions;
mod demo;
mod door;
mod research;
mod runtime;
mod site;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
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
