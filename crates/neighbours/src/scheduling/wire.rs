//! The contracts, as a strict producer answers them.

use std::sync::Arc;

use halsonav_domain::{HsaId, Timestamp};
use halsonav_rivta::{
    Contract, Request, ServerBuilder, SoapFault, handler,
    xml::{Element, Writer, document, parse_date, parse_timestamp, timestamp},
};

use super::{
    Error, Office,
    book::Book,
    entry::{Booking, Slot, Wish},
};
use crate::faults::Fault;

const DOMAIN: &str = "urn:riv:crm:scheduling";
const TYPES: &str = "urn:riv:crm:scheduling:1";
const TYPES_1_1: &str = "urn:riv:crm:scheduling:1.1";
/// Longest window and largest answer of GetAvailableTimeslots.
const DAYS: i32 = 400;
const SLOTS: usize = 2000;

type Answer = Result<String, SoapFault>;
type Operation = fn(&Office, &Element, &Request) -> Answer;

const OPERATIONS: [(&str, Operation); 6] = [
    ("GetAvailableTimeslots", available_timeslots),
    ("GetBookingDetails", booking_details),
    ("GetSubjectOfCareSchedule", schedule),
    ("MakeBooking", make_booking),
    ("UpdateBooking", update_booking),
    ("CancelBooking", cancel_booking),
];

pub(super) fn operations(mut builder: ServerBuilder, office: &Arc<Office>) -> ServerBuilder {
    for (name, operation) in OPERATIONS {
        let office = Arc::clone(office);
        let answer = handler(move |request| {
            let answer = answer(&office, name, operation, &request);
            office.wiretap.hear(&request, &answer);
            async move { answer }
        });
        builder = builder.operation(&Contract::new(DOMAIN, name, 1), answer);
    }
    builder
}

fn answer(office: &Office, name: &'static str, operation: Operation, request: &Request) -> Answer {
    let carry_out = || {
        let root = request.element()?;
        if request.actor.is_none() {
            return Err(SoapFault::client("the Actor header is missing"));
        }
        operation(office, &root, request)
    };
    let change = !name.starts_with("Get");
    match office
        .faults
        .take()
        .or_else(|| change.then(|| office.change_faults.take()).flatten())
    {
        None => carry_out(),
        Some(Fault::LoseAnswer) => carry_out().and(Err(SoapFault::silence())),
        Some(Fault::DropRequest) => Err(SoapFault::silence()),
        Some(Fault::Technical) => Err(SoapFault::server(
            "Tekniskt fel. Logg-id 4f1c6a3e-0000-4000-8000-000000000000",
        )),
        Some(Fault::Logical) => Ok(refusal(name)),
        Some(Fault::Garbage) => Err(SoapFault::noise()),
        Some(Fault::WrongAnswer) => carry_out().map(|_| response("GetAllTimeTypes", |_| {})),
    }
}

fn refusal(name: &'static str) -> String {
    response(name, |w| {
        if !name.starts_with("Get") {
            w.text("r:resultCode", "ERROR");
            w.text("r:resultText", "Åtgärden kunde inte utföras.");
        }
    })
}

fn response(name: &'static str, content: impl FnOnce(&mut Writer)) -> String {
    let contract = Contract::new(DOMAIN, name, 1);
    let ns = contract.message_namespace();
    document(
        &format!("r:{}", contract.response_element()),
        &[("r", &ns), ("c", TYPES), ("m", TYPES_1_1)],
        content,
    )
}

fn available_timeslots(office: &Office, root: &Element, request: &Request) -> Answer {
    let ns = root.ns.to_string();
    let unit = facility(root, &ns, "healthcare_facility", request)?;
    person(mandatory(root, &format!("{ns}.1"), "subject_of_care")?)?;
    let day = |name| {
        parse_date(mandatory(root, &ns, name)?)
            .ok_or_else(|| SoapFault::client(format!("{name} is not a DT")))
    };
    let (first, last) = (day("startDateInclusive")?, day("endDateInclusive")?);
    if first.until(last).map_or(DAYS + 1, |span| span.get_days()) > DAYS {
        return Err(SoapFault::client("the period is too long"));
    }
    let performers: Vec<_> = root
        .all(&ns, "performer")
        .map(|performer| HsaId::new(performer.value()))
        .collect();
    let state = office.lock();
    let Some(house) = state.book.facility(&unit) else {
        return Err(SoapFault::client("no such healthcare_facility"));
    };
    let wanted = root.text_of(&ns, "timeTypeID");
    let kinds: Vec<_> = house
        .time_types
        .iter()
        .filter(|kind| wanted.is_none_or(|wanted| wanted == kind.id))
        .collect();
    Ok(response("GetAvailableTimeslots", |w| {
        for slot in state
            .book
            .free(&unit, (first, last), &performers, office.clock.now())
            .take(SLOTS)
        {
            for kind in &kinds {
                let free = Shown {
                    unit: &unit,
                    slot: Some(&slot),
                    time_type: &kind.id,
                    booking: None,
                    flags: false,
                };
                timeslot(w, &state.book, &free);
            }
        }
    }))
}

