//! People who do not exist.

use halsonav_domain::{Address, CaseId, Identity, Kind, Name, PersonId, Problem, Timestamp};
use jiff::{ToSpan as _, civil::date};

const GIVEN: &[&str] = &[
    "Anna", "Åsa", "Karin", "Östen", "Lars", "Märta", "Björn", "Elin",
];
const SURNAMES: &[&str] = &[
    "Andersson",
    "Åberg",
    "Lindström",
    "Öberg",
    "Nilsson",
    "Sjögren",
    "Håkansson",
];
const STREETS: &[&str] = &[
    "Storgatan",
    "Ängsvägen",
    "Kyrkogatan",
    "Östra Långgatan",
    "Skolvägen",
];
const TOWNS: &[(&str, &str)] = &[
    ("57131", "Nässjö"),
    ("33130", "Värnamo"),
    ("56131", "Huskvarna"),
];

/// Birth numbers 980 to 999: the series that test numbers are taken from.
const A_DAY: usize = 20;

/// The `n`-th number.
///
/// # Errors
/// Beyond a million there is none.
pub fn person_id(n: usize) -> Result<PersonId, Problem> {
    let none = || {
        Problem::new(
            Kind::Invalid,
            "HUB-BENCH-004",
            "so many people cannot be made up",
        )
    };
    let days = i64::try_from(n / A_DAY).map_err(|_| none())?;
    let born = date(1880, 1, 1)
        .checked_add(days.days())
        .map_err(|_| none())?;
    let eleven = format!("{}{}", born.strftime("%Y%m%d"), 980 + n % A_DAY);
    let check = PersonId::check_digit(&eleven).ok_or_else(none)?;
    PersonId::parse(&format!("{eleven}{check}")).map_err(|_| none())
}

/// The `n`-th case: ordered by time with the rest at random, as real ones are.
#[must_use]
pub fn case_id(n: usize, now: Timestamp) -> CaseId {
    let hash = blake3::hash(&n.to_le_bytes());
    let mut rest = [0; 10];
    rest.copy_from_slice(&hash.as_bytes()[..10]);
    let millis = now.as_millisecond().cast_unsigned() + n as u64 / 8;
    CaseId(uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid())
}

/// The `n`-th person, with name and address.
///
/// # Errors
/// As [`person_id`].
pub fn identity(n: usize) -> Result<Identity, Problem> {
    let (postal_code, city) = TOWNS[n % TOWNS.len()];
    Ok(Identity {
        person_id: person_id(n)?,
        name: Name {
            given: GIVEN[n % GIVEN.len()].to_owned(),
            middle: None,
            surname: SURNAMES[n / GIVEN.len() % SURNAMES.len()].to_owned(),
            notification: None,
        },
        address: Some(Address {
            care_of: None,
            lines: vec![format!("{} {}", STREETS[n % STREETS.len()], n % 97 + 1)],
            postal_code: postal_code.to_owned(),
            city: city.to_owned(),
            country: None,
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_is_there_twice() {
        let numbers: HashSet<String> = (0..2000)
            .map(|n| person_id(n).expect("a number").expose().to_owned())
            .collect();
        let cases: HashSet<CaseId> = (0..2000)
            .map(|n| case_id(n, Timestamp::UNIX_EPOCH))
            .collect();
        assert_eq!((numbers.len(), cases.len()), (2000, 2000));
        assert!(
            identity(41)
                .expect("a person")
                .address
                .is_some_and(|address| address.is_deliverable())
        );
    }
}
