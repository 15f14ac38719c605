//! The audit log's shapes (HSLF-FS 2016:40, 4 kap. 9 §: what was done, from which unit, when, by
//! whom, with whose data).

use halsonav_domain::{CaseId, HsaId, SubjectId, Timestamp};
use serde_json::Value;

/// Something to be remembered for those who check.
#[derive(Clone, PartialEq, Debug)]
pub struct NewAudit {
    /// When.
    pub at: Timestamp,
    /// Who: `user:<id>`, `cli:<login>`, `adapter:<name>`, `hub`.
    pub actor: String,
    /// What: `read`, `alter`, `disclose`, `copy`, `print`, `decide`.
    pub action: String,
    /// Why: care process, command kind, reason given.
    pub purpose: String,
    /// From which unit.
    pub unit: Option<HsaId>,
    /// With whose data.
    pub subject: Option<SubjectId>,
    /// In which case.
    pub case: Option<CaseId>,
    /// Details. No identity.
    pub detail: Value,
}

/// An entry of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct AuditEntry {
    /// 1, 2, 3 … without gaps.
    pub seq: u64,
    /// What was remembered.
    pub entry: NewAudit,
    /// SHA-256 of the entry (RFC 6962 leaf: prefix 0x00).
    pub leaf: [u8; 32],
    /// SHA-256 of the previous link and the leaf (prefix 0x02).
    pub link: [u8; 32],
}

/// A state of the log to keep outside the database: without it, whoever owns the file could
/// rebuild the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Number of entries.
    pub size: u64,
    /// The last link.
    pub link: [u8; 32],
}

/// Which entries to list.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AuditFilter {
    /// Only about this subject: the extract a patient has a right to.
    pub subject: Option<SubjectId>,
    /// Only by this actor.
    pub actor: Option<String>,
    /// Only from this unit.
    pub unit: Option<HsaId>,
    /// Only of this case.
    pub case: Option<CaseId>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// What verification found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verified {
    /// Whole, and consistent with the checkpoint if one was given.
    Whole(Checkpoint),
    /// Not as written: the first entry that does not fit.
    Tampered {
        /// Where.
        seq: u64,
        /// What does not fit.
        what: &'static str,
    },
}