fn booking_details(office: &Office, root: &Element, request: &Request) -> Answer {
    let ns = root.ns.to_string();
    let unit = facility(root, &ns, "healthcare_facility", request)?;
    let id = mandatory(root, &ns, "bookingId")?;
    let state = office.lock();
    match state
        .book
        .booking(id)
        .filter(|booking| booking.unit == unit)
    {
        // The contract has one timeslotDetail, neither more nor less: what is not there is a fault.
        None => Err(SoapFault::client("no such bookingId")),
        Some(booking) => Ok(response("GetBookingDetails", |w| {
            timeslot(w, &state.book, &Shown::booking(booking, true))
        })),
    }
}

fn schedule(office: &Office, root: &Element, request: &Request) -> Answer {
    let ns = root.ns.to_string();
    let unit = facility(root, &ns, "healthcare_facility", request)?;
    let person = person(mandatory(root, &ns, "subject_of_care")?)?;
    let state = office.lock();
    let ahead = state.book.schedule(&unit, person, office.clock.now());
    Ok(response("GetSubjectOfCareSchedule", |w| {
        for booking in ahead {
            timeslot(w, &state.book, &Shown::booking(booking, true));
        }
    }))
}

fn make_booking(office: &Office, root: &Element, request: &Request) -> Answer {
    let ns = root.ns.to_string();
    let unit = facility(root, &ns, "healthcare_facility_med", request)?;
    let info = root.require(&ns, "subject_of_care_info").map_err(client)?;
    mandatory(info, TYPES_1_1, "firstName")?;
    mandatory(info, TYPES_1_1, "lastName")?;
    let asked = Asked::read(root, &ns, &unit)?;
    let made = office.change(|book, now| book.decide_booking(&asked.wish(&unit), now));
    let notice = |booking: &Booking| {
        let state = office.lock();
        state
            .book
            .facility(&unit)
            .and_then(|house| house.time_type(&booking.time_type))
            .and_then(|kind| kind.notice.clone())
    };
    verdict(
        "MakeBooking",
        made.map(|booking| (Some(booking.id.clone()), notice(&booking))),
    )
}

fn update_booking(office: &Office, root: &Element, request: &Request) -> Answer {
    let ns = root.ns.to_string();
    let slot = root.require(&ns, "requestedTimeslot").map_err(client)?;
    let unit = facility(slot, TYPES, "healthcare_facility", request)?;
    let asked = Asked::read(root, &ns, &unit)?;
    if asked.booking.is_none() {
        return Err(SoapFault::client("element bookingId is missing"));
    }
    let moved = office.change(|book, now| book.decide_move(&asked.wish(&unit), now));
    verdict("UpdateBooking", moved.map(|_| (None, None)))
}

fn cancel_booking(office: &Office, root: &Element, request: &Request) -> Answer {
    let ns = root.ns.to_string();
    let unit = facility(root, &ns, "healthcare_facility", request)?;
    let id = mandatory(root, &ns, "bookingId")?;
    let cancelled = office.change(|book, now| book.decide_cancel(&unit, id, now));
    verdict("CancelBooking", cancelled.map(|_| (None, None)))
}

fn verdict(name: &'static str, result: Result<(Option<String>, Option<String>), Error>) -> Answer {
    let (booking, code, text) = match result {
        Ok((booking, None)) => (booking, "OK", None),
        Ok((booking, Some(notice))) => (booking, "INFO", Some(notice)),
        Err(Error::Refused(refusal)) => (None, "ERROR", Some(refusal.to_string())),
        Err(Error::Tape(_)) => return Err(SoapFault::server("the booking could not be stored")),
    };
    Ok(response(name, |w| {
        w.optional("r:bookingId", booking.as_deref());
        w.text("r:resultCode", code);
        w.optional("r:resultText", text.as_deref());
    }))
}

/// A requestedTimeslot.
struct Asked<'a> {
    person: &'a str,
    time_type: Option<&'a str>,
    start: Timestamp,
    end: Timestamp,
    performer: Option<HsaId>,
    booking: Option<&'a str>,
}

