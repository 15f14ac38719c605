//! What it costs that many wait: a step among ten thousand and among a million, and a start among a
//! million.

use halsonav_domain::{CaseId, Problem};
use halsonav_engine::Input;
use tempfile::TempDir;

use super::{
    Plan,
    hub::{Hub, directory},
    machine::{Stopwatch, file_system, told},
    measurement::{Measurement, median},
    memory::ask,
    people,
    shape::Shape,
};
use crate::cli::Context;

/// Steps of one round of the small shape.
const LAP: usize = 3;
/// Laps that count, after one to warm up.
const LAPS: usize = 5;
/// Scatters cases over the store; a prime that divides no number of cases here.
const STRIDE: usize = 7_919;

/// A store in which instances of the small shape wait for the resident.
pub struct Waiting {
    dir: TempDir,
    shape: Shape,
    count: usize,
    /// How much has happened in it.
    facts: usize,
}

impl Waiting {
    /// Makes it.
    ///
    /// # Errors
    /// When store or bus fail.
    pub async fn make(plan: &Plan, count: usize) -> Result<Self, Vec<Problem>> {
        let one = |problem: Problem| vec![problem];
        let shape = Shape::small()?;
        let dir = directory(plan).map_err(one)?;
        let mut hub = Hub::open(plan, &plan.config, dir.path(), &shape)?;
        hub.invite(count, &shape).await.map_err(one)?;
        let facts = hub.facts();
        drop(hub);
        Ok(Self {
            dir,
            shape,
            count,
            facts,
        })
    }
}

/// The store with many waiting, made once for all who ask.
async fn million(plan: &Plan) -> Result<&Waiting, Vec<Problem>> {
    let count = if plan.quick { 4_000 } else { 1_000_000 };
    plan.million
        .get_or_try_init(|| Waiting::make(plan, count))
        .await
}

/// Which cases something happens to at the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Any: hardly two of them share a page of the store.
    Scattered,
    /// Those invited one after the other, as lists are.
    Neighbours,
}

impl Order {
    /// So many cases by number, each once. Where there are enough, none is in both orders.
    fn cases(self, count: usize, wanted: usize) -> Vec<usize> {
        let first = if count > 2 * wanted { wanted } else { 0 };
        let scattered = |n: usize| first + n * STRIDE % (count - first);
        match self {
            Self::Scattered => (0..wanted).map(scattered).collect(),
            Self::Neighbours => (0..wanted).collect(),
        }
    }
}

/// A hub on a [`Waiting`], with cases that have not been stepped since.
struct Sample {
    hub: Hub,
    cases: Vec<CaseId>,
    next: usize,
}

impl Sample {
    fn open(
        plan: &Plan,
        waiting: &Waiting,
        order: Order,
        size: usize,
    ) -> Result<Self, Vec<Problem>> {
        let mut hub = Hub::open(plan, &plan.config, waiting.dir.path(), &waiting.shape)?;
        // What was let happen in one order has other ids than what is in the other.
        let before = (LAPS + 1) * LAP * usize::from(order == Order::Neighbours);
        hub.go_on(waiting.facts + before);
        let cases = order.cases(waiting.count, (LAPS + 1) * size);
        Ok(Self {
            hub,
            cases: cases
                .into_iter()
                .map(|n| people::case_id(n, plan.now))
                .collect(),
            next: 0,
        })
    }

    /// One round of the next `size` cases; seconds a step.
    async fn lap(&mut self, size: usize, inputs: &[Input]) -> Result<f64, Problem> {
        let cases = self.cases[self.next..self.next + size].to_vec();
        self.next += size;
        let mut spent = std::time::Duration::ZERO;
        for input in inputs {
            spent += self.hub.happen_to(&cases, input).await?;
        }
        Ok(spent.as_secs_f64() / (size * inputs.len()) as f64)
    }
}

/// Seconds a step among few, and among many.
async fn costs(
    plan: &Plan,
    (few, many): (&Waiting, &Waiting),
    size: usize,
    order: Order,
) -> Result<(f64, f64), Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let inputs = round(plan, &few.shape).map_err(one)?;
    let mut among_few = Sample::open(plan, few, order, size)?;
    let mut among_many = Sample::open(plan, many, order, size)?;
    let (mut low, mut high) = (Vec::new(), Vec::new());
    for lap in 0..=LAPS {
        // In turn, so that whatever else the machine does befalls both.
        let (of_few, of_many) = (
            among_few.lap(size, &inputs).await.map_err(one)?,
            among_many.lap(size, &inputs).await.map_err(one)?,
        );
        if lap > 0 {
            low.push(of_few);
            high.push(of_many);
        }
    }
    Ok((median(low), median(high)))
}

/// What happens in one round, after the first wait.
fn round(plan: &Plan, shape: &Shape) -> Result<Vec<Input>, Problem> {
    let mut model = shape.start(people::case_id(0, plan.now), plan.now)?;
    model.reach_first_wait()?;
    let mut inputs = Vec::with_capacity(LAP);
    for _ in 0..LAP {
        let input = model.next(true);
        model.step(&input)?;
        inputs.push(input);
    }
    Ok(inputs)
}

/// How many times as much a step costs when a million wait instead of ten thousand.
pub async fn cost_per_step(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let (few, size) = if plan.quick {
        (400, 30)
    } else {
        (10_000, 1_536)
    };
    let many = million(plan).await?;
    let scattered = Waiting::make(plan, few).await?;
    let (low, high) = costs(plan, (&scattered, many), size, Order::Scattered).await?;
    let neighbours = Waiting::make(plan, few).await?;
    let (low_of_neighbours, high_of_neighbours) =
        costs(plan, (&neighbours, many), size, Order::Neighbours).await?;
    let conditions = format!(
        "{:.1} µs a step among {} waiting instances, {:.1} µs among {few}: {size} cases a lap, scattered over the \
         store and none twice, {LAPS} laps in turn after one to warm up, medians; neighbours in the store, as those \
         are who were invited together: {:.1} µs and {:.1} µs, {:.2} times; SQLite {}, {}",
        high * 1e6,
        many.count,
        low * 1e6,
        high_of_neighbours * 1e6,
        low_of_neighbours * 1e6,
        high_of_neighbours / low_of_neighbours,
        file_system(scattered.dir.path()),
        told()
    );
    let name = "cost_per_step_1m_over_10k";
    Ok(Measurement::new(name, high / low, "times", conditions))
}

/// Seconds from the start of a process to a hub that has looked for work, with many waiting.
pub async fn startup(context: &Context, plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let waiting = million(plan).await?;
    let mut spent = Vec::new();
    let mut resident = 0;
    for _ in 0..3 {
        let watch = Stopwatch::start();
        resident = ask(context, waiting.dir.path()).map_err(one)?;
        spent.push(watch.elapsed().as_secs_f64());
    }
    let conditions = format!(
        "a process of its own: settings read, store and log opened, looked once for due timers and facts, told its \
         memory, and ended; {} instances wait in the store; {:.1} MiB resident (VmRSS) at the end; median of 3; \
         SQLite {}, {}",
        waiting.count,
        resident as f64 / f64::from(1 << 20),
        file_system(waiting.dir.path()),
        told()
    );
    Ok(Measurement::new(
        "startup_1m",
        median(spent),
        "s",
        conditions,
    ))
}
