//! The last check before a person is contacted, on register data read in the same transaction.

use halsonav_domain::{PersonStatus, Protection, Timestamp};
use halsonav_storage::{CaseState, Gate, GateFacts, Reason, Verdict};
use jiff::SignedDuration;

/// The hub's gate. An unknown answer holds; it never lets through.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Register data older than this is fetched again first.
    pub max_age: SignedDuration,
}

/// How long an effect is held before the register is asked about it again.
const HOLD: SignedDuration = SignedDuration::from_mins(15);

/// Texts that make no sense once a time is booked.
const INVITING: &[&str] = &["invitation", "reminder"];

impl Gate for Rules {
    fn decide(&self, facts: &GateFacts<'_>) -> Verdict {
        if facts.duplicate {
            return Verdict::Block(Reason::Duplicate);
        }
        if !facts.contact {
            return Verdict::Pass;
        }
        if facts.state == CaseState::Ended {
            return Verdict::Block(Reason::CaseEnded);
        }
        let register = facts.register;
        if !self.is_fresh(register.fetched, facts.now) {
            return Verdict::Hold(facts.now.checked_add(HOLD).unwrap_or(facts.now));
        }
        person(facts).map_or(Verdict::Pass, Verdict::Block)
    }
}

impl Rules {
    fn is_fresh(&self, fetched: Option<Timestamp>, now: Timestamp) -> bool {
        fetched.is_some_and(|at| now.duration_since(at) <= self.max_age)
    }
}

fn person(facts: &GateFacts<'_>) -> Option<Reason> {
    let register = facts.register;
    match register.status {
        Some(PersonStatus::Active) => {}
        Some(PersonStatus::Deceased) => return Some(Reason::Deceased),
        Some(PersonStatus::Emigrated) => return Some(Reason::Emigrated),
        Some(PersonStatus::Deregistered) => return Some(Reason::Deregistered),
        Some(PersonStatus::Unknown) | None => return Some(Reason::Unknown),
    }
    if register.test_person {
        return Some(Reason::TestPerson);
    }
    if register.protection != Protection::None {
        return Some(Reason::Protected);
    }
    let letter = facts.kind.adapter() == "print";
    if register.opted_out("all") || register.opted_out(if letter { "letter" } else { "inbox" }) {
        return Some(Reason::OptedOut);
    }
    if letter && (!register.has_address || register.paper_opt_out) {
        return Some(Reason::NoAddress);
    }
    let template = facts
        .payload
        .get("template")
        .and_then(|name| name.as_str())
        .unwrap_or_default();
    let booked = facts
        .milestones
        .iter()
        .any(|milestone| milestone == "booked");
    (booked && INVITING.contains(&template)).then_some(Reason::Overtaken)
}

