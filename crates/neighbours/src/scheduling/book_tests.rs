//! What the book allows, and what it looks like afterwards.

use super::*;

const PERSON: &str = "191212121212";
const OTHER: &str = "198001012385";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn unit() -> HsaId {
    HsaId::new("U")
}

fn book() -> Book {
    Book::open(vec![Facility::new(unit(), "Enheten", 1, "T")])
}

fn now() -> Timestamp {
    at("2026-09-01T06:00:00Z")
}

fn wish<'a>(unit: &'a HsaId, person: &'a str, start: &str, booking: Option<&'a str>) -> Wish<'a> {
    Wish {
        unit,
        person,
        time_type: Some("T"),
        start: at(start),
        end: None,
        performer: None,
        booking,
    }
}

/// Decides and applies; answers the booking's id.
fn take(book: &mut Book, decided: Result<Entry, Refusal>) -> Result<String, Refusal> {
    let entry = decided?;
    book.apply(&entry);
    match entry {
        Entry::Invited { booking, .. }
        | Entry::Booked { booking, .. }
        | Entry::Moved { booking, .. }
        | Entry::Cancelled { booking, .. } => Ok(booking.id),
        Entry::Notified { .. } => Ok(String::new()),
    }
}

#[test]
fn a_time_is_booked_once_and_free_again_when_cancelled() {
    let (mut book, unit) = (book(), unit());
    let nine = "2026-09-02T07:00:00Z";
    let decided = book.decide_booking(&wish(&unit, PERSON, nine, None), now());
    let id = take(&mut book, decided).expect("is free");
    assert_eq!(
        book.decide_booking(&wish(&unit, OTHER, nine, None), now())
            .err(),
        Some(Refusal::Taken)
    );
    let decided = book.decide_cancel(&unit, &id, now());
    take(&mut book, decided).expect("is there");
    assert!(
        book.decide_booking(&wish(&unit, OTHER, nine, None), now())
            .is_ok()
    );
    assert_eq!(
        book.decide_cancel(&unit, &id, now()).err(),
        Some(Refusal::NoSuchBooking)
    );
}

#[test]
fn rules_have_reasons() {
    let (mut book, unit) = (book(), unit());
    let check = |book: &Book, start: &str, expect| {
        assert_eq!(
            book.decide_booking(&wish(&unit, PERSON, start, None), now())
                .err(),
            expect,
            "{start}"
        );
    };
    check(&book, "2026-08-31T07:00:00Z", Some(Refusal::Passed));
    check(&book, "2026-09-02T07:17:00Z", Some(Refusal::NoSuchTime));
    check(&book, "2026-09-05T07:00:00Z", Some(Refusal::NoSuchTime));
    check(&book, "2026-09-02T07:00:00Z", None);
    let mut elsewhere = wish(&unit, PERSON, "2026-09-02T07:00:00Z", None);
    elsewhere.time_type = Some("X");
    assert_eq!(
        book.decide_booking(&elsewhere, now()).err(),
        Some(Refusal::NoSuchTime)
    );
    let decided = book.decide_booking(&wish(&unit, PERSON, "2026-09-02T07:00:00Z", None), now());
    let id = take(&mut book, decided).expect("is free");
    check(&book, "2026-09-02T07:00:00Z", Some(Refusal::Occupied));
    let later = at("2026-09-03T00:00:00Z");
    assert_eq!(
        book.decide_cancel(&unit, &id, later).err(),
        Some(Refusal::Passed)
    );
    let moving = wish(&unit, PERSON, "2026-09-04T07:00:00Z", Some(&id));
    assert_eq!(
        book.decide_move(&moving, later).err(),
        Some(Refusal::Passed)
    );
}

#[test]
fn a_kallelse_is_used_once_and_by_its_owner() {
    let (mut book, unit) = (book(), unit());
    let decided = book.decide_invitation(&unit, PERSON, None, now());
    let invitation = take(&mut book, decided).expect("is issued");
    let (nine, ten) = ("2026-09-02T07:00:00Z", "2026-09-02T08:00:00Z");
    let theirs = wish(&unit, OTHER, nine, Some(&invitation));
    assert_eq!(
        book.decide_booking(&theirs, now()).err(),
        Some(Refusal::NoSuchBooking)
    );
    assert!(
        book.schedule(&unit, PERSON, now()).is_empty(),
        "an open kallelse is not in the schedule"
    );
    let decided = book.decide_booking(&wish(&unit, PERSON, nine, Some(&invitation)), now());
    take(&mut book, decided).expect("is taken");
    assert_eq!(
        book.decide_booking(&wish(&unit, PERSON, ten, Some(&invitation)), now())
            .err(),
        Some(Refusal::InvitationUsed)
    );
    assert_eq!(book.schedule(&unit, PERSON, now()).len(), 1);
}

#[test]
fn a_move_frees_the_old_time() {
    let (mut book, unit) = (book(), unit());
    let (nine, ten) = ("2026-09-02T07:00:00Z", "2026-09-02T08:00:00Z");
    let decided = book.decide_booking(&wish(&unit, PERSON, nine, None), now());
    let id = take(&mut book, decided).expect("is free");
    let decided = book.decide_move(&wish(&unit, PERSON, ten, Some(&id)), now());
    assert_eq!(take(&mut book, decided), Ok(id.clone()));
    assert!(
        book.decide_booking(&wish(&unit, OTHER, nine, None), now())
            .is_ok()
    );
    assert_eq!(
        book.decide_booking(&wish(&unit, OTHER, ten, None), now())
            .err(),
        Some(Refusal::Taken)
    );
    assert_eq!(
        book.decide_move(&wish(&unit, OTHER, nine, Some(&id)), now())
            .err(),
        Some(Refusal::NoSuchBooking)
    );
}

#[test]
fn ids_are_never_given_twice() {
    let (mut book, unit) = (book(), unit());
    let nine = "2026-09-02T07:00:00Z";
    let mut seen = HashSet::new();
    for _ in 0..3 {
        let decided = book.decide_booking(&wish(&unit, PERSON, nine, None), now());
        let id = take(&mut book, decided).expect("is free");
        assert!(seen.insert(id.clone()));
        let decided = book.decide_cancel(&unit, &id, now());
        take(&mut book, decided).expect("is there");
    }
}
