//! Codes that operators look up.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    exceptions::list,
    house::{files, is_there, members, none, text},
    rust::code,
};

const TABLE: &str = "docs/errors.md";

/// Every `HUB-<AREA>-<NNN>` in a text.
fn codes(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("HUB-") {
        let rest = &text[at + 4..];
        let area: String = rest
            .chars()
            .take_while(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            .collect();
        let number: String = rest[area.len()..]
            .strip_prefix('-')
            .map(|rest| rest.chars().take_while(char::is_ascii_digit).collect())
            .unwrap_or_default();
        if !area.is_empty() && number.len() == 3 {
            found.insert(format!("HUB-{area}-{number}"));
        }
    }
    found
}

/// Lines of product code; comments and what stands from the first `#[cfg(test)]` on are not.
fn product(source: &str) -> String {
    let blanked = code(source);
    let tests = blanked
        .find("#[cfg(test)]")
        .map(|at| blanked[..at].matches('\n').count());
    source
        .lines()
        .take(tests.unwrap_or(usize::MAX))
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Code to the crates that give it.
fn given() -> BTreeMap<String, BTreeSet<String>> {
    let mut given: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files(".rs") {
        let Some(member) = members()
            .into_iter()
            .find(|m| path.starts_with(&format!("{m}/src/")))
        else {
            continue;
        };
        if path.ends_with("tests.rs") {
            continue;
        }
        for code in codes(&product(&text(&path))) {
            given.entry(code).or_default().insert(member.clone());
        }
    }
    given
}

#[test]
fn a_code_belongs_to_one_crate() {
    let (given, allowed) = (given(), &list().codes);
    let shared = |code: &str| given.get(code).is_some_and(|places| places.len() > 1);
    let mut faults: Vec<String> = given
        .iter()
        .filter(|(code, _)| shared(code) && !allowed.contains_key(*code))
        .map(|(code, places)| format!("{code}: {places:?}"))
        .collect();
    let gone = allowed.keys().filter(|code| !shared(code));
    faults.extend(gone.map(|code| format!("{code}: of one crate again, strike it out")));
    none("codes given in more than one crate", &faults);
}

#[test]
fn every_code_can_be_looked_up() {
    if !is_there(TABLE) {
        return;
    }
    let told: BTreeSet<String> = text(TABLE)
        .lines()
        .filter(|line| line.starts_with('|'))
        .flat_map(codes)
        .collect();
    let given: BTreeSet<String> = given().into_keys().collect();
    let mut faults: Vec<String> = given
        .difference(&told)
        .map(|code| format!("{code} is not in {TABLE}"))
        .collect();
    faults.extend(
        told.difference(&given)
            .map(|code| format!("{code} is in {TABLE} and nowhere else")),
    );
    none("codes and their table", &faults);
}

#[test]
fn codes_are_found() {
    let found = codes("\"HUB-PRINT-003\" HUB-LAB-… HUB-HL7-0011 HUB-X-12");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["HUB-PRINT-003"]);
}
