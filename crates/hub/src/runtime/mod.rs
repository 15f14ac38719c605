//! The running hub: records in, decisions, one transaction, commands out.
//!
//! [`Processor`] takes facts and timers to instances; [`Relay`] puts what was decided on the bus;
//! a [`Dispatcher`] for each adapter carries it out; [`Rounds`] asks where neighbours do not call.
//! `serve` runs each as a task; `demo` and tests turn them by hand until nothing is left to do.

mod advance;
mod core;
mod dispatch;
mod documents;
mod fold;
mod gate;
mod inlet;
mod intake;
mod metrics;
mod outcome;
mod prepare;
mod processor;
mod reconcile;
mod registry;
mod relay;
mod rounds;
mod serve;
mod settle;
mod texts;
mod undo;
mod workers;

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use halsonav_domain::{Kind, Problem};

pub use core::{Core, Register};
pub use dispatch::Dispatcher;
pub use documents::Documents;
pub use gate::Rules as Gate;
pub use inlet::inlet;
pub use intake::CASE_OPENED;
pub use metrics::Metrics;
pub use prepare::known;
pub use processor::Processor;
pub use registry::Registry;
pub use relay::Relay;
pub use rounds::Rounds;
pub use serve::serve;
pub use workers::{CaseWorker, ProfileWorker, Wanted};

/// The parts of a hub, to be turned by hand.
pub struct Hub {
    /// What they share.
    pub core: Arc<Core>,
    processor: Processor,
    relay: Relay,
    lanes: Vec<Dispatcher>,
    rounds: Rounds,
}

/// What turning until quiet did.
#[derive(Clone, Copy, Default, Debug)]
pub struct Settled {
    /// Facts and timers taken.
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
    pub async fn start(core: Arc<Core>) -> Result<Self, Problem> {
        let epoch = core
            .storage
            .write_async(|tx| tx.next_epoch())
            .await
            .map_err(store_problem)?;
        let processor = Processor::new(core.clone())?;
        let relay = Relay::new(core.clone());
        let mut lanes = Vec::new();
        for (name, outbound) in core.adapters.lanes() {
            lanes.push(Dispatcher::new(core.clone(), name, outbound.clone(), epoch).await?);
        }
        let rounds = Rounds::new(core.clone());
        Ok(Self {
            core,
            processor,
            relay,
            lanes,
            rounds,
        })
    }

    /// Works until nothing is left that could be done now.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn settle(&mut self) -> Result<Settled, Problem> {
        let mut sum = Settled::default();
        loop {
            let once = Some(Duration::ZERO);
            let lanes = join_all(self.lanes.iter_mut().map(|lane| lane.turn()));
            let (turn, published, carried) =
                tokio::join!(self.processor.turn(once), self.relay.turn(), lanes);
            let turn = turn?;
            let published = published?;
            let mut commands = 0;
            for lane in carried {
                commands += lane?;
            }
            sum += Settled {
                inputs: turn.inputs,
                steps: turn.steps,
                commands,
            };
            if turn.inputs + published + commands == 0 {
                return Ok(sum);
            }
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

/// A failure of the store, as a problem.
#[must_use]
pub fn store_problem(error: halsonav_storage::Error) -> Problem {
    Problem::new(error.kind(), "HUB-STORE-001", error.to_string())
}

fn bus_problem(error: halsonav_bus::Error) -> Problem {
    Problem::new(error.kind(), "HUB-BUS-001", error.to_string())
}

/// A part ended that never should.
fn ended(part: &str) -> Problem {
    Problem::new(
        Kind::Internal,
        "HUB-RUN-001",
        format!("{part} ended by itself"),
    )
}
