//! ISO 8601 durations.

use halsonav_domain::Timestamp;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

use crate::Fault;

/// A duration in two parts: a period of years, months, weeks and days, which is counted in the local
/// calendar, and an exact time of hours, minutes and seconds.
///
/// `P1D` from noon is noon the next day, also when that day has 23 or 25 hours; `PT24H` is 24 hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Duration {
    negative: bool,
    months: u32,
    days: u32,
    millis: u64,
}

/// No timer is longer than this; keeps all arithmetic far from the ends of time.
const MAX_YEARS: u32 = 200;

impl Duration {
    /// Reads `P1Y2M3DT4H5M6.5S`, `P2W`, `P1M2W`, `-PT5M`. Only seconds may have a fraction, and what
    /// is finer than a millisecond is refused. At least one part must be there.
    ///
    /// # Errors
    /// `timer-duration`.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let fault = |why: &str| {
            Fault::new(
                "timer-duration",
                format!("`{}` is not a duration: {why}", shorten(text)),
                "Write an ISO 8601 duration such as P14D, P2W, P1M or PT36H",
            )
        };
        parts(text.trim()).map_err(fault)
    }

    /// `from` plus this duration: first the months, clipped to the month's end, then the days, both
    /// on the local calendar of `zone`, then the exact time. A local time that does not exist is
    /// moved forward by the gap; one that exists twice is the earlier.
    #[must_use]
    pub fn add(&self, from: Timestamp, zone: &TimeZone) -> Timestamp {
        self.add_times(1, from, zone)
    }

    /// `from` plus `times` this duration, counted from `from` and not step by step: the 31st plus
    /// twice a month is the 31st.
    #[must_use]
    pub fn add_times(&self, times: u64, from: Timestamp, zone: &TimeZone) -> Timestamp {
        let end = if self.negative {
            Timestamp::MIN
        } else {
            Timestamp::MAX
        };
        self.checked_add(times, from, zone).unwrap_or(end)
    }

    fn checked_add(&self, times: u64, from: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let times = i64::try_from(times).ok()?;
        let sign = if self.negative { -1 } else { 1 };
        let months = i64::from(self.months).checked_mul(times)?;
        let days = i64::from(self.days).checked_mul(times)?;
        let millis = i64::try_from(self.millis).ok()?.checked_mul(times)?;
        let moved = if months == 0 && days == 0 {
            from
        } else {
            let period: Span = Span::new()
                .try_months(sign * months)
                .ok()?
                .try_days(sign * days)
                .ok()?;
            from.to_zoned(zone.clone())
                .checked_add(period)
                .ok()?
                .timestamp()
        };
        moved
            .checked_add(SignedDuration::from_millis(sign * millis))
            .ok()
    }

    /// Whether it moves nothing.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.months == 0 && self.days == 0 && self.millis == 0
    }

    /// Whether it goes back in time.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.negative && !self.is_zero()
    }
}

/// A text for a message, cut where it is long.
pub(crate) fn shorten(text: &str) -> String {
    const LONGEST: usize = 60;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

fn parts(text: &str) -> Result<Duration, &'static str> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let rest = rest.strip_prefix('P').ok_or("it does not begin with P")?;
    let (period, time) = match rest.split_once('T') {
        Some((_, "")) => return Err("nothing follows the T"),
        Some((period, time)) => (period, time),
        None => (rest, ""),
    };
    if period.is_empty() && time.is_empty() {
        return Err("it has no parts");
    }
    let mut months = 0u64;
    let mut days = 0u64;
    for (number, unit) in fields(period, "YMWD")? {
        let number = number
            .parse::<u32>()
            .map_err(|_| "only seconds may have a fraction, and no number may be huge")?;
        let number = u64::from(number);
        match unit {
            'Y' => months += number * 12,
            'M' => months += number,
            'W' => days += number * 7,
            _ => days += number,
        }
    }
    let mut millis = 0u64;
    for (number, unit) in fields(time, "HMS")? {
        let factor = match unit {
            'H' => 3_600_000,
            'M' => 60_000,
            _ => 1_000,
        };
        let (whole, fraction) = match number.split_once(['.', ',']) {
            Some(_) if unit != 'S' => return Err("only seconds may have a fraction"),
            Some((whole, fraction)) => (whole, thousandths(fraction)?),
            None => (number, 0),
        };
        let whole = whole.parse::<u32>().map_err(|_| "a number is too large")?;
        millis += u64::from(whole) * factor + fraction;
    }
    let years = u64::from(MAX_YEARS);
    if months > years * 12 || days > years * 366 || millis > years * 366 * 86_400_000 {
        return Err("it is longer than 200 years");
    }
    let (months, days) = (
        u32::try_from(months).unwrap_or(0),
        u32::try_from(days).unwrap_or(0),
    );
    Ok(Duration {
        negative,
        months,
        days,
        millis,
    })
}

/// Numbers with their unit, in the order of `units`, each unit at most once.
fn fields<'a>(text: &'a str, units: &str) -> Result<Vec<(&'a str, char)>, &'static str> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut units = units.chars();
    while !rest.is_empty() {
        let end = rest
            .find(|c: char| c.is_ascii_alphabetic())
            .ok_or("a number has no unit")?;
        let (number, tail) = rest.split_at(end);
        let well_formed = number.starts_with(|c: char| c.is_ascii_digit())
            && number.ends_with(|c: char| c.is_ascii_digit())
            && number
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
        if !well_formed {
            return Err("a unit has no number before it");
        }
        let unit = tail.chars().next().ok_or("a number has no unit")?;
        if !units.any(|known| known == unit) {
            return Err("a unit is unknown, twice there or in the wrong order");
        }
        found.push((number, unit));
        rest = &tail[1..];
    }
    Ok(found)
}

fn thousandths(fraction: &str) -> Result<u64, &'static str> {
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 3 || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return Err("it is finer than a millisecond");
    }
    format!("{fraction:0<3}")
        .parse()
        .map_err(|_| "its fraction is not a number")
}
