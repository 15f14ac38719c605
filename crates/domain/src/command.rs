//! What the hub asks of adapters.
//!
//! A service task in a process file names a [`CommandKind`] as its `zeebe:taskDefinition type`,
//! its input mappings make the payload, and the result of [`crate::Outcome::Done`] becomes its
//! output. Each module below holds one adapter's payloads and results.

use std::{collections::BTreeMap, fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{CaseId, CommandId, SubjectId, Timestamp};

pub mod booking;
pub mod forms;
pub mod journal;
pub mod lab;
pub mod messaging;
pub mod print;
pub mod profile;
pub mod research;
pub mod roster;

/// Every kind of command in the vocabulary. A third-party adapter may bring others.
pub const KINDS: &[&str] = &[
    "booking.book",
    "booking.cancel",
    "booking.lookup",
    "booking.rebook",
    "case.readiness",
    "forms.cancel",
    "forms.request",
    "journal.document",
    "lab.cancel",
    "lab.order",
    "messaging.check",
    "messaging.send",
    "messaging.status",
    "print.letter",
    "print.recall",
    "profile.draw",
    "research.contribute",
    "roster.lookup",
];

/// `<adapter>.<operation>`, such as `messaging.send`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct CommandKind(String);

/// A text that is not a command kind.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("'{0}' is not of the form <adapter>.<operation>")]
pub struct CommandKindError(String);

impl CommandKind {
    /// The adapter that carries it out.
    #[must_use]
    pub fn adapter(&self) -> &str {
        self.0
            .split_once('.')
            .map_or(self.0.as_str(), |(adapter, _)| adapter)
    }

    /// What it is asked to do.
    #[must_use]
    pub fn operation(&self) -> &str {
        self.0
            .split_once('.')
            .map_or("", |(_, operation)| operation)
    }

    /// The whole text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it says anything besides whom it is about. A task without input mappings would
    /// otherwise send every variable of the case along.
    #[must_use]
    pub fn takes_payload(&self) -> bool {
        !matches!(
            self.0.as_str(),
            "roster.lookup" | "messaging.check" | "case.readiness"
        )
    }
}

impl FromStr for CommandKind {
    type Err = CommandKindError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |w: &str| {
            !w.is_empty()
                && w.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        match text.split_once('.') {
            Some((adapter, operation)) if word(adapter) && word(operation) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(CommandKindError(text.to_owned())),
        }
    }
}

impl<'de> Deserialize<'de> for CommandKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for CommandKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing to do in the outside world, for one case.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// Derived from case and job; the neighbour's idempotency key.
    pub id: CommandId,
    /// The case it is for.
    pub case: CaseId,
    /// The resident of the case.
    pub subject: SubjectId,
    /// What to do.
    pub kind: CommandKind,
    /// The unit that is responsible, by HSA-id.
    pub unit: crate::HsaId,
    /// The payload, of the shape that `kind` asks for. No identity.
    pub payload: Value,
    /// `zeebe:taskHeaders` of the task. The hub adds `traceparent`, if there is one; for a program
    /// outside `halsonav-job`, the job that its answer names; and `halsonav-repeats`, when a person
    /// asks again after an unknown outcome, the job under whose command id the neighbour knows it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// When it was decided.
    pub issued: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_two_words() {
        let kind: CommandKind = "messaging.send".parse().expect("a kind");
        assert_eq!((kind.adapter(), kind.operation()), ("messaging", "send"));
        for bad in [
            "",
            "messaging",
            "messaging.",
            ".send",
            "a.b.c",
            "Messaging.send",
            "a b.c",
        ] {
            assert!(bad.parse::<CommandKind>().is_err(), "{bad}");
        }
    }
}
