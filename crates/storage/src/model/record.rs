//! What the API shows of a case, and what belongs to it.

use halsonav_domain::{CaseId, Timestamp};
use serde_json::Value;

use super::case::CaseNo;

/// A fact about a case to show: a booking, a letter, an answered form, lab values, a consent, a
/// profile. (case, kind, key) is unique; a later one replaces an earlier.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    /// `booking`, `letter`, `message`, `form`, `observations`, `consent`, `profile`, `contribution` …
    pub kind: String,
    /// What tells it from others of its kind: the booking id, the form id.
    pub key: String,
    /// When it happened.
    pub at: Timestamp,
    /// The data. Health data may be here; identity never.
    pub data: Value,
}

/// A record with its case.
#[derive(Clone, PartialEq, Debug)]
pub struct CaseRecord {
    /// Order of writing.
    pub no: i64,
    /// The case.
    pub case: CaseId,
    /// The record.
    pub record: Record,
}

/// A rendered document of a case: profile sheet, letter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// `profile`, `letter`, `summary`.
    pub kind: String,
    /// What tells it from others of its kind.
    pub key: String,
    /// `application/pdf`, `image/svg+xml`.
    pub media_type: String,
    /// When made.
    pub at: Timestamp,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// A milestone of a case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Milestone {
    /// Its name.
    pub name: String,
    /// When reached first.
    pub at: Timestamp,
}

/// A neighbour's name noted for a case.
#[derive(Clone, PartialEq, Debug)]
pub struct Noted {
    /// The case.
    pub case: CaseId,
    /// The case, by number.
    pub case_no: CaseNo,
    /// Payload of the command that noted it; null when none did.
    pub payload: Value,
}
