//! What we write and what we read.

use super::*;

const PERSON: &str = "191212121212";

fn unit() -> HsaId {
    HsaId::new("SE2321000156-TEST1")
}

fn wish<'a>(unit: &'a HsaId, booking_id: Option<&'a str>) -> Wish<'a> {
    let time = |text: &str| text.parse().expect("a time");
    Wish {
        unit,
        person: PERSON,
        time_type: "HALSOSAMTAL40",
        start: time("2026-09-15T07:00:00Z"),
        end: time("2026-09-15T08:00:00Z"),
        performer: None,
        booking_id,
    }
}

#[test]
fn the_person_of_a_search_is_in_the_extension_namespace() {
    let day = |d| Date::new(2026, 9, d).expect("a day");
    let search = Search {
        unit: &unit(),
        person: PERSON,
        time_type: "T",
        from: day(1),
        to: day(7),
        booking_id: None,
    };
    let root = Element::parse(&get_available_timeslots(&search)).expect("reads");
    assert!(root.is(
        "urn:riv:crm:scheduling:GetAvailableTimeslotsResponder:1",
        "GetAvailableTimeslots"
    ));
    assert_eq!(
        root.text_of(
            "urn:riv:crm:scheduling:GetAvailableTimeslotsResponder:1.1",
            "subject_of_care"
        ),
        Some(PERSON)
    );
    let names: Vec<_> = root
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "healthcare_facility",
            "startDateInclusive",
            "endDateInclusive",
            "timeTypeID",
            "subject_of_care"
        ]
    );
}

#[test]
fn a_booking_names_the_person_and_the_kallelse() {
    let name = Name {
        given: "Tolvan".into(),
        middle: None,
        surname: "Tolvansson <&>".into(),
        notification: None,
    };
    let root =
        Element::parse(&make_booking(&wish(&unit(), Some("INV-123")), &name)).expect("reads");
    let ns = MAKE_BOOKING.message_namespace();
    let slot = root.require(&ns, "requestedTimeslot").expect("a slot");
    let names: Vec<_> = slot
        .children
        .iter()
        .map(|child| child.name.as_str())
        .collect();
    let expect = [
        "startTimeInclusive",
        "endTimeExclusive",
        "healthcare_facility",
        "bookingId",
        "subject_of_care",
        "timeTypeID",
    ];
    assert_eq!(names, expect);
    assert_eq!(
        slot.text_of(TYPES, "startTimeInclusive"),
        Some("20260915090000")
    );
    let info = root
        .require(&ns, "subject_of_care_info")
        .expect("the person");
    assert_eq!(info.text_of(TYPES_1_1, "lastName"), Some("Tolvansson <&>"));
    assert_eq!(info.children.len(), 2);
}

#[test]
fn a_person_with_one_name_can_be_booked() {
    let name = Name {
        given: String::new(),
        middle: None,
        surname: "Sukarno".into(),
        notification: None,
    };
    assert!(make_booking(&wish(&unit(), None), &name).contains("<x:firstName>-</x:firstName>"));
}

#[test]
fn verdicts_are_read() {
    let answer = |inner: &str| {
        format!(
            "<q:MakeBookingResponse xmlns:q='urn:riv:crm:scheduling:MakeBookingResponder:1'>{inner}</q:MakeBookingResponse>"
        )
    };
    let check = |inner: &str, expect: Result<(bool, Option<&str>, Option<&str>), Error>| {
        let verdict = verdict(&MAKE_BOOKING, &answer(inner));
        assert_eq!(
            verdict
                .as_ref()
                .map(|v| (v.done, v.text.as_deref(), v.booking_id.as_deref()))
                .map_err(Clone::clone),
            expect,
            "{inner}"
        );
    };
    let ok = "<q:bookingId>BK-456</q:bookingId><q:resultCode>OK</q:resultCode>";
    check(ok, Ok((true, None, Some("BK-456"))));
    check(
        "<q:bookingId>1</q:bookingId><q:resultCode>INFO</q:resultCode><q:resultText>Kom fastande.</q:resultText>",
        Ok((true, Some("Kom fastande."), Some("1"))),
    );
    check(
        "<q:resultCode>ERROR</q:resultCode><q:resultText>Upptagen</q:resultText>",
        Ok((false, Some("Upptagen"), None)),
    );
    check(
        "<q:ResultCode>OK</q:ResultCode>",
        Err(Error::Missing("resultCode".into())),
    );
    check(
        "<q:resultCode>Maybe</q:resultCode>",
        Err(Error::Value {
            name: "resultCode".into(),
            expected: "OK, INFO or ERROR",
        }),
    );
    assert_eq!(
        verdict(&UPDATE_BOOKING, &answer(ok)),
        Err(Error::Missing("UpdateBookingResponse".into()))
    );
}

#[test]
fn timeslots_are_read_with_and_without_what_is_optional() {
    let answer = |inner: &str| {
        format!(
            "<GetBookingDetailsResponse xmlns='urn:riv:crm:scheduling:GetBookingDetailsResponder:1' xmlns:c='{TYPES}' \
             xmlns:m='{TYPES_1_1}'><timeslotDetail>{inner}</timeslotDetail></GetBookingDetailsResponse>"
        )
    };
    let read = |inner: &str| {
        timeslots(&GET_BOOKING_DETAILS, &answer(inner)).map(|mut slots| slots.remove(0))
    };
    let open = read("<c:healthcare_facility>se2321000156-test1</c:healthcare_facility><m:isInvitation>1</m:isInvitation>").expect("reads");
    assert_eq!(
        (open.start, open.invitation, open.unit),
        (None, true, unit())
    );
    let timed = read(
        "<c:startTimeInclusive>20260115090000</c:startTimeInclusive><c:endTimeExclusive>20260115100000</c:endTimeExclusive>\
         <c:healthcare_facility>X</c:healthcare_facility><c:bookingId>1</c:bookingId>",
    )
    .expect("reads");
    assert_eq!(
        timed.start.map(|at| at.to_string()).as_deref(),
        Some("2026-01-15T08:00:00Z")
    );
    assert!(!timed.invitation);
    assert!(read("<c:startTimeInclusive>i morgon</c:startTimeInclusive><c:healthcare_facility>X</c:healthcare_facility>").is_err());
    assert!(read("<c:bookingId>1</c:bookingId>").is_err());
}

#[test]
fn no_answer_panics() {
    for text in [
        "",
        "<a/>",
        "<GetBookingDetailsResponse/>",
        "\u{feff}",
        "<a>&#0;</a>",
        "<r:x/>",
    ] {
        assert!(timeslots(&GET_BOOKING_DETAILS, text).is_err());
        assert!(verdict(&MAKE_BOOKING, text).is_err());
    }
}
