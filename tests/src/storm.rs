//! A storm over real services: a whole round over four processes on Kafka and PostgreSQL, while
//! processes are killed or stand still for longer than their leases, the broker dies and the database
//! stops at once. The neighbours are in another process, which nobody touches: they know what happened.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use halsonav_storage::{Place, scratch::Scratch};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use crate::{
    processes::signal,
    round::Round,
    services::{End, Service, Services},
    simulation::chance::Chance,
    site::Site,
};

mod crew;

use crew::Crew;

/// After a fault the hub must have got on within this time.
const PROGRESS: Duration = Duration::from_secs(30);
/// Lease of the site; a process that stands still does so for more than two of them.
const LEASE_S: u32 = 3;
const STANDSTILL: Duration = Duration::from_millis(2 * 1000 * LEASE_S as u64 + 700);

/// How much of what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The hub's binary.
    pub binary: PathBuf,
    /// Where the rounds leave their files.
    pub dir: PathBuf,
    /// Of the faults and of the first round; each further round has the next one.
    pub seed: u64,
    /// Residents in each round.
    pub residents: usize,
    /// `kill -9` of a process of the hub.
    pub kills: usize,
    /// A process of the hub stands still for two leases.
    pub standstills: usize,
    /// The broker is killed and started again.
    pub brokers: usize,
    /// The database stops at once and is started again.
    pub databases: usize,
}

/// What it came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Processes killed.
    pub kills: usize,
    /// Processes that stood still.
    pub standstills: usize,
    /// Brokers killed.
    pub broker_restarts: usize,
    /// Databases stopped.
    pub database_stops: usize,
    /// Rounds run to their end.
    pub rounds: usize,
    /// Residents invited in all of them.
    pub invited: u64,
    /// Effects that reached a neighbour more than once.
    pub effects_twice: u64,
    /// Cases that the ledger cannot place.
    pub unaccounted: u64,
    /// Longest time from the end of a fault until the round had got on, seconds.
    pub longest_pause_s: f64,
    /// What must never happen, and did.
    pub breaches: Vec<String>,
    /// How long all of it took, seconds.
    pub wall_s: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Kill,
    Standstill,
    Broker,
    Database,
}

/// Runs rounds until every fault has been done. `None`, after saying so, when a service is not here.
///
/// # Errors
/// When a service or a round cannot be started. What the hub does wrong is a breach, not an error.
pub fn run(plan: &Plan) -> Result<Option<Outcome>> {
    let begun = Instant::now();
    let wanted = [Service::Postgres, Service::Kafka];
    let Some(services) = Services::start("a storm", &wanted)? else {
        return Ok(None);
    };
    let chance = Chance::of(plan.seed);
    let mut left = faults(plan, &chance);
    let mut outcome = Outcome::default();
    for n in 0.. {
        if left.is_empty() && n > 0 {
            break;
        }
        let seed = plan.seed + n;
        blow(plan, &services, seed, &chance, &mut left, &mut outcome)
            .with_context(|| format!("round of seed {seed}"))?;
    }
    outcome.wall_s = begun.elapsed().as_secs();
    Ok(Some(outcome))
}

/// All faults, in an order by chance.
fn faults(plan: &Plan, chance: &Chance) -> Vec<Fault> {
    let kinds = [
        (Fault::Kill, plan.kills),
        (Fault::Standstill, plan.standstills),
        (Fault::Broker, plan.brokers),
        (Fault::Database, plan.databases),
    ];
    let mut all: Vec<Fault> = kinds
        .into_iter()
        .flat_map(|(fault, times)| std::iter::repeat_n(fault, times))
        .collect();
    for n in (1..all.len()).rev() {
        all.swap(n, chance.below(n + 1));
    }
    all
}

/// One round, with faults as long as it lasts.
fn blow(
    plan: &Plan,
    services: &Services,
    seed: u64,
    chance: &Chance,
    left: &mut Vec<Fault>,
    outcome: &mut Outcome,
) -> Result<()> {
    let Place::Postgres(server) = Place::parse(&services.postgres()?) else {
        anyhow::bail!("no PostgreSQL");
    };
    let store = Scratch::make(&server, &format!("storm_{seed}"))?;
    let url = store.url();
    let brokers = services.kafka()?;
    let site = Site {
        store: Some(url.expose_secret()),
        brokers: Some(&brokers),
        lease_s: Some(LEASE_S),
    };
    let calm = Round::calm(&plan.binary, &plan.dir, seed, plan.residents)?;
    let mut crew = Crew::start(plan, seed, &site)?;
    while crew.runs()? {
        let Some(fault) = left.pop() else {
            break;
        };
        std::thread::sleep(Duration::from_millis(300 + chance.below(1500) as u64));
        if !happen(fault, &crew, services, chance, outcome)? {
            left.push(fault);
            break;
        }
        let paused = crew.gets_on(PROGRESS * 4)?;
        outcome.longest_pause_s = outcome.longest_pause_s.max(paused.as_secs_f64());
        if paused > PROGRESS {
            let what = format!("seed {seed}: no progress for {paused:?} after {fault:?}");
            outcome.breaches.push(what);
        }
    }
    let stormy = crew.finish()?;
    judge(seed, &calm, &stormy, outcome);
    Ok(())
}

/// Does it; false when there was nobody left to do it to.
fn happen(
    fault: Fault,
    crew: &Crew,
    services: &Services,
    chance: &Chance,
    outcome: &mut Outcome,
) -> Result<bool> {
    match fault {
        Fault::Kill | Fault::Standstill => {
            let family = crew.processes()?;
            let Some(victim) = family.get(chance.below(family.len())) else {
                // The round is over.
                return Ok(false);
            };
            if fault == Fault::Kill {
                outcome.kills += usize::from(signal("-KILL", victim)?);
            } else if signal("-STOP", victim)? {
                std::thread::sleep(STANDSTILL);
                signal("-CONT", victim)?;
                outcome.standstills += 1;
            }
        }
        Fault::Broker => {
            services.restart(Service::Kafka, End::Kill)?;
            outcome.broker_restarts += 1;
        }
        Fault::Database => {
            services.restart(Service::Postgres, End::Immediate)?;
            outcome.database_stops += 1;
        }
    }
    Ok(true)
}

/// INV-L1, INV-X1 and that nobody was lost: every case came to the same end as on a calm day.
fn judge(seed: u64, calm: &Round, stormy: &Round, outcome: &mut Outcome) {
    outcome.rounds += 1;
    outcome.invited += stormy.number("invited");
    outcome.effects_twice += stormy.number("effects_twice");
    outcome.unaccounted += stormy.number("unaccounted");
    for what in ["effects_twice", "unaccounted", "waiting"] {
        if stormy.number(what) > 0 {
            let breach = format!("seed {seed}: {what} is {}", stormy.number(what));
            outcome.breaches.push(breach);
        }
    }
    let different = calm.differences(stormy);
    if !different.is_empty() {
        let first = different.values().next().map_or("", String::as_str);
        let breach = format!(
            "seed {seed}: {} cases end in another way, such as {first}",
            different.len()
        );
        outcome.breaches.push(breach);
    }
}
