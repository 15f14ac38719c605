//! Dates and times as people write them.

use halsonav_domain::Timestamp;
use jiff::Zoned;
use jiff::civil::{Date, DateTime};

use super::duration::shorten;
use super::stockholm;
use crate::Fault;

/// Reads an ISO 8601 date, or date and time with or without an offset, a `[zone]` or FEEL's `@zone`.
///
/// Without an offset it is local Swedish time; a date alone is the start of that day. A local time
/// that does not exist is moved forward by the gap; one that exists twice is the earlier.
///
/// # Errors
/// `timer-moment`.
pub fn moment(text: &str) -> Result<Timestamp, Fault> {
    let text = text.trim();
    read(text).ok_or_else(|| {
        Fault::new(
            "timer-moment",
            format!("`{}` is not a date or a date and time", shorten(text)),
            "Write 2026-03-01, 2026-03-01T08:00 or 2026-03-01T08:00:00+01:00",
        )
    })
}

fn read(text: &str) -> Option<Timestamp> {
    if let Some((local, zone)) = text.split_once('@') {
        return format!("{local}[{zone}]")
            .parse::<Zoned>()
            .ok()
            .map(|zoned| zoned.timestamp());
    }
    if text.contains('[') {
        return text.parse::<Zoned>().ok().map(|zoned| zoned.timestamp());
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(timestamp);
    }
    let local = if text.contains(['T', 't', ' ']) {
        text.parse::<DateTime>().ok()?
    } else {
        text.parse::<Date>()
            .ok()?
            .to_datetime(jiff::civil::Time::midnight())
    };
    local
        .to_zoned(stockholm().clone())
        .ok()
        .map(|zoned| zoned.timestamp())
}
