//! A neighbour that is away for hours, and one that is slow.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use super::{Outcome, Plan, stand};
use crate::{
    proxy::{Fault, Rule},
    round::Round,
};

/// Who is away: every resident of the round is asked about there on the first morning.
const AWAY: &str = "messaging";
/// Who is slow.
const SLOW: &str = "journal";
/// How long the one is away.
const HOURS: i64 = 6;
/// A connection for each try, and one for the question that follows when its outcome is not known.
const CONNECTIONS: u64 = 2;

/// Not all: then nobody would listen, and nobody count.
const REFUSES: Rule = Rule {
    fault: Fault::Refuse,
    chance: 0.999_999,
};

/// While it is away each command tries at most once an hour, as its waits allow; then all arrives.
pub(super) fn run(plan: &Plan, seed: u64, calm: &Round, outcome: &mut Outcome) -> Result<()> {
    let mut ends: Option<Timestamp> = None;
    let (mut tries, mut is_back) = (0, false);
    let (round, stand) = stand::run(plan, "away", seed, |stand| {
        let now: Timestamp = stand.now.parse()?;
        let until = *ends.get_or_insert(now + SignedDuration::from_hours(HOURS));
        if stand.hours == 1 {
            stand.before(AWAY)?.set([REFUSES]);
            stand.before(SLOW)?.set([Fault::Latency {
                ms: 40,
                jitter_ms: 40,
            }]);
        }
        if now < until {
            tries += 1;
        } else if !is_back {
            is_back = true;
            stand.before(AWAY)?.set::<Rule>([]);
        }
        Ok(Vec::new())
    })?;
    let name = format!("seed {seed}, away");
    outcome.judge(&name, &round);
    let (refused, delayed) = (stand.counts(AWAY)?.refused, stand.counts(SLOW)?.delayed);
    let most = round.number("invited") * tries * CONNECTIONS;
    outcome.refused += refused;
    outcome.refused_at_most += most;
    outcome.delayed += delayed;
    if refused == 0 || delayed == 0 {
        outcome.breach(format!(
            "{name}: {refused} refused, {delayed} late: nothing is proven"
        ));
    }
    if refused > most {
        outcome.breach(format!(
            "{name}: a storm of {refused} connections, at most {most} were due"
        ));
    }
    for what in ["waiting", "incidents", "open_incidents"] {
        if round.number(what) > calm.number(what) {
            outcome.breach(format!("{name}: {what} is {}", round.number(what)));
        }
    }
    Ok(())
}