impl<'a> Asked<'a> {
    fn read(root: &'a Element, ns: &str, unit: &HsaId) -> Result<Self, SoapFault> {
        let slot = root.require(ns, "requestedTimeslot").map_err(client)?;
        if HsaId::new(mandatory(slot, TYPES, "healthcare_facility")?) != *unit {
            return Err(SoapFault::client("the units in the request differ"));
        }
        let forbidden = [
            "cancel_booking_allowed",
            "rebooking_allowed",
            "message_allowed",
        ];
        if forbidden
            .iter()
            .any(|name| slot.child(TYPES, name).is_some())
            || slot.child(TYPES_1_1, "isInvitation").is_some()
        {
            return Err(SoapFault::client(
                "requestedTimeslot holds elements that must be left out",
            ));
        }
        let time = |name| {
            parse_timestamp(mandatory(slot, TYPES, name)?)
                .ok_or_else(|| SoapFault::client(format!("{name} is not a TS")))
        };
        Ok(Self {
            person: person(mandatory(slot, TYPES, "subject_of_care")?)?,
            time_type: slot.text_of(TYPES, "timeTypeID"),
            start: time("startTimeInclusive")?,
            end: time("endTimeExclusive")?,
            performer: slot.text_of(TYPES, "performer").map(HsaId::new),
            booking: slot.text_of(TYPES, "bookingId"),
        })
    }

    fn wish<'b>(&'b self, unit: &'b HsaId) -> Wish<'b> {
        Wish {
            unit,
            person: self.person,
            time_type: self.time_type,
            start: self.start,
            end: Some(self.end),
            performer: self.performer.as_ref(),
            booking: self.booking,
        }
    }
}

/// A timeslotDetail.
struct Shown<'a> {
    unit: &'a HsaId,
    slot: Option<&'a Slot>,
    time_type: &'a str,
    booking: Option<&'a Booking>,
    flags: bool,
}

impl<'a> Shown<'a> {
    fn booking(booking: &'a Booking, flags: bool) -> Self {
        Self {
            unit: &booking.unit,
            slot: booking.slot.as_ref(),
            time_type: &booking.time_type,
            booking: Some(booking),
            flags,
        }
    }
}

fn timeslot(w: &mut Writer, book: &Book, shown: &Shown<'_>) {
    let house = book.facility(shown.unit);
    let leader = house
        .zip(shown.slot)
        .and_then(|(house, slot)| house.leaders.get(usize::from(slot.leader)));
    w.element("r:timeslotDetail", |w| {
        if let Some(slot) = shown.slot {
            w.text("c:startTimeInclusive", &timestamp(slot.start));
            w.text("c:endTimeExclusive", &timestamp(slot.end));
        }
        w.text("c:healthcare_facility", shown.unit.as_str());
        w.optional("c:performer", leader.map(|leader| leader.id.as_str()));
        w.optional(
            "c:bookingId",
            shown.booking.map(|booking| booking.id.as_str()),
        );
        w.optional(
            "c:subject_of_care",
            shown.booking.map(|booking| booking.person.as_str()),
        );
        let invitation = shown.booking.is_some_and(|booking| booking.invitation);
        w.optional(
            "c:purpose",
            invitation.then_some("Välkommen till ett hälsosamtal."),
        );
        w.optional(
            "c:healthcare_facility_name",
            house.map(|house| house.name.as_str()),
        );
        w.optional("c:performerName", leader.map(|leader| leader.name.as_str()));
        w.optional(
            "c:timeTypeName",
            house
                .and_then(|house| house.time_type(shown.time_type))
                .map(|kind| kind.name.as_str()),
        );
        w.text("c:timeTypeID", shown.time_type);
        if shown.flags {
            for name in [
                "c:cancel_booking_allowed",
                "c:rebooking_allowed",
                "c:message_allowed",
            ] {
                w.flag(name, name != "c:message_allowed");
            }
            w.flag("m:isInvitation", invitation);
        }
    });
}

fn client(error: halsonav_rivta::xml::Error) -> SoapFault {
    SoapFault::client(error.to_string())
}

fn mandatory<'a>(element: &'a Element, ns: &str, name: &str) -> Result<&'a str, SoapFault> {
    element.require_text(ns, name).map_err(client)
}

/// The unit, which must be the one that the request is addressed to.
fn facility(
    element: &Element,
    ns: &str,
    name: &str,
    request: &Request,
) -> Result<HsaId, SoapFault> {
    let unit = HsaId::new(mandatory(element, ns, name)?);
    if HsaId::new(&request.logical_address) == unit {
        Ok(unit)
    } else {
        Err(SoapFault::client(format!(
            "{name} is not the LogicalAddress"
        )))
    }
}

fn person(text: &str) -> Result<&str, SoapFault> {
    let fits = text.len() == 12
        && text
            .bytes()
            .enumerate()
            .all(|(n, b)| b.is_ascii_digit() || (n == 8 && b"pPtTfF".contains(&b)));
    if fits {
        Ok(text)
    } else {
        Err(SoapFault::client(
            "subject_of_care is not an identity of the contract",
        ))
    }
}
