//! The running hub: facts in, decisions, one transaction, commands out.
//!
//! [`Processor`] takes facts to instances; [`Scheduler`] says when timers are due; [`Relay`] puts
//! what was decided on the bus; a [`Dispatcher`] for each adapter carries it out; [`Registrar`] and
//! [`Rounds`] ask where neighbours do not call; the [`Housekeeper`] forgets. `serve` runs each as a
//! task, in one process or in several; `demo` and tests turn them by hand until nothing is left to do.

mod chore;
mod core;
mod decide;
mod dispatch;
mod documents;
mod fold;
mod gate;
mod housekeeper;
mod inlet;
mod intake;
mod lease;
mod mail;
mod metrics;
mod news;
mod note;
mod outcome;
mod outside;
mod prepare;
mod processor;
mod reconcile;
mod registrar;
mod registry;
mod relay;
mod report;
mod role;
mod rounds;
mod serve;
mod settle;
mod take;
mod texts;
mod timers;
mod undo;
mod workers;

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use halsonav_domain::{Kind, Problem};

pub use core::{Core, Register};
pub use dispatch::Dispatcher;
pub use documents::Documents;
pub use gate::Rules as Gate;
pub use housekeeper::Housekeeper;
pub use inlet::inlet;
pub use intake::case_opened;
pub use lease::{FOREVER, Lease};
pub use metrics::Metrics;
pub use outside::Outside;
pub use prepare::known;
pub use processor::Processor;
pub use registrar::Registrar;
pub use registry::Registry;
pub use relay::Relay;
pub use role::{Parts, Role};
pub use rounds::Rounds;
pub use serve::serve;
pub use timers::{Scheduler, TIMER_DUE};
pub use workers::{CaseWorker, ProfileWorker, Wanted};

/// Between two looks at a bus that has something and has not brought it.
const BREATH: Duration = Duration::from_millis(2);

/// The parts of a hub that this process has, to be turned by hand.
pub struct Hub {
    /// What they share.
    pub core: Arc<Core>,
    holder: String,
    processor: Option<Processor>,
    relay: Option<Relay>,
    scheduler: Option<Scheduler>,
    housekeeper: Option<Housekeeper>,
    lanes: Vec<Dispatcher>,
    leases: Vec<Arc<Lease>>,
    registrar: Registrar,
    rounds: Rounds,
}

/// What turning until quiet did.
#[derive(Clone, Copy, Default, Debug)]
pub struct Settled {
    /// Facts taken.
    pub inputs: usize,
    /// Steps of instances.
    pub steps: usize,
    /// Commands carried out.
    pub commands: usize,
}

impl std::ops::AddAssign for Settled {
    fn add_assign(&mut self, other: Self) {
        self.inputs += other.inputs;
        self.steps += other.steps;
        self.commands += other.commands;
    }
}

impl Hub {
    /// Takes up work where an earlier life left it.
    ///
    /// # Errors
    /// When store or bus refuse.
    pub async fn start(core: Arc<Core>, parts: &Parts) -> Result<Self, Problem> {
        if core.alone {
            // The lock on the log says so: every earlier life is over.
            core.storage
                .write_async(|tx| tx.end_all_leases())
                .await
                .map_err(store_problem)?;
        }
        let holder = format!("{}-{}", std::process::id(), uuid::Uuid::now_v7().simple());
        let (mut lanes, mut leases) = (Vec::new(), Vec::new());
        for (name, outbound) in core.adapters.lanes() {
            let own = !core.adapters.is_neighbour(name);
            if !(parts.runs(name) || own && parts.has(Role::Engine)) {
                continue;
            }
            let lease = core.lease(format!("dispatch/{name}/{holder}"), &holder);
            lanes.push(Dispatcher::new(
                core.clone(),
                name,
                outbound.clone(),
                lease.clone(),
            )?);
            leases.push(lease);
        }
        Ok(Self {
            processor: parts
                .has(Role::Engine)
                .then(|| Processor::new(core.clone()))
                .transpose()?,
            relay: parts.has(Role::Relay).then(|| Relay::new(core.clone())),
            scheduler: parts
                .has(Role::Scheduler)
                .then(|| Scheduler::new(core.clone())),
            housekeeper: parts
                .has(Role::Scheduler)
                .then(|| Housekeeper::new(core.clone())),
            lanes,
            leases,
            registrar: Registrar::new(core.clone()),
            rounds: Rounds::new(core.clone(), &holder),
            holder,
            core,
        })
    }

