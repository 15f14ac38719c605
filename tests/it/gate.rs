//! Nobody who is dead, abroad, protected or unwilling gets anything by the ordinary way, from the moment
//! that the hub could know. Looked for where it would arrive: in the neighbours' own records.

use std::{collections::BTreeMap, sync::LazyLock};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{
    people::{Person, Story, case, people, round},
    support::{Round, binary, files},
};

fn stories() -> Vec<Story> {
    let plain = Story {
        inbox: true,
        answer: Some("silent"),
        ..Story::default()
    };
    let paper = Story {
        inbox: false,
        ..plain
    };
    let mut stories = Vec::new();
    for base in [plain, paper] {
        let fates = [
            ("2026-01-21", "deceased"),
            ("2026-02-20", "deceased"),
            ("2026-01-22", "emigrated"),
            ("2026-01-23", "protected"),
            ("2026-02-24", "protected"),
        ];
        stories.extend(fates.map(|fate| Story {
            fate: Some(fate),
            ..base
        }));
        // Has booked, and dies or is protected before the visit.
        stories.push(Story {
            fate: Some(("2026-01-29", "deceased")),
            answer: Some("books"),
            ..base
        });
        stories.push(Story {
            fate: Some(("2026-01-29", "protected")),
            answer: Some("books"),
            ..base
        });
        for grade in [
            "sekretessmarkering",
            "skyddad-folkbokforing",
            "fingerade-personuppgifter",
        ] {
            stories.push(Story {
                protection: Some(grade),
                ..base
            });
        }
        stories.push(Story {
            answer: Some("declines"),
            ..base
        });
        stories.push(Story {
            answer: Some("opts-out"),
            ..base
        });
        stories.push(Story {
            answer: Some("books"),
            ..base
        });
        stories.push(Story {
            paper_opt_out: true,
            ..base
        });
    }
    stories
}

struct Met {
    round: Round,
    people: Vec<Person>,
}

fn met() -> &'static Met {
    static MET: LazyLock<Met> = LazyLock::new(|| {
        let people = people(&stories());
        let round = round("gate", &people);
        Met { round, people }
    });
    &MET
}

/// Something that reached a person, and when.
#[derive(Debug)]
struct Reached {
    what: &'static str,
    at: Timestamp,
}

