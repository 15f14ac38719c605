//! A synthetic population: nobody in it exists. The hard people are in it by number, not by chance,
//! so that a small run meets them too.

use halsonav_domain::{HsaId, PersonId, Protection};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{dice::Dice, names};

/// One listed resident, as the population file has it (`--population FILE`: one JSON object a line).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resident {
    /// 12 positions.
    pub person_id: String,
    /// Given names.
    pub given_name: String,
    /// Surname.
    pub surname: String,
    /// `woman` or `man`.
    pub sex: String,
    /// Street and number.
    pub street: String,
    /// Five digits.
    pub postal_code: String,
    /// Postort.
    pub city: String,
    /// Care of.
    #[serde(default)]
    pub care_of: Option<String>,
    /// HSA-id of the unit where the person is listed.
    pub unit: HsaId,
    /// Language of letters and messages.
    #[serde(default = "swedish")]
    pub language: String,
    /// Active in 1177 inkorg.
    #[serde(default)]
    pub inbox: bool,
    /// Wants no paper.
    #[serde(default)]
    pub paper_opt_out: bool,
    /// Grade of protection from the start.
    #[serde(default = "unprotected")]
    pub protection: Protection,
    /// A test person of the register.
    #[serde(default)]
    pub test_person: bool,
    /// What happens to the person during the round.
    #[serde(default)]
    pub fates: Vec<Fate>,
    /// How the person answers; drawn by lot when absent.
    #[serde(default)]
    pub answer: Option<Answer>,
}

/// Something that the register learns on a day.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fate {
    /// The day.
    pub on: Date,
    /// What.
    pub becomes: Becomes,
}

/// What a person becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Becomes {
    /// Dies.
    Deceased,
    /// Leaves the country.
    Emigrated,
    /// Gets a sekretessmarkering.
    Protected,
    /// Moves to another address.
    Moved,
    /// Gets a personnummer in place of a samordningsnummer.
    NumberChanged,
}

/// How a person answers the invitation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Books a time in 1177.
    Books,
    /// Phones the unit to book.
    Phones,
    /// Says no thanks in 1177 or by phone.
    Declines,
    /// Wants no more contact.
    OptsOut,
    /// Does nothing, but says yes when phoned.
    YesWhenPhoned,
    /// Does nothing, and says no when phoned.
    NoWhenPhoned,
    /// Cannot be reached.
    Silent,
}

fn swedish() -> String {
    "sv".to_owned()
}

fn unprotected() -> Protection {
    Protection::None
}

/// Makes `count` residents listed at `units`, most of them of an invited age in `year`.
#[must_use]
pub fn make(count: usize, seed: u64, year: i16, starts: Date, units: &[HsaId]) -> Vec<Resident> {
    let mut numbers = Numbers {
        taken: std::collections::HashSet::with_capacity(count),
    };
    (0..count)
        .map(|ordinal| one(ordinal, seed, year, starts, units, &mut numbers))
        .collect()
}

fn one(
    ordinal: usize,
    seed: u64,
    year: i16,
    starts: Date,
    units: &[HsaId],
    numbers: &mut Numbers,
) -> Resident {
    let dice = Dice::new(seed, ordinal as u64);
    // One in twelve is of an age that is not invited, to show that the cohort rule holds.
    let age = if ordinal % 12 == 11 {
        *dice.pick("age", &[43, 55, 66])
    } else {
        *dice.pick("age", &[40, 50, 60, 70])
    };
    let woman = dice.chance("sex", 0.5);
    let coordination = ordinal % 50 == 7;
    let person_id = if ordinal % 100 == 21 {
        reserve(ordinal)
    } else {
        numbers.next(year - age, dice, woman, coordination)
    };
    let given = *dice.pick("given", if woman { names::WOMEN } else { names::MEN });
    let surname = *dice.pick("surname", names::SURNAMES);
    let (given, surname) = match ordinal % 100 {
        3 => (names::LONG_GIVEN, names::LONG_SURNAME),
        13 => ("Åsa-Märta Örjana", "Öhrström Åkerblad"),
        23 => ("Łucja Żaneta", "Grzegórzek-Ćwik"),
        33 => ("Seán", "O'Brien|^~\\&"),
        43 => ("X", "Ö"),
        _ => (given, surname),
    };
    let (postal_code, city) = dice.pick("city", names::CITIES);
    Resident {
        person_id,
        given_name: given.to_owned(),
        surname: surname.to_owned(),
        sex: if woman { "woman" } else { "man" }.to_owned(),
        street: format!(
            "{} {}",
            dice.pick("street", names::STREETS),
            dice.between("number", 1, 98)
        ),
        postal_code: if ordinal % 100 == 53 {
            "0".to_owned()
        } else {
            (*postal_code).to_owned()
        },
        city: (*city).to_owned(),
        care_of: (ordinal % 40 == 9).then(|| {
            format!(
                "{} {}",
                dice.pick("co", names::MEN),
                dice.pick("co2", names::SURNAMES)
            )
        }),
        unit: dice.pick("unit", units).clone(),
        language: match ordinal % 20 {
            5 => "en",
            15 => "sv-latt",
            _ => "sv",
        }
        .to_owned(),
        inbox: dice.chance("inbox", 0.8) && ordinal % 100 != 21,
        paper_opt_out: ordinal % 60 == 17,
        protection: match ordinal % 100 {
            31 => Protection::Sekretessmarkering,
            61 => Protection::SkyddadFolkbokforing,
            91 => Protection::FingeradePersonuppgifter,
            _ => Protection::None,
        },
        test_person: ordinal % 200 == 77,
        fates: fates(ordinal, coordination, starts),
        answer: None,
    }
}

