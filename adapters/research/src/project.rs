//! A research project: what it may have, and under which pseudonyms.

use std::{collections::BTreeMap, fmt};

use halsonav_domain::SubjectId;
use serde::Deserialize;

use crate::Error;

/// A project with an approval.
#[derive(Clone, Debug)]
pub struct Project {
    /// Short name, part of file names.
    pub id: String,
    /// Registration number of the ethics approval.
    pub ethics_approval: String,
    /// The project's own key.
    pub pseudonym_key: PseudonymKey,
    /// The columns that the approval covers. Empty: every answer that is a choice or a number,
    /// every value and every level. Free text is exported only where a column asks for it.
    pub columns: Vec<Column>,
    /// Groups of the same age and sex smaller than this are counted in the code book.
    pub threshold: usize,
}

/// A column that the project asks for.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name in the files: a letter, then letters, digits and `_`.
    pub name: String,
    /// What it means.
    pub meaning: String,
    /// Where it comes from.
    pub source: Source,
    /// What stands in it.
    pub kind: Kind,
    /// Codes and what they mean.
    #[serde(default)]
    pub codes: BTreeMap<String, String>,
}

/// Where a column comes from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Source {
    /// The answer to a question. Several answers stand with `|` between them.
    Answer {
        /// The form's name.
        form: String,
        /// The question's code.
        question: String,
    },
    /// A measurement or laboratory value. One of another unit stops the export.
    Value {
        /// Its code.
        code: String,
        /// Its unit.
        unit: String,
    },
    /// The level on an axis of the profile.
    Level {
        /// The axis.
        axis: String,
    },
}

/// What stands in a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Whole numbers (Parquet INT64).
    Integer,
    /// Numbers (Parquet DOUBLE).
    Number,
    /// Text (Parquet STRING).
    Text,
}

impl Project {
    /// A project that asks for everything that is not free text, with groups of 5.
    #[must_use]
    pub fn new(
        id: impl Into<String>,
        ethics_approval: impl Into<String>,
        pseudonym_key: PseudonymKey,
    ) -> Self {
        Self {
            id: id.into(),
            ethics_approval: ethics_approval.into(),
            pseudonym_key,
            columns: Vec::new(),
            threshold: 5,
        }
    }

    /// The subject's pseudonym in this project: 32 hexadecimal digits.
    pub(crate) fn pseudonym(&self, subject: SubjectId) -> String {
        // The project's name is mixed in, so that one key used twice does not join two projects.
        let mut hasher = blake3::Hasher::new_keyed(&self.pseudonym_key.0);
        hasher.update(&(self.id.len() as u64).to_be_bytes());
        hasher.update(self.id.as_bytes());
        hasher.update(subject.0.as_bytes());
        let mut hex = hasher.finalize().to_hex().to_string();
        hex.truncate(32);
        hex
    }
}

/// The secret behind the pseudonyms of one project. Whoever has it and the subjects' ids can undo
/// them, so it stays with the region.
#[derive(Clone, PartialEq, Eq)]
pub struct PseudonymKey([u8; 32]);

impl PseudonymKey {
    /// A key of 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key written as 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`Error::Key`] for anything else, and for one digit 64 times.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim().as_bytes();
        if text.len() != 64 || text.iter().all(|digit| Some(digit) == text.first()) {
            return Err(Error::Key);
        }
        let hash = blake3::Hash::from_hex(text).map_err(|_| Error::Key)?;
        Ok(Self(*hash.as_bytes()))
    }
}

impl fmt::Debug for PseudonymKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PseudonymKey(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pseudonyms_belong_to_their_project() {
        let uuid = |n: u8| SubjectId::from_bytes_for_test(n);
        let project = |id: &str, key: u8| {
            Project::new(id, "2026-00001-01", PseudonymKey::new([key; 32])).pseudonym(uuid(1))
        };
        let first = project("a", 1);
        assert_eq!(first, project("a", 1));
        assert_eq!(first.len(), 32);
        for other in [project("b", 1), project("a", 2)] {
            assert_ne!(first, other);
        }
    }

    trait Made {
        fn from_bytes_for_test(n: u8) -> SubjectId;
    }
    impl Made for SubjectId {
        fn from_bytes_for_test(n: u8) -> SubjectId {
            format!("00000000-0000-0000-0000-0000000000{n:02x}")
                .parse()
                .expect("a UUID")
        }
    }

    #[test]
    fn keys_are_keys() {
        let good = "0123456789abcdef".repeat(4);
        assert!(PseudonymKey::parse(&format!("{good}\n")).is_ok());
        for bad in ["", "0", &"0".repeat(64), &"xy".repeat(32), &good[1..]] {
            assert!(PseudonymKey::parse(bad).is_err(), "{bad}");
        }
    }
}
