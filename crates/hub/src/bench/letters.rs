//! Letters set in type: the region's invitation, to people who do not exist.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::Duration,
};

use halsonav_domain::{Command, CommandId, HsaId, Kind, Problem, SubjectId, Timestamp};
use serde_json::json;

use super::{
    Plan,
    machine::{Stopwatch, rate, told},
    measurement::Measurement,
    people,
};
use crate::runtime::Documents;

/// Threads of the hub that set letters.
const THREADS: usize = 2;

/// Letters a second with as many threads as the hub uses, held against so many single threads.
pub fn invitations(plan: &Plan) -> Result<Measurement, Vec<Problem>> {
    let documents = Documents::load(&plan.region)?;
    let unit = plan
        .region
        .units
        .first()
        .map(|unit| unit.hsa_id.clone())
        .unwrap_or_else(|| HsaId::new(""));
    let desk = Desk {
        documents: &documents,
        unit,
        now: plan.now,
        next: AtomicUsize::new(0),
    };
    let at_least = Duration::from_millis(if plan.quick { 300 } else { 4000 });
    // What every letter shares is worked out with the first.
    let (_, pages) = desk.set().map_err(|problem| vec![problem])?;
    let single = desk.measure(1, at_least).map_err(|problem| vec![problem])?;
    let both = desk
        .measure(THREADS, at_least)
        .map_err(|problem| vec![problem])?;
    let conditions = format!(
        "the invitation of region '{}' as tagged PDF/A, each to another person, {pages} bytes; {THREADS} threads, the \
         limit is {THREADS} times one thread at {single:.0}/s, at least {} ms each; {}",
        plan.region.name,
        at_least.as_millis(),
        told()
    );
    Ok(Measurement::new("letters", both, "letters/s", conditions).against(single * THREADS as f64))
}

struct Desk<'a> {
    documents: &'a Documents,
    unit: HsaId,
    now: Timestamp,
    next: AtomicUsize,
}

impl Desk<'_> {
    /// One more letter, to the next person: which, and its size in bytes.
    fn set(&self) -> Result<(usize, usize), Problem> {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        let case = people::case_id(n, self.now);
        let kind = "print.letter";
        let command = Command {
            id: CommandId::derive(case, 1),
            case,
            subject: SubjectId(case.0),
            kind: kind
                .parse()
                .map_err(|_| Problem::new(Kind::Internal, "HUB-BENCH-003", "not a command"))?,
            unit: self.unit.clone(),
            payload: json!({ "template": "invitation", "language": "sv" }),
            headers: std::collections::BTreeMap::new(),
            issued: self.now,
        };
        let pages = self
            .documents
            .letter(&command, Some(&people::identity(n)?), self.now)?;
        Ok((n, pages.iter().map(|page| page.bytes.len()).sum()))
    }

    fn measure(&self, threads: usize, at_least: Duration) -> Result<f64, Problem> {
        let watch = Stopwatch::start();
        let work = || {
            let mut letters = 0;
            while watch.elapsed() < at_least {
                self.set()?;
                letters += 1;
            }
            Ok::<usize, Problem>(letters)
        };
        let letters = thread::scope(|scope| {
            let desks: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            desks.into_iter().try_fold(0, |sum, desk| {
                let fell = || {
                    Problem::new(
                        Kind::Internal,
                        "HUB-BENCH-003",
                        "a thread that set letters fell",
                    )
                };
                desk.join()
                    .map_err(|_| fell())?
                    .map(|letters| sum + letters)
            })
        })?;
        Ok(rate(letters, watch.elapsed()))
    }
}
