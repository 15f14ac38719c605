//! `halsonav bench`: how fast this machine is, and against what.
//!
//! Every figure is measured on the parts that serve: the engine as it is, the processor with its
//! store and bus, the region's own letters. Where there is something to hold a figure against, it is
//! measured in the same run.

mod durable;
mod engine;
mod flow;
mod hub;
mod letters;
mod life;
mod machine;
mod many;
mod measurement;
mod memory;
mod people;
mod serving;
mod shape;
mod year;

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use halsonav_domain::{Kind, Problem, Timestamp};
use halsonav_storage::{Place, Postgres};
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
    /// Also those that make a million cases, or a year of them, and take many minutes.
    #[arg(long)]
    pub all: bool,
    /// Small numbers, to see that it runs: seconds instead of a minute.
    #[arg(long)]
    pub quick: bool,
    /// The disk to measure: a directory in which another is made, and removed again.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// A PostgreSQL server where schemas may be made, and dropped again.
    #[arg(
        long,
        value_name = "URL",
        env = "HALSONAV_POSTGRES",
        hide_env_values = true
    )]
    pub postgres: Option<String>,
    /// Brokers where topics may be made, and removed again: host:port, separated by commas.
    #[arg(long, value_name = "BROKERS", env = "HALSONAV_KAFKA")]
    pub kafka: Option<String>,
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
    postgres: Option<String>,
    kafka: Option<String>,
    /// A store in which a million wait, once one has been made.
    million: tokio::sync::OnceCell<many::Waiting>,
}

impl Plan {
    /// The server to measure on.
    ///
    /// # Errors
    /// `HUB-BENCH-005` when none was named.
    fn server(&self) -> Result<Postgres, Problem> {
        let named = self.postgres.as_deref().map(Place::parse);
        let Some(Place::Postgres(server)) = named else {
            let message = "--postgres, or HALSONAV_POSTGRES, names no server";
            return Err(Problem::new(Kind::Invalid, "HUB-BENCH-005", message));
        };
        Ok(server)
    }

    /// The brokers to measure on.
    ///
    /// # Errors
    /// `HUB-BENCH-006` when none were named.
    fn brokers(&self) -> Result<&str, Problem> {
        self.kafka.as_deref().ok_or_else(|| {
            let message = "--kafka, or HALSONAV_KAFKA, names no brokers";
            Problem::new(Kind::Invalid, "HUB-BENCH-006", message)
        })
    }
}

/// A measurement that can be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Benchmark {
    EngineSteps,
    EngineStepsRegion,
    ResidentPerInstance,
    MemoryPerInstance,
    DurableStepsSqlite,
    DurableStepsPostgres,
    Letters,
    CostPerStep,
    Startup,
    KafkaEndToEnd,
    Latency,
    NationalYear,
}

/// All, in the order they are made: memory before others have taken and freed some.
const ALL: &[(&str, Benchmark)] = &[
    ("engine_steps", Benchmark::EngineSteps),
    ("engine_steps_region", Benchmark::EngineStepsRegion),
    ("resident_per_instance", Benchmark::ResidentPerInstance),
    ("memory_per_instance", Benchmark::MemoryPerInstance),
    ("durable_steps_sqlite", Benchmark::DurableStepsSqlite),
    ("durable_steps_postgres", Benchmark::DurableStepsPostgres),
    ("letters", Benchmark::Letters),
    ("cost_per_step_1m_over_10k", Benchmark::CostPerStep),
    ("startup_1m", Benchmark::Startup),
    ("kafka_end_to_end", Benchmark::KafkaEndToEnd),
    ("added_latency_p99", Benchmark::Latency),
    ("national_year", Benchmark::NationalYear),
];

impl Benchmark {
    async fn measure(self, context: &Context, plan: &Plan) -> Result<Measurement, Vec<Problem>> {
        match self {
            Self::EngineSteps => engine::small(plan),
            Self::EngineStepsRegion => engine::of_region(plan),
            Self::ResidentPerInstance => memory::in_memory(context, plan).await,
            Self::MemoryPerInstance => memory::stored(plan).await,
            Self::DurableStepsSqlite => durable::sqlite(plan).await,
            Self::DurableStepsPostgres => durable::postgres(plan).await,
            Self::Letters => letters::invitations(plan),
            Self::CostPerStep => many::cost_per_step(plan).await,
            Self::Startup => many::startup(context, plan).await,
            Self::KafkaEndToEnd => flow::end_to_end(plan).await,
            Self::Latency => flow::latency(plan).await,
            Self::NationalYear => year::national(plan).await,
        }
    }

    /// Whether it can be told here, with the services that were named, in the time that was given.
    fn is_possible(self, options: &Options) -> bool {
        match self {
            Self::ResidentPerInstance => machine::resident().is_some(),
            Self::DurableStepsPostgres => options.postgres.is_some(),
            Self::KafkaEndToEnd => options.kafka.is_some(),
            Self::CostPerStep | Self::Startup | Self::NationalYear => options.all || options.quick,
            _ => true,
        }
    }
}

/// Those asked for: the one of this name, or all that are possible here.
///
/// # Errors
/// `HUB-BENCH-001` when there is none of this name.
fn chosen(options: &Options) -> Result<Vec<Benchmark>, Problem> {
    let chosen: Vec<_> = match &options.only {
        Some(only) => ALL
            .iter()
            .filter(|(name, _)| name == only)
            .map(|(_, which)| *which)
            .collect(),
        None => ALL
            .iter()
            .map(|(_, which)| *which)
            .filter(|which| which.is_possible(options))
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
    let chosen = chosen(&options).map_err(one)?;
    let (config, region) = site::settings(context, None)?;
    let starts = region.round.starts.at(8, 0, 0, 0).to_zoned(TimeZone::UTC);
    let now = starts.map_or(Timestamp::UNIX_EPOCH, |starts| starts.timestamp());
    let plan = Plan {
        config,
        region,
        now,
        quick: options.quick,
        dir: options.dir,
        postgres: options.postgres,
        kafka: options.kafka,
        million: tokio::sync::OnceCell::new(),
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
        let only = |name: Option<&str>| Options {
            only: name.map(str::to_owned),
            all: false,
            quick: false,
            dir: None,
            postgres: None,
            kafka: None,
            resident_in: None,
        };
        assert_eq!(
            chosen(&only(Some("letters"))).expect("there is one"),
            [Benchmark::Letters]
        );
        let all = chosen(&only(None)).expect("all");
        assert!(!all.contains(&Benchmark::DurableStepsPostgres));
        assert!(!all.contains(&Benchmark::NationalYear));
        let problem = chosen(&only(Some("lettres"))).expect_err("unknown");
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
            postgres: None,
            kafka: None,
            million: tokio::sync::OnceCell::new(),
        };
        for (name, which) in ALL {
            // The tests' own program cannot be started again as a hub, letters have tests of their own, and
            // here is no server.
            if matches!(
                which,
                Benchmark::ResidentPerInstance
                    | Benchmark::Startup
                    | Benchmark::Letters
                    | Benchmark::DurableStepsPostgres
                    | Benchmark::KafkaEndToEnd
            ) {
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
            let held_against = ["durable_steps_sqlite", "added_latency_p99"];
            assert_eq!(
                measured.ratio.is_some(),
                held_against.contains(name),
                "{name}"
            );
        }
    }
}
