//! The gate as regions use it: register data, opt-outs and how far the case has come.

use std::collections::BTreeMap;

use halsonav_domain::{PersonStatus, Protection};
use jiff::SignedDuration;

use crate::{CaseState, Gate, GateFacts, Reason, Verdict};

/// Lets an effect that reaches the resident out only on fresh register data and when nothing
/// speaks against it. What does not know, holds: never "assume fine".
///
/// Task headers of the process file may widen or narrow it for one task:
/// - `gate-unless`: milestones (space between) that make the contact pointless, such as `booked`;
/// - `gate-despite`: reasons (space between) that do not stop this task, such as `protected` for a
///   letter that goes by the forwarding service, or `case-ended declined` for a confirmation.
///   Death, emigration and an unknown person cannot be overridden.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ContactGate {
    /// Register data may be this old.
    pub max_age: SignedDuration,
    /// A held effect is tried again after this long, if the register has not answered before.
    pub hold: SignedDuration,
    /// Test persons are stopped.
    pub production: bool,
    /// Adapter → the word of the opt-out that concerns it.
    pub channels: BTreeMap<String, String>,
    /// Milestone that says the resident has said no.
    pub declined: String,
}

impl Default for ContactGate {
    fn default() -> Self {
        let channel = |adapter: &str, word: &str| (adapter.to_owned(), word.to_owned());
        Self {
            max_age: SignedDuration::from_hours(24),
            hold: SignedDuration::from_mins(15),
            production: true,
            channels: [
                channel("messaging", "inbox"),
                channel("print", "letter"),
                channel("forms", "inbox"),
            ]
            .into(),
            declined: "declined".to_owned(),
        }
    }
}

impl ContactGate {
    /// Everything that speaks against the contact, gravest first.
    fn against(&self, facts: &GateFacts<'_>) -> [Option<Reason>; 9] {
        let (register, channel) = (
            facts.register,
            self.channels.get(facts.kind.adapter()).map(String::as_str),
        );
        let letter = channel == Some("letter");
        let status = match register.status {
            Some(PersonStatus::Deceased) => Some(Reason::Deceased),
            Some(PersonStatus::Emigrated) => Some(Reason::Emigrated),
            Some(PersonStatus::Deregistered) => Some(Reason::Deregistered),
            Some(PersonStatus::Unknown) => Some(Reason::Unknown),
            Some(PersonStatus::Active) | None => None,
        };
        let reached = |name: &str| facts.milestones.iter().any(|milestone| milestone == name);
        let overtaken = words(facts, "gate-unless").any(reached);
        let opted_out = channel.is_some_and(|channel| register.opted_out(channel))
            || (letter && register.paper_opt_out);
        let when = |holds: bool, reason| holds.then_some(reason);
        [
            status,
            when(self.production && register.test_person, Reason::TestPerson),
            when(register.protection != Protection::None, Reason::Protected),
            when(facts.duplicate, Reason::Duplicate),
            when(facts.state == CaseState::Ended, Reason::CaseEnded),
            when(reached(&self.declined), Reason::Declined),
            when(opted_out || register.opted_out("all"), Reason::OptedOut),
            when(overtaken, Reason::Overtaken),
            when(
                letter && register.status.is_some() && !register.has_address,
                Reason::NoAddress,
            ),
        ]
    }
}

fn words<'a>(facts: &GateFacts<'a>, header: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    facts
        .headers
        .get(header)
        .map_or("", String::as_str)
        .split_whitespace()
}

impl Gate for ContactGate {
    fn decide(&self, facts: &GateFacts<'_>) -> Verdict {
        if !facts.contact {
            return Verdict::Pass;
        }
        let despite = |reason: &Reason| {
            let grave = matches!(
                reason,
                Reason::Deceased | Reason::Emigrated | Reason::Unknown | Reason::TestPerson
            );
            !grave && words(facts, "gate-despite").any(|word| word == reason.as_str())
        };
        if let Some(reason) = self
            .against(facts)
            .into_iter()
            .flatten()
            .find(|reason| !despite(reason))
        {
            return Verdict::Block(reason);
        }
        let fresh = |fetched: &halsonav_domain::Timestamp| {
            facts.now.duration_since(*fetched) <= self.max_age
        };
        match (facts.register.status, facts.register.fetched.filter(fresh)) {
            (Some(_), Some(_)) => Verdict::Pass,
            _ => Verdict::Hold(facts.now.saturating_add(self.hold).unwrap_or(facts.now)),
        }
    }
}
