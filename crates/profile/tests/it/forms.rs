//! Form definitions and answers to them.

use halsonav_profile::FormDefinition;
use serde_json::{Value, json};

use super::HABITS;

const SMALL: &str = r#"
template = "small"
version = "1"
title = "Litet formulär"
[[question]]
code = "one"
text = "Ett?"
type = "radio"
mandatory = true
alternatives = [{ value = "a", text = "A" }, { value = "b", text = "B" }]
[[question]]
code = "many"
text = "Flera?"
type = "select-multiple"
alternatives = [{ value = "a", text = "A" }, { value = "b", text = "B" }]
[[question]]
code = "size"
text = "Hur långt?"
type = "number"
min = 0
max = 10
integer = true
[[question]]
code = "free"
text = "Fritt?"
type = "text"
max_length = 5
"#;

fn check(answers: Value, expect: &[(&str, &str)]) {
    let form = FormDefinition::load("small.toml", SMALL).unwrap();
    let faults = form.validate(&answers).err().unwrap_or_default();
    let got: Vec<_> = faults
        .iter()
        .map(|fault| (fault.code, fault.question.as_str()))
        .collect();
    assert_eq!(got, expect, "{answers}");
}

#[test]
fn answers() {
    check(json!({ "one": "a" }), &[]);
    check(
        json!({ "one": "b", "many": ["a", "b"], "size": 10, "free": "åäö" }),
        &[],
    );
    check(
        json!({ "one": "a", "many": [], "size": null, "free": "" }),
        &[],
    );
    check(json!([]), &[("HUB-FORM-010", "")]);
    check(json!({}), &[("HUB-FORM-012", "one")]);
    check(json!({ "one": null }), &[("HUB-FORM-012", "one")]);
    check(json!({ "one": "c" }), &[("HUB-FORM-013", "one")]);
    check(json!({ "one": ["a"] }), &[("HUB-FORM-013", "one")]);
    check(
        json!({ "one": "a", "many": "a" }),
        &[("HUB-FORM-013", "many")],
    );
    check(
        json!({ "one": "a", "many": ["a", "a"] }),
        &[("HUB-FORM-013", "many")],
    );
    check(
        json!({ "one": "a", "many": ["c"] }),
        &[("HUB-FORM-013", "many")],
    );
    check(
        json!({ "one": "a", "size": -1 }),
        &[("HUB-FORM-013", "size")],
    );
    check(
        json!({ "one": "a", "size": 11 }),
        &[("HUB-FORM-013", "size")],
    );
    check(
        json!({ "one": "a", "size": 1.5 }),
        &[("HUB-FORM-013", "size")],
    );
    check(
        json!({ "one": "a", "size": "5" }),
        &[("HUB-FORM-013", "size")],
    );
    check(
        json!({ "one": "a", "free": "åäöåäö" }),
        &[("HUB-FORM-013", "free")],
    );
    check(
        json!({ "one": "a", "free": "a\u{0}" }),
        &[("HUB-FORM-013", "free")],
    );
    check(json!({ "one": "a", "two": 1 }), &[("HUB-FORM-011", "two")]);
    check(
        json!({ "one": "c", "two": 1, "size": 99 }),
        &[
            ("HUB-FORM-011", "two"),
            ("HUB-FORM-013", "one"),
            ("HUB-FORM-013", "size"),
        ],
    );
}

#[test]
fn a_fault_never_repeats_what_was_answered() {
    let form = FormDefinition::load("small.toml", SMALL).unwrap();
    let secret = "19121212-1212 Tolvan";
    let faults = form
        .validate(&json!({ "one": secret, "free": secret, secret: secret }))
        .unwrap_err();
    assert_eq!(faults.len(), 3);
    assert!(
        faults
            .iter()
            .all(|fault| !fault.to_string().contains("1212")),
        "{faults:?}"
    );
}

#[test]
fn faults_of_a_definition_come_at_once_with_their_lines() {
    let text = SMALL
        .replacen("code = \"many\"", "code = \"one\"", 1)
        .replacen("type = \"number\"", "type = \"slider\"", 1)
        .replacen("max_length = 5", "max_length = 0", 1);
    let faults = FormDefinition::load("small.toml", &text).unwrap_err();
    let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(
        lines.iter().all(|line| *line > 5) && lines.windows(2).all(|pair| pair[0] < pair[1]),
        "{lines:?}"
    );
}

#[test]
fn a_form_says_in_json_what_the_letter_needs() {
    let form = FormDefinition::load("levnadsvanor.toml", HABITS).unwrap();
    let json = serde_json::to_value(&form).unwrap();
    assert_eq!(json["askedBy"], "resident");
    assert_eq!(json["questions"][0]["type"], "radio");
    assert_eq!(json["questions"][0]["alternatives"][0]["value"], "0");
    assert_eq!(json["questions"][0]["maxLength"], 1000);
}
