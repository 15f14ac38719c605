//! Proof by simulation. `simulate --seeds 2000` runs seeds 0 to 1999 and says what was broken;
//! `simulate --every-crash-point` lets the hub die at each crash point in turn and demands the ledger
//! that it has when it does not die. One JSON object on standard output; exit code 1 on a breach.

use std::{
    collections::BTreeMap,
    process::ExitCode,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use clap::Parser;
use halsonav::rehearsal::Stage;
use halsonav_tests::simulation::run::{Outcome, Plan, run};
use serde_json::{Value, json};

/// Simulates the hub with a world that misbehaves.
#[derive(Debug, Parser)]
struct Options {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first one.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Residents in each run.
    #[arg(long, default_value_t = 3)]
    cases: usize,
    /// The region whose process is run.
    #[arg(long, default_value = "demo")]
    region: String,
    /// Runs at once.
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Of so many seeds, each is run twice and must leave the same trace.
    #[arg(long, default_value_t = 20)]
    twice: u64,
    /// Stop at the first breach.
    #[arg(long)]
    until_breach: bool,
    /// People die or are protected just while something is on its way to them; fewer such races in all
    /// than this are a breach.
    #[arg(long, value_name = "AT_LEAST")]
    races: Option<usize>,
    /// Instead: without other faults, die at each crash point once.
    #[arg(long)]
    every_crash_point: bool,
}

/// One run, on a thread of its own with a runtime of its own: nothing outside the seed decides.
fn once(stage: &Arc<Stage>, plan: Plan) -> Outcome {
    let dir = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(stage, plan, dir.path()))
}

/// Runs `plans`, several at once, and hands each outcome to `look`, until that says that it is enough.
fn all(
    stage: &Arc<Stage>,
    threads: u64,
    plans: &[Plan],
    look: impl Fn(&Plan, Outcome) -> bool + Sync,
) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let plan = usize::try_from(n).ok().and_then(|n| plans.get(n));
                    let Some(plan) = plan else { return };
                    if !look(plan, once(stage, *plan)) {
                        next.store(u64::MAX / 2, Ordering::SeqCst);
                    }
                }
            });
        }
    });
}

#[derive(Default)]
struct Sum {
    runs: u64,
    crashes: usize,
    effects: usize,
    facts: usize,
    stops: usize,
    races: usize,
    withheld: usize,
    breaches: Vec<Value>,
    points: BTreeMap<(String, String), u64>,
}

impl Sum {
    fn add(&mut self, plan: &Plan, outcome: &Outcome) {
        self.runs += 1;
        self.crashes += outcome.crashes;
        self.effects += outcome.effects;
        self.facts += outcome.facts;
        self.stops += outcome.stops;
        self.races += outcome.races;
        self.withheld += outcome.withheld;
        for what in &outcome.breaches {
            let breach = json!({ "seed": plan.seed, "dies_at": plan.dies_at, "what": what });
            self.breaches.push(breach);
        }
        for (point, times) in &outcome.points {
            *self.points.entry(point.clone()).or_default() += times;
        }
    }

    fn told(&self, begun: Instant, points: bool) -> Value {
        let points: Vec<Value> = self
            .points
            .iter()
            .filter(|_| points)
            .map(|((name, what), times)| json!({ "point": name, "doing": what, "passed": times }))
            .collect();
        json!({
            "runs": self.runs, "crashes": self.crashes, "effects": self.effects, "facts": self.facts,
            "lanes_stopped": self.stops, "races": self.races, "races_withheld": self.withheld,
            "breaches": self.breaches, "crash_points": points, "wall_s": begun.elapsed().as_secs(),
        })
    }
}

fn seeds(stage: &Arc<Stage>, options: &Options) -> Sum {
    let plan = |seed| Plan {
        seed,
        cases: options.cases,
        faults: true,
        races: options.races.is_some(),
        dies_at: None,
    };
    let plans: Vec<Plan> = (options.from..options.from + options.seeds)
        .map(plan)
        .collect();
    let sum = Mutex::new(Sum::default());
    let traces = Mutex::new(BTreeMap::new());
    all(stage, options.threads, &plans, |plan, outcome| {
        let mut sum = sum.lock().expect("sound");
        sum.add(plan, &outcome);
        let mut traces = traces.lock().expect("sound");
        traces.insert(plan.seed, outcome.trace);
        sum.breaches.is_empty() || !options.until_breach
    });
    let again: Vec<Plan> = plans
        .iter()
        .copied()
        .take(usize::try_from(options.twice).unwrap_or(0))
        .collect();
    all(stage, options.threads, &again, |plan, outcome| {
        let first = traces.lock().expect("sound").get(&plan.seed).cloned();
        if first.as_ref() != Some(&outcome.trace) {
            let what = format!(
                "two runs of one seed differ: {first:?} and {}",
                outcome.trace
            );
            let breach = json!({ "seed": plan.seed, "what": what });
            sum.lock().expect("sound").breaches.push(breach);
        }
        true
    });
    let mut sum = sum.into_inner().expect("sound");
    // A race that could not be lost proves nothing, nor do few.
    if let Some(least) = options.races
        && (sum.races < least || least > 0 && matches!(sum.withheld, n if n == 0 || n == sum.races))
    {
        let what = format!(
            "{} races, {} withheld; {least} are wanted, both won and lost",
            sum.races, sum.withheld
        );
        sum.breaches.push(json!({ "what": what }));
    }
    sum
}

fn crash_points(stage: &Arc<Stage>, options: &Options) -> Sum {
    let whole = Plan {
        seed: options.from,
        cases: options.cases,
        faults: false,
        races: false,
        dies_at: None,
    };
    let undisturbed = once(stage, whole);
    let passed: u64 = undisturbed.points.values().sum();
    let plans: Vec<Plan> = (1..=passed)
        .map(|nth| Plan {
            dies_at: Some(nth),
            ..whole
        })
        .collect();
    let sum = Mutex::new(Sum::default());
    sum.lock().expect("sound").add(&whole, &undisturbed);
    all(stage, options.threads, &plans, |plan, outcome| {
        let mut sum = sum.lock().expect("sound");
        sum.add(plan, &outcome);
        let mut breach = |what: &str| {
            let breach = json!({ "seed": plan.seed, "dies_at": plan.dies_at, "what": what });
            sum.breaches.push(breach);
        };
        if outcome.crashes != 1 {
            breach("the point was not hit");
        }
        if outcome.ledger != undisturbed.ledger {
            breach("the ledger is another than without the crash");
        }
        if outcome.effects != undisturbed.effects {
            breach("the effects are others than without the crash");
        }
        true
    });
    sum.into_inner().expect("sound")
}

fn main() -> ExitCode {
    let options = Options::parse();
    let begun = Instant::now();
    let stage = match Stage::of(&options.region) {
        Ok(stage) => Arc::new(stage),
        Err(problems) => {
            eprintln!("{problems:?}");
            return ExitCode::FAILURE;
        }
    };
    let sum = if options.every_crash_point {
        crash_points(&stage, &options)
    } else {
        seeds(&stage, &options)
    };
    println!("{}", sum.told(begun, options.every_crash_point));
    ExitCode::from(u8::from(!sum.breaches.is_empty()))
}
