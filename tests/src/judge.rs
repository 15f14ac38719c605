//! The judge of fault tests: a neighbour of no special kind, in a process of its own, that keeps every
//! request that ever reached it. Whatever the hub believes, this is what happened.
//!
//! | request | |
//! |---|---|
//! | `POST /effects/{channel}`, header `Idempotency-Key` | asks for an effect |
//! | `GET /effects/{channel}/{key}` | is it known? 200 with how often, or 404 |
//! | `GET /ledger` | everything: a [`Verdict`] as JSON |
//!
//! A request is on disk, synced, before it is answered; the file is one JSON [`Entry`] a line and is taken
//! up again at the next start. A second file beside it, `….behaviour`, says how to misbehave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

mod handle;
mod ledger;
mod server;

pub use handle::Judge;
pub use ledger::{Ledger, read};
pub use server::serve;

/// What becomes of a second request with the same key on the same channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It gets the first one's answer, and 409 if it asks for something else.
    Dedup,
    /// It happens again.
    NoDedup,
}

/// How to misbehave: shares of requests, from 0 to 1, drawn from the seed and the request's number.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// The same seed gives the same to the same request.
    pub seed: u64,
    /// Every answer comes so much later, milliseconds.
    pub delay_ms: u64,
    /// Does nothing, answers 503.
    pub fail_before: f64,
    /// Does it, answers 500.
    pub fail_after: f64,
    /// Does nothing, drops the connection.
    pub drop_before: f64,
    /// Does it, drops the connection.
    pub drop_after: f64,
    /// Does nothing, answers 422: no.
    pub refuse: f64,
}

/// What the judge did with a request.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Done, 200.
    Done,
    /// Done before: the same 200.
    Again,
    /// Known key, other content: 409.
    Conflict,
    /// No key: 400.
    NoKey,
    /// 422.
    Refused,
    /// 503.
    FailedBefore,
    /// 500, and yet done (before, if the key is known).
    FailedAfter,
    /// None.
    DroppedBefore,
    /// None, and yet done (before, if the key is known).
    DroppedAfter,
}

/// One request, verbatim.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the request, from 1.
    pub n: u64,
    /// When it had arrived whole.
    pub at: jiff::Timestamp,
    /// Where it was sent.
    pub channel: String,
    /// Its idempotency key.
    pub key: Option<String>,
    /// Its content: text, or Base64 if it is none.
    pub body: String,
    /// Whether `body` is Base64.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub base64: bool,
    /// Whether it made an effect of its own.
    pub effect: bool,
    /// What was done.
    pub answer: Answer,
}

/// All requests, and what they come to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Verdict {
    /// Effects by channel and key.
    pub effects: BTreeMap<String, BTreeMap<String, u64>>,
    /// Channel and key of what happened more than once.
    pub twice: Vec<(String, String)>,
    /// Channel and key of what was asked for with more than one content.
    pub changed: Vec<(String, String)>,
    /// Requests by what was done with them.
    pub answers: BTreeMap<Answer, u64>,
    /// Every request, in order.
    pub entries: Vec<Entry>,
}

impl Verdict {
    /// Of these requests.
    #[must_use]
    pub fn of(entries: Vec<Entry>) -> Self {
        let mut effects = BTreeMap::<String, BTreeMap<String, u64>>::new();
        let mut answers = BTreeMap::new();
        let mut bodies = BTreeMap::<(String, String), Vec<&str>>::new();
        for entry in &entries {
            *answers.entry(entry.answer).or_default() += 1;
            let Some(key) = &entry.key else { continue };
            let of_channel = effects.entry(entry.channel.clone()).or_default();
            *of_channel.entry(key.clone()).or_default() += u64::from(entry.effect);
            let asked = bodies
                .entry((entry.channel.clone(), key.clone()))
                .or_default();
            if !asked.contains(&entry.body.as_str()) {
                asked.push(&entry.body);
            }
        }
        let twice = effects.iter().flat_map(|(channel, keys)| {
            let twice = keys.iter().filter(|(_, times)| **times > 1);
            twice.map(|(key, _)| (channel.clone(), key.clone()))
        });
        let changed = bodies.iter().filter(|(_, asked)| asked.len() > 1);
        Self {
            twice: twice.collect(),
            changed: changed.map(|(which, _)| which.clone()).collect(),
            effects,
            answers,
            entries,
        }
    }

    /// How many effects there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.effects.values().flat_map(BTreeMap::values).sum()
    }
}
