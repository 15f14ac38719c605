//! Who a subject is. These types stay in the vault and in an adapter's hands; they have no
//! `Serialize`, so they cannot ride on the bus, and their `Debug` is redacted.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{PersonId, Timestamp};

/// Whether the person can be met at all, as the population register has it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PersonStatus {
    /// Registered and alive.
    Active,
    /// Deregistration reason `AV`.
    Deceased,
    /// Deregistered because of emigration (`UV`).
    Emigrated,
    /// Deregistered for another reason (old number, technical, missing).
    Deregistered,
    /// The register has no such person.
    Unknown,
}

/// Protection of personal data, in three grades.
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// None.
    None,
    /// Sekretessmarkering: a warning mark (Navet 01003).
    Sekretessmarkering,
    /// Skyddad folkbokföring (Navet 01020): the register shows no address.
    SkyddadFolkbokforing,
    /// Fingerade personuppgifter, as far as a register tells it: both marks at once.
    FingeradePersonuppgifter,
}

/// A name as the register has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Name {
    /// All given names.
    pub given: String,
    /// Middle name (mellannamn).
    pub middle: Option<String>,
    /// Surname.
    pub surname: String,
    /// The short form the register wants on letters (aviseringsnamn).
    pub notification: Option<String>,
}

impl Name {
    /// The name as it stands on an envelope: given, middle, surname.
    #[must_use]
    pub fn full(&self) -> String {
        [
            Some(self.given.as_str()),
            self.middle.as_deref(),
            Some(self.surname.as_str()),
        ]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
    }
}

/// A postal address.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Address {
    /// Care of.
    pub care_of: Option<String>,
    /// Up to two street lines.
    pub lines: Vec<String>,
    /// Five digits without space in Sweden.
    pub postal_code: String,
    /// Postort.
    pub city: String,
    /// Country, when not Sweden.
    pub country: Option<String>,
}

impl Address {
    /// Whether a letter can find its way: the register is known to hold postal code `0` when it has none.
    #[must_use]
    pub fn is_deliverable(&self) -> bool {
        let code: String = self
            .postal_code
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        !self.city.trim().is_empty()
            && self.lines.iter().any(|line| !line.trim().is_empty())
            && code.trim_matches('0').len() >= 2
    }
}

/// Everything an adapter may be told about the person behind a command.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The number in force.
    pub person_id: PersonId,
    /// The name.
    pub name: Name,
    /// Where post goes, if anywhere.
    pub address: Option<Address>,
}

/// What the population register answered about one person.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRecord {
    /// The number asked for.
    pub requested: PersonId,
    /// The number in force; differs after a change of number.
    pub current: PersonId,
    /// The name, when the register tells it.
    pub name: Option<Name>,
    /// The address, never for a protected person.
    pub address: Option<Address>,
    /// Alive, gone or unknown.
    pub status: PersonStatus,
    /// Grade of protection.
    pub protection: Protection,
    /// A test person: never contacted in production.
    pub test_person: bool,
    /// The person does not want paper (optoutPaperNotification).
    pub paper_opt_out: bool,
    /// County code of the population registration, such as `06`.
    pub county: Option<String>,
    /// When the register answered.
    pub fetched: Timestamp,
}

macro_rules! redacted {
    ($($name:ident),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    )*};
}
redacted!(Name, Address, Identity, PersonRecord);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_real_postal_code_is_not_deliverable() {
        let address = |code: &str| Address {
            lines: vec!["Storgatan 1".into()],
            postal_code: code.into(),
            city: "Nässjö".into(),
            ..Address::default()
        };
        assert!(address("571 31").is_deliverable());
        assert!(!address("0").is_deliverable());
        assert!(!address("00000").is_deliverable());
        assert!(!address("").is_deliverable());
    }

    #[test]
    fn debug_is_redacted() {
        let name = Name {
            given: "Tolvan".into(),
            middle: None,
            surname: "Tolvansson".into(),
            notification: None,
        };
        assert_eq!(format!("{name:?}"), "Name(redacted)");
        assert_eq!(name.full(), "Tolvan Tolvansson");
    }
}
