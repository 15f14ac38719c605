//! Personal identity numbers: personnummer, samordningsnummer and reserve numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A personal identity number in the 12-position form without separator, such as `191212121212`.
///
/// It is personal data: `Debug` shows only the kind, there is no `Display`, and it
/// is taken out with [`PersonId::expose`] where a neighbour's protocol needs it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId {
    digits: String,
    kind: PersonIdKind,
}

/// Which register issued the number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonIdKind {
    /// Skatteverket, folkbokförd person.
    Personnummer,
    /// Skatteverket, coordination number: the day plus 60.
    Samordningsnummer,
    /// National reserve number (NRID): letters in position 9 and 10, century plus 3.
    Reservnummer,
}

impl PersonIdKind {
    /// The identifier's root OID in RIV-TA contracts.
    #[must_use]
    pub fn oid(self) -> &'static str {
        match self {
            Self::Personnummer => "1.2.752.129.2.1.3.1",
            Self::Samordningsnummer => "1.2.752.129.2.1.3.3",
            Self::Reservnummer => "1.2.752.74.9.1",
        }
    }
}

/// Why a text is not a personal identity number. Never repeats the text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PersonIdError {
    /// Not 12 positions once separators are removed (10-digit forms do not tell the century).
    #[error("a personal identity number has 12 positions")]
    Length,
    /// A character where none may stand.
    #[error(
        "a personal identity number holds digits, and letters only where a reserve number has them"
    )]
    Character,
    /// Month or day out of range.
    #[error("the date part of the personal identity number is not a date")]
    Date,
    /// The check digit does not fit.
    #[error("the check digit of the personal identity number does not fit")]
    CheckDigit,
}

impl PersonId {
    /// Reads the 12-position form, with or without a separator before the last four positions.
    ///
    /// # Errors
    /// [`PersonIdError`] says which rule fails, never the number.
    pub fn parse(text: &str) -> Result<Self, PersonIdError> {
        let digits: String = text
            .trim()
            .chars()
            .filter(|c| !matches!(c, '-' | '+' | ' '))
            .map(|c| c.to_ascii_uppercase())
            .collect();
        if digits.len() != 12 || !digits.is_ascii() {
            return Err(PersonIdError::Length);
        }
        let bytes = digits.as_bytes();
        if bytes[8].is_ascii_alphabetic() {
            return Self::reserve(digits);
        }
        if !bytes.iter().all(u8::is_ascii_digit) {
            return Err(PersonIdError::Character);
        }
        let day = number(&bytes[6..8]);
        let kind = if day > 60 {
            PersonIdKind::Samordningsnummer
        } else {
            PersonIdKind::Personnummer
        };
        let date = jiff::civil::Date::new(
            i16::try_from(number(&bytes[..4])).map_err(|_| PersonIdError::Date)?,
            i8::try_from(number(&bytes[4..6])).map_err(|_| PersonIdError::Date)?,
            i8::try_from(if day > 60 { day - 60 } else { day }).map_err(|_| PersonIdError::Date)?,
        );
        if date.is_err() {
            return Err(PersonIdError::Date);
        }
        if luhn(&bytes[2..11]) != bytes[11] - b'0' {
            return Err(PersonIdError::CheckDigit);
        }
        Ok(Self { digits, kind })
    }

    /// Reserve numbers: `XXYYMMDDNNGC` with the century plus 3 (22, 23, or 00 when unknown) and two
    /// letters out of A–Z without I, O, Q, V, W. The check character follows rules of the issuer and
    /// is taken as it stands.
    fn reserve(digits: String) -> Result<Self, PersonIdError> {
        let bytes = digits.as_bytes();
        let letter = |b: u8| b.is_ascii_uppercase() && !b"IOQVW".contains(&b);
        let shape = bytes[..8].iter().all(u8::is_ascii_digit)
            && letter(bytes[8])
            && (letter(bytes[9]) || bytes[9].is_ascii_digit())
            && bytes[10].is_ascii_digit()
            && bytes[11].is_ascii_alphanumeric();
        if !shape {
            return Err(PersonIdError::Character);
        }
        Ok(Self {
            digits,
            kind: PersonIdKind::Reservnummer,
        })
    }

    /// The number itself. Only for the vault and for a neighbour's message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.digits
    }

    /// Which register issued it.
    #[must_use]
    pub fn kind(&self) -> PersonIdKind {
        self.kind
    }

    /// The birth date that the number carries; `None` for a reserve number, whose date may be unknown.
    #[must_use]
    pub fn birth_date(&self) -> Option<jiff::civil::Date> {
        if self.kind == PersonIdKind::Reservnummer {
            return None;
        }
        let bytes = self.digits.as_bytes();
        let day = number(&bytes[6..8]);
        jiff::civil::Date::new(
            i16::try_from(number(&bytes[..4])).ok()?,
            i8::try_from(number(&bytes[4..6])).ok()?,
            i8::try_from(if day > 60 { day - 60 } else { day }).ok()?,
        )
        .ok()
    }

    /// The check digit (Luhn) for the first eleven digits of a 12-digit number; for makers of test data.
    #[must_use]
    pub fn check_digit(first_eleven: &str) -> Option<char> {
        let bytes = first_eleven.as_bytes();
        (bytes.len() == 11 && bytes.iter().all(u8::is_ascii_digit))
            .then(|| char::from(b'0' + luhn(&bytes[2..])))
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonId({:?}, redacted)", self.kind)
    }
}

fn number(digits: &[u8]) -> u32 {
    digits
        .iter()
        .fold(0, |sum, d| sum * 10 + u32::from(d - b'0'))
}

/// Luhn check digit over nine digits, weights 2,1,2,1,…
fn luhn(nine: &[u8]) -> u8 {
    let sum: u32 = nine
        .iter()
        .enumerate()
        .map(|(i, d)| {
            let value = u32::from(d - b'0') * if i % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    u8::try_from((10 - sum % 10) % 10).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<PersonIdKind, PersonIdError>) {
        assert_eq!(PersonId::parse(text).map(|id| id.kind()), expect, "{text}");
    }

    #[test]
    fn numbers_are_told_apart_and_checked() {
        check("191212121212", Ok(PersonIdKind::Personnummer));
        check("19121212-1212", Ok(PersonIdKind::Personnummer));
        check("191212121213", Err(PersonIdError::CheckDigit));
        check("1212121212", Err(PersonIdError::Length));
        check("191213121212", Err(PersonIdError::Date));
        check("200002300005", Err(PersonIdError::Date));
        check("19121212121A", Err(PersonIdError::Character));
        check("22860101AB1C", Ok(PersonIdKind::Reservnummer));
        check("22860101OB1C", Err(PersonIdError::Character));
        check("åäö212121212", Err(PersonIdError::Length));
        check("", Err(PersonIdError::Length));
        let coordination = format!(
            "19760463111{}",
            PersonId::check_digit("19760463111").unwrap_or('x')
        );
        check(&coordination, Ok(PersonIdKind::Samordningsnummer));
    }

    #[test]
    fn birth_date_of_a_coordination_number_is_the_real_day() {
        let text = format!(
            "19760463111{}",
            PersonId::check_digit("19760463111").unwrap_or('x')
        );
        let id = PersonId::parse(&text).expect("valid");
        assert_eq!(id.birth_date(), jiff::civil::Date::new(1976, 4, 3).ok());
    }

    #[test]
    fn debug_never_shows_the_number() {
        let id = PersonId::parse("191212121212").expect("valid");
        assert!(!format!("{id:?}").contains("1212"));
    }
}
