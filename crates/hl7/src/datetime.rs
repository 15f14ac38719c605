//! Time stamps: `YYYY[MM[DD[HH[MM[SS[.S[S[S[S]]]]]]]]][+/-ZZZZ]`.

use halsonav_domain::Timestamp;
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};

use crate::Error;

/// Reads a time stamp. Without a zone it is local time in `zone`; what is left out is its
/// beginning, so a day is its midnight. `None` when the text is empty or HL7's null.
///
/// # Errors
/// [`Error::Time`].
pub fn parse(text: &str, zone: &TimeZone) -> Result<Option<Timestamp>, Error> {
    let text = text.trim();
    if text.is_empty() || text == "\"\"" {
        return Ok(None);
    }
    let (local, offset) = match text.find(['+', '-']) {
        Some(at) => (&text[..at], Some(read_offset(&text[at..])?)),
        None => (text, None),
    };
    let local = read_local(local)?;
    let zone = offset.map_or_else(|| zone.clone(), TimeZone::fixed);
    let zoned = local.to_zoned(zone).map_err(|_| Error::Time)?;
    Ok(Some(zoned.timestamp()))
}

/// Writes seconds and zone, in the local time of `zone`.
#[must_use]
pub fn format(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone())
        .strftime("%Y%m%d%H%M%S%z")
        .to_string()
}

fn read_local(text: &str) -> Result<DateTime, Error> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.as_bytes();
    let lengths = [4, 6, 8, 10, 12, 14];
    if !lengths.contains(&digits.len()) || (text.contains('.') && digits.len() != 14) {
        return Err(Error::Time);
    }
    let number = |from: usize, to: usize, missing: i16| match whole.get(from..to) {
        Some(part) if part.bytes().all(|b| b.is_ascii_digit()) => {
            part.parse::<i16>().map_err(|_| Error::Time)
        }
        Some(_) => Err(Error::Time),
        None => Ok(missing),
    };
    let small = |from: usize, missing: i16| {
        number(from, from + 2, missing).and_then(|n| i8::try_from(n).map_err(|_| Error::Time))
    };
    DateTime::new(
        number(0, 4, 0)?,
        small(4, 1)?,
        small(6, 1)?,
        small(8, 0)?,
        small(10, 0)?,
        small(12, 0)?,
        nanoseconds(fraction, text.contains('.'))?,
    )
    .map_err(|_| Error::Time)
}

fn nanoseconds(fraction: &str, wanted: bool) -> Result<i32, Error> {
    if !wanted {
        return Ok(0);
    }
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::Time);
    }
    format!("{fraction:0<9}").parse().map_err(|_| Error::Time)
}

fn read_offset(text: &str) -> Result<Offset, Error> {
    let (sign, digits) = text.split_at(1);
    if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::Time);
    }
    let hours: i32 = digits[..2].parse().map_err(|_| Error::Time)?;
    let minutes: i32 = digits[2..].parse().map_err(|_| Error::Time)?;
    if hours > 14 || minutes > 59 {
        return Err(Error::Time);
    }
    let seconds = (hours * 60 + minutes) * 60;
    Offset::from_seconds(if sign == "-" { -seconds } else { seconds }).map_err(|_| Error::Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        let zone = TimeZone::get("Europe/Stockholm").expect("in the database");
        let found = parse(text, &zone).map(|time| time.map(|time| time.to_string()));
        match expect {
            Some("") => assert_eq!(found, Ok(None), "{text}"),
            Some(time) => assert_eq!(found, Ok(Some(time.to_owned())), "{text}"),
            None => assert_eq!(found, Err(Error::Time), "{text}"),
        }
    }

    #[test]
    fn times_are_swedish_unless_they_say_otherwise() {
        check("20261123", Some("2026-11-22T23:00:00Z"));
        check("202607010930", Some("2026-07-01T07:30:00Z"));
        check("20261123072500", Some("2026-11-23T06:25:00Z"));
        check(
            "20261123072500.1234+0000",
            Some("2026-11-23T07:25:00.1234Z"),
        );
        check("20261123072500-0530", Some("2026-11-23T12:55:00Z"));
        check("2026", Some("2025-12-31T23:00:00Z"));
        check("", Some(""));
        check("\"\"", Some(""));
    }

    #[test]
    fn the_night_of_the_clock_change_has_an_answer() {
        check("20260329023000", Some("2026-03-29T01:30:00Z"));
        check("20261025023000", Some("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "2026-11-23",
            "20261323",
            "20260230",
            "202",
            "20261123256000",
            "20261123072500.",
            "20261123072500.x",
            "20261123+99",
            "20261123072500+9900",
            "ååååmmdd",
            "20261123 0725",
            "+0100",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn times_are_written_with_their_zone() {
        let zone = TimeZone::get("Europe/Stockholm").expect("in the database");
        let time: Timestamp = "2026-07-01T07:30:00Z".parse().expect("a time");
        assert_eq!(format(time, &zone), "20260701093000+0200");
        assert_eq!(parse(&format(time, &zone), &zone), Ok(Some(time)));
    }
}
