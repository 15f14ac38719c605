//! Incidents and parked messages.

use halsonav_domain::{CaseId, Envelope, HsaId, Kind, Timestamp};

use super::{case::CaseNo, number};

number! {
    /// An incident's number.
    IncidentNo
}

/// The hub needs a human; as stored.
#[derive(Clone, PartialEq, Debug)]
pub struct Incident {
    /// Its number.
    pub no: IncidentNo,
    /// Its case; `None` for a lane or the hub itself.
    pub case: Option<CaseId>,
    /// Its unit.
    pub unit: Option<HsaId>,
    /// Key in the case, when the engine opened it.
    pub key: Option<u64>,
    /// Element, adapter or part it stands at.
    pub element: String,
    /// The job that failed.
    pub job: Option<u64>,
    /// What kind of failure.
    pub kind: Kind,
    /// Stable code.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// When opened.
    pub opened: Timestamp,
    /// When resolved.
    pub resolved: Option<Timestamp>,
    /// How, and by whom.
    pub how: Option<String>,
}

/// Which incidents to list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct IncidentFilter {
    /// Only of this case.
    pub case: Option<CaseId>,
    /// Only of these units; `None` = all.
    pub units: Option<Vec<HsaId>>,
    /// Only this code.
    pub code: Option<String>,
    /// Also resolved ones.
    pub resolved_too: bool,
}

/// An incident of the hub's own, outside the engine: a lane stopped, a message parked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HubIncident {
    /// Its case, if any.
    pub case: Option<CaseId>,
    /// Adapter or part it stands at.
    pub element: String,
    /// What kind of failure.
    pub kind: Kind,
    /// Stable code.
    pub code: String,
    /// One sentence. No identity.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// A message that stopped its case.
#[derive(Clone, PartialEq, Debug)]
pub struct Parked {
    /// Order in which they came.
    pub no: i64,
    /// The case; `None` when the message is about none.
    pub case: Option<CaseNo>,
    /// The message.
    pub envelope: Envelope,
    /// Why; of those that wait behind another, `HUB-PARKED-BEHIND`.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// When.
    pub at: Timestamp,
}
