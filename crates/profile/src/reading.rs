//! Finding what a part reads, in its unit.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::instrument::{Derived, Part, Reads, Test};
use crate::profile::{Missing, Reading};
use crate::score::{Inputs, Value};

/// A measured or analysed value. The same JSON as the hub's events have.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Observation {
    /// `NPU27300`, or `height`, `weight`, `waist`, `hip`, `systolic`, `diastolic`.
    pub code: String,
    /// The value.
    pub value: f64,
    /// Unit as the source wrote it.
    pub unit: String,
    /// When taken.
    #[serde(default)]
    pub taken: Option<Timestamp>,
    /// `final`, `corrected` and `amended` count, as does none; all else is passed over.
    #[serde(default)]
    pub status: Option<String>,
    /// `<`, `>`, `<=`, `>=` when the value is a limit.
    #[serde(default)]
    pub comparator: Option<String>,
}

/// What was found for a part.
pub(crate) struct Found {
    pub value: Value,
    /// The value is only a limit, in this direction.
    pub comparator: Option<String>,
    pub readings: Vec<Reading>,
}

type Values = BTreeMap<String, BTreeMap<String, f64>>;

/// Reads a part.
pub(crate) fn read(part: &Part, inputs: &Inputs, values: &Values) -> Result<Found, Missing> {
    match &part.reads {
        Reads::Form(code) => answer(part, code, inputs, values),
        Reads::Observation(codes) => observation(part, codes, inputs),
        Reads::Derived(derived) => quotient(*derived, inputs),
        Reads::Sum(terms) => {
            let (mut sum, mut readings) = (0.0, Vec::new());
            for term in terms {
                let found = lookup(inputs, &term.form)?;
                sum += term.times * number(found, &term.form, values)?;
                readings.push(Reading {
                    code: term.form.clone(),
                    value: found.clone(),
                    unit: None,
                });
            }
            believe(part, sum)?;
            Ok(Found {
                value: Value::Number(sum),
                comparator: None,
                readings,
            })
        }
    }
}

fn answer(part: &Part, code: &str, inputs: &Inputs, values: &Values) -> Result<Found, Missing> {
    let found = lookup(inputs, code)?;
    let by_number = part
        .rules
        .iter()
        .any(|rule| matches!(rule.test, Test::Limits { .. }));
    let readings = vec![Reading {
        code: code.to_owned(),
        value: found.clone(),
        unit: part.unit.clone(),
    }];
    let value = if by_number {
        let number = number(found, code, values)?;
        believe(part, number)?;
        Value::Number(number)
    } else {
        let answers = words(found)?;
        if answers.iter().any(|answer| part.undecided.contains(answer)) {
            return Err(Missing::Undecided);
        }
        let listed = |answer: &String| {
            part.rules.iter().any(|rule| match &rule.test {
                Test::Is(known) => known.contains(answer),
                _ => true,
            })
        };
        if !answers.iter().all(listed) {
            return Err(Missing::Unknown);
        }
        Value::Answer(answers)
    };
    Ok(Found {
        value,
        comparator: None,
        readings,
    })
}

/// The answer to a question, wherever it was asked.
fn lookup<'i>(inputs: &'i Inputs, code: &str) -> Result<&'i Json, Missing> {
    let (template, code) = code
        .rsplit_once('.')
        .map_or((None, code), |(form, code)| (Some(form), code));
    let forms = inputs.forms.as_object().ok_or(Missing::Absent)?;
    let mut answers = forms
        .iter()
        .filter(|(name, _)| template.is_none_or(|wanted| wanted == *name))
        .filter_map(|(_, form)| form.get(code))
        .filter(|answer| !is_blank(answer));
    let first = answers.next().ok_or(Missing::Absent)?;
    if answers.all(|other| other == first) {
        Ok(first)
    } else {
        Err(Missing::Conflict)
    }
}

