//! One person of the register.

use std::fmt;

use halsonav_domain::{PersonId, Protection};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What the register knows of a person.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The number, 12 positions.
    pub number: String,
    /// Given names.
    pub given: String,
    /// Middle name.
    pub middle: Option<String>,
    /// Surname.
    pub surname: String,
    /// The short form for letters.
    pub notification_name: Option<String>,
    /// Where the person is registered.
    pub residence: Option<Residence>,
    /// A special postal address, which wins over the residence.
    pub special: Option<Residence>,
    /// County and municipality of the registration, such as `06` and `82`.
    pub county: (String, String),
    /// Grade of protection.
    pub protection: Protection,
    /// Why the person is no longer registered.
    pub gone: Option<Gone>,
    /// The person does not want paper.
    pub paper_opt_out: bool,
    /// Not a real person.
    pub test: bool,
    /// The number that replaced this one.
    pub now: Option<String>,
    /// The number that this one replaced.
    pub formerly: Option<String>,
}

/// A Swedish address.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Residence {
    /// Care of.
    pub care_of: Option<String>,
    /// Street and number.
    pub street: String,
    /// Postal code; the register is known to hold 0 when it has none.
    pub postal_code: u32,
    /// Postort.
    pub city: String,
}

/// Deregistration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Gone {
    /// `AV` deceased, `UV` emigrated, `GN` old number, …
    pub reason: String,
    /// Since when.
    pub on: Date,
}

impl Person {
    /// A registered person with a name and an address in Nässjö.
    #[must_use]
    pub fn new(id: &PersonId, given: &str, surname: &str) -> Self {
        Self {
            number: id.expose().to_owned(),
            given: given.to_owned(),
            middle: None,
            surname: surname.to_owned(),
            notification_name: None,
            residence: Some(Residence {
                care_of: None,
                street: "Storgatan 1".to_owned(),
                postal_code: 57_131,
                city: "NÄSSJÖ".to_owned(),
            }),
            special: None,
            county: ("06".to_owned(), "82".to_owned()),
            protection: Protection::None,
            gone: None,
            paper_opt_out: false,
            test: false,
            now: None,
            formerly: None,
        }
    }
}

impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Person(redacted)")
    }
}

impl fmt::Debug for Residence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Residence(redacted)")
    }
}
