//! What one step changes. The durable hot path.

use std::collections::BTreeMap;

use halsonav_domain::{CaseId, CommandKind, HsaId, Kind, Reference, Timestamp};
use serde_json::Value;

use super::{
    case::{CaseNo, DefinitionRef, Ledger},
    record::Record,
};

/// Everything that one step of one case changes. [`crate::Writer::apply`] takes many.
#[derive(Clone, PartialEq, Debug)]
pub struct CaseChange {
    /// The case, from [`crate::StoredInstance`].
    pub case: CaseNo,
    /// Its id: for errors, and because correlation by the case itself is the default.
    pub id: CaseId,
    /// The revision that was loaded; 0 for the first step.
    pub expected: u64,
    /// The revision after; larger than `expected`.
    pub revision: u64,
    /// The instance after.
    pub state: Vec<u8>,
    /// The hub's clock.
    pub at: Timestamp,
    /// The ledger after; `None` = as it was.
    pub ledger: Option<Ledger>,
    /// Another definition, after a migration.
    pub definition: Option<DefinitionRef>,
    /// Another unit, after a move.
    pub unit: Option<HsaId>,
    /// Commands to issue.
    pub effects: Vec<NewEffect>,
    /// Jobs whose outcome this step took in, by key: their effects are over for the process. Until
    /// then an effect counts as something the case waits for.
    pub consumed: Vec<u64>,
    /// Jobs no longer wanted: effects that have not left and open work items, by job key.
    pub withdraw: Vec<u64>,
    /// Timers to arm.
    pub arm: Vec<NewTimer>,
    /// Timers to disarm, by key. A timer that fired is disarmed too.
    pub disarm: Vec<u64>,
    /// Messages and signals to wait for.
    pub subscribe: Vec<NewSubscription>,
    /// Subscriptions to end, by key.
    pub unsubscribe: Vec<u64>,
    /// Work for people.
    pub work_items: Vec<NewWorkItem>,
    /// Incidents to open.
    pub incidents: Vec<NewIncident>,
    /// Incidents resolved, by key.
    pub resolve: Vec<u64>,
    /// Milestones reached; only the first time counts.
    pub milestones: Vec<String>,
    /// What the API shows of the case.
    pub records: Vec<Record>,
    /// Neighbours' names for something of the case. The first to note one keeps it.
    pub references: Vec<Reference>,
    /// Neighbours' names that pollers need not ask about any more; looked at after those just noted.
    pub references_over: Vec<Reference>,
}

impl CaseChange {
    /// A change of state alone.
    #[must_use]
    pub fn new(
        case: CaseNo,
        id: CaseId,
        expected: u64,
        revision: u64,
        state: Vec<u8>,
        at: Timestamp,
    ) -> Self {
        Self {
            case,
            id,
            expected,
            revision,
            state,
            at,
            ledger: None,
            definition: None,
            unit: None,
            effects: Vec::new(),
            consumed: Vec::new(),
            withdraw: Vec::new(),
            arm: Vec::new(),
            disarm: Vec::new(),
            subscribe: Vec::new(),
            unsubscribe: Vec::new(),
            work_items: Vec::new(),
            incidents: Vec::new(),
            resolve: Vec::new(),
            milestones: Vec::new(),
            records: Vec::new(),
            references: Vec::new(),
            references_over: Vec::new(),
        }
    }
}

/// A command to issue. Its id is [`halsonav_domain::CommandId::derive`] of case and job.
#[derive(Clone, PartialEq, Debug)]
pub struct NewEffect {
    /// Number of the job in its case, below 2^48.
    pub job: u64,
    /// What to do.
    pub kind: CommandKind,
    /// The payload. No identity.
    pub payload: Value,
    /// Task headers.
    pub headers: BTreeMap<String, String>,
    /// It reaches the resident: the gate must say yes.
    pub contact: bool,
    /// Not before; `None` = at once.
    pub not_before: Option<Timestamp>,
}

/// A timer to arm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewTimer {
    /// Its key in the case.
    pub timer: u64,
    /// When.
    pub due: Timestamp,
    /// The element that waits.
    pub element: String,
}

/// What a subscription is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Awaits {
    /// A message with a correlation key.
    Message,
    /// A signal, which reaches everyone.
    Signal,
}

/// Something to wait for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewSubscription {
    /// Its key in the case.
    pub key: u64,
    /// Message or signal.
    pub awaits: Awaits,
    /// Name of the message or signal.
    pub name: String,
    /// Correlation key; the case id in text is the default and costs nothing.
    pub correlation: String,
}

/// Work for a person.
#[derive(Clone, PartialEq, Debug)]
pub struct NewWorkItem {
    /// Number of the job in its case.
    pub job: u64,
    /// Element id.
    pub element: String,
    /// What it is called.
    pub name: String,
    /// What kind of work: the form or the word the process file gives.
    pub form: Option<String>,
    /// Who should do it, if someone is named.
    pub assignee: Option<String>,
    /// Groups that may do it; none = everyone at the unit.
    pub groups: Vec<String>,
    /// To be done by.
    pub due: Option<Timestamp>,
    /// Not to be shown before.
    pub follow_up: Option<Timestamp>,
    /// Higher is more urgent; 50 is usual.
    pub priority: i32,
    /// What the person needs to know. No identity.
    pub payload: Value,
    /// Task headers and properties.
    pub headers: BTreeMap<String, String>,
}

/// The hub needs a human.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewIncident {
    /// Its key in the case.
    pub key: u64,
    /// The element it stands at.
    pub element: String,
    /// The job that failed, if any.
    pub job: Option<u64>,
    /// What kind of failure.
    pub kind: Kind,
    /// Stable code.
    pub code: String,
    /// One sentence. No identity.
    pub message: String,
}

/// What [`crate::Writer::apply`] has to tell.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Applied {
    /// Jobs that were withdrawn while their effect was already on its way out: it may exist outside.
    pub in_flight: Vec<(CaseNo, u64)>,
}