fn is_blank(answer: &Json) -> bool {
    match answer {
        Json::Null => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn words(answer: &Json) -> Result<Vec<String>, Missing> {
    let one = |item: &Json| match item {
        Json::String(text) => Ok(text.clone()),
        Json::Number(number) => Ok(number.to_string()),
        Json::Bool(yes) => Ok(yes.to_string()),
        _ => Err(Missing::Unknown),
    };
    match answer {
        Json::Array(items) => items.iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

fn number(answer: &Json, code: &str, values: &Values) -> Result<f64, Missing> {
    let code = code.rsplit_once('.').map_or(code, |(_, code)| code);
    let words = words(answer)?;
    let [word] = words.as_slice() else {
        return Err(Missing::Unknown);
    };
    if let Some(map) = values.get(code) {
        return map.get(word).copied().ok_or(Missing::Unknown);
    }
    word.trim()
        .replace(',', ".")
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or(Missing::Unknown)
}

fn observation(part: &Part, codes: &[String], inputs: &Inputs) -> Result<Found, Missing> {
    let newest =
        newest(inputs, |code| codes.iter().any(|one| one == code)).ok_or(Missing::Absent)?;
    let unit = part.unit.as_deref().ok_or(Missing::Unit)?;
    let value = convert(newest.value, &newest.unit, unit).ok_or(Missing::Unit)?;
    believe(part, value)?;
    let comparator = newest
        .comparator
        .clone()
        .filter(|comparator| !comparator.trim().is_empty());
    Ok(Found {
        value: Value::Number(value),
        comparator,
        readings: vec![Reading {
            code: newest.code.clone(),
            value: Json::from(value),
            unit: Some(unit.to_owned()),
        }],
    })
}

fn newest(inputs: &Inputs, wanted: impl Fn(&str) -> bool) -> Option<&Observation> {
    let counts = |observation: &&Observation| {
        wanted(&observation.code)
            && matches!(
                observation.status.as_deref(),
                None | Some("final" | "corrected" | "amended")
            )
    };
    inputs
        .observations
        .iter()
        .filter(counts)
        .max_by_key(|observation| observation.taken)
}

fn quotient(derived: Derived, inputs: &Inputs) -> Result<Found, Missing> {
    let mut readings = Vec::new();
    let mut length = |code: &str, unit: &str, low: f64, high: f64| {
        let one = newest(inputs, |other| other == code).ok_or(Missing::Absent)?;
        if one
            .comparator
            .as_deref()
            .is_some_and(|comparator| !comparator.trim().is_empty())
        {
            return Err(Missing::Limit);
        }
        let value = convert(one.value, &one.unit, unit).ok_or(Missing::Unit)?;
        if !(low..=high).contains(&value) {
            return Err(Missing::Implausible);
        }
        readings.push(Reading {
            code: code.to_owned(),
            value: Json::from(value),
            unit: Some(unit.to_owned()),
        });
        Ok(value)
    };
    let value = match derived {
        Derived::Bmi => {
            let metres = length("height", "cm", 90.0, 250.0)? / 100.0;
            length("weight", "kg", 20.0, 400.0)? / (metres * metres)
        }
        Derived::WaistHip => {
            length("waist", "cm", 30.0, 250.0)? / length("hip", "cm", 40.0, 250.0)?
        }
        Derived::WaistHeight => {
            length("waist", "cm", 30.0, 250.0)? / length("height", "cm", 90.0, 250.0)?
        }
    };
    Ok(Found {
        value: Value::Number(value),
        comparator: None,
        readings,
    })
}

fn believe(part: &Part, value: f64) -> Result<(), Missing> {
    let plausible = part
        .plausible
        .is_none_or(|(low, high)| (low..=high).contains(&value));
    if value.is_finite() && plausible {
        Ok(())
    } else {
        Err(Missing::Implausible)
    }
}

/// Conversions that hold whatever is measured.
const SAFE: [(&str, &str, f64); 7] = [
    ("m", "cm", 100.0),
    ("mm", "cm", 0.1),
    ("g", "kg", 0.001),
    ("kpa", "mmhg", 7.500_62),
    ("umol/l", "mmol/l", 0.001),
    ("µmol/l", "mmol/l", 0.001),
    ("μmol/l", "mmol/l", 0.001),
];

fn convert(value: f64, from: &str, to: &str) -> Option<f64> {
    let plain = |unit: &str| -> String {
        unit.chars()
            .filter(|c| !matches!(c, '[' | ']' | ' '))
            .flat_map(char::to_lowercase)
            .collect()
    };
    let (from, to) = (plain(from), plain(to));
    if from == to && !from.is_empty() {
        return Some(value);
    }
    SAFE.iter()
        .find(|(a, b, _)| *a == from && *b == to)
        .map(|(_, _, factor)| value * factor)
}
