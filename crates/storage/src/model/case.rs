//! Cases and rounds.

use halsonav_domain::{CaseId, HsaId, RoundId, SubjectId, Timestamp};

use super::{number, words};

number! {
    /// A case's number inside the database. Hot tables are keyed by it, because random keys cost
    /// a B-tree a factor of five; outside the store a case is always its [`CaseId`].
    CaseNo
}

words! {
    /// Where a case stands in the ledger.
    CaseState {
        /// Something will move it: a timer, an answer, a person at work.
        Waiting = "waiting",
        /// It is over; `outcome` says how.
        Ended = "ended",
        /// An operator must act.
        Incident = "incident",
    }
}

/// What the ledger knows of one case. invited = ended + waiting + incident, always.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ledger {
    /// Where it stands.
    pub state: CaseState,
    /// How it ended, in the process file's words.
    pub outcome: Option<String>,
    /// Element it waits at, for people to read.
    pub waiting_for: Option<String>,
    /// The earliest time at which it moves by itself.
    pub next_wake: Option<Timestamp>,
}

impl Ledger {
    /// Waiting, for `waiting_for`, at latest until `next_wake`.
    #[must_use]
    pub fn waiting(waiting_for: Option<String>, next_wake: Option<Timestamp>) -> Self {
        Self {
            state: CaseState::Waiting,
            outcome: None,
            waiting_for,
            next_wake,
        }
    }

    /// Ended with `outcome`.
    #[must_use]
    pub fn ended(outcome: impl Into<String>) -> Self {
        Self {
            state: CaseState::Ended,
            outcome: Some(outcome.into()),
            waiting_for: None,
            next_wake: None,
        }
    }

    /// In need of an operator.
    #[must_use]
    pub fn incident(waiting_for: Option<String>, next_wake: Option<Timestamp>) -> Self {
        Self {
            state: CaseState::Incident,
            outcome: None,
            waiting_for,
            next_wake,
        }
    }
}

/// Which definition an instance runs on.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct DefinitionRef {
    /// Id of the process.
    pub id: String,
    /// Its version.
    pub version: u32,
}

/// A case to be made.
#[derive(Clone, PartialEq, Debug)]
pub struct NewCase {
    /// A fresh random id.
    pub id: CaseId,
    /// Whose it is.
    pub subject: SubjectId,
    /// The campaign.
    pub round: RoundId,
    /// The unit that is responsible.
    pub unit: HsaId,
    /// What its instance will run on.
    pub definition: DefinitionRef,
    /// When.
    pub at: Timestamp,
}

/// What became of a [`NewCase`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Created {
    /// It was made, under this number.
    New(CaseNo),
    /// The subject has a case in the round already; nothing was made.
    Exists(CaseNo, CaseId),
}

/// A case as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Case {
    /// Its number in here.
    pub no: CaseNo,
    /// Its id everywhere else.
    pub id: CaseId,
    /// Whose it is.
    pub subject: SubjectId,
    /// The campaign.
    pub round: RoundId,
    /// The unit that is responsible.
    pub unit: HsaId,
    /// What its instance runs on.
    pub definition: DefinitionRef,
    /// Where it stands.
    pub ledger: Ledger,
    /// The same person turned out to have this other case in the round, after a merge of numbers.
    /// The gate lets nothing out for it.
    pub duplicate_of: Option<CaseNo>,
    /// When made.
    pub started: Timestamp,
    /// When ended.
    pub ended: Option<Timestamp>,
}

/// A case with its instance.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredInstance {
    /// The case.
    pub case: Case,
    /// Counts applied inputs; 0 = made but not yet started (`state` is empty).
    pub revision: u64,
    /// The instance, as the hub encoded it.
    pub state: Vec<u8>,
}

/// Which cases to list. Everything `None` = all.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CaseFilter {
    /// Only this round.
    pub round: Option<RoundId>,
    /// Only these units; an empty list is no unit at all.
    pub units: Option<Vec<HsaId>>,
    /// Only this state.
    pub state: Option<CaseState>,
    /// Only this outcome.
    pub outcome: Option<String>,
    /// Only this subject.
    pub subject: Option<SubjectId>,
    /// Only those that wait at this element.
    pub waiting_for: Option<String>,
}

/// The ledger added up.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// All cases.
    pub invited: u64,
    /// Waiting.
    pub waiting: u64,
    /// In need of an operator.
    pub incident: u64,
    /// Ended, by outcome, in order of outcome.
    pub ended: Vec<(String, u64)>,
    /// Waiting with nothing that could ever move them: no timer, no open work item, no
    /// subscription, no effect under way, nothing parked. Must be 0.
    pub unaccounted: u64,
}

impl Totals {
    /// invited = ended + waiting + incident, and nothing unaccounted.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let ended: u64 = self.ended.iter().map(|(_, n)| n).sum();
        self.invited == self.waiting + self.incident + ended && self.unaccounted == 0
    }
}

/// How many cases of a unit have reached a milestone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunnelRow {
    /// The unit.
    pub unit: HsaId,
    /// The milestone.
    pub milestone: String,
    /// Cases that have reached it.
    pub cases: u64,
}

/// How many cases of a unit stand where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnitRow {
    /// The unit.
    pub unit: HsaId,
    /// The state.
    pub state: CaseState,
    /// The outcome, of ended cases.
    pub outcome: Option<String>,
    /// How many.
    pub cases: u64,
}

/// One campaign.
#[derive(Clone, PartialEq, Debug)]
pub struct Round {
    /// Its id.
    pub id: RoundId,
    /// Its name, for people.
    pub name: String,
    /// When opened.
    pub opened: Timestamp,
    /// When closed.
    pub closed: Option<Timestamp>,
    /// Whatever else the hub keeps about it.
    pub data: serde_json::Value,
}