    /// Works until nothing is left that could be done now.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn settle(&mut self) -> Result<Settled, Problem> {
        let mut sum = Settled::default();
        loop {
            let (turn, moved) = self.turn().await?;
            sum += turn;
            if moved == 0 {
                // A bus may still be bringing what it has.
                if self.core.under_way().await? == 0 {
                    return Ok(sum);
                }
                tokio::time::sleep(BREATH).await;
            }
        }
    }

    /// Everything once. Answers what was done, and how much moved at all.
    async fn turn(&mut self) -> Result<(Settled, usize), Problem> {
        let once = Some(Duration::ZERO);
        let lanes = join_all(self.lanes.iter_mut().map(Dispatcher::turn));
        let (turn, published, announced, forgotten, asked, carried) = tokio::join!(
            processed(&mut self.processor, once),
            published(self.relay.as_ref()),
            announced(self.scheduler.as_ref()),
            forgotten(self.housekeeper.as_mut()),
            self.registrar.turn(),
            lanes
        );
        let turn = turn?;
        let moved = turn.inputs + published? + announced? + forgotten? + asked?.count;
        let mut commands = 0;
        for lane in carried {
            commands += lane?;
        }
        let done = Settled {
            inputs: turn.inputs,
            steps: turn.steps,
            commands,
        };
        Ok((done, moved + commands))
    }

    /// How many parts [`Hub::turn_part`] knows.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn parts(&self) -> usize {
        4 + self.lanes.len()
    }

    /// One part alone, once; how much it moved.
    ///
    /// # Errors
    /// When store or bus fail.
    #[cfg(debug_assertions)]
    pub async fn turn_part(&mut self, part: usize) -> Result<usize, Problem> {
        match part {
            0 => {
                let turn = processed(&mut self.processor, Some(Duration::ZERO)).await?;
                Ok(turn.inputs)
            }
            1 => published(self.relay.as_ref()).await,
            2 => announced(self.scheduler.as_ref()).await,
            3 => Ok(self.registrar.turn().await?.count),
            lane => match self.lanes.get_mut(lane - 4) {
                Some(lane) => lane.turn().await,
                None => Ok(0),
            },
        }
    }

    /// Asks where it is time to ask: pollers and the sweep over the register.
    ///
    /// # Errors
    /// When store or bus fail; a neighbour that is away is asked next time.
    pub async fn ask(&mut self) -> Result<usize, Problem> {
        self.rounds.due().await
    }
}

async fn processed(
    processor: &mut Option<Processor>,
    wait: Option<Duration>,
) -> Result<processor::Turn, Problem> {
    match processor {
        Some(processor) => processor.turn(wait).await,
        None => Ok(processor::Turn::default()),
    }
}

async fn published(relay: Option<&Relay>) -> Result<usize, Problem> {
    match relay {
        Some(relay) => Ok(relay.turn().await?.count),
        None => Ok(0),
    }
}

async fn announced(scheduler: Option<&Scheduler>) -> Result<usize, Problem> {
    match scheduler {
        Some(scheduler) => Ok(scheduler.turn().await?.count),
        None => Ok(0),
    }
}

async fn forgotten(housekeeper: Option<&mut Housekeeper>) -> Result<usize, Problem> {
    match housekeeper {
        Some(housekeeper) => Ok(housekeeper.turn().await?.count),
        None => Ok(0),
    }
}

/// A failure of the store, as a problem.
#[must_use]
pub fn store_problem(error: halsonav_storage::Error) -> Problem {
    match error {
        halsonav_storage::Error::Refused(problem) => problem,
        error => Problem::new(error.kind(), error.code(), error.to_string()),
    }
}

/// A failure of the bus, as a problem.
#[must_use]
pub fn bus_problem(error: halsonav_bus::Error) -> Problem {
    Problem::new(error.kind(), error.code(), error.to_string())
}

/// A part ended that never should.
fn ended(part: &str) -> Problem {
    Problem::new(
        Kind::Internal,
        "HUB-RUN-001",
        format!("{part} ended by itself"),
    )
}
