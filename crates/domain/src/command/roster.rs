//! `roster`: who the resident is, as the population register has it today.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PersonStatus, Protection};

/// `roster.lookup`: fetch the person from the register. No payload.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lookup {}

/// Result of `roster.lookup`: what the process may know. Name and address go to the vault.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LookedUp {
    /// Alive, gone or unknown.
    pub status: PersonStatus,
    /// Grade of protection.
    pub protection: Protection,
    /// The person does not want paper.
    pub paper_opt_out: bool,
    /// There is an address that a letter can reach.
    pub has_address: bool,
    /// A test person.
    pub test_person: bool,
}
