//! Our words and crm:scheduling 1.1's, both ways. Pure: no network, no clock.
//!
//! Order and namespaces are those of the XSDs. Three things are easy to get wrong: `subject_of_care`
//! of GetAvailableTimeslots is in the contract's own extension namespace `…Responder:1.1`, names and
//! `isInvitation` are in `urn:riv:crm:scheduling:1.1`, and an element without content is left out.

use halsonav_domain::{HsaId, Name, Timestamp};
use halsonav_rivta::{
    Contract,
    xml::{Element, Error, date, document, parse_date, parse_timestamp, timestamp},
};
use jiff::civil::Date;

const DOMAIN: &str = "urn:riv:crm:scheduling";
const TYPES: &str = "urn:riv:crm:scheduling:1";
const TYPES_1_1: &str = "urn:riv:crm:scheduling:1.1";

/// `serviceDomain` of engagements that concern bookings.
pub(crate) const SERVICE_DOMAIN: &str = "riv:crm:scheduling";

pub(crate) const GET_AVAILABLE_TIMESLOTS: Contract =
    Contract::new(DOMAIN, "GetAvailableTimeslots", 1);
pub(crate) const GET_BOOKING_DETAILS: Contract = Contract::new(DOMAIN, "GetBookingDetails", 1);
pub(crate) const GET_SUBJECT_OF_CARE_SCHEDULE: Contract =
    Contract::new(DOMAIN, "GetSubjectOfCareSchedule", 1);
pub(crate) const MAKE_BOOKING: Contract = Contract::new(DOMAIN, "MakeBooking", 1);
pub(crate) const UPDATE_BOOKING: Contract = Contract::new(DOMAIN, "UpdateBooking", 1);
pub(crate) const CANCEL_BOOKING: Contract = Contract::new(DOMAIN, "CancelBooking", 1);

/// A free time, a booking or a kallelse, without the person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timeslot {
    /// Start; an open kallelse has none.
    pub start: Option<Timestamp>,
    /// End.
    pub end: Option<Timestamp>,
    /// The unit, by HSA-id.
    pub unit: HsaId,
    /// The leader, by HSA-id.
    pub performer: Option<String>,
    /// The leader's name as the booking system shows it.
    pub performer_name: Option<String>,
    /// The booking; a free time has none.
    pub booking_id: Option<String>,
    /// `timeTypeID`.
    pub time_type: Option<String>,
    /// A kallelse that nobody has answered to yet.
    pub invitation: bool,
}

/// What a booking system said of a change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    /// `OK` or `INFO`: it is done.
    pub done: bool,
    /// What the resident must be shown.
    pub text: Option<String>,
    /// The booking that was made.
    pub booking_id: Option<String>,
}

/// A question for free times.
pub(crate) struct Search<'a> {
    pub unit: &'a HsaId,
    pub person: &'a str,
    pub time_type: &'a str,
    pub from: Date,
    pub to: Date,
    /// The kallelse to answer or the booking to move.
    pub booking_id: Option<&'a str>,
}

/// A time to take.
pub(crate) struct Wish<'a> {
    pub unit: &'a HsaId,
    pub person: &'a str,
    pub time_type: &'a str,
    pub start: Timestamp,
    pub end: Timestamp,
    pub performer: Option<&'a str>,
    /// MakeBooking: the open kallelse to use up. UpdateBooking: the booking to move.
    pub booking_id: Option<&'a str>,
}

/// The Swedish calendar day of a point in time.
pub(crate) fn day(at: Timestamp) -> Option<Date> {
    timestamp(at).get(..8).and_then(parse_date)
}

fn request(contract: &Contract, content: impl FnOnce(&mut halsonav_rivta::xml::Writer)) -> String {
    let ns = contract.message_namespace();
    let extension = format!("{ns}.1");
    let namespaces = [
        ("r", ns.as_str()),
        ("c", TYPES),
        ("x", TYPES_1_1),
        ("e", extension.as_str()),
    ];
    document(
        &format!("r:{}", contract.request_element()),
        &namespaces,
        content,
    )
}

pub(crate) fn get_available_timeslots(search: &Search<'_>) -> String {
    request(&GET_AVAILABLE_TIMESLOTS, |w| {
        w.text("r:healthcare_facility", search.unit.as_str());
        w.optional("r:bookingId", search.booking_id);
        w.text("r:startDateInclusive", &date(search.from));
        w.text("r:endDateInclusive", &date(search.to));
        w.text("r:timeTypeID", search.time_type);
        w.text("e:subject_of_care", search.person);
    })
}

