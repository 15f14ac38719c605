//! The AsyncAPI document speaks of every schema, of nothing else, and of the topics there are.

use std::{collections::BTreeSet, fs};

use halsonav_domain::Topic;

use crate::{
    catalogue::{self, Part},
    contracts, files,
};

fn text() -> String {
    fs::read_to_string(contracts("asyncapi.yaml")).expect("contracts/asyncapi.yaml")
}

/// What stands after `$ref:`.
fn references(text: &str) -> BTreeSet<&str> {
    text.lines()
        .filter_map(|line| line.split_once("$ref:"))
        .map(|(_, rest)| rest.trim().trim_matches(['"', '\'', '}', ' ']))
        .collect()
}

#[test]
fn it_refers_to_every_schema_and_to_no_other() {
    let text = text();
    let referred: BTreeSet<String> = references(&text)
        .into_iter()
        .filter_map(|r| r.strip_prefix("./schemas/"))
        .map(str::to_owned)
        .collect();
    let there: BTreeSet<String> = files("schemas").into_iter().collect();
    assert_eq!(referred, there);
}

#[test]
fn its_own_references_lead_somewhere() {
    let text = text();
    for reference in references(&text)
        .into_iter()
        .filter_map(|r| r.strip_prefix("#/"))
    {
        let name = reference
            .rsplit('/')
            .next()
            .expect("a last part")
            .replace("~1", "/");
        let defined = text
            .lines()
            .any(|line| line.trim() == format!("{name}:") || line.trim() == format!("'{name}':"));
        assert!(defined, "#/{reference} leads nowhere");
    }
}

#[test]
fn it_knows_every_topic_and_every_type() {
    let text = text();
    for topic in [
        Topic::Events,
        Topic::Commands("{adapter}".to_owned()),
        Topic::Documentation,
    ] {
        let line = format!("address: {topic}\n");
        assert!(
            text.contains(&line) || text.contains(&format!("address: '{topic}'\n")),
            "{topic}"
        );
    }
    let frames = |contract: &catalogue::Contract| {
        contract.part != Part::Frame && contract.part != Part::Result
    };
    for contract in catalogue::all().into_iter().filter(frames) {
        assert!(
            text.contains(&format!("const: {}\n", contract.name)),
            "{} is no message",
            contract.name
        );
    }
}
