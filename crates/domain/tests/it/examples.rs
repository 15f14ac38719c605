//! Every event and command has an example, and each example is right by schema and by type.

use std::{collections::BTreeSet, fs};

use halsonav_domain::{Command, Envelope};
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::{
    catalogue::{self, Contract, Part, find},
    contracts, files,
};

fn validator(contract: &Contract) -> Validator {
    jsonschema::options()
        .should_validate_formats(true)
        .build(&contract.schema)
        .expect("a schema")
}

fn faults(contract: &Contract, value: &Value) -> Vec<String> {
    validator(contract)
        .iter_errors(value)
        .map(|error| format!("{} at {}", error, error.instance_path()))
        .collect()
}

/// Right by schema, and the type reads it without losing a field.
fn check(all: &[Contract], name: &str, part: Part, value: &Value, file: &str) {
    let contract =
        find(all, name, part).unwrap_or_else(|| panic!("{file}: there is no {part:?} {name}"));
    let faults = faults(contract, value);
    assert!(faults.is_empty(), "{file}: {faults:?}");
    let again = (contract.again)(value).unwrap_or_else(|error| panic!("{file}: {error}"));
    for field in value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(field, _)| field)
    {
        assert!(
            again.get(field).is_some(),
            "{file}: {field} is not a field of the type"
        );
    }
}

fn read(file: &str) -> Value {
    let text = fs::read_to_string(contracts("examples").join(file)).expect("readable");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Kind of an example, by the end of its name.
fn part(file: &str) -> Part {
    match file.trim_end_matches(".json").rsplit('.').next() {
        Some("event") => Part::Event,
        Some("command") => Part::Command,
        Some("result") => Part::Result,
        _ => panic!("{file}: not named <what>.event|command|result.json"),
    }
}

fn check_event(all: &[Contract], value: &Value, file: &str) -> String {
    check(all, "envelope", Part::Frame, value, file);
    let envelope: Envelope = serde_json::from_value(value.clone()).expect("checked");
    check(all, &envelope.kind, Part::Event, &envelope.data, file);
    assert!(
        file.starts_with(&envelope.kind),
        "{file} holds {}",
        envelope.kind
    );
    assert_eq!(envelope.specversion, "1.0", "{file}");
    envelope.kind
}

fn check_command(all: &[Contract], value: &Value, file: &str) -> String {
    check(all, "command", Part::Frame, value, file);
    let command: Command = serde_json::from_value(value.clone()).expect("checked");
    check(
        all,
        command.kind.as_str(),
        Part::Command,
        &command.payload,
        file,
    );
    assert!(
        file.starts_with(command.kind.as_str()),
        "{file} holds {}",
        command.kind
    );
    assert!(
        command.id.job_of(command.case).is_some(),
        "{file}: the id is not derived from the case"
    );
    command.kind.to_string()
}

#[test]
fn every_type_has_an_example_that_is_right() {
    let all = catalogue::all();
    let mut seen = BTreeSet::new();
    for file in files("examples") {
        let (value, part) = (read(&file), part(&file));
        let name = match part {
            Part::Event => check_event(&all, &value, &file),
            Part::Command => check_command(&all, &value, &file),
            _ => {
                let name = file.trim_end_matches(".result.json").to_owned();
                check(&all, &name, Part::Result, &value, &file);
                name
            }
        };
        seen.insert((name, part.word()));
    }
    for contract in all.iter().filter(|contract| contract.part != Part::Frame) {
        let there = seen.contains(&(contract.name.to_owned(), contract.part.word()));
        assert!(there, "{} has no example", contract.file());
    }
}

/// What the examples do not hold, no message may hold.
#[test]
fn no_example_holds_identity() {
    for file in files("examples") {
        let text = fs::read_to_string(contracts("examples").join(&file)).expect("readable");
        let longest = text
            .split(|c: char| !c.is_ascii_digit())
            .map(str::len)
            .max()
            .unwrap_or(0);
        assert!(
            longest < 12,
            "{file}: a number as long as a personal identity number"
        );
        for word in [
            "surname",
            "givenName",
            "street",
            "address\":",
            "personId",
            "personnummer",
        ] {
            assert!(!text.contains(word), "{file}: {word}");
        }
    }
}

fn refused(name: &str, part: Part, value: &Value) {
    let all = catalogue::all();
    let contract = find(&all, name, part).expect("a contract");
    assert!(
        !faults(contract, value).is_empty(),
        "{name} takes {value} by its schema"
    );
    assert!(
        (contract.again)(value).is_err(),
        "{name} takes {value} by its type"
    );
}

#[test]
fn what_is_wrong_is_refused_by_schema_and_type_alike() {
    refused("messaging.send", Part::Command, &json!({}));
    refused("messaging.send", Part::Command, &json!({ "template": 7 }));
    refused(
        "messaging.send",
        Part::Command,
        &json!({ "template": "invitation", "text": "Hej" }),
    );
    refused("roster.lookup", Part::Command, &json!({ "anything": 1 }));
    refused(
        "print.letter",
        Part::Command,
        &json!({ "template": "booking", "start": "on Tuesday" }),
    );
    refused(
        "booking.made",
        Part::Event,
        &json!({ "bookingId": "B1", "start": "2026-03-01T08:00:00Z" }),
    );
    refused(
        "lab.result",
        Part::Event,
        &json!({ "orderId": "O1", "complete": "yes", "observations": [] }),
    );
    refused(
        "roster.lookup",
        Part::Result,
        &json!({ "status": "dead", "protection": "none", "paperOptOut": false, "hasAddress": true, "testPerson": false }),
    );
    refused(
        "envelope",
        Part::Frame,
        &json!({ "specversion": "1.0", "source": "/x", "type": "booking.made", "time": "2026-03-01T08:00:00Z" }),
    );
    refused("command", Part::Frame, &json!({ "kind": "print.letter" }));
}
