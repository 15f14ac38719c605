//! Points in time as the contracts write them: Swedish local time without a zone.

use std::sync::LazyLock;

use halsonav_domain::Timestamp;
use jiff::{
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};

/// Swedish time. Where the machine has no zone files, the rule in force since 1996.
static SWEDEN: LazyLock<TimeZone> = LazyLock::new(|| {
    TimeZone::get("Europe/Stockholm")
        .or_else(|_| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3"))
        .unwrap_or(TimeZone::UTC)
});

/// `TS`: `YYYYMMDDhhmmss` in Swedish time.
#[must_use]
pub fn timestamp(at: Timestamp) -> String {
    at.to_zoned(SWEDEN.clone())
        .strftime("%Y%m%d%H%M%S")
        .to_string()
}

/// Reads a `TS`.
///
/// The format has no zone, so two hours a year are not what they seem. A time in the hour that is
/// skipped in March is moved an hour ahead, to where a clock that was not put forward would be. A
/// time in the hour that comes twice in October is taken as the first of the two (summer time);
/// nobody books a visit at half past two at night, and a rule that is known is better than none.
///
/// `None` when the text is not a `TS`.
#[must_use]
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    if text.len() != 14 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let date = parse_date(&text[..8])?;
    let part = |range: std::ops::Range<usize>| text[range].parse::<i8>().ok();
    let time = Time::new(part(8..10)?, part(10..12)?, part(12..14)?, 0).ok()?;
    DateTime::from_parts(date, time)
        .to_zoned(SWEDEN.clone())
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// `DT`: `YYYYMMDD`.
#[must_use]
pub fn date(day: Date) -> String {
    day.strftime("%Y%m%d").to_string()
}

/// Reads a `DT`. `None` when the text is not one.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Date::new(
        text[..4].parse().ok()?,
        text[4..6].parse().ok()?,
        text[6..].parse().ok()?,
    )
    .ok()
}

/// A date of which less than the day may be known: `{format, value}`, with hyphens in the person
/// domain (`YYYY-MM`), without in the health domains (`YYYYMM`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartialDate {
    /// The year.
    Year(i16),
    /// Year and month.
    Month(i16, i8),
    /// The day.
    Day(Date),
    /// To the second, which only the health domains have.
    Second(Timestamp),
}

impl PartialDate {
    /// Reads `value` as `format` says. `None` when they do not fit each other.
    #[must_use]
    pub fn parse(format: &str, value: &str) -> Option<Self> {
        let (format, value) = (format.trim(), value.trim());
        if !value.is_ascii() || format.len() != value.len() {
            return None;
        }
        let hyphens = |text: &str| {
            text.bytes()
                .enumerate()
                .filter(|(_, b)| *b == b'-')
                .map(|(i, _)| i)
                .collect::<Vec<_>>()
        };
        if hyphens(format) != hyphens(value) {
            return None;
        }
        let bare = value.replace('-', "");
        match format.replace('-', "").as_str() {
            "YYYY" => parse_date(&format!("{bare}0101")).map(|d| Self::Year(d.year())),
            "YYYYMM" => parse_date(&format!("{bare}01")).map(|d| Self::Month(d.year(), d.month())),
            "YYYYMMDD" => parse_date(&bare).map(Self::Day),
            "YYYYMMDDhhmmss" => parse_timestamp(&bare).map(Self::Second),
            _ => None,
        }
    }

    /// Format and value as the person domain writes them.
    #[must_use]
    pub fn hyphenated(&self) -> (&'static str, String) {
        match self {
            Self::Year(year) => ("YYYY", format!("{year:04}")),
            Self::Month(year, month) => ("YYYY-MM", format!("{year:04}-{month:02}")),
            Self::Day(day) => ("YYYY-MM-DD", day.to_string()),
            Self::Second(at) => ("YYYY-MM-DD", at.to_zoned(SWEDEN.clone()).date().to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Option<&str>) {
        assert_eq!(
            parse_timestamp(text).map(|at| at.to_string()).as_deref(),
            expect,
            "{text}"
        );
    }

    #[test]
    fn local_time_is_swedish() {
        check("20260915090000", Some("2026-09-15T07:00:00Z"));
        check("20260115090000", Some("2026-01-15T08:00:00Z"));
        let at: Timestamp = "2026-09-15T07:00:00Z".parse().expect("a time");
        assert_eq!(timestamp(at), "20260915090000");
    }

    #[test]
    fn the_two_odd_hours_of_the_year_have_a_rule() {
        check("20260329013000", Some("2026-03-29T00:30:00Z"));
        check("20260329023000", Some("2026-03-29T01:30:00Z"));
        check("20260329033000", Some("2026-03-29T01:30:00Z"));
        check("20261025023000", Some("2026-10-25T00:30:00Z"));
        check("20261025033000", Some("2026-10-25T02:30:00Z"));
    }

    #[test]
    fn what_is_not_a_time_is_not_read() {
        for bad in [
            "",
            "20260915",
            "2026-09-15T09:",
            "20260231090000",
            "20260915240000",
            "2026091509000x",
            "åååååå1",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn partial_dates_fit_their_format() {
        let check = |format, value, expect| {
            assert_eq!(
                PartialDate::parse(format, value),
                expect,
                "{format} {value}"
            )
        };
        check("YYYY", "2026", Some(PartialDate::Year(2026)));
        check("YYYY-MM", "2026-02", Some(PartialDate::Month(2026, 2)));
        check("YYYYMM", "202602", Some(PartialDate::Month(2026, 2)));
        check(
            "YYYY-MM-DD",
            "2026-02-03",
            Date::new(2026, 2, 3).ok().map(PartialDate::Day),
        );
        check(
            "YYYYMMDDhhmmss",
            "20260203100000",
            "2026-02-03T09:00:00Z".parse().ok().map(PartialDate::Second),
        );
        for (format, value) in [
            ("YYYY-MM", "2026"),
            ("YYYY", "2026-02"),
            ("YYYY-MM-DD", "20260203"),
            ("YYYY-MM", "2026-13"),
            ("DD", "12"),
            ("YYYY", "åå"),
        ] {
            check(format, value, None);
        }
    }
}
