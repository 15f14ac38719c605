//! What is wrong with a file of the region.

use std::fmt;

/// One fault in an instrument or a form definition. A loader returns all of them at once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fault {
    /// The file, as it was named to the loader.
    pub file: String,
    /// Line, from 1; 0 when the fault concerns the whole.
    pub line: usize,
    /// Stable code, `HUB-PROFILE-…` or `HUB-FORM-…`.
    pub code: &'static str,
    /// What is wrong and what is wanted instead.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.file, self.line, self.code, self.message
        )
    }
}

impl std::error::Error for Fault {}

/// The file is not TOML, or a value has the wrong type.
pub(crate) const SYNTAX: &str = "HUB-PROFILE-001";
/// A name, number or date that is not allowed.
pub(crate) const VALUE: &str = "HUB-PROFILE-002";
/// Thresholds that overlap, leave a gap or can never apply.
pub(crate) const RULES: &str = "HUB-PROFILE-003";
/// Two tables of an axis are in force on the same day, or two instruments are.
pub(crate) const DATES: &str = "HUB-PROFILE-004";
/// The instrument and the forms do not fit each other.
pub(crate) const COVER: &str = "HUB-PROFILE-005";
/// A form definition that is not right.
pub(crate) const FORM: &str = "HUB-FORM-001";