fn moment(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// Messages, forms and orders in the neighbours' records, by the person's number.
fn reached(round: &Round, person: &Person) -> Vec<Reached> {
    let mut found = Vec::new();
    let sources = [
        (
            "neighbours/inbox.jsonl",
            "Received",
            "received",
            "a message",
        ),
        ("neighbours/forms.jsonl", "Created", "created", "a form"),
        ("neighbours/lab.jsonl", "Ordered", "received", "a referral"),
    ];
    for (file, kind, time, what) in sources {
        if !round.out.join(file).is_file() {
            continue;
        }
        for line in round.lines(file) {
            let entry = &line[kind];
            let entry = entry.get("form").unwrap_or(entry);
            if entry["person"] == person.number.as_str() {
                found.push(Reached {
                    what,
                    at: moment(&entry[time]),
                });
            }
        }
    }
    found
}

/// The person's line in the ledger.
fn row(round: &Round, person: &Person) -> BTreeMap<String, String> {
    let case = case(round, person).expect("a case");
    let mut rows = round.ledger().into_iter();
    rows.find(|row| row["case"] == case).expect("a row")
}

/// Events of a type of the person's case.
fn events(round: &Round, person: &Person, kind: &str) -> Vec<Timestamp> {
    let Some(case) = case(round, person) else {
        return Vec::new();
    };
    let lines = round.lines("events.jsonl");
    let events = lines.iter().map(|line| &line["event"]);
    let of_case = events.filter(|event| event["type"] == kind && event["subject"] == case.as_str());
    of_case.map(|event| moment(&event["time"])).collect()
}

/// Register data may be a day old when a person is contacted; the register learns it at 7 in the morning.
fn could_know(day: &str) -> Timestamp {
    let date: jiff::civil::Date = day.parse().unwrap();
    let zone = jiff::tz::TimeZone::get("Europe/Stockholm").unwrap();
    let learns = date.at(7, 0, 0, 0).to_zoned(zone).unwrap().timestamp();
    learns + SignedDuration::from_hours(24)
}

#[test]
fn everybody_in_the_file_is_in_the_ledger() {
    if binary().is_none() {
        return;
    }
    let met = met();
    assert_eq!(
        met.round.number("invited") as usize,
        met.people.len(),
        "{}",
        met.round.told
    );
    assert_eq!(met.round.number("unaccounted"), 0);
    for person in &met.people {
        assert!(
            case(&met.round, person).is_some(),
            "{:?} has no case",
            person.story
        );
    }
}

#[test]
fn nothing_comes_after_the_hub_could_know() {
    if binary().is_none() {
        return;
    }
    let met = met();
    let mut before = 0;
    for person in &met.people {
        let Some((day, becomes)) = person.story.fate else {
            continue;
        };
        let from = could_know(day);
        let all = reached(&met.round, person);
        before += all.len();
        let late: Vec<_> = all.into_iter().filter(|one| one.at >= from).collect();
        assert!(late.is_empty(), "{becomes} on {day}, and then {late:?}");
    }
    assert!(
        before > 0,
        "nothing ever reached them: this test could not fail"
    );
}

#[test]
fn the_protected_get_nothing_and_are_not_forgotten() {
    if binary().is_none() {
        return;
    }
    let met = met();
    for person in met
        .people
        .iter()
        .filter(|person| person.story.protection.is_some())
    {
        let messages: Vec<_> = reached(&met.round, person)
            .into_iter()
            .filter(|one| one.what != "a referral")
            .collect();
        assert!(messages.is_empty(), "{:?}: {messages:?}", person.story);
        let row = row(&met.round, person);
        let by_hand = [
            "not-reached-manually",
            "declined",
            "completed",
            "no-show",
            "handled-manually",
            "carried-over",
        ];
        assert!(by_hand.contains(&row["outcome"].as_str()), "{row:?}");
    }
}

#[test]
fn a_no_is_a_no() {
    if binary().is_none() {
        return;
    }
    let met = met();
    let mut said = 0;
    for person in &met.people {
        for kind in ["resident.declined", "resident.opted-out"] {
            for at in events(&met.round, person, kind) {
                said += 1;
                let late: Vec<_> = reached(&met.round, person)
                    .into_iter()
                    .filter(|one| one.at > at)
                    .collect();
                assert!(late.is_empty(), "{kind} at {at}, and then {late:?}");
            }
        }
    }
    assert!(said > 0, "nobody said no: this test could not fail");
}

#[test]
fn the_ledger_tells_what_became_of_them() {
    if binary().is_none() {
        return;
    }
    let met = met();
    let mut told = 0;
    for person in &met.people {
        let Some((day, becomes)) = person.story.fate else {
            continue;
        };
        let row = row(&met.round, person);
        // The visit was before: then all has been done that was to be done.
        if row["ended"].as_str() < day {
            continue;
        }
        told += 1;
        let fine = match becomes {
            "protected" => ["handled-manually", "declined", "not-reached-manually"]
                .contains(&row["outcome"].as_str()),
            _ => row["outcome"] == becomes,
        };
        assert!(fine, "{becomes} on {day}: {row:?}");
    }
    assert!(told >= 10, "only {told} met their fate in the round");
}

/// Whoever stops leaves nothing behind at the neighbours: no time, no referral. This holds too for what
/// was on its way when the case stopped.
#[test]
fn what_was_ordered_is_taken_back() {
    if binary().is_none() {
        return;
    }
    let met = met();
    let orders = met.round.lines("neighbours/lab.jsonl");
    let bookings = met.round.lines("neighbours/scheduling.jsonl");
    let ids = |lines: &[Value], pointer: &str| -> Vec<String> {
        let found = lines.iter().filter_map(|line| line.pointer(pointer));
        found.map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let cancelled = [
        ids(&orders, "/Cancelled/number"),
        ids(&bookings, "/Cancelled/booking/id"),
    ]
    .concat();
    let mut faults = Vec::new();
    for person in &met.people {
        let row = row(&met.round, person);
        let stopped = [
            "deceased",
            "emigrated",
            "declined",
            "opted-out",
            "handled-manually",
        ];
        if !stopped.contains(&row["outcome"].as_str()) {
            continue;
        }
        let of_person = |line: &&Value, pointer: &str| {
            line.pointer(pointer)
                .is_some_and(|id| id == person.number.as_str())
        };
        let ordered = orders
            .iter()
            .filter(|line| of_person(line, "/Ordered/person"))
            .map(|line| &line["Ordered"]["number"]);
        let booked = bookings
            .iter()
            .filter(|line| of_person(line, "/Booked/booking/person"))
            .map(|line| &line["Booked"]["booking"]["id"]);
        for id in ordered.chain(booked).filter_map(Value::as_str) {
            if !cancelled.iter().any(|known| known == id) {
                faults.push(format!("{id} stands, and the case is {}", row["outcome"]));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Letters lie at the printer's with the address in them: nobody who must not get one has one there
/// from the day that the hub could know. Looked for in the vendor's own records, as text.
#[test]
fn the_printer_has_no_letter_to_the_protected() {
    if binary().is_none() {
        return;
    }
    let met = met();
    let records = met.round.out.join("neighbours");
    let protected: Vec<&Person> = met
        .people
        .iter()
        .filter(|p| p.story.protection.is_some())
        .collect();
    let printed = files(&records).into_iter().filter(|path| {
        let path = path.to_string_lossy();
        path.contains("vendor") || path.contains("print") || path.contains("post")
    });
    for path in printed {
        let bytes = std::fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        for person in &protected {
            assert!(
                !text.contains(&person.street),
                "{} holds a protected address",
                path.display()
            );
        }
    }
}
