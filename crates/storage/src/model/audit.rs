//! The audit log's shapes (HSLF-FS 2016:40, 4 kap. 9 §: what was done, from which unit, when, by
//! whom, with whose data).

use std::{fmt, str::FromStr};

use halsonav_domain::{CaseId, HsaId, SubjectId, Timestamp};
use serde_json::Value;

use crate::{Error, convert::from_hex};

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
/// rebuild the chain. As text `<size>:<link in 64 hex digits>`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Number of entries.
    pub size: u64,
    /// The last link.
    pub link: [u8; 32],
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.size)?;
        self.link
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Checkpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let read = || {
            let (size, digits) = text.split_once(':')?;
            let (size, mut link) = (size.parse().ok()?, [0; 32]);
            from_hex(digits, &mut link)?;
            Some(Self { size, link })
        };
        read().ok_or(Error::Invalid(
            "a checkpoint is <entries>:<64 hexadecimal digits>",
        ))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let mut link = [0xab; 32];
        link[0] = 0x01;
        let checkpoint = Checkpoint { size: 35, link };
        let text = checkpoint.to_string();
        assert!(text.starts_with("35:01ab") && text.len() == 67, "{text}");
        assert!(matches!(text.parse::<Checkpoint>(), Ok(read) if read == checkpoint));
        let short = &text[..text.len() - 2];
        let beyond_ascii = format!("1:{}", "å".repeat(32));
        for bad in ["", "35", "35:", short, "x:00", beyond_ascii.as_str()] {
            assert!(bad.parse::<Checkpoint>().is_err(), "{bad}");
        }
    }
}
