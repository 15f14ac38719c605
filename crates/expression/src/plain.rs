//! Expressions that need no FEEL: the name of a variable, or the path to a member of one.
//!
//! They are most of what a process file says. FEEL would convert the value, copy it, and give it back
//! as it was.

use serde_json::Value;

use crate::Scope;

/// Beyond these FEEL is asked, which has limits of its own.
const LONGEST: usize = 1_000_000;
const DEEPEST: usize = 32;

/// The names of a path, in order; the first is a variable.
#[derive(Debug)]
pub struct Path(Vec<String>);

impl Path {
    /// The path that `source` is, if it reads nothing but `variable` and does nothing else.
    pub fn of(source: &str, variable: &str) -> Option<Self> {
        let names: Vec<String> = source.split('.').map(str::to_owned).collect();
        let is_short = names.len() <= DEEPEST;
        let is_path = is_short && names.iter().all(|name| is_name(name)) && names[0] == variable;
        is_path.then_some(Self(names))
    }

    /// What it leads to, if FEEL would give back the same: text, a truth, a whole number. For anything
    /// else FEEL is asked.
    pub fn value(&self, scope: &dyn Scope) -> Option<Value> {
        let (variable, members) = self.0.split_first()?;
        let whole = scope.get(variable)?;
        let mut at: &Value = &whole;
        for member in members {
            at = at.as_object()?.get(member)?;
        }
        let is_short = at.as_str().is_some_and(|text| text.len() <= LONGEST);
        let same = is_short || at.is_boolean() || at.is_i64();
        same.then(|| at.clone())
    }
}

fn is_name(text: &str) -> bool {
    let mut letters = text.chars();
    let is_first = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    letters.next().is_some_and(is_first)
        && letters.all(|letter| is_first(letter) || letter.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Expression, json::to_json};

    #[test]
    fn only_names_and_paths_are_plain() {
        for (source, variable, plain) in [
            ("language", "language", true),
            ("region.graphic", "region", true),
            ("a + b", "a", false),
            ("a[1]", "a", false),
            ("count(a)", "a", false),
            ("-a", "a", false),
            ("1.5", "a", false),
            ("ärende", "ärende", false),
        ] {
            assert_eq!(Path::of(source, variable).is_some(), plain, "{source}");
        }
    }

    #[test]
    fn what_is_plain_is_what_feel_says() {
        let scope = json!({
            "text": "å \" b", "yes": true, "none": null, "whole": -7, "large": 9_007_199_254_740_993_i64,
            "fraction": 1.50, "list": [{"text": "a"}, {"text": "b"}],
            "inner": {"text": "x", "deep": {"text": "y", "list": [1, 2]}},
        });
        for source in [
            "text",
            "yes",
            "none",
            "whole",
            "large",
            "fraction",
            "list",
            "list.text",
            "inner",
            "missing",
            "inner.text",
            "inner.deep.text",
            "inner.deep.list",
            "inner.missing",
            "text.text",
            "none.text",
        ] {
            let expression = Expression::parse(source).expect(source);
            let feel = to_json(expression.run(&scope).expect(source)).expect(source);
            assert_eq!(expression.evaluate(&scope).expect(source), feel, "{source}");
        }
    }
}