pub(crate) fn get_booking_details(unit: &HsaId, booking_id: &str) -> String {
    request(&GET_BOOKING_DETAILS, |w| {
        w.text("r:healthcare_facility", unit.as_str());
        w.text("r:bookingId", booking_id);
    })
}

pub(crate) fn get_subject_of_care_schedule(unit: &HsaId, person: &str) -> String {
    request(&GET_SUBJECT_OF_CARE_SCHEDULE, |w| {
        w.text("r:healthcare_facility", unit.as_str());
        w.text("r:subject_of_care", person);
    })
}

pub(crate) fn make_booking(wish: &Wish<'_>, name: &Name) -> String {
    request(&MAKE_BOOKING, |w| {
        w.text("r:healthcare_facility_med", wish.unit.as_str());
        timeslot(w, wish);
        w.element("r:subject_of_care_info", |w| {
            w.text("x:firstName", mandatory(&name.given));
            w.optional("x:middleName", name.middle.as_deref());
            w.text("x:lastName", mandatory(&name.surname));
        });
    })
}

pub(crate) fn update_booking(wish: &Wish<'_>) -> String {
    request(&UPDATE_BOOKING, |w| timeslot(w, wish))
}

pub(crate) fn cancel_booking(unit: &HsaId, booking_id: &str) -> String {
    request(&CANCEL_BOOKING, |w| {
        w.text("r:healthcare_facility", unit.as_str());
        w.text("r:bookingId", booking_id);
    })
}

/// Both parts of the name are mandatory and may not be empty, but there are people with one name.
fn mandatory(part: &str) -> &str {
    if part.trim().is_empty() { "-" } else { part }
}

fn timeslot(w: &mut halsonav_rivta::xml::Writer, wish: &Wish<'_>) {
    w.element("r:requestedTimeslot", |w| {
        w.text("c:startTimeInclusive", &timestamp(wish.start));
        w.text("c:endTimeExclusive", &timestamp(wish.end));
        w.text("c:healthcare_facility", wish.unit.as_str());
        w.optional("c:performer", wish.performer);
        w.optional("c:bookingId", wish.booking_id);
        w.text("c:subject_of_care", wish.person);
        w.text("c:timeTypeID", wish.time_type);
    });
}

/// Reads `timeslotDetail`s of a response to `contract`.
pub(crate) fn timeslots(contract: &Contract, answer: &str) -> Result<Vec<Timeslot>, Error> {
    let (root, ns) = response(contract, answer)?;
    root.all(&ns, "timeslotDetail").map(read_timeslot).collect()
}

/// Reads `resultCode`, `resultText` and, of MakeBooking, `bookingId`.
pub(crate) fn verdict(contract: &Contract, answer: &str) -> Result<Verdict, Error> {
    let (root, ns) = response(contract, answer)?;
    let done = match root.require_text(&ns, "resultCode")? {
        "OK" | "INFO" => true,
        "ERROR" => false,
        _ => {
            return Err(Error::Value {
                name: "resultCode".to_owned(),
                expected: "OK, INFO or ERROR",
            });
        }
    };
    let text = |name| root.text_of(&ns, name).map(str::to_owned);
    Ok(Verdict {
        done,
        text: text("resultText"),
        booking_id: text("bookingId"),
    })
}

/// The response element, which must be the one that was asked for.
fn response(contract: &Contract, answer: &str) -> Result<(Element, String), Error> {
    let root = Element::parse(answer)?;
    let (ns, name) = (contract.message_namespace(), contract.response_element());
    if root.is(&ns, &name) {
        Ok((root, ns))
    } else {
        Err(Error::Missing(name))
    }
}

fn read_timeslot(slot: &Element) -> Result<Timeslot, Error> {
    let time = |name: &str| match slot.text_of(TYPES, name) {
        None => Ok(None),
        Some(text) => parse_timestamp(text).map(Some).ok_or_else(|| Error::Value {
            name: name.to_owned(),
            expected: "a point in time, YYYYMMDDhhmmss",
        }),
    };
    let text = |name| slot.text_of(TYPES, name).map(str::to_owned);
    Ok(Timeslot {
        start: time("startTimeInclusive")?,
        end: time("endTimeExclusive")?,
        unit: HsaId::new(slot.require_text(TYPES, "healthcare_facility")?),
        performer: text("performer"),
        performer_name: text("performerName"),
        booking_id: text("bookingId"),
        time_type: text("timeTypeID"),
        invitation: slot.flag(TYPES_1_1, "isInvitation")?.unwrap_or(false),
    })
}

#[cfg(test)]
#[path = "translate_tests.rs"]
mod tests;
