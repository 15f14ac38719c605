//! Identifiers. A resident is a random id everywhere but in the vault.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// One resident in one round. Key of every record about the case.
    CaseId
}
uuid_id! {
    /// The resident. Stable across rounds; says nothing about who it is.
    SubjectId
}
uuid_id! {
    /// One command. Derived from the case and the step that issued it, so that a replay
    /// carries the same id; neighbours receive it as their idempotency key.
    CommandId
}

impl CommandId {
    /// The id of the `job`-th job of `case`. Pure: the same step always asks under the same id.
    #[must_use]
    pub fn derive(case: CaseId, job: u64) -> Self {
        // A UUID of version 8 (RFC 9562 §5.8): the case's random bits, moved by a mixed counter.
        let mut bytes = *case.0.as_bytes();
        let mixed = (job.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        for (byte, add) in bytes[8..].iter_mut().zip(mixed.to_be_bytes()) {
            *byte ^= add;
        }
        for (byte, add) in bytes[..6].iter_mut().zip(&job.to_be_bytes()[2..]) {
            *byte ^= add;
        }
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }

    /// Which job of `case` this is the id of; `None` when it is none of its (first 2^48) jobs.
    #[must_use]
    pub fn job_of(self, case: CaseId) -> Option<u64> {
        let mut job = [0u8; 8];
        for ((byte, ours), cases) in job[2..]
            .iter_mut()
            .zip(self.0.as_bytes())
            .zip(case.0.as_bytes())
        {
            *byte = ours ^ cases;
        }
        let job = u64::from_be_bytes(job);
        (Self::derive(case, job) == self).then_some(job)
    }
}

/// One campaign of a cohort in a region, such as `2026`. Letters, digits, `-` and `_` only.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct RoundId(pub String);

impl fmt::Display for RoundId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// HSA-id of a unit or a system, `SE<organisation number>-<local part>`.
/// Compared without regard to case (crm:scheduling TKB), so kept in upper case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct HsaId(String);

impl HsaId {
    /// Trims and folds to upper case.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_uppercase())
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for HsaId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(&text))
    }
}

impl fmt::Display for HsaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn derived_command_ids_are_stable_and_distinct() {
        let cases = [
            CaseId(Uuid::from_u128(1)),
            CaseId(Uuid::from_u128(2)),
            CaseId(Uuid::from_u128(u128::MAX)),
        ];
        let mut seen = HashSet::new();
        for case in cases {
            for job in 0..10_000 {
                assert_eq!(CommandId::derive(case, job), CommandId::derive(case, job));
                assert!(seen.insert(CommandId::derive(case, job)));
                assert_eq!(CommandId::derive(case, job).job_of(case), Some(job));
            }
        }
    }

    #[test]
    fn hsa_ids_ignore_case() {
        assert_eq!(
            HsaId::new(" se2321000016-1hz5 "),
            HsaId::new("SE2321000016-1HZ5")
        );
    }
}
