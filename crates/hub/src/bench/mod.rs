//! `halsonav bench`: how fast this machine is, and against what.
//!
//! Every figure is measured on the parts that serve: the engine as it is, the processor with its
//! store and bus, the region's own letters. Where there is something to hold a figure against, it is
//! measured in the same run.

mod durable;
mod engine;
mod hub;
mod letters;
mod machine;
mod measurement;
mod memory;
mod people;
mod shape;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use halsonav_domain::{Kind, Problem, Timestamp};
use jiff::tz::TimeZone;
use serde_json::json;

use self::measurement::Measurement;
use crate::{
    cli::{Answer, Context, one, table},
    config::{Config, Region},
    site,
};

/// What to measure.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this one.
    #[arg(long, value_name = "NAME")]
    pub only: Option<String>,
    /// Small numbers, to see that it runs: seconds instead of a minute.
    #[arg(long)]
    pub quick: bool,
    /// The disk to measure: a directory in which another is made, and removed again.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Starts a hub on the store in this directory and tells its memory.
    #[arg(long, value_name = "DIR", hide = true)]
    resident_in: Option<PathBuf>,
}

/// What every measurement needs to know.
struct Plan {
    config: Config,
    region: Region,
    now: Timestamp,
    quick: bool,
    dir: Option<PathBuf>,
}

/// A measurement that can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Benchmark {
    EngineSteps,
    EngineStepsRegion,
    ResidentPerInstance,
    MemoryPerInstance,
    DurableStepsSqlite,
    Letters,
}

/// All, in the order they are made: memory before others have taken and freed some.
const ALL: &[(&str, Benchmark)] = &[
    ("engine_steps", Benchmark::EngineSteps),
    ("engine_steps_region", Benchmark::EngineStepsRegion),
    ("resident_per_instance", Benchmark::ResidentPerInstance),
    ("memory_per_instance", Benchmark::MemoryPerInstance),
    ("durable_steps_sqlite", Benchmark::DurableStepsSqlite),
    ("letters", Benchmark::Letters),
];

impl Benchmark {
    async fn measure(self, context: &Context, plan: &Plan) -> Result<Measurement, Vec<Problem>> {
        match self {
            Self::EngineSteps => engine::small(plan),
            Self::EngineStepsRegion => engine::of_region(plan),
            Self::ResidentPerInstance => memory::in_memory(context, plan).await,
            Self::MemoryPerInstance => memory::stored(plan).await,
            Self::DurableStepsSqlite => durable::sqlite(plan).await,
            Self::Letters => letters::invitations(plan),
        }
    }

    /// Whether this machine can tell it.
    fn is_possible(self) -> bool {
        self != Self::ResidentPerInstance || machine::resident().is_some()
    }
}

/// Those asked for: the one of this name, or all that are possible here.
///
/// # Errors
/// `HUB-BENCH-001` when there is none of this name.
fn chosen(only: Option<&str>) -> Result<Vec<Benchmark>, Problem> {
    let chosen: Vec<_> = match only {
        Some(only) => ALL
            .iter()
            .filter(|(name, _)| *name == only)
            .map(|(_, which)| *which)
            .collect(),
        None => ALL
            .iter()
            .map(|(_, which)| *which)
            .filter(|which| which.is_possible())
            .collect(),
    };
    if chosen.is_empty() {
        let names: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        let message = format!("--only takes one of {}", names.join(", "));
        return Err(Problem::new(Kind::Invalid, "HUB-BENCH-001", message));
    }
    Ok(chosen)
}

/// Measures and tells.
pub async fn run(context: &Context, options: Options) -> Answer {
    let chosen = chosen(options.only.as_deref()).map_err(one)?;
    let (config, region) = site::settings(context, None)?;
    let starts = region.round.starts.at(8, 0, 0, 0).to_zoned(TimeZone::UTC);
    let now = starts.map_or(Timestamp::UNIX_EPOCH, |starts| starts.timestamp());
    let plan = Plan {
        config,
        region,
        now,
        quick: options.quick,
        dir: options.dir,
    };
    if let Some(dir) = &options.resident_in {
        let bytes = memory::resident_in(&plan, dir).await?;
        context.output.result(&json!(bytes), || bytes.to_string());
        return Ok(ExitCode::SUCCESS);
    }
    let mut measured = Vec::with_capacity(chosen.len());
    for benchmark in chosen {
        measured.push(benchmark.measure(context, &plan).await?);
    }
    context
        .output
        .result(&json!({ "benchmarks": measured }), || text(&measured));
    Ok(ExitCode::SUCCESS)
}

fn text(measured: &[Measurement]) -> String {
    let rows: Vec<_> = measured.iter().map(Measurement::row).collect();
    let mut lines = vec![
        table(&["BENCHMARK", "VALUE", "UNIT", "LIMIT", "RATIO"], &rows),
        String::new(),
    ];
    lines.extend(
        measured
            .iter()
            .map(|one| format!("{}: {}", one.name, one.conditions)),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_those_promised_are_there() {
        let names: BTreeSet<_> = ALL.iter().map(|(name, _)| *name).collect();
        assert_eq!(names.len(), ALL.len());
        for promised in [
            "engine_steps",
            "durable_steps_sqlite",
            "letters",
            "memory_per_instance",
        ] {
            assert!(names.contains(promised), "{promised}");
        }
    }

    #[test]
    fn only_filters_and_knows_what_there_is() {
        assert_eq!(
            chosen(Some("letters")).expect("there is one"),
            [Benchmark::Letters]
        );
        assert_eq!(
            chosen(None).expect("all").len(),
            ALL.iter().filter(|(_, which)| which.is_possible()).count()
        );
        let problem = chosen(Some("lettres")).expect_err("unknown");
        assert_eq!(problem.code, "HUB-BENCH-001");
        assert!(
            problem.message.contains("durable_steps_sqlite"),
            "{problem}"
        );
    }

    #[tokio::test]
    async fn a_quick_run_measures_under_the_name_it_was_asked_for() {
        let context = Context {
            config: None,
            regions: None,
            output: crate::cli::Output { json: true },
        };
        let (config, region) = site::settings(&context, None).expect("the shipped site");
        let dir = tempfile::tempdir().expect("a directory");
        let plan = Plan {
            config,
            region,
            now: Timestamp::UNIX_EPOCH,
            quick: true,
            dir: Some(dir.path().to_owned()),
        };
        for (name, which) in ALL {
            // The tests' own program cannot be started again as a hub, and letters have tests of their own.
            if matches!(which, Benchmark::ResidentPerInstance | Benchmark::Letters) {
                continue;
            }
            let measured = which
                .measure(&context, &plan)
                .await
                .unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
            assert_eq!(measured.name, *name);
            assert!(
                measured.value > 0.0 && !measured.conditions.is_empty(),
                "{name}"
            );
            assert_eq!(
                measured.ratio.is_some(),
                *name == "durable_steps_sqlite",
                "{name}"
            );
        }
    }
}
