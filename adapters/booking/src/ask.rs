//! Questions to the booking system: free times, details, a person's schedule. None changes anything.

use halsonav_domain::{HsaId, Kind, PersonId, Problem, Timestamp};
use halsonav_rivta::{Actor, CallError, Contract};
use jiff::{Span, civil::Date};

use crate::{
    Booking,
    config::ActorConfig,
    error::Error,
    translate::{
        self, GET_AVAILABLE_TIMESLOTS, GET_BOOKING_DETAILS, GET_SUBJECT_OF_CARE_SCHEDULE, Search,
        Timeslot,
    },
};

/// Where and for whom a time is looked for.
pub(crate) struct Window<'a> {
    pub unit: &'a HsaId,
    pub person: &'a str,
    pub time_type: &'a str,
    /// Earliest and latest start.
    pub from: Timestamp,
    pub to: Timestamp,
    /// The kallelse to answer or the booking to move.
    pub booking_id: Option<&'a str>,
}

impl Window<'_> {
    fn holds(&self, slot: &Timeslot) -> bool {
        let in_time = slot
            .start
            .is_some_and(|start| self.from <= start && start <= self.to)
            && slot.end.is_some();
        let right_type = slot
            .time_type
            .as_deref()
            .is_none_or(|id| id == self.time_type);
        in_time && right_type && slot.unit == *self.unit
    }
}

impl Booking {
    /// Free times of `time_type` at `unit` that start between `from` and `to` and not before `now`,
    /// soonest first. The contract demands to know for whom.
    ///
    /// # Errors
    /// When the booking system could not be asked, or the window is longer than `horizon_days`.
    pub async fn slots(
        &self,
        unit: &HsaId,
        person: &PersonId,
        (from, to): (Timestamp, Timestamp),
        time_type: &str,
        now: Timestamp,
    ) -> Result<Vec<Timeslot>, Problem> {
        let person = number(person).map_err(|error| error.problem())?;
        let latest =
            now + jiff::SignedDuration::from_hours(24 * i64::from(self.config.horizon_days));
        if to > latest {
            return Err(Problem::new(
                Kind::Invalid,
                "HUB-BOOKING-006",
                "the window reaches beyond horizon_days",
            ));
        }
        let window = Window {
            unit,
            person,
            time_type,
            from: from.max(now),
            to,
            booking_id: None,
        };
        self.free(&window, true)
            .await
            .map_err(|error| error.problem())
    }

    /// Free times in the window, soonest first: all of them, or those of the first part of the
    /// window that has any.
    pub(crate) async fn free(
        &self,
        window: &Window<'_>,
        all: bool,
    ) -> Result<Vec<Timeslot>, Error> {
        let (Some(mut day), Some(last)) = (translate::day(window.from), translate::day(window.to))
        else {
            return Ok(Vec::new());
        };
        let mut found: Vec<Timeslot> = Vec::new();
        while day <= last && (all || found.is_empty()) {
            let end = later(day, i64::from(self.config.search_days) - 1).min(last);
            let search = Search {
                unit: window.unit,
                person: window.person,
                time_type: window.time_type,
                from: day,
                to: end,
                booking_id: window.booking_id,
            };
            let body = translate::get_available_timeslots(&search);
            let answer = self
                .ask(&GET_AVAILABLE_TIMESLOTS, window.unit, window.person, &body)
                .await?;
            let slots = translate::timeslots(&GET_AVAILABLE_TIMESLOTS, &answer)
                .map_err(Error::Misunderstood)?;
            found.extend(slots.into_iter().filter(|slot| window.holds(slot)));
            day = later(end, 1);
        }
        found.sort_by(|a, b| (a.start, &a.performer).cmp(&(b.start, &b.performer)));
        Ok(found)
    }

    /// What the booking system has under an id, or nothing when it is gone.
    ///
    /// The contract has no word for "not there" in GetBookingDetails, so a fault of the system's own
    /// is checked against the schedule.
    pub(crate) async fn find(
        &self,
        unit: &HsaId,
        person: &str,
        booking_id: &str,
    ) -> Result<Option<Timeslot>, Error> {
        match self.details(unit, person, booking_id).await {
            Ok(slot) => Ok(Some(slot)),
            Err(Error::Asked(CallError::Fault(fault))) if fault.vp.is_none() => {
                let ahead = self.schedule(unit, person).await?;
                Ok(ahead
                    .into_iter()
                    .find(|slot| slot.booking_id.as_deref() == Some(booking_id)))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn details(
        &self,
        unit: &HsaId,
        person: &str,
        booking_id: &str,
    ) -> Result<Timeslot, Error> {
        let body = translate::get_booking_details(unit, booking_id);
        let answer = self.ask(&GET_BOOKING_DETAILS, unit, person, &body).await?;
        let slots =
            translate::timeslots(&GET_BOOKING_DETAILS, &answer).map_err(Error::Misunderstood)?;
        let missing = || {
            Error::Misunderstood(halsonav_rivta::xml::Error::Missing(
                "timeslotDetail".to_owned(),
            ))
        };
        slots.into_iter().next().ok_or_else(missing)
    }

    /// What the person has ahead at the unit; open kallelser are not in it (TKB).
    pub(crate) async fn schedule(
        &self,
        unit: &HsaId,
        person: &str,
    ) -> Result<Vec<Timeslot>, Error> {
        let body = translate::get_subject_of_care_schedule(unit, person);
        let answer = self
            .ask(&GET_SUBJECT_OF_CARE_SCHEDULE, unit, person, &body)
            .await?;
        translate::timeslots(&GET_SUBJECT_OF_CARE_SCHEDULE, &answer).map_err(Error::Misunderstood)
    }

    async fn ask(
        &self,
        contract: &Contract,
        unit: &HsaId,
        person: &str,
        body: &str,
    ) -> Result<String, Error> {
        self.client
            .call(contract, unit.as_str(), Some(&self.actor(person)), body)
            .await
            .map_err(Error::Asked)
    }

    pub(crate) fn actor(&self, person: &str) -> Actor {
        match &self.config.actor {
            ActorConfig::Resident => Actor::subject(person),
            ActorConfig::Agent(id) => Actor::agent(id.as_str()),
        }
    }
}

/// The number as the contract takes it: digits, or one of `pPtTfF` in position nine.
pub(crate) fn number(person: &PersonId) -> Result<&str, Error> {
    let text = person.expose();
    let fits = text
        .bytes()
        .enumerate()
        .all(|(n, b)| b.is_ascii_digit() || (n == 8 && b"pPtTfF".contains(&b)));
    if fits { Ok(text) } else { Err(Error::PersonId) }
}

fn later(day: Date, days: i64) -> Date {
    day.saturating_add(Span::new().days(days))
}
