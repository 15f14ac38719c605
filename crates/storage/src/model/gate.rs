//! The last check before a person is contacted.

use std::collections::BTreeMap;

use halsonav_domain::{CommandKind, Timestamp};
use serde_json::Value;

use super::{case::CaseState, subject::Register, words};

words! {
    /// Why the gate said no. The words are BPMN error codes.
    Reason {
        /// The person has died.
        Deceased = "deceased",
        /// The person has left the country.
        Emigrated = "emigrated",
        /// Deregistered for another reason.
        Deregistered = "deregistered",
        /// The register has no such person.
        Unknown = "unknown-person",
        /// Protected personal data, and this is the ordinary channel.
        Protected = "protected",
        /// The resident does not want contact of this kind.
        OptedOut = "opted-out",
        /// A test person, in production.
        TestPerson = "test-person",
        /// No address that a letter can reach.
        NoAddress = "no-address",
        /// The case has ended.
        CaseEnded = "case-ended",
        /// The resident said no thanks.
        Declined = "declined",
        /// A milestone was reached that makes this contact pointless: already booked.
        Overtaken = "overtaken",
        /// The same person has another case in the round.
        Duplicate = "duplicate",
    }
}

/// What the gate decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Let it out.
    Pass,
    /// Not known well enough: fetch register data; try again at latest then.
    Hold(Timestamp),
    /// Never.
    Block(Reason),
}

/// What the gate is told: read in the transaction that claims the effect.
#[derive(Clone, Copy, Debug)]
pub struct GateFacts<'a> {
    /// What is to be done.
    pub kind: &'a CommandKind,
    /// Whether it reaches the resident.
    pub contact: bool,
    /// The payload.
    pub payload: &'a Value,
    /// Task headers.
    pub headers: &'a BTreeMap<String, String>,
    /// What the register says of the subject.
    pub register: &'a Register,
    /// Where the case stands.
    pub state: CaseState,
    /// Milestones that the case has reached. Empty when `contact` is false.
    pub milestones: &'a [String],
    /// The same person has another case in the round.
    pub duplicate: bool,
    /// The hub's clock.
    pub now: Timestamp,
}

/// Decides whether an effect may leave. Called inside the claiming transaction: no I/O.
pub trait Gate: Send + Sync {
    /// The verdict on one effect.
    fn decide(&self, facts: &GateFacts<'_>) -> Verdict;
}
