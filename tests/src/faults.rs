//! Faults under the whole hub: the demo's round, with a proxy before each neighbour. Replies are lost
//! after the neighbour has done what was asked; a neighbour is slow, and another is away for hours;
//! what is no event lies on the topic of events; an operator stops a lane. What came of it is looked
//! for in the neighbours' own memory and in the ledger, beside a round of the same seed in which
//! nothing went wrong.

use std::{path::PathBuf, time::Instant};

use anyhow::Result;
use serde::Serialize;

use crate::round::Round;

mod away;
mod lost;
mod pace;
mod poison;
mod stand;
mod stopped;

/// How much of what.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The hub's binary.
    pub binary: PathBuf,
    /// Where the rounds leave their files.
    pub dir: PathBuf,
    /// Of the faults and of the first round; each further round has the next one.
    pub seed: u64,
    /// Residents in each round.
    pub residents: usize,
    /// How often each kind of fault has a round.
    pub rounds: u64,
}

/// What it came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// Rounds run to their end, the undisturbed ones not counted.
    pub rounds: usize,
    /// Residents invited in them.
    pub invited: u64,
    /// Replies that were lost after their request had passed.
    pub lost_replies: u64,
    /// Messages, letters and documents that reached a neighbour, as it remembers them.
    pub effects: u64,
    /// Those that reached it more than once.
    pub effects_twice: u64,
    /// Cases that the ledger cannot place.
    pub unaccounted: u64,
    /// Incidents about outcomes that nobody could tell.
    pub unknown: u64,
    /// Records that were no events, or not for this version.
    pub poison: u64,
    /// Connections refused by a neighbour that was away.
    pub refused: u64,
    /// The most that there may have been.
    pub refused_at_most: u64,
    /// Commands that waited in a lane that an operator had stopped.
    pub waited: u64,
    /// Connections and pieces that were late.
    pub delayed: u64,
    /// How fast the messages came beside a print shop that stood still, by how fast they came beside one
    /// that did not; once for each seed.
    pub paces: Vec<f64>,
    /// What must never happen, and did; and faults that did not happen.
    pub breaches: Vec<String>,
    /// How long all of it took, seconds.
    pub wall_s: u64,
}

/// Runs a round for each kind of fault, as often as planned.
///
/// # Errors
/// When a round cannot be run. What the hub does wrong is a breach, not an error.
pub fn run(plan: &Plan) -> Result<Outcome> {
    let begun = Instant::now();
    let mut outcome = Outcome::default();
    for seed in plan.seed..plan.seed + plan.rounds {
        let calm = Round::calm(&plan.binary, &plan.dir, seed, plan.residents)?;
        lost::replies(plan, seed, &mut outcome)?;
        lost::for_good(plan, seed, &mut outcome)?;
        away::run(plan, seed, &calm, &mut outcome)?;
        stopped::run(plan, seed, &mut outcome)?;
        poison::run(plan, seed, &calm, &mut outcome)?;
        pace::run(plan, seed, &mut outcome)?;
    }
    outcome.wall_s = begun.elapsed().as_secs();
    Ok(outcome)
}

impl Outcome {
    fn breach(&mut self, what: String) {
        self.breaches.push(what);
    }

    /// What holds whatever goes wrong: nobody is lost, and nothing is done twice.
    fn judge(&mut self, name: &str, round: &Round) {
        self.rounds += 1;
        self.invited += round.number("invited");
        self.effects_twice += round.number("effects_twice");
        self.unaccounted += round.number("unaccounted");
        for what in ["letters", "messages", "documents"] {
            self.effects += round.number(what);
        }
        for what in ["effects_twice", "unaccounted"] {
            if round.number(what) > 0 {
                self.breach(format!("{name}: {what} is {}", round.number(what)));
            }
        }
        let placed = round.ended() + round.number("waiting") + round.number("incidents");
        if round.number("invited") != placed {
            self.breach(format!("{name}: invited is not what is placed, {placed}"));
        }
    }
}
