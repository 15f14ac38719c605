//! Steps that are on disk: the hub's own processor against plain writes of the same rows.
//!
//! The small shape goes round. In three steps it writes three rows of state, three of the ledger and
//! three of what was seen, makes two effects and notes two as done, opens and closes a timer and a
//! subscription, and notes a booking under its name and for the API: nineteen writes. The limit is
//! as many plain writes, to the same tables with their indexes. Beside it the bare one is told: rows
//! with integer keys and no index, five a step.

use halsonav_domain::Problem;
use halsonav_storage::{
    Place,
    scratch::Scratch,
    yardstick::{Same, Style, Yardstick},
};
use secrecy::ExposeSecret as _;

use super::{
    Plan,
    hub::{Hub, directory},
    machine::{Stopwatch, file_system, rate, told},
    measurement::{Measurement, median},
    people,
    shape::{Shape, unfit},
};
use crate::{config::Config, runtime::store_problem};

/// Steps of one round of the small shape.
const LAP: usize = 3;

/// Steps a second on SQLite, and their share of plain writes.
pub async fn sqlite(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let mut config = plan.config.clone();
    config.storage.url.clear();
    config.storage.url_file.clear();
    let how = "WAL, full sync; plain writes by prepared statements";
    steps(plan, "durable_steps_sqlite", &config, None, how).await
}

/// Steps a second on PostgreSQL, and their share of plain writes.
pub async fn postgres(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let server = plan.server().map_err(one)?;
    let ours = Scratch::make(&server, "halsonav_bench").map_err(|e| one(store_problem(e)))?;
    let plain = Scratch::make(&server, "halsonav_plain").map_err(|e| one(store_problem(e)))?;
    let bare = Scratch::make(&server, "halsonav_bare").map_err(|e| one(store_problem(e)))?;
    let mut config = plan.config.clone();
    ours.url()
        .expose_secret()
        .clone_into(&mut config.storage.url);
    let how = format!(
        "{} connections that write at once; plain writes by multi-row statements over as many connections",
        server.writers
    );
    let places = Some((&plain, &bare));
    steps(plan, "durable_steps_postgres", &config, places, &how).await
}

/// Steps a second through dedup, load, decision and one transaction.
async fn steps(
    plan: &Plan,
    name: &'static str,
    config: &Config,
    places: Option<(&Scratch, &Scratch)>,
    how: &str,
) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    // Each of several writers commits a batch of its own, as a share of the hub's does. In SQLite two
    // shares that wait at the same time have one commit.
    let batch = config.engine.batch.max(1);
    let (cases, laps) = if plan.quick {
        (batch, 1)
    } else {
        (20_000usize.next_multiple_of(batch), 5)
    };
    let shape = Shape::small()?;
    let dir = directory(plan).map_err(one)?;
    let mut hub = Hub::open(plan, config, dir.path(), &shape)?;
    hub.enrol(cases, &shape).await.map_err(one)?;
    // Every case goes the same way, so one in memory tells which jobs all of them have open.
    let mut model = shape
        .start(people::case_id(0, plan.now), plan.now)
        .map_err(one)?;
    let state = state_of(&hub).map_err(one)?;
    let place = |scratch: Option<&Scratch>, file: &str| {
        scratch.map_or_else(|| Place::Sqlite(dir.path().join(file)), Scratch::place)
    };
    let writers = places.map_or(1, |_| hub.core.shares);
    let (small, bare) = (places.map(|both| both.0), places.map(|both| both.1));
    let size = (cases, state, batch, writers);
    let mut plain = Plain::open(&place(small, "plain.db"), size).map_err(one)?;
    let bare = bare_rate(&place(bare, "bare.db"), size).map_err(one)?;
    let (mut ours, mut limits) = (Vec::new(), Vec::new());
    for lap in 0..=laps {
        let limit = plain.lap(LAP).map_err(one)?;
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
         {state} bytes; bus read, dedup, load, decision and apply, against plain writes of the same rows to the same tables, lap by lap in turn, medians; bare rows, five a \
         step with integer keys and no index: {bare:.0} steps/s; {how}; {}, {}",
        cases * LAP * laps,
        file_system(dir.path()),
        told()
    );
    Ok(Measurement::new(name, median(ours), "steps/s", conditions).against(median(limits)))
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

/// Cases, bytes of a state, batch of one connection, connections.
type Size = (usize, usize, usize, usize);

/// The same rows as the hub's.
struct Plain {
    connections: Vec<Same>,
    cases: usize,
    batch: usize,
}

impl Plain {
    fn open(place: &Place, (cases, state, batch, connections): Size) -> Result<Self, Problem> {
        Ok(Self {
            connections: Same::open(place, cases, state, connections).map_err(store_problem)?,
            cases,
            batch,
        })
    }

    /// So many steps of every case; steps a second.
    fn lap(&mut self, steps: usize) -> Result<f64, Problem> {
        let batch = self.batch;
        let each = self.cases.div_ceil(self.connections.len()).div_ceil(batch) * steps;
        let watch = Stopwatch::start();
        at_once(&mut self.connections, |same| {
            (0..each).try_for_each(|_| same.write(batch))
        })?;
        Ok(rate(self.cases * steps, watch.elapsed()))
    }
}

/// Bare steps a second, in the style that is faster here.
fn bare_rate(place: &Place, (cases, state, batch, connections): Size) -> Result<f64, Problem> {
    let small = |n: usize| u32::try_from(n.max(1)).unwrap_or(u32::MAX);
    let mut yardsticks =
        Yardstick::open(place, small(cases), state, small(connections)).map_err(store_problem)?;
    let each = cases.div_ceil(batch * connections).max(2);
    let mut best = 0.0_f64;
    for style in [Style::Single, Style::Multi, Style::Single, Style::Multi] {
        let watch = Stopwatch::start();
        at_once(&mut yardsticks, |yardstick| {
            (0..each).try_for_each(|_| yardstick.write(small(batch), style))
        })?;
        best = best.max(rate(each * batch * connections, watch.elapsed()));
    }
    Ok(best)
}

/// Each connection on a thread of its own.
fn at_once<Y: Send>(
    connections: &mut [Y],
    work: impl Fn(&mut Y) -> halsonav_storage::Result<()> + Sync,
) -> Result<(), Problem> {
    std::thread::scope(|scope| {
        let writing: Vec<_> = connections
            .iter_mut()
            .map(|one| scope.spawn(|| work(one)))
            .collect();
        writing.into_iter().try_for_each(|one| {
            let done = one.join().unwrap_or(Err(halsonav_storage::Error::Panicked));
            done.map_err(store_problem)
        })
    })
}
