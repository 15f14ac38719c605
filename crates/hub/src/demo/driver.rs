//! The clock runs ahead: everything that is due happens, the hub works until it is quiet, and then
//! the clock jumps to the next thing that will happen.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use halsonav_domain::{Kind, Problem, Timestamp, VirtualClock};
use halsonav_storage::CaseState;
use jiff::SignedDuration;

use super::{
    agenda::{Act, Agenda},
    between::Between,
    crew::Crew,
    post::Post,
    residents::Residents,
    staff::Staff,
    state::{State, unusable},
    world::World,
};
use crate::runtime::{Core, Hub, Settled, store_problem};

/// The clock jumps by whole hours, so that what happens within one is one batch.
const HOUR_MS: i64 = 3_600_000;
/// Longest absence of store or bus that a run sits out, and the time between two tries.
const PATIENCE: Duration = Duration::from_secs(120);
const BREATH: Duration = Duration::from_millis(200);
/// A round is over after this long, whatever still waits.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 420);

/// The hub that is driven.
pub enum Driven {
    /// In this process, turned by hand.
    Here(Box<Hub>),
    /// In several processes, which turn by themselves.
    Crew(Crew),
}

impl Driven {
    async fn settle(&mut self, now: Timestamp) -> Result<Settled, Problem> {
        match self {
            Self::Here(hub) => {
                hub.ask().await?;
                hub.settle().await
            }
            Self::Crew(crew) => crew.settle(now).await.map(|()| Settled::default()),
        }
    }

    async fn advance(&mut self, clock: &VirtualClock, now: Timestamp) -> Result<(), Problem> {
        clock.advance(now);
        match self {
            Self::Here(_) => Ok(()),
            Self::Crew(crew) => patiently(async || crew.advance(now).await).await,
        }
    }

    /// Waits for `work`, which may itself wait for a process that is begun anew.
    async fn meanwhile(&mut self, work: impl Future<Output = ()>) -> Result<(), Problem> {
        match self {
            Self::Here(_) => {
                work.await;
                Ok(())
            }
            Self::Crew(crew) => crew.tend(work).await,
        }
    }
}

/// Everything that moves.
pub struct Driver {
    /// The hub.
    pub hub: Driven,
    /// What its parts share.
    pub core: Arc<Core>,
    /// The world around it.
    pub world: World,
    /// Residents.
    pub residents: Residents,
    /// People at work.
    pub staff: Staff,
    /// The postal service.
    pub post: Post,
    /// What will happen.
    pub agenda: Agenda,
    /// The clock.
    pub clock: Arc<VirtualClock>,
    /// Where the run stands.
    pub state: State,
    /// Where it is written.
    pub out: std::path::PathBuf,
    /// Whoever stands between hub and neighbours.
    pub between: Between,
}

/// What a run took.
#[derive(Clone, Copy, Default, Debug)]
pub struct Spent {
    /// What the hub did.
    pub settled: Settled,
    /// Wall-clock seconds.
    pub seconds: f64,
}

impl Driver {
    /// Runs the round to its end.
    ///
    /// # Errors
    /// When hub or world fail.
    pub async fn run(&mut self, bar: &indicatif::ProgressBar) -> Result<Spent, Problem> {
        let begun = Instant::now();
        let mut spent = Spent::default();
        let starts = self.state.now;
        self.residents.plan_fates(&self.world, &mut self.agenda);
        self.post
            .plan(&self.residents, &mut self.agenda, self.state.now);
        let core = self.core.clone();
        self.hub.advance(&self.clock, self.state.now).await?;
        let mut look_at = self.state.now;
        loop {
            self.between.hour(self.state.now, &core).await?;
            spent.settled += self.hour(&core).await?;
            if self.state.now >= look_at {
                look_at = self.state.now + SignedDuration::from_hours(24);
                let (open, over) = patiently(async || standing(&core).await).await?;
                bar.set_position(over);
                tracing::info!(until = %self.state.now, open, ended = over, steps = spent.settled.steps, "the round goes on");
                if open == 0 || self.state.now.duration_since(starts) > LONGEST {
                    break;
                }
            }
            let Some(next) = self.next(&core).await? else {
                break;
            };
            self.state.now = next;
            self.state.keep(&self.out)?;
            self.hub.advance(&self.clock, next).await?;
        }
        spent.seconds = begun.elapsed().as_secs_f64();
        Ok(spent)
    }

