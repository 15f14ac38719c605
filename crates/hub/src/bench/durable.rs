//! Steps that are on disk: the hub's own processor against plain writes of as many rows.
//!
//! The small shape goes round. In three steps it makes three rows of state, three of the ledger,
//! three of what was seen, two effects, and opens and closes a timer and a subscription: fifteen
//! writes. Three plain steps make fifteen too.

use std::path::Path;

use halsonav_domain::Problem;
use halsonav_storage::yardstick::{Style, Yardstick};

use super::{
    Plan,
    hub::{Hub, directory},
    machine::{Stopwatch, file_system, rate, told},
    measurement::{Measurement, median},
    people,
    shape::{Shape, unfit},
};
use crate::runtime::store_problem;

/// Steps of one round of the small shape.
const LAP: usize = 3;

/// Steps a second through dedup, load, decision and one transaction, and their share of plain writes.
pub async fn sqlite(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let batch = plan.config.engine.batch.max(1);
    // Whole batches, so that both sides commit as often.
    let (cases, laps) = if plan.quick {
        (batch, 1)
    } else {
        (20_000usize.next_multiple_of(batch), 5)
    };
    let shape = Shape::small()?;
    let dir = directory(plan).map_err(one)?;
    let mut hub = Hub::open(plan, dir.path(), &shape)?;
    hub.enrol(cases, &shape).await.map_err(one)?;
    // Every case goes the same way, so one in memory tells which jobs all of them have open.
    let mut model = shape
        .start(people::case_id(0, plan.now), plan.now)
        .map_err(one)?;
    let mut plain =
        Plain::open(dir.path(), cases, state_of(&hub).map_err(one)?, plan).map_err(one)?;
    let (mut ours, mut limits) = (Vec::new(), Vec::new());
    for lap in 0..=laps {
        let limit = plain.lap(cases * LAP).map_err(one)?;
        let mut spent = std::time::Duration::ZERO;
        for _ in 0..LAP {
            let input = model.next(true);
            spent += hub.happen(&input).await.map_err(one)?;
            model.step(&input).map_err(one)?;
        }
        // The first lap warms up.
        if lap > 0 {
            ours.push(rate(cases * LAP, spent));
            limits.push(limit);
        }
    }
    let state = state_of(&hub).map_err(one)?;
    let conditions = format!(
        "{cases} waiting cases, {} steps in {laps} laps after one to warm up, batches of {batch}, instances of \
         {state} bytes; bus read, dedup, load, decision and apply in one transaction (WAL, full sync) against plain \
         prepared writes of as many rows, lap by lap in turn, medians; {}, {}",
        cases * LAP * laps,
        file_system(dir.path()),
        told()
    );
    Ok(
        Measurement::new("durable_steps_sqlite", median(ours), "steps/s", conditions)
            .against(median(limits)),
    )
}

/// Bytes of the state of the first case, as stored.
fn state_of(hub: &Hub) -> Result<usize, Problem> {
    let first = hub.cases.first().copied().into_iter().collect::<Vec<_>>();
    let stored = hub
        .core
        .storage
        .read(|r| r.load_instances(&first))
        .map_err(store_problem)?;
    stored
        .first()
        .map(|one| one.state.len())
        .ok_or_else(|| unfit("a case was lost"))
}

/// The yardstick, in the style that is faster here.
struct Plain {
    yardstick: Yardstick,
    style: Style,
    batch: u32,
}

impl Plain {
    fn open(dir: &Path, instances: usize, state: usize, plan: &Plan) -> Result<Self, Problem> {
        let instances = u32::try_from(instances).unwrap_or(u32::MAX);
        let yardstick =
            Yardstick::open(&dir.join("plain.db"), instances, state).map_err(store_problem)?;
        let batch = u32::try_from(plan.config.engine.batch.max(1)).unwrap_or(u32::MAX);
        let mut plain = Self {
            yardstick,
            style: Style::Single,
            batch,
        };
        let trial = (instances / batch).max(2) as usize * batch as usize;
        plain.lap(trial)?;
        let single = plain.lap(trial)?;
        plain.style = Style::Multi;
        if plain.lap(trial)? < single {
            plain.style = Style::Single;
        }
        Ok(plain)
    }

    /// At least `steps` plain steps; steps a second.
    fn lap(&mut self, steps: usize) -> Result<f64, Problem> {
        let batches = steps.div_ceil(self.batch as usize);
        let watch = Stopwatch::start();
        for _ in 0..batches {
            self.yardstick
                .write(self.batch, self.style)
                .map_err(store_problem)?;
        }
        Ok(rate(batches * self.batch as usize, watch.elapsed()))
    }
}
