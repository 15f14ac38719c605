//! Data to try a template with: everything the templates of the base configuration can read.
//! The persons, units and numbers are invented.

use serde_json::Value;

const LETTER: &str = include_str!("sample/letter.json");
const PAPER_FORM: &str = include_str!("sample/paper-form.json");
const PROFILE: &str = include_str!("sample/profile.json");

/// Sample data for a template of the base configuration.
#[must_use]
pub fn of(template: &str) -> Option<Value> {
    let text = match template {
        "invitation" | "reminder" | "booking" => LETTER,
        "paper-form" => PAPER_FORM,
        "profile" => PROFILE,
        _ => return None,
    };
    serde_json::from_str(text).ok()
}
