//! Swedish holidays and working days.
//!
//! Lagen om allmänna helgdagar (1989:253), and the three eves that Semesterlagen § 3 a treats as
//! Sundays: midsommarafton, julafton and nyårsafton.

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

/// The name of the holiday on this date, Sundays without a name of their own excepted.
#[must_use]
pub fn holiday(day: Date) -> Option<&'static str> {
    let fixed = match (day.month(), day.day()) {
        (1, 1) => Some("nyårsdagen"),
        (1, 6) => Some("trettondedag jul"),
        (5, 1) => Some("första maj"),
        (6, 6) => Some("nationaldagen"),
        (12, 24) => Some("julafton"),
        (12, 25) => Some("juldagen"),
        (12, 26) => Some("annandag jul"),
        (12, 31) => Some("nyårsafton"),
        // The Friday and the Saturday of 19–26 June; the Saturday of 31 October – 6 November.
        (6, 19..=25) if day.weekday() == Weekday::Friday => Some("midsommarafton"),
        (6, 20..=26) if day.weekday() == Weekday::Saturday => Some("midsommardagen"),
        (10, 31) | (11, 1..=6) if day.weekday() == Weekday::Saturday => Some("alla helgons dag"),
        _ => None,
    };
    fixed.or_else(|| movable(day))
}

fn movable(day: Date) -> Option<&'static str> {
    let easter = easter(day.year())?;
    match (day - easter).get_days() {
        -2 => Some("långfredagen"),
        0 => Some("påskdagen"),
        1 => Some("annandag påsk"),
        39 => Some("Kristi himmelsfärdsdag"),
        49 => Some("pingstdagen"),
        _ => None,
    }
}

/// Easter Sunday, Gregorian, by the anonymous computus.
fn easter(year: i16) -> Option<Date> {
    let year32 = i32::from(year);
    let golden = year32 % 19;
    let century = year32 / 100;
    let leap = year32 % 100;
    let correction = (century - (century + 8) / 25 + 1) / 3;
    let epact = (19 * golden + century - century / 4 - correction + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (leap / 4) - epact - leap % 4) % 7;
    let late = (golden + 11 * epact + 22 * weekday) / 451;
    let days = epact + weekday - 7 * late + 114;
    let month = i8::try_from(days / 31).ok()?;
    let day = i8::try_from(days % 31 + 1).ok()?;
    Date::new(year, month, day).ok()
}

/// Monday to Friday and no holiday.
#[must_use]
pub fn is_working_day(day: Date) -> bool {
    !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) && holiday(day).is_none()
}

/// The first working day after `day`.
#[must_use]
pub fn next_working_day(day: Date) -> Date {
    add_working_days(day, 1)
}

/// `day` itself if it is a working day, else the next.
#[must_use]
pub fn working_day_from(day: Date) -> Date {
    if is_working_day(day) {
        day
    } else {
        next_working_day(day)
    }
}

/// The `n`-th working day after `day`, or before it when `n` is negative; `day` itself when `n` is 0.
/// Never passes the ends of the calendar.
#[must_use]
pub fn add_working_days(day: Date, n: i32) -> Date {
    let mut at = day;
    let mut left = n.unsigned_abs();
    while left > 0 {
        let moved = at.checked_add(n.signum().days());
        let Ok(moved) = moved else { break };
        at = moved;
        if is_working_day(at) {
            left -= 1;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn easter_of_known_years() {
        for (year, month, day) in [
            (2020, 4, 12),
            (2024, 3, 31),
            (2025, 4, 20),
            (2026, 4, 5),
            (2030, 4, 21),
            (2038, 4, 25),
        ] {
            assert_eq!(easter(year), Some(date(year, month, day)));
        }
    }
}