/// What a refusal of the gate means to the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// The person must not be contacted at all: a BPMN error `not-contactable` with this reason.
    NotContactable(&'static str),
    /// This one contact falls away and the process goes on.
    Skipped(&'static str),
}

/// Reads a refusal.
#[must_use]
pub fn meaning(reason: Reason) -> Meaning {
    match reason {
        Reason::Deceased => Meaning::NotContactable("deceased"),
        Reason::Emigrated => Meaning::NotContactable("emigrated"),
        Reason::Deregistered => Meaning::NotContactable("deregistered"),
        Reason::Unknown => Meaning::NotContactable("not-in-register"),
        Reason::Protected => Meaning::NotContactable("protected"),
        Reason::TestPerson => Meaning::NotContactable("test-person"),
        Reason::Duplicate => Meaning::NotContactable("duplicate"),
        Reason::OptedOut => Meaning::Skipped("opted-out"),
        Reason::NoAddress => Meaning::Skipped("no-address"),
        Reason::Declined => Meaning::Skipped("declined"),
        Reason::Overtaken => Meaning::Skipped("overtaken"),
        Reason::CaseEnded => Meaning::Skipped("case-ended"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use halsonav_domain::{CommandKind, SubjectId};
    use halsonav_storage::Register;
    use serde_json::{Value, json};

    use super::*;

    fn register() -> Register {
        Register {
            subject: SubjectId(uuid::Uuid::from_u128(1)),
            status: Some(PersonStatus::Active),
            protection: Protection::None,
            test_person: false,
            paper_opt_out: false,
            has_address: true,
            county: None,
            language: None,
            opt_outs: Vec::new(),
            fetched: Some(Timestamp::UNIX_EPOCH),
        }
    }

    fn verdict(
        kind: &str,
        payload: &Value,
        register: &Register,
        milestones: &[String],
        hours: i64,
    ) -> Verdict {
        let kind: CommandKind = kind.parse().expect("a kind");
        let rules = Rules {
            max_age: SignedDuration::from_hours(24),
        };
        rules.decide(&GateFacts {
            kind: &kind,
            contact: true,
            payload,
            headers: &BTreeMap::new(),
            register,
            state: CaseState::Waiting,
            milestones,
            duplicate: false,
            now: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours),
        })
    }

    #[test]
    fn who_may_not_be_contacted_is_not() {
        let cases: Vec<(Register, Reason)> = vec![
            (
                Register {
                    status: Some(PersonStatus::Deceased),
                    ..register()
                },
                Reason::Deceased,
            ),
            (
                Register {
                    status: Some(PersonStatus::Emigrated),
                    ..register()
                },
                Reason::Emigrated,
            ),
            (
                Register {
                    status: Some(PersonStatus::Unknown),
                    ..register()
                },
                Reason::Unknown,
            ),
            (
                Register {
                    status: None,
                    ..register()
                },
                Reason::Unknown,
            ),
            (
                Register {
                    protection: Protection::Sekretessmarkering,
                    ..register()
                },
                Reason::Protected,
            ),
            (
                Register {
                    protection: Protection::FingeradePersonuppgifter,
                    ..register()
                },
                Reason::Protected,
            ),
            (
                Register {
                    test_person: true,
                    ..register()
                },
                Reason::TestPerson,
            ),
            (
                Register {
                    opt_outs: vec!["all".into()],
                    ..register()
                },
                Reason::OptedOut,
            ),
        ];
        for (register, reason) in cases {
            assert_eq!(
                verdict("messaging.send", &json!({}), &register, &[], 1),
                Verdict::Block(reason)
            );
        }
        assert_eq!(
            verdict("messaging.send", &json!({}), &register(), &[], 1),
            Verdict::Pass
        );
    }

    #[test]
    fn old_data_holds_and_no_data_holds() {
        assert!(matches!(
            verdict("messaging.send", &json!({}), &register(), &[], 25),
            Verdict::Hold(_)
        ));
        let never = Register {
            fetched: None,
            ..register()
        };
        assert!(matches!(
            verdict("messaging.send", &json!({}), &never, &[], 1),
            Verdict::Hold(_)
        ));
    }

    #[test]
    fn an_invitation_after_the_booking_falls_away_but_a_confirmation_does_not() {
        let booked = ["booked".to_owned()];
        let invite = verdict(
            "messaging.send",
            &json!({ "template": "reminder" }),
            &register(),
            &booked,
            1,
        );
        assert_eq!(invite, Verdict::Block(Reason::Overtaken));
        assert_eq!(
            verdict(
                "messaging.send",
                &json!({ "template": "booking" }),
                &register(),
                &booked,
                1
            ),
            Verdict::Pass
        );
    }

    #[test]
    fn a_letter_needs_an_address_and_leave_to_use_it() {
        let none = Register {
            has_address: false,
            ..register()
        };
        assert_eq!(
            verdict("print.letter", &json!({}), &none, &[], 1),
            Verdict::Block(Reason::NoAddress)
        );
        assert_eq!(
            verdict("messaging.send", &json!({}), &none, &[], 1),
            Verdict::Pass
        );
    }
}
