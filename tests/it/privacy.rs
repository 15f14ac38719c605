//! Identity lives in the vault. Planted numbers, names and addresses are looked for everywhere else, in
//! every form in which they might have slipped out.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    numbers::spellings,
    people::{Person, Story, people, round},
    support::{Round, binary, files},
};

struct Planted {
    round: Round,
    people: Vec<Person>,
}

fn planted() -> &'static Planted {
    static PLANTED: LazyLock<Planted> = LazyLock::new(|| {
        let story = |answer, inbox| Story {
            answer: Some(answer),
            inbox,
            ..Story::default()
        };
        let mut stories = Vec::new();
        for inbox in [true, false] {
            for answer in [
                "books",
                "phones",
                "declines",
                "opts-out",
                "yes-when-phoned",
                "silent",
            ] {
                stories.push(story(answer, inbox));
            }
        }
        let protected = Story {
            protection: Some("sekretessmarkering"),
            ..story("books", true)
        };
        stories.extend([
            protected,
            Story {
                fate: Some(("2026-01-21", "deceased")),
                ..story("silent", true)
            },
        ]);
        let people = people(&stories);
        let round = round("privacy", &people);
        Planted { round, people }
    });
    &PLANTED
}

/// Every form of every planted text, with what it is.
struct Needles {
    /// By their first four bytes.
    by_start: HashMap<[u8; 4], Vec<(Vec<u8>, String)>>,
}

impl Needles {
    fn of(people: &[Person]) -> Self {
        let mut needles = Self {
            by_start: HashMap::new(),
        };
        for (n, person) in people.iter().enumerate() {
            for number in spellings(&person.number) {
                needles.forms(&number, &format!("the number of person {n}"));
            }
            let texts = [
                (&person.given, "given name"),
                (&person.surname, "surname"),
                (&person.street, "street"),
            ];
            for (text, what) in texts {
                needles.forms(text, &format!("the {what} of person {n}"));
                needles.forms(&text.to_uppercase(), &format!("the {what} of person {n}"));
            }
        }
        needles
    }

    fn forms(&mut self, text: &str, what: &str) {
        self.add(text.as_bytes(), what, "as it is");
        let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.add(hex.as_bytes(), what, "in hex");
        self.add(hex.to_uppercase().as_bytes(), what, "in hex");
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.add(&wide, what, "in UTF-16");
        let latin: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?'))
            .collect();
        self.add(&latin, what, "in Latin-1");
        let percent: String = text
            .bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect();
        self.add(percent.as_bytes(), what, "percent-encoded");
        // Wherever it begins within the encoded bytes; the ends mix with what stands around.
        for shift in 0..3 {
            let shifted = [vec![0; shift], text.as_bytes().to_vec()].concat();
            let encoded = STANDARD.encode(&shifted);
            let (from, to) = ((shift * 4).div_ceil(3), shifted.len() / 3 * 4);
            self.add(&encoded.as_bytes()[from..to], what, "in base64");
        }
    }

    fn add(&mut self, needle: &[u8], what: &str, form: &str) {
        // Shorter ones are found by chance.
        if needle.len() >= 8 {
            let start = needle[..4].try_into().unwrap();
            self.by_start
                .entry(start)
                .or_default()
                .push((needle.to_vec(), format!("{what} {form}")));
        }
    }

    fn find(&self, hay: &[u8]) -> Option<&str> {
        hay.windows(4).enumerate().find_map(|(at, start)| {
            let start: [u8; 4] = start.try_into().unwrap();
            let candidates = self.by_start.get(&start)?;
            let found = candidates
                .iter()
                .find(|(needle, _)| hay[at..].starts_with(needle));
            found.map(|(_, what)| what.as_str())
        })
    }
}

/// What the hub hands to a person or a neighbour on purpose.
fn is_meant_for_somebody(out: &Path, path: &Path) -> bool {
    let inside = path.strip_prefix(out).unwrap();
    ["neighbours", "letters", "profiles", "journal"]
        .iter()
        .any(|folder| inside.starts_with(folder))
}

fn needles() -> &'static Needles {
    static NEEDLES: LazyLock<Needles> = LazyLock::new(|| Needles::of(&planted().people));
    &NEEDLES
}

#[test]
fn what_was_planted_went_round() {
    if binary().is_none() {
        return;
    }
    let planted = planted();
    assert_eq!(
        planted.round.number("invited") as usize,
        planted.people.len()
    );
    // The neighbours know them: the needles fit what is really written.
    for file in [
        "neighbours/roster.csv",
        "neighbours/inbox.jsonl",
        "neighbours/lab.jsonl",
    ] {
        let bytes = fs::read(planted.round.out.join(file)).unwrap();
        assert!(
            needles().find(&bytes).is_some(),
            "nobody is in {file}: this test could not fail"
        );
    }
}

#[test]
fn nobody_is_named_outside_the_vault() {
    if binary().is_none() {
        return;
    }
    let out = &planted().round.out;
    let mut looked = Vec::new();
    let mut faults = Vec::new();
    for path in files(out) {
        if is_meant_for_somebody(out, &path) {
            continue;
        }
        if let Some(what) = needles().find(&fs::read(&path).unwrap()) {
            faults.push(format!(
                "{}: {what}",
                path.strip_prefix(out).unwrap().display()
            ));
        }
        looked.push(path);
    }
    let seen = |name: &str| looked.iter().any(|path| path.ends_with(name));
    for file in [
        "hub.log",
        "events.jsonl",
        "statistics.csv",
        "ledger.csv",
        "data/halsonav.db",
    ] {
        assert!(seen(file), "{file} is not there to look at");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_file_is_named_after_a_person() {
    if binary().is_none() {
        return;
    }
    let out = &planted().round.out;
    let named = |path: &PathBuf| {
        needles()
            .find(path.to_string_lossy().as_bytes())
            .map(str::to_owned)
    };
    let faults: Vec<String> = files(out).iter().filter_map(named).collect();
    assert!(faults.is_empty(), "{faults:?}");
}

#[test]
fn keys_on_the_bus_are_random_ids() {
    if binary().is_none() {
        return;
    }
    for line in planted().round.lines("events.jsonl") {
        let key = line["key"].as_str().expect("a key");
        let is_id = key.len() == 36 && key.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        assert!(is_id, "a key that is no case");
    }
}

#[test]
fn forms_are_found() {
    let person = &people(&[Story::default()])[0];
    let needles = Needles::of(std::slice::from_ref(person));
    let number = &person.number;
    for text in [
        format!("x{number}y"),
        format!("{}-{}", &number[2..8], &number[8..]),
        STANDARD.encode(format!("{{\"id\":\"{number}\"}}")),
        STANDARD.encode(format!("ab{number}")),
        person.surname.to_uppercase(),
    ] {
        assert!(needles.find(text.as_bytes()).is_some(), "{text}");
    }
    assert!(needles.find(b"196001019999 nobody").is_none());
}
