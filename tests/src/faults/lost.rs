//! Acknowledgements that are lost: the neighbour has done it, and the hub does not hear so.

use anyhow::Result;

use super::{Outcome, Plan, stand};
use crate::proxy::{Fault, Rule};

/// Whose replies are lost, and how many of a hundred. A letter is many exchanges of one connection.
const LOSE: [(&str, f64); 7] = [
    ("roster", 0.15),
    ("messaging", 0.2),
    ("booking", 0.15),
    ("forms", 0.15),
    ("lab", 0.2),
    ("journal", 0.2),
    ("print", 0.01),
];

fn losing(chance: f64) -> [Rule; 1] {
    [Rule {
        fault: Fault::LoseReply,
        chance,
    }]
}

/// Neighbours that can be asked afterwards, or that know a repeated command: everything comes to its end,
/// once, and nobody is needed.
pub(super) fn replies(plan: &Plan, seed: u64, outcome: &mut Outcome) -> Result<()> {
    let (round, stand) = stand::run(plan, "lost-replies", seed, |stand| {
        if stand.hours == 1 {
            for (adapter, chance) in LOSE {
                stand.before(adapter)?.set(losing(chance));
            }
        }
        Ok(Vec::new())
    })?;
    let name = format!("seed {seed}, lost replies");
    outcome.judge(&name, &round);
    for (adapter, _) in LOSE {
        let lost = stand.counts(adapter)?.lost_replies;
        outcome.lost_replies += lost;
        if lost == 0 && adapter != "print" {
            outcome.breach(format!(
                "{name}: none of {adapter} was lost, nothing is proven"
            ));
        }
    }
    for what in ["waiting", "incidents", "open_incidents"] {
        if round.number(what) > 0 {
            outcome.breach(format!("{name}: {what} is {}", round.number(what)));
        }
    }
    Ok(())
}

/// A neighbour that cannot be asked afterwards, and does again what it is asked again: what is lost is a
/// person's to find out, and is never sent again blindly.
pub(super) fn for_good(plan: &Plan, seed: u64, outcome: &mut Outcome) -> Result<()> {
    let mute = serde_json::json!({ "messaging": { "thread_status": false } });
    let (round, stand) = stand::run_with(plan, "lost-for-good", seed, &mute, |stand| {
        if stand.hours == 1 {
            stand.before("messaging")?.set(losing(0.1));
        }
        Ok(Vec::new())
    })?;
    let name = format!("seed {seed}, lost for good");
    outcome.judge(&name, &round);
    let unknown = round.incidents("HUB-DISPATCH-006");
    outcome.lost_replies += stand.counts("messaging")?.lost_replies;
    outcome.unknown += unknown;
    if unknown == 0 {
        outcome.breach(format!(
            "{name}: no outcome is unknown, though replies were lost"
        ));
    }
    Ok(())
}
