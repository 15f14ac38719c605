//! A population of people whose traces can be found: each has names that nobody else has, and an age,
//! sex, unit and language that no other has together.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    numbers::number,
    support::{Round, folder},
};

const UNITS: &[&str] = &[
    "SE2321000999-VC01",
    "SE2321000999-VC02",
    "SE2321000999-VC03",
];

/// A resident and what is known to happen.
#[derive(Clone)]
pub struct Person {
    pub number: String,
    pub given: String,
    pub surname: String,
    pub street: String,
    pub age: u64,
    pub sex: &'static str,
    pub unit: &'static str,
    pub language: &'static str,
    pub story: Story,
}

/// What is told about a person in the population's file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Story {
    pub answer: Option<&'static str>,
    pub inbox: bool,
    pub protection: Option<&'static str>,
    /// Day and what becomes of the person.
    pub fate: Option<(&'static str, &'static str)>,
    pub paper_opt_out: bool,
}

impl Person {
    fn line(&self) -> Value {
        let story = self.story;
        let mut line = json!({
            "person_id": self.number, "given_name": self.given, "surname": self.surname, "sex": self.sex,
            "street": self.street, "postal_code": "57131", "city": "Nässjö", "unit": self.unit,
            "language": self.language, "inbox": story.inbox, "paper_opt_out": story.paper_opt_out,
        });
        if let Some(protection) = story.protection {
            line["protection"] = json!(protection);
        }
        if let Some(answer) = story.answer {
            line["answer"] = json!(answer);
        }
        if let Some((on, becomes)) = story.fate {
            line["fates"] = json!([{ "on": on, "becomes": becomes }]);
        }
        line
    }
}

/// One person a story.
pub fn people(stories: &[Story]) -> Vec<Person> {
    assert!(stories.len() <= 72, "no more combinations");
    let person = |(n, story): (usize, &Story)| {
        let age = 40 + 10 * (n as u64 % 4);
        let sex = ["woman", "man"][n / 4 % 2];
        let birth = format!("{}{:02}{:02}", 2026 - age, 1 + n % 12, 1 + n % 28);
        // The last digit of the serial tells the sex.
        let serial = 980 + 2 * (n as u32 % 9) + u32::from(sex == "man");
        Person {
            number: number(&birth, serial),
            given: format!("Kanarina{}", letters(n)),
            surname: format!("Fågelqvistander{}", letters(n + 31)),
            street: format!("Voljärgränd{} {}", letters(n + 67), 41_000 + n),
            age,
            sex,
            unit: UNITS[n / 8 % 3],
            language: ["sv", "en", "sv-latt"][n / 24],
            story: *story,
        }
    };
    stories.iter().enumerate().map(person).collect()
}

fn letters(n: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap());
    [letter(n / 26), letter(n), letter(n * 7 + 3)]
        .iter()
        .collect()
}

/// Runs a round of these people.
pub fn round(name: &str, people: &[Person]) -> Round {
    let folder = folder(&format!("{name}-population"));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("population.jsonl");
    let mut text = String::new();
    for person in people {
        writeln!(text, "{}", person.line()).unwrap();
    }
    std::fs::write(&file, text).unwrap();
    Round::run(
        name,
        &["--seed", "11", "--population", file.to_str().unwrap()],
    )
}

/// The person's case, found by what only this person has.
pub fn case(round: &Round, person: &Person) -> Option<String> {
    let is = |event: &Value| {
        let data = &event["data"];
        event["type"] == "case.opened"
            && data["age"] == person.age
            && data["sex"] == person.sex
            && data["unit"] == person.unit
            && data["language"] == person.language
    };
    let events = round.lines("events.jsonl");
    let mut cases = events
        .iter()
        .map(|line| &line["event"])
        .filter(|event| is(event));
    let case = cases.next()?["subject"].as_str()?.to_owned();
    assert!(cases.next().is_none(), "two cases of one person");
    Some(case)
}
