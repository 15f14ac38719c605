//! `halsonav bench`.

use std::process::ExitCode;

use clap::Args;

use crate::cli::{Answer, Context};

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this one.
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
}

pub async fn run(_: &Context, _: Options) -> Answer { Ok(ExitCode::SUCCESS) }
