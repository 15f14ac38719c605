//! Steps of the engine alone: in memory, one core.

use halsonav_domain::{CaseId, Problem, Timestamp};

use super::{
    Plan,
    machine::{Stopwatch, rate, told},
    measurement::{Measurement, median},
    shape::Shape,
};

/// Service → message → service → choice, start to end.
pub fn small(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let shape = Shape::small()?;
    let (instances, rounds) = if plan.quick { (500, 3) } else { (20_000, 5) };
    let value = measure(rounds, instances, |case| {
        let mut run = shape.start(case, plan.now)?;
        let mut steps = 1;
        while !run.instance.is_ended() {
            let input = run.next(false);
            run.step(&input)?;
            steps += 1;
        }
        Ok(steps)
    })?;
    let conditions = format!(
        "{instances} instances from start to end, service, message or deadline, service, choice: 4 steps each, the \
         start included; in memory on one core, median of {rounds} rounds; {}",
        told()
    );
    Ok(Measurement::new(
        "engine_steps",
        value,
        "steps/s",
        conditions,
    ))
}

/// The region's own process, to where it waits for the resident.
pub fn of_region(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let shape = Shape::of_region(&plan.region)?;
    let (instances, rounds) = if plan.quick { (50, 3) } else { (4_000, 5) };
    let mut each = 0;
    let value = measure(rounds, instances, |case| {
        each = 1 + shape.start(case, plan.now)?.reach_first_wait()?.len();
        Ok(each)
    })?;
    let conditions = format!(
        "{instances} instances of '{}' in region '{}' from start to the wait for the resident, decision tables \
         included: {each} steps each; in memory on one core, median of {rounds} rounds; {}",
        shape.process,
        plan.region.name,
        told()
    );
    Ok(Measurement::new(
        "engine_steps_region",
        value,
        "steps/s",
        conditions,
    ))
}

fn measure(
    rounds: usize,
    instances: usize,
    mut instance: impl FnMut(CaseId) -> Result<usize, Problem>,
) -> Result<f64, Vec<Problem>> {
    let mut rates = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let watch = Stopwatch::start();
        let mut steps = 0;
        for n in 0..instances {
            steps += instance(super::people::case_id(n, Timestamp::UNIX_EPOCH))
                .map_err(|problem| vec![problem])?;
        }
        rates.push(rate(steps, watch.elapsed()));
    }
    Ok(median(rates))
}
