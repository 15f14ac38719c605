//! What a contribution says under a source.

use std::collections::BTreeSet;

use halsonav_domain::{command::research::Contribute, event::Observation};
use serde_json::{Map, Value};

use crate::{Error, Kind, Source, table::Cell};

/// Every source that any contribution has something under, in order.
pub(crate) fn sources<'a>(contributions: impl Iterator<Item = &'a Contribute>) -> BTreeSet<Source> {
    let mut found = BTreeSet::new();
    for contribution in contributions {
        for (form, answers) in object(&contribution.forms) {
            for (question, answer) in object(answers) {
                if !answer.is_null() {
                    found.insert(Source::Answer {
                        form: form.clone(),
                        question: question.clone(),
                    });
                }
            }
        }
        for observation in &contribution.observations {
            found.insert(Source::Value {
                code: observation.code.clone(),
                unit: observation.unit.clone(),
            });
        }
        for level in levels(contribution) {
            if let Some(axis) = level["axis"].as_str() {
                found.insert(Source::Level {
                    axis: axis.to_owned(),
                });
            }
        }
    }
    found
}

/// The answer, value or level of one contribution; null when it has none.
pub(crate) fn value(contribution: &Contribute, source: &Source) -> Value {
    match source {
        Source::Answer { form, question } => {
            let answers = contribution.forms.get(form);
            let answer = answers.and_then(|answers| answers.get(question));
            answer.cloned().unwrap_or_default()
        }
        Source::Value { .. } => observation(contribution, source)
            .map(|observation| Value::from(observation.value))
            .unwrap_or_default(),
        Source::Level { axis } => levels(contribution)
            .find(|level| level["axis"] == axis.as_str())
            .map(|level| level["level"].clone())
            .unwrap_or_default(),
    }
}

/// The last value of its code and unit that is more than preliminary.
pub(crate) fn observation<'a>(
    contribution: &'a Contribute,
    source: &Source,
) -> Option<&'a Observation> {
    let Source::Value { code, unit } = source else {
        return None;
    };
    contribution
        .observations
        .iter()
        .filter(|found| found.code == *code && found.unit == *unit)
        .filter(|found| found.status.as_deref() != Some("preliminary"))
        .max_by_key(|found| found.taken)
}

/// Whether the contribution has the value in another unit.
pub(crate) fn elsewhere(contribution: &Contribute, source: &Source) -> bool {
    matches!(source, Source::Value { code, unit }
        if contribution.observations.iter().any(|found| found.code == *code && found.unit != *unit))
}

/// Whether the answer is a choice or a number: no text in which a resident could have written a
/// name, a place or a number of any kind.
pub(crate) fn is_choice(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            let sign =
                |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '<' | '>' | '+');
            let digits = text.chars().filter(char::is_ascii_digit).count();
            text.chars().count() <= 40 && digits < 6 && text.chars().all(sign)
        }
        Value::Array(values) => values.iter().all(is_choice),
        Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The value as the column has it; `None` when it does not fit.
pub(crate) fn cell(value: &Value, kind: Kind) -> Option<Cell> {
    match (value, kind) {
        (Value::Null, _) => Some(Cell::Empty),
        (value, Kind::Integer) => whole(value).map(Cell::Integer),
        (value, Kind::Number) => value.as_f64().map(Cell::Number),
        (Value::String(text), Kind::Text) => Some(text_cell(text.clone())),
        (Value::Array(values), Kind::Text) => {
            let parts: Option<Vec<_>> = values.iter().map(scalar).collect();
            parts.map(|parts| text_cell(parts.join("|")))
        }
        (value, Kind::Text) => scalar(value).map(text_cell),
    }
}

/// A whole number, also when it is written as `38.0`.
fn whole(value: &Value) -> Option<i64> {
    let rounded = |number: f64| {
        let exact = number.fract() == 0.0 && number.abs() < 9e15;
        #[allow(clippy::cast_possible_truncation)]
        exact.then_some(number as i64)
    };
    value.as_i64().or_else(|| value.as_f64().and_then(rounded))
}

fn text_cell(text: String) -> Cell {
    if text.is_empty() {
        Cell::Empty
    } else {
        Cell::Text(text)
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a discovered column holds: whole numbers, numbers or text, whichever takes all of it.
pub(crate) fn kind_of<'a>(values: impl Iterator<Item = &'a Value>) -> Kind {
    let mut kind = Kind::Integer;
    for value in values {
        match value {
            Value::Null => {}
            Value::Number(number) if number.is_i64() => {}
            Value::Number(_) if kind != Kind::Text => kind = Kind::Number,
            _ => kind = Kind::Text,
        }
    }
    kind
}

/// The name of what a column expects, for an error.
pub(crate) fn misfit(column: &str, kind: Kind) -> Error {
    let expected = match kind {
        Kind::Integer => "a whole number",
        Kind::Number => "a number",
        Kind::Text => "text or a list of texts",
    };
    Error::Value {
        column: column.to_owned(),
        expected: expected.to_owned(),
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The levels, given as they are or in an object with their instrument.
fn levels(contribution: &Contribute) -> impl Iterator<Item = &Value> {
    let levels = match &contribution.profile {
        Some(Value::Object(fields)) => fields.get("levels"),
        other => other.as_ref(),
    };
    levels.and_then(Value::as_array).into_iter().flatten()
}
