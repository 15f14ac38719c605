//! Subjects: what the register says of them, without identity.

use halsonav_domain::{CaseId, HsaId, PersonStatus, Protection, SubjectId, Timestamp};

/// The register's flags for a subject. No identity.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Register {
    /// Who, by random id.
    pub subject: SubjectId,
    /// Alive, gone or unknown; `None` = never asked.
    pub status: Option<PersonStatus>,
    /// Grade of protection.
    pub protection: Protection,
    /// A test person.
    pub test_person: bool,
    /// Wants no paper.
    pub paper_opt_out: bool,
    /// There is an address that a letter can reach.
    pub has_address: bool,
    /// County code.
    pub county: Option<String>,
    /// Language of contact, when it is not Swedish.
    pub language: Option<String>,
    /// Kinds of contact the resident does not want: `inbox`, `phone`, `letter`, `all`.
    pub opt_outs: Vec<String>,
    /// When the register answered.
    pub fetched: Option<Timestamp>,
}

impl Register {
    /// Whether contact by `channel` is unwanted.
    #[must_use]
    pub fn opted_out(&self, channel: &str) -> bool {
        self.opt_outs
            .iter()
            .any(|word| word == channel || word == "all")
    }
}

/// What fresh register data changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PersonChange {
    /// The subject after, wherever the number led before.
    pub subject: SubjectId,
    /// The subject was not known.
    pub new: bool,
    /// The register before; `None` for a new subject.
    pub before: Option<Register>,
    /// The register after.
    pub after: Register,
    /// The number in force is another than before.
    pub number_changed: bool,
    /// Two subjects turned out to be one person.
    pub merged: Option<Merge>,
    /// The answer was older than what is known, and was left aside.
    pub outdated: bool,
}

impl PersonChange {
    /// Whether anything that matters for contact is different.
    #[must_use]
    pub fn matters(&self) -> bool {
        self.merged.is_some()
            || self.before.as_ref().is_none_or(|before| {
                before.status != self.after.status
                    || before.protection != self.after.protection
                    || before.test_person != self.after.test_person
                    || before.paper_opt_out != self.after.paper_opt_out
                    || before.has_address != self.after.has_address
                    || before.county != self.after.county
            })
    }
}

/// Two subjects became one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Merge {
    /// The subject that is no more; its id still leads to the other.
    pub from: SubjectId,
    /// The subject that remains.
    pub into: SubjectId,
    /// Cases in the same round: (kept, the other). The other is marked as a duplicate, so that the
    /// gate stops it; the hub should cancel it.
    pub duplicates: Vec<(CaseId, CaseId)>,
}

/// A subject made or found for a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Enrolled {
    /// The subject.
    pub subject: SubjectId,
    /// It was not known before.
    pub new: bool,
}

/// How much of a person to disclose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Extent {
    /// The number alone.
    Number,
    /// Number, name, address.
    Full,
}

/// Who asks to see a person, and why. Becomes an audit entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// Who: `adapter:print`, `user:<id>`.
    pub actor: String,
    /// What is done: `read`, `disclose`, `print`.
    pub action: String,
    /// Why: the command kind, the care process.
    pub purpose: String,
    /// For which unit.
    pub unit: Option<HsaId>,
    /// For which case.
    pub case: Option<CaseId>,
    /// When.
    pub at: Timestamp,
}
