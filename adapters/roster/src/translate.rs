//! Between the contract's words and ours. GetPersonsForProfile 5, schema
//! `strategicresourcemanagement_persons_person_5.0`.

use std::collections::HashMap;

use halsonav_domain::{
    Address, Kind, Name, PersonId, PersonRecord, PersonStatus, Problem, Protection, Timestamp,
};
use halsonav_rivta::{
    Contract,
    xml::{self, Element},
};

use crate::Profile;

/// The contract.
pub(crate) const GET_PERSONS: Contract = Contract::new(
    "urn:riv:strategicresourcemanagement:persons:person",
    "GetPersonsForProfile",
    5,
);
const NS: &str =
    "urn:riv:strategicresourcemanagement:persons:person:GetPersonsForProfileResponder:5";
const CORE: &str = "urn:riv:strategicresourcemanagement:persons:person:5";

/// A record, and the number that replaced it if it is an old one.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub record: PersonRecord,
    pub replaced_by: Option<PersonId>,
}

/// The request element.
pub(crate) fn request(ids: &[PersonId], profile: Profile) -> String {
    xml::document("r:GetPersonsForProfile", &[("r", NS), ("c", CORE)], |w| {
        for id in ids {
            w.element("r:personId", |w| {
                w.text("c:root", id.kind().oid());
                w.text("c:extension", id.expose());
            });
        }
        w.text("r:profile", profile.as_str());
        w.flag("r:ignoreReferredIdentity", false);
    })
}

/// What the response says, by the number asked for. A record that cannot be read is a problem of
/// its own; one whose number cannot be read cannot be anyone's and is left out.
pub(crate) fn response(
    root: &Element,
    now: Timestamp,
) -> HashMap<PersonId, Result<Found, Problem>> {
    let mut answers = HashMap::new();
    for entry in root.all(NS, "requestedPersonRecord") {
        let Some(requested) = entry
            .child(CORE, "requestedPersonalIdentity")
            .and_then(identity)
        else {
            continue;
        };
        let answer = match entry.child(CORE, "personRecord") {
            None => Ok(Found {
                record: unknown(requested.clone(), now),
                replaced_by: None,
            }),
            Some(record) => found(requested.clone(), record, now),
        };
        answers.insert(requested, answer.map_err(unreadable));
    }
    answers
}

fn unreadable(error: xml::Error) -> Problem {
    Problem::new(
        Kind::Invalid,
        "HUB-ROSTER-213",
        format!("the register's record cannot be read: {error}"),
    )
}

fn identity(element: &Element) -> Option<PersonId> {
    PersonId::parse(element.text_of(CORE, "extension")?).ok()
}

fn unknown(requested: PersonId, now: Timestamp) -> PersonRecord {
    PersonRecord {
        current: requested.clone(),
        requested,
        name: None,
        address: None,
        status: PersonStatus::Unknown,
        protection: Protection::None,
        test_person: false,
        paper_opt_out: false,
        county: None,
        fetched: now,
    }
}

fn found(requested: PersonId, record: &Element, now: Timestamp) -> Result<Found, xml::Error> {
    let current = identity(record.require(CORE, "personalIdentity")?).ok_or(xml::Error::Value {
        name: "personalIdentity".to_owned(),
        expected: "a personal identity number",
    })?;
    let flag = |name: &str| record.flag(CORE, name);
    let demanded = |name: &'static str| flag(name)?.ok_or(xml::Error::Missing(name.to_owned()));
    let protection = protection(
        demanded("protectedPersonIndicator")?,
        flag("protectedPopulationRecord")?.unwrap_or(false),
    );
    let status = status(record.child(CORE, "deregistration"));
    let address = record
        .child(CORE, "addressInformation")
        .and_then(address)
        .filter(|_| protection == Protection::None);
    let locality = record.child(CORE, "populationRegistrationLocality");
    let replaced_by = (status == Some(OLD_NUMBER))
        .then(|| replacement(record, &current))
        .flatten();
    let record = PersonRecord {
        name: record.child(CORE, "name").and_then(name),
        address,
        status: match status {
            None => PersonStatus::Active,
            Some("AV") => PersonStatus::Deceased,
            Some("UV") => PersonStatus::Emigrated,
            Some(_) => PersonStatus::Deregistered,
        },
        protection,
        test_person: demanded("testIndicator")?,
        paper_opt_out: flag("optoutPaperNotification")?.unwrap_or(false),
        county: locality
            .and_then(|l| l.text_of(CORE, "countyCode"))
            .map(str::to_owned),
        fetched: now,
        current,
        requested,
    };
    Ok(Found {
        record,
        replaced_by,
    })
}

