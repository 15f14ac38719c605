//! Fields into a listed resident.

use halsonav_domain::{HsaId, PersonId};
use jiff::civil::Date;

use super::line::{KNOWN, Line, Refusal};

/// A resident on the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Who. Redacted in `Debug`.
    pub person_id: PersonId,
    /// The unit where the person is listed.
    pub unit: HsaId,
    /// Its name, if the list has it.
    pub unit_name: Option<String>,
    /// Since when.
    pub listed_since: Option<Date>,
    /// The language the person wants, if known.
    pub language: Option<String>,
    /// The person needs an interpreter.
    pub interpreter: bool,
    /// Booking id of an open kallelse, where the booking system issues them.
    pub invitation: Option<String>,
    /// Not a real person.
    pub test: bool,
}

/// Makes sense of a line's fields.
pub(super) fn read(line: &Line) -> Result<Listed, Refusal> {
    let [
        person,
        unit,
        unit_name,
        listed_since,
        language,
        interpreter,
        invitation,
        test,
    ] = line;
    let person = person
        .as_deref()
        .ok_or(("HUB-ROSTER-016", "person_id is missing".into()))?;
    let person_id =
        PersonId::parse(person).map_err(|error| ("HUB-ROSTER-016", error.to_string().into()))?;
    Ok(Listed {
        person_id,
        unit: hsa_id(unit.as_deref())?,
        unit_name: text(unit_name.as_deref(), 2)?,
        listed_since: listed_since.as_deref().map(date).transpose()?,
        language: language.as_deref().map(tag).transpose()?,
        interpreter: flag(interpreter.as_deref(), 5)?,
        invitation: text(invitation.as_deref(), 6)?,
        test: flag(test.as_deref(), 7)?,
    })
}

/// `SE`, organisation number, hyphen, local part.
fn hsa_id(text: Option<&str>) -> Result<HsaId, Refusal> {
    let text = text.ok_or(("HUB-ROSTER-017", "unit_hsa_id is missing".into()))?;
    let local = |part: &str| {
        (1..=31).contains(&part.len())
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let id = HsaId::new(text);
    let fits = id
        .as_str()
        .strip_prefix("SE")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(organisation, rest)| {
            (10..=12).contains(&organisation.len())
                && organisation.bytes().all(|b| b.is_ascii_digit())
                && local(rest)
        });
    if fits {
        Ok(id)
    } else {
        Err(("HUB-ROSTER-017", "unit_hsa_id is not an HSA-id".into()))
    }
}

fn date(text: &str) -> Result<Date, Refusal> {
    let strict = text.len() == 10 && text.as_bytes()[4] == b'-';
    strict
        .then(|| text.parse().ok())
        .flatten()
        .ok_or(("HUB-ROSTER-018", "listed_since is not YYYY-MM-DD".into()))
}

fn tag(text: &str) -> Result<String, Refusal> {
    let part = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let fits = text.len() <= 35
        && text
            .split('-')
            .next()
            .is_some_and(|first| (2..=3).contains(&first.len()))
        && text.split('-').all(part);
    if fits {
        Ok(text.to_lowercase())
    } else {
        Err(("HUB-ROSTER-018", "language is not a language tag".into()))
    }
}

fn flag(text: Option<&str>, column: usize) -> Result<bool, Refusal> {
    match text.map(str::to_lowercase).as_deref() {
        None | Some("0" | "false" | "no" | "nej") => Ok(false),
        Some("1" | "true" | "yes" | "ja") => Ok(true),
        Some(_) => Err((
            "HUB-ROSTER-018",
            format!("{} is neither yes nor no", KNOWN[column]).into(),
        )),
    }
}

fn text(text: Option<&str>, column: usize) -> Result<Option<String>, Refusal> {
    let fits =
        text.is_none_or(|text| text.chars().count() <= 200 && !text.chars().any(char::is_control));
    if fits {
        Ok(text.map(str::to_owned))
    } else {
        Err((
            "HUB-ROSTER-018",
            format!("{} is too long or not plain text", KNOWN[column]).into(),
        ))
    }
}
