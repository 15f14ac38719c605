//! Steps that are on disk: the hub's own processor against plain writes of as many rows.
//!
//! The small shape goes round. In three steps it makes three rows of state, three of the ledger,
//! three of what was seen, two effects, and opens and closes a timer and a subscription: fifteen
//! writes. Three plain steps make fifteen too.

use halsonav_domain::Problem;
use halsonav_storage::{
    Place,
    scratch::Scratch,
    yardstick::{Style, Yardstick},
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
    let how = "WAL, full sync, against plain prepared writes of as many rows";
    steps(plan, "durable_steps_sqlite", &config, None, how).await
}

/// Steps a second on PostgreSQL, and their share of plain writes.
pub async fn postgres(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let server = plan.server().map_err(one)?;
    let ours = Scratch::make(&server, "halsonav_bench").map_err(|e| one(store_problem(e)))?;
    let plain = Scratch::make(&server, "halsonav_plain").map_err(|e| one(store_problem(e)))?;
    let mut config = plan.config.clone();
    ours.url()
        .expose_secret()
        .clone_into(&mut config.storage.url);
    let how = format!(
        "{} connections that write at once, against plain multi-row statements of as many rows over as many connections",
        server.writers
    );
    steps(plan, "durable_steps_postgres", &config, Some(&plain), &how).await
}

/// Steps a second through dedup, load, decision and one transaction.
async fn steps(
    plan: &Plan,
    name: &'static str,
    config: &Config,
    plain: Option<&Scratch>,
    how: &str,
) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    // Each of several writers gets a batch of its own, so that both sides commit as often.
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
    let place = plain.map_or_else(
        || Place::Sqlite(dir.path().join("plain.db")),
        Scratch::place,
    );
    let shares = hub.core.shares;
    let mut plain =
        Plain::open(&place, cases, state, batch.div_ceil(shares), shares).map_err(one)?;
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
         {state} bytes; bus read, dedup, load, decision and apply, lap by lap in turn, medians; {how}; {}, {}",
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

/// The yardstick, in the style that is faster here.
struct Plain {
    yardsticks: Vec<Yardstick>,
    style: Style,
    batch: u32,
}

impl Plain {
    /// Batches of `batch` steps over `connections` connections at once.
    fn open(
        place: &Place,
        instances: usize,
        state: usize,
        batch: usize,
        connections: usize,
    ) -> Result<Self, Problem> {
        let small = |n: usize| u32::try_from(n.max(1)).unwrap_or(u32::MAX);
        let yardsticks = Yardstick::open(place, small(instances), state, small(connections))
            .map_err(store_problem)?;
        let mut plain = Self {
            yardsticks,
            style: Style::Single,
            batch: small(batch),
        };
        let trial = (instances / batch / connections).max(2) * batch * connections;
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
        let (batch, style) = (self.batch, self.style);
        let each = steps.div_ceil(batch as usize * self.yardsticks.len());
        let watch = Stopwatch::start();
        std::thread::scope(|scope| {
            let writing = self.yardsticks.iter_mut().map(|yardstick| {
                scope.spawn(move || (0..each).try_for_each(|_| yardstick.write(batch, style)))
            });
            let writing: Vec<_> = writing.collect();
            writing.into_iter().try_for_each(|one| {
                let done = one.join().unwrap_or(Err(halsonav_storage::Error::Panicked));
                done.map_err(store_problem)
            })
        })?;
        let written = each * batch as usize * self.yardsticks.len();
        Ok(rate(written, watch.elapsed()))
    }
}
