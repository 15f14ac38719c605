//! The command line.

mod audit;
mod case;
mod check;
mod cohort;
mod incident;
mod lane;
mod order;
mod output;
mod process;
mod run;
mod topics;
mod vault;
mod worklist;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use halsonav_domain::Problem;

pub use output::{Output, progress, table};

/// Hälsonav, the integration hub for riktade hälsosamtal.
#[derive(Debug, Parser)]
#[command(name = "halsonav", version, about, propagate_version = true)]
pub struct Arguments {
    /// The site's settings, laid over config/default.toml.
    #[arg(long, global = true, value_name = "FILE", env = "HALSONAV_CONFIG")]
    config: Option<PathBuf>,
    /// Folder with regions; the shipped one if not given.
    #[arg(long, global = true, value_name = "DIR", env = "HALSONAV_REGIONS")]
    regions: Option<PathBuf>,
    /// One JSON object on standard output instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a whole round against fakes of every neighbour, months in seconds.
    Demo(crate::demo::Options),
    /// Run fakes of every neighbour, for a hub that runs elsewhere.
    Neighbours(crate::demo::neighbours::Options),
    /// Run the hub, whole or some of its parts.
    Serve(run::Options),
    /// Check the configuration and the region, offline; every fault at once.
    Check {
        /// Also ask every neighbour whether it can be reached.
        #[arg(long)]
        online: bool,
    },
    /// Bring the database to this version's shape.
    Migrate,
    /// Compare the topics on Kafka with what the hub needs, and make them so.
    #[command(subcommand)]
    Topics(topics::Command),
    /// Import and show cohorts.
    #[command(subcommand)]
    Cohort(cohort::Command),
    /// Show cases.
    #[command(subcommand)]
    Case(case::Command),
    /// Show what people have to do: the call list, visits.
    Worklist(worklist::Options),
    /// Show and settle what needs a human.
    #[command(subcommand)]
    Incident(incident::Command),
    /// Stop and start the commands of one adapter.
    #[command(subcommand)]
    Lane(lane::Command),
    /// List, verify and shorten the audit log.
    #[command(subcommand)]
    Audit(audit::Command),
    /// Exchange the vault's keys; erase a resident.
    #[command(subcommand)]
    Vault(vault::Command),
    /// Check and draw process files.
    #[command(subcommand)]
    Process(process::Command),
    /// Measure.
    Bench(crate::bench::Options),
}

/// The site's settings and regions, as the arguments say.
#[derive(Clone, Debug)]
pub struct Context {
    /// Settings file.
    pub config: Option<PathBuf>,
    /// Regions folder.
    pub regions: Option<PathBuf>,
    /// How to tell.
    pub output: Output,
}

/// Does what the arguments say.
pub async fn run(arguments: Arguments) -> ExitCode {
    let Arguments {
        config,
        regions,
        json,
        command,
    } = arguments;
    let context = Context {
        config,
        regions,
        output: Output { json },
    };
    let result = match command {
        Command::Demo(options) => crate::demo::run(&context, options).await,
        Command::Neighbours(options) => crate::demo::neighbours::run(&context, options).await,
        Command::Serve(options) => run::serve(&context, options).await,
        Command::Check { online } => check::run(&context, online).await,
        Command::Migrate => run::migrate(&context),
        Command::Topics(command) => topics::run(&context, command).await,
        Command::Cohort(command) => cohort::run(&context, command).await,
        Command::Case(command) => case::run(&context, command),
        Command::Worklist(options) => worklist::run(&context, options),
        Command::Incident(command) => incident::run(&context, command).await,
        Command::Lane(command) => lane::run(&context, command),
        Command::Audit(command) => audit::run(&context, command),
        Command::Vault(command) => vault::run(&context, command),
        Command::Process(command) => process::run(&context, command),
        Command::Bench(options) => crate::bench::run(&context, options).await,
    };
    match result {
        Ok(code) => code,
        Err(problems) => {
            context.output.problems(&problems);
            ExitCode::FAILURE
        }
    }
}

/// What a command answers: an exit code, or everything that was wrong.
pub type Answer = Result<ExitCode, Vec<Problem>>;

/// One problem, as an answer.
pub fn one(problem: Problem) -> Vec<Problem> {
    vec![problem]
}