    /// Everything that is due now, until nothing is.
    async fn hour(&mut self, core: &Arc<Core>) -> Result<Settled, Problem> {
        let mut sum = Settled::default();
        loop {
            sum += self.hub.settle(self.state.now).await?;
            self.residents.look(&self.world, &mut self.agenda);
            self.look(core).await?;
            let now = self.state.now;
            let mut any = false;
            while let Some(act) = self.agenda.due(now) {
                any = true;
                patiently(async || self.act(core, &act).await).await?;
                self.agenda
                    .done(act)
                    .map_err(|error| unusable(&self.out, &error))?;
            }
            if !any {
                return Ok(sum);
            }
            self.hub.meanwhile(self.world.settled()).await?;
        }
    }

    /// Looks at what the hub asks of people, and at what letters have come to.
    async fn look(&mut self, core: &Arc<Core>) -> Result<(), Problem> {
        let (residents, agenda) = (&self.residents, &mut self.agenda);
        patiently(async || self.staff.look(core, residents, agenda).await).await?;
        let (world, staff) = (&self.world, &self.staff);
        patiently(async || self.post.look(world, core, residents, staff, agenda).await).await
    }

    async fn act(&mut self, core: &Arc<Core>, act: &Act) -> Result<(), Problem> {
        match act {
            Act::Work(no) => {
                self.staff
                    .work(&self.world, core, &self.residents, *no)
                    .await
            }
            Act::Pickup(_) | Act::Letter(..) | Act::Return(..) => {
                let fetched = self.post.act(
                    &self.world,
                    &self.residents,
                    &mut self.agenda,
                    act,
                    self.state.now,
                );
                fetched.map_err(|error: io::Error| unusable(&self.out, &error))
            }
            _ => {
                self.residents
                    .act(&self.world, core, &mut self.agenda, act)
                    .await
            }
        }
    }

    /// The hour in which something happens next.
    async fn next(&self, core: &Core) -> Result<Option<Timestamp>, Problem> {
        let asked = async || {
            let now = core.schedule.now();
            let read = core.storage.read_async(move |r| {
                let outbox = r.outbox(now, 1)?;
                let due = outbox.is_due() || !r.due_timers(now, 1)?.is_empty();
                Ok([due.then_some(now), r.next_due(now)?, outbox.later])
            });
            read.await.map_err(store_problem)
        };
        let stored = patiently(asked).await?;
        let next = stored.into_iter().flatten().chain(self.agenda.next()).min();
        Ok(next.map(|at| round_up(at).max(self.state.now + SignedDuration::from_hours(1))))
    }
}

/// Store and bus may be away for a while; what was begun is then done again, as it would be by people.
async fn patiently<T>(mut work: impl AsyncFnMut() -> Result<T, Problem>) -> Result<T, Problem> {
    let begun = Instant::now();
    loop {
        match work().await {
            Err(problem) if problem.kind == Kind::Unavailable && begun.elapsed() < PATIENCE => {
                tokio::time::sleep(BREATH).await;
            }
            done => return done,
        }
    }
}

fn round_up(at: Timestamp) -> Timestamp {
    let hours = at.as_millisecond().div_euclid(HOUR_MS)
        + i64::from(at.as_millisecond().rem_euclid(HOUR_MS) > 0);
    Timestamp::from_millisecond(hours * HOUR_MS).unwrap_or(at)
}

/// How many cases are open, and how many are over.
async fn standing(core: &Core) -> Result<(u64, u64), Problem> {
    let rows = core
        .storage
        .read_async(|r| r.standing(None))
        .await
        .map_err(store_problem)?;
    let over: u64 = rows
        .iter()
        .filter(|row| row.state == CaseState::Ended)
        .map(|row| row.cases)
        .sum();
    Ok((rows.iter().map(|row| row.cases).sum::<u64>() - over, over))
}
