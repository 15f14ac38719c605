//! The one time zone.

use std::sync::LazyLock;

use jiff::tz::TimeZone;

/// `Europe/Stockholm`.
///
/// From the system's time zone database; where there is none, by the rule that has been in force
/// since 1996.
#[must_use]
pub fn stockholm() -> &'static TimeZone {
    static ZONE: LazyLock<TimeZone> = LazyLock::new(|| {
        TimeZone::get("Europe/Stockholm")
            .or_else(|_| TimeZone::posix(RULE))
            .unwrap_or(TimeZone::UTC)
    });
    &ZONE
}

const RULE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_rule_agrees_with_the_database() {
        let rule = TimeZone::posix(RULE).unwrap();
        let mut at: jiff::Timestamp = "1997-01-01T00:30:00Z".parse().unwrap();
        let end: jiff::Timestamp = "2036-01-01T00:00:00Z".parse().unwrap();
        while at < end {
            assert_eq!(rule.to_offset(at), stockholm().to_offset(at), "{at}");
            at += jiff::SignedDuration::from_hours(1);
        }
    }
}