/// Deregistration reason of a number that has been replaced.
const OLD_NUMBER: &str = "GN";

/// The reason code of a deregistration; `AV` when there is none but the person was found dead.
fn status(deregistration: Option<&Element>) -> Option<&str> {
    let deregistration = deregistration.filter(|d| !d.children.is_empty())?;
    let found_dead = deregistration.child(CORE, "foundDeadAtDate").map(|_| "AV");
    Some(
        match deregistration.text_of(CORE, "deregistrationReasonCode") {
            Some(code) if code.eq_ignore_ascii_case("AV") => "AV",
            Some(code) if code.eq_ignore_ascii_case("UV") => "UV",
            Some(code) if code.eq_ignore_ascii_case(OLD_NUMBER) => OLD_NUMBER,
            Some(code) => found_dead.unwrap_or(code),
            None => found_dead.unwrap_or(""),
        },
    )
}

fn protection(marked: bool, hidden: bool) -> Protection {
    match (marked, hidden) {
        (false, false) => Protection::None,
        (true, false) => Protection::Sekretessmarkering,
        (false, true) => Protection::SkyddadFolkbokforing,
        (true, true) => Protection::FingeradePersonuppgifter,
    }
}

/// The one number that an old record refers to.
fn replacement(record: &Element, own: &PersonId) -> Option<PersonId> {
    let mut referred = record
        .all(CORE, "referredPersonalIdentities")
        .filter_map(|referred| {
            referred
                .child(CORE, "referredPersonalIdentity")
                .and_then(identity)
        })
        .filter(|id| id != own);
    let first = referred.next()?;
    referred.all(|other| other == first).then_some(first)
}

fn name(element: &Element) -> Option<Name> {
    let part = |name: &str| element.text_of(CORE, name).map(str::to_owned);
    let name = Name {
        given: part("givenName").unwrap_or_default(),
        middle: part("middleName"),
        surname: part("surname").unwrap_or_default(),
        notification: part("notificationName"),
    };
    (!name.full().is_empty()).then_some(name)
}

/// A special postal address wins over the residence, unless only the residence can be reached.
fn address(information: &Element) -> Option<Address> {
    let read = |name: &str| {
        information
            .child(CORE, name)
            .map(swedish)
            .filter(|a| !a.lines.is_empty() || !a.city.is_empty())
    };
    let (special, residence) = (read("specialPostalAddress"), read("residentialAddress"));
    match (special, residence) {
        (Some(special), Some(residence)) => {
            Some(if special.is_deliverable() || !residence.is_deliverable() {
                special
            } else {
                residence
            })
        }
        (special, residence) => special.or(residence),
    }
}

/// The postal code is a number in the schema, and 0 where the register has none.
fn swedish(element: &Element) -> Address {
    let part = |name: &str| element.text_of(CORE, name).map(str::to_owned);
    let digits: String = element
        .text_of(CORE, "postalCode")
        .unwrap_or_default()
        .chars()
        .filter(char::is_ascii_digit)
        .collect();
    let postal_code = match digits.trim_start_matches('0') {
        "" => String::new(),
        _ => format!("{digits:0>5}"),
    };
    Address {
        care_of: part("careOf"),
        lines: [part("postalAddress1"), part("postalAddress2")]
            .into_iter()
            .flatten()
            .collect(),
        postal_code,
        city: part("city").unwrap_or_default(),
        country: None,
    }
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