/// Fates fall between invitation and reminder, between booking and visit, or later.
fn fates(ordinal: usize, coordination: bool, starts: Date) -> Vec<Fate> {
    let day = |days: i64| starts.saturating_add(jiff::Span::new().days(days));
    let becomes = match ordinal % 100 {
        1 => Some((9, Becomes::Deceased)),
        41 => Some((33, Becomes::Deceased)),
        2 => Some((10, Becomes::Emigrated)),
        42 => Some((36, Becomes::Emigrated)),
        4 => Some((12, Becomes::Protected)),
        44 => Some((40, Becomes::Protected)),
        6 | 26 | 46 => Some((8, Becomes::Moved)),
        _ if coordination && ordinal % 100 == 7 => Some((11, Becomes::NumberChanged)),
        _ => None,
    };
    becomes
        .map(|(days, becomes)| Fate {
            on: day(days),
            becomes,
        })
        .into_iter()
        .collect()
}

struct Numbers {
    taken: std::collections::HashSet<String>,
}

impl Numbers {
    /// A number that fits, from the series 980–999 that is set aside for tests while it lasts.
    fn next(&mut self, birth_year: i16, dice: Dice, woman: bool, coordination: bool) -> String {
        let first = dice.roll("birth-day");
        for attempt in 0..u64::MAX {
            let day_of_year = i16::try_from((first + attempt / 10) % 365).unwrap_or(0) + 1;
            let Ok(date) = Date::new(birth_year, 1, 1)
                .and_then(|d| d.checked_add(jiff::Span::new().days(i64::from(day_of_year) - 1)))
            else {
                continue;
            };
            let wave = attempt / 3_650;
            let parity = if woman { 0 } else { 1 };
            let serial = (980 + (attempt % 10) * 2 + parity).saturating_sub(wave * 20);
            let day = date.day() + if coordination { 60 } else { 0 };
            let eleven = format!("{:04}{:02}{day:02}{:03}", date.year(), date.month(), serial);
            let Some(check) = PersonId::check_digit(&eleven) else {
                continue;
            };
            let number = format!("{eleven}{check}");
            // Nobody else has the personnummer that is to replace it.
            let later = replacement(&number);
            let free = later.as_ref().is_none_or(|it| !self.taken.contains(it));
            if free && self.taken.insert(number.clone()) {
                self.taken.extend(later);
                return number;
            }
        }
        String::new()
    }
}

/// The personnummer that replaces a samordningsnummer.
#[must_use]
pub fn replacement(person_id: &str) -> Option<String> {
    let day: u8 = person_id.get(6..8)?.parse().ok()?;
    let eleven = format!(
        "{}{:02}{}",
        person_id.get(..6)?,
        day.checked_sub(60)?,
        person_id.get(8..11)?
    );
    PersonId::check_digit(&eleven).map(|check| format!("{eleven}{check}"))
}

/// A national reserve number: no birth date, so the cohort rule cannot know the age.
fn reserve(ordinal: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTUXYZ";
    let n = ordinal / 100;
    let letter = |i: usize| char::from(LETTERS[i % LETTERS.len()]);
    format!(
        "228601{:02}{}{}{}{}",
        1 + n % 28,
        letter(n / 28),
        letter(n / 588),
        n % 10,
        letter(n)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn population(count: usize) -> Vec<Resident> {
        make(
            count,
            7,
            2026,
            jiff::civil::date(2026, 1, 12),
            &[HsaId::new("SE1-A"), HsaId::new("SE1-B")],
        )
    }

    #[test]
    fn numbers_are_valid_and_distinct_now_and_later() {
        let people = population(20_000);
        let mut seen = std::collections::HashSet::new();
        for person in &people {
            assert!(
                PersonId::parse(&person.person_id).is_ok(),
                "one of the numbers is not valid"
            );
            assert!(seen.insert(person.person_id.clone()));
        }
        let mut later = people.iter().filter_map(|p| replacement(&p.person_id));
        assert!(later.all(|number| seen.insert(number)));
    }

    #[test]
    fn the_hard_people_are_there() {
        let people = population(200);
        for grade in [
            Protection::Sekretessmarkering,
            Protection::SkyddadFolkbokforing,
            Protection::FingeradePersonuppgifter,
        ] {
            assert!(people.iter().any(|p| p.protection == grade));
        }
        for fate in [
            Becomes::Deceased,
            Becomes::Emigrated,
            Becomes::Protected,
            Becomes::Moved,
            Becomes::NumberChanged,
        ] {
            assert!(
                people
                    .iter()
                    .flat_map(|p| &p.fates)
                    .any(|f| f.becomes == fate),
                "{fate:?}"
            );
        }
        assert!(people.iter().any(|p| p.surname.chars().count() > 60));
        assert!(people.iter().any(|p| !p.inbox) && people.iter().any(|p| p.language == "en"));
    }

    #[test]
    fn a_replaced_number_is_a_personnummer() {
        let person = population(200)
            .into_iter()
            .find(|p| p.fates.iter().any(|f| f.becomes == Becomes::NumberChanged))
            .expect("one");
        let new = replacement(&person.person_id).expect("a number");
        assert_eq!(
            PersonId::parse(&new).map(|id| id.kind()),
            Ok(halsonav_domain::PersonIdKind::Personnummer)
        );
    }
}
