//! Finds personal identity numbers where none may stand: they would travel to the bus, the process
//! and the log with whatever was written around them.

use halsonav_domain::PersonId;
use serde_json::Value;

/// Whether any text in `value`, or any name, holds a personal identity number.
pub(crate) fn holds_one(value: &Value) -> bool {
    match value {
        Value::String(text) => in_text(text),
        Value::Array(list) => list.iter().any(holds_one),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| in_text(name) || holds_one(value)),
        // A number written as a number has no place for its separator.
        Value::Number(number) => in_text(&number.to_string()),
        Value::Null | Value::Bool(_) => false,
    }
}

/// Looks at each run of digits that has at most one separator, before its last four.
fn in_text(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    let mut start = 0;
    while start < characters.len() {
        let begins =
            characters[start].is_ascii_digit() && (start == 0 || !joins(characters[start - 1]));
        if !begins {
            start += 1;
            continue;
        }
        let mut digits = String::new();
        let (mut at, mut separator) = (start, None);
        while let Some(&character) = characters.get(at) {
            if character.is_ascii_digit() {
                digits.push(character);
            } else if separator.is_none()
                && matches!(character, '-' | '+' | ' ' | '–')
                && matches!(digits.len(), 6 | 8)
            {
                separator = Some(digits.len());
            } else {
                break;
            }
            at += 1;
        }
        let ends = characters.get(at).is_none_or(|next| !joins(*next));
        if ends && is_one(&digits, separator) {
            return true;
        }
        start = at.max(start + 1);
    }
    false
}

fn joins(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '-' | '_')
}

fn is_one(digits: &str, separator: Option<usize>) -> bool {
    match (digits.len(), separator) {
        (12, None | Some(8)) => PersonId::parse(digits).is_ok(),
        // Ten digits without a separator may be anything.
        (10, Some(6)) => ["19", "20"]
            .iter()
            .any(|century| PersonId::parse(&format!("{century}{digits}")).is_ok()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(text: &str, expect: bool) {
        assert_eq!(holds_one(&json!({ "note": [text] })), expect, "{text}");
    }

    #[test]
    fn numbers_are_found_in_all_their_forms() {
        check("191212121212", true);
        check("ring 19121212-1212 i morgon", true);
        check("(121212-1212)", true);
        check("121212+1212.", true);
        check("19121212 1212", true);
        check("191212721219", true);
        assert!(holds_one(&json!({ "191212121212": 1 })));
        assert!(holds_one(&json!(191_212_121_212_u64)));
    }

    #[test]
    fn other_digits_are_left_alone() {
        check("191212121213", false);
        check("1212121212", false);
        check("0380-55 01 01", false);
        check("2026-01-12T09:00:00Z", false);
        check("1912121212120", false);
        check("00000000-0000-1212-1212-191212121212", false);
        check("ARM 8, 2 st", false);
    }
}
