//! A unit that gives times, and the rule its slots follow.

use std::sync::LazyLock;

use halsonav_domain::{HsaId, Timestamp};
use jiff::{civil, tz::TimeZone};

/// A unit with dialogue leaders who all keep the same hours, Monday to Friday.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facility {
    /// HSA-id of the unit; the logical address of its schedule.
    pub unit: HsaId,
    /// Its name.
    pub name: String,
    /// Who works there.
    pub leaders: Vec<Leader>,
    /// What can be booked. All share the leaders' time.
    pub time_types: Vec<TimeType>,
    /// Length of every slot.
    pub slot_minutes: u16,
    /// First start of the day, in minutes after midnight.
    pub opens: u16,
    /// Latest end of the day, in minutes after midnight.
    pub closes: u16,
}

/// A dialogue leader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leader {
    /// HSA-id (`performer`).
    pub id: HsaId,
    /// Name shown with the time.
    pub name: String,
}

/// A kind of time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeType {
    /// `timeTypeID`.
    pub id: String,
    /// `timeTypeName`.
    pub name: String,
    /// Said with `INFO` to everyone who books it ("kom fastande").
    pub notice: Option<String>,
}

impl Facility {
    /// A unit with `leaders` leaders, hours 8–16, slots of an hour and one time type.
    #[must_use]
    pub fn new(unit: HsaId, name: &str, leaders: u16, time_type: &str) -> Self {
        let leaders = (1..=leaders.max(1))
            .map(|n| Leader {
                id: HsaId::new(&format!("{unit}-L{n}")),
                name: format!("Samtalsledare {n}"),
            })
            .collect();
        let time_type = TimeType {
            id: time_type.to_owned(),
            name: "Hälsosamtal".to_owned(),
            notice: None,
        };
        Self {
            unit,
            name: name.to_owned(),
            leaders,
            time_types: vec![time_type],
            slot_minutes: 60,
            opens: 8 * 60,
            closes: 16 * 60,
        }
    }

    /// Says `text` with `INFO` to everyone who books `time_type`.
    #[must_use]
    pub fn with_notice(mut self, time_type: &str, text: &str) -> Self {
        for known in self
            .time_types
            .iter_mut()
            .filter(|known| known.id == time_type)
        {
            known.notice = Some(text.to_owned());
        }
        self
    }

    pub(super) fn time_type(&self, id: &str) -> Option<&TimeType> {
        self.time_types.iter().find(|known| known.id == id)
    }

    pub(super) fn leader(&self, id: &HsaId) -> Option<u16> {
        self.leaders
            .iter()
            .position(|leader| leader.id == *id)
            .and_then(|n| u16::try_from(n).ok())
    }

    /// Starts of a day, in minutes after midnight.
    pub(super) fn starts(&self, day: civil::Date) -> impl Iterator<Item = u16> + use<> {
        use civil::Weekday::{Saturday, Sunday};
        let closed = matches!(day.weekday(), Saturday | Sunday);
        let (length, opens, closes) = (self.slot_minutes.max(5), self.opens, self.closes);
        (opens..closes)
            .step_by(usize::from(length))
            .take_while(move |start| !closed && start + length <= closes)
    }

    /// The slot that begins at `start`, if the grid has one there.
    pub(super) fn slot_at(&self, start: Timestamp) -> Option<(civil::Date, u16)> {
        let local = start.to_zoned(stockholm()).datetime();
        let minute =
            u16::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).ok()?;
        let whole = local.second() == 0 && local.subsec_nanosecond() == 0;
        (whole && self.starts(local.date()).any(|known| known == minute))
            .then_some((local.date(), minute))
    }

    /// Start and end of a slot.
    pub(super) fn span(&self, day: civil::Date, minute: u16) -> Option<(Timestamp, Timestamp)> {
        let time = civil::Time::new(
            i8::try_from(minute / 60).ok()?,
            i8::try_from(minute % 60).ok()?,
            0,
            0,
        )
        .ok()?;
        let start = stockholm().to_timestamp(day.to_datetime(time)).ok()?;
        let end = start + jiff::SignedDuration::from_mins(i64::from(self.slot_minutes.max(5)));
        Some((start, end))
    }
}

/// Swedish time by its rule since 1996, so that no time-zone database is needed.
static STOCKHOLM: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC));

pub(super) fn stockholm() -> TimeZone {
    STOCKHOLM.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facility() -> Facility {
        Facility::new(
            HsaId::new("SE2321000156-TEST1"),
            "Testvårdcentralen",
            2,
            "HALSOSAMTAL40",
        )
    }

    #[test]
    fn a_working_day_has_eight_slots_and_a_saturday_none() {
        assert_eq!(facility().starts(civil::date(2026, 9, 14)).count(), 8);
        assert_eq!(facility().starts(civil::date(2026, 9, 12)).count(), 0);
    }

    #[test]
    fn nine_o_clock_is_local_on_both_sides_of_the_change_of_hour() {
        let check = |day: civil::Date, utc: &str| {
            let (start, end) = facility().span(day, 9 * 60).expect("a slot");
            assert_eq!(start.to_string(), utc);
            assert_eq!(end.as_second() - start.as_second(), 3600);
            assert_eq!(facility().slot_at(start), Some((day, 9 * 60)));
        };
        check(civil::date(2026, 10, 23), "2026-10-23T07:00:00Z");
        check(civil::date(2026, 10, 26), "2026-10-26T08:00:00Z");
    }

    #[test]
    fn a_time_beside_the_grid_is_no_slot() {
        for text in [
            "2026-09-14T07:30:00Z",
            "2026-09-14T05:00:00Z",
            "2026-09-14T14:00:00Z",
            "2026-09-14T07:00:01Z",
        ] {
            assert_eq!(
                facility().slot_at(text.parse().expect("a time")),
                None,
                "{text}"
            );
        }
    }
}
