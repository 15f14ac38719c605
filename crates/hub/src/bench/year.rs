//! A national year: everybody who is invited in a year, from the invitation to the end of the case.

use std::sync::Arc;

use halsonav_domain::{Problem, VirtualClock};

use super::{
    Plan,
    hub::Hub,
    life::Life,
    machine::{Stopwatch, told},
    measurement::Measurement,
    people,
    serving::Ground,
    shape::{Shape, unfit},
};
use crate::runtime::store_problem;

/// Invited in a year: the analysis' 405 000.
const INVITED: usize = 405_000;
/// Invited at once, as lists come through the year.
const WAVE: usize = 45_000;

/// Seconds for all of it.
pub async fn national(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let (invited, wave) = if plan.quick {
        (60, 30)
    } else {
        (INVITED, WAVE)
    };
    let ground = Ground::make(plan).await.map_err(one)?;
    let shape = Shape::of_region(&plan.region)?;
    let clock = Arc::new(VirtualClock::new(plan.now));
    let mut hub = Hub::of(ground.core(plan, &shape, &clock)?).map_err(one)?;
    let watch = Stopwatch::start();
    let mut events = 0;
    while hub.cases.len() < invited {
        let first = hub.cases.len();
        hub.enrol(wave, &shape).await.map_err(one)?;
        let cases = hub.cases[first..].to_vec();
        let now = hub.core.clock.now();
        events += cases.len();
        let mut all = Vec::new();
        let halves = cases.chunks(cases.len().div_ceil(2));
        for (life, cases) in [Life::Held, Life::Declined].into_iter().zip(halves) {
            let case = people::case_id(0, plan.now);
            let mut model = shape.start(case, now).map_err(one)?;
            let happenings = life.of(&mut model).map_err(one)?;
            all.extend(happenings.into_iter().enumerate().map(|each| (each, cases)));
        }
        // One clock for both: what is earlier comes first.
        all.sort_by_key(|((_, happening), _)| happening.at);
        for ((n, happening), cases) in &all {
            clock.advance(happening.at);
            let facts = cases.iter().map(|case| happening.fact(*case, *n));
            hub.turn(facts.collect()).await.map_err(one)?;
            events += cases.len();
        }
    }
    let spent = watch.elapsed();
    let totals = hub
        .core
        .storage
        .read(|r| r.totals(None))
        .map_err(|error| one(store_problem(error)))?;
    let ended: u64 = totals.ended.iter().map(|(_, cases)| cases).sum();
    if ended != invited as u64 {
        return Err(one(unfit(&format!("{ended} of {invited} cases ended"))));
    }
    let conditions = format!(
        "{invited} invited in waves of {wave}, one half to a dialogue that is held and documented, the other phoned \
         and declining; all {invited} cases ended; {events} facts, {:.0} a second, each taken from the bus, decided on \
         in the region's process '{}' and committed with what follows from it; neighbours answer at once and are not \
         part of it, nor are relay and dispatchers; {}; {}",
        events as f64 / spent.as_secs_f64(),
        shape.process,
        ground.told(),
        told()
    );
    drop(hub);
    ground.clear().await.map_err(one)?;
    let seconds = spent.as_secs_f64();
    Ok(Measurement::new("national_year", seconds, "s", conditions))
}
