//! Inputs → profile.

use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::instrument::{Axis, Instrument, Need, Part, Rule, Table, Test, ages, numbers_of};
use crate::profile::{Level, Missing, Profile, Reading};
use crate::reading::{Observation, read};

/// The sex that a table may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sex {
    /// Kvinna.
    Woman,
    /// Man.
    Man,
}

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Woman => "a woman",
            Self::Man => "a man",
        })
    }
}

/// What is known when a profile is made.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inputs {
    /// Template → question code → answer.
    #[serde(default)]
    pub forms: Json,
    /// Measurements and laboratory values.
    #[serde(default)]
    pub observations: Vec<Observation>,
    /// Where a table differs.
    #[serde(default)]
    pub sex: Option<Sex>,
    /// In whole years, where a table differs.
    #[serde(default)]
    pub age: Option<u8>,
    /// The day the answers were given: the tables in force that day are used.
    pub at: Date,
}

impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inputs({}, redacted)", self.at)
    }
}

/// What rules are tried on.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Number(f64),
    Answer(Vec<String>),
}

impl Value {
    /// For a message about a table; never used on a resident's value.
    pub fn describe(&self) -> String {
        match self {
            Self::Number(number) => format!("the value {number}"),
            Self::Answer(answers) => format!("the answer `{}`", answers.join("`, `")),
        }
    }
}

/// The first rule that holds.
pub(crate) fn decide(part: &Part, value: &Value, sex: Sex, age: u8) -> Option<usize> {
    part.rules.iter().position(|rule| {
        rule.sex.is_none_or(|one| one == sex)
            && rule.from_age.is_none_or(|from| age >= from)
            && rule.below_age.is_none_or(|below| age < below)
            && holds(rule, value)
    })
}

fn holds(rule: &Rule, value: &Value) -> bool {
    match (&rule.test, value) {
        (Test::Otherwise, _) => true,
        (Test::Is(known), Value::Answer(answers)) => {
            answers.iter().any(|answer| known.contains(answer))
        }
        (Test::Limits { lt, le, gt, ge }, Value::Number(number)) => {
            lt.is_none_or(|limit| *number < limit)
                && le.is_none_or(|limit| *number <= limit)
                && gt.is_none_or(|limit| *number > limit)
                && ge.is_none_or(|limit| *number >= limit)
        }
        _ => false,
    }
}

/// Puts the inputs through the instrument. Every axis gets a place; what cannot be told is missing.
#[must_use]
pub fn score(instrument: &Instrument, inputs: &Inputs) -> Profile {
    Profile {
        instrument: instrument.id.clone(),
        version: instrument.version.clone(),
        label: instrument.label.clone(),
        sample: instrument.sample,
        graphic: instrument.graphic,
        note: instrument.note.clone(),
        at: inputs.at,
        scale: instrument.scale.clone(),
        levels: instrument
            .axes
            .iter()
            .map(|axis| level(instrument, axis, inputs))
            .collect(),
    }
}

fn level(instrument: &Instrument, axis: &Axis, inputs: &Inputs) -> Level {
    let table = axis.table(inputs.at);
    let outcome = table
        .ok_or(Missing::NoTable)
        .map(|table| (table, weigh(instrument, table, inputs)));
    let (level, why, shown) = match outcome {
        Ok((_, (Ok(level), shown))) => (Some(level), None, shown),
        Ok((_, (Err(why), shown))) => (None, Some(why), shown),
        Err(why) => (None, Some(why), Vec::new()),
    };
    let (value, unit) = show(&shown);
    let step = level.map(usize::from);
    Level {
        axis: axis.id.clone(),
        label: axis.label.clone(),
        level,
        of: u8::try_from(instrument.scale.len().saturating_sub(1)).unwrap_or(u8::MAX),
        name: step
            .and_then(|step| instrument.scale.get(step))
            .map(|step| step.name.clone()),
        value,
        unit,
        readings: shown.into_iter().flat_map(|shown| shown.readings).collect(),
        text: match (step, table) {
            (Some(step), Some(table)) => table.texts.get(step).cloned().unwrap_or_default(),
            _ => "Uppgift saknas.".to_owned(),
        },
        source: table.map(|table| table.source.clone()).unwrap_or_default(),
        missing: why.is_some(),
        why,
    }
}

/// What one part contributes to the picture.
struct Shown {
    readings: Vec<Reading>,
    number: Option<String>,
    unit: Option<String>,
}

/// The least favourable level among the parts, if those that are needed are there.
fn weigh(
    instrument: &Instrument,
    table: &Table,
    inputs: &Inputs,
) -> (Result<u8, Missing>, Vec<Shown>) {
    let (mut worst, mut missing, mut shown) = (None, None, Vec::new());
    for part in &table.parts {
        match read(part, inputs, &instrument.values) {
            Ok(found) => {
                match level_of(part, &found.value, found.comparator.as_deref(), inputs) {
                    Ok(level) => worst = worst.max(Some(level)),
                    Err(why) => missing = missing.max(Some(why)),
                }
                let number = match found.value {
                    Value::Number(number) => {
                        Some(decimal(number, part.decimals, found.comparator.as_deref()))
                    }
                    Value::Answer(_) => None,
                };
                shown.push(Shown {
                    readings: found.readings,
                    number,
                    unit: part.unit.clone(),
                });
            }
            // With one of several enough, a part that is simply not there is no reason to complain.
            Err(Missing::Absent) if table.need == Need::Any => {}
            Err(why) => missing = missing.max(Some(why)),
        }
    }
    let least = table
        .parts
        .iter()
        .flat_map(|part| &part.rules)
        .map(|rule| rule.level)
        .max();
    let outcome = match (missing, worst) {
        // The least favourable level there is: whatever the missing part says, it cannot change it.
        (_, Some(level)) if worst == least => Ok(level),
        (Some(why), _) => Err(why),
        (None, Some(level)) => Ok(level),
        (None, None) => Err(Missing::Absent),
    };
    (outcome, shown)
}

/// The level that every possible reading agrees on: of an unknown sex or age, and of a value that is
/// only a limit. Nothing is guessed, but nothing that is certain is thrown away either.
fn level_of(
    part: &Part,
    value: &Value,
    comparator: Option<&str>,
    inputs: &Inputs,
) -> Result<u8, Missing> {
    let worlds = match (value, comparator) {
        (Value::Number(number), Some(comparator)) => possible(part, *number, comparator)
            .into_iter()
            .map(Value::Number)
            .collect(),
        _ => vec![value.clone()],
    };
    let sexes = inputs
        .sex
        .map_or_else(|| vec![Sex::Woman, Sex::Man], |sex| vec![sex]);
    let ages = inputs.age.map_or_else(|| ages(part), |age| vec![age]);
    let mut level = None;
    for world in &worlds {
        for sex in &sexes {
            for age in &ages {
                let rule = decide(part, world, *sex, *age).and_then(|index| part.rules.get(index));
                let one = rule.ok_or(Missing::Unknown)?.level;
                if level.is_some_and(|other| other != one) {
                    return Err(disagreement(part, inputs, worlds.len()));
                }
                level = Some(one);
            }
        }
    }
    level.ok_or(Missing::Limit)
}

fn disagreement(part: &Part, inputs: &Inputs, worlds: usize) -> Missing {
    if inputs.sex.is_none() && part.rules.iter().any(|rule| rule.sex.is_some()) {
        Missing::Sex
    } else if inputs.age.is_none()
        && part
            .rules
            .iter()
            .any(|rule| rule.from_age.or(rule.below_age).is_some())
    {
        Missing::Age
    } else {
        debug_assert!(worlds > 1, "one world gives one level");
        Missing::Limit
    }
}

/// Values that a limit leaves possible: one in each stretch between the thresholds.
fn possible(part: &Part, limit: f64, comparator: &str) -> Vec<f64> {
    let all = numbers_of(part);
    let mut out: Vec<f64> = match comparator.trim() {
        "<" | "<=" => all.into_iter().filter(|number| *number < limit).collect(),
        ">" | ">=" => all.into_iter().filter(|number| *number > limit).collect(),
        _ => return Vec::new(),
    };
    match comparator.trim() {
        "<" => out.push(limit.next_down()),
        ">" => out.push(limit.next_up()),
        _ => out.push(limit),
    }
    out
}

/// With a decimal comma.
fn decimal(number: f64, decimals: u8, comparator: Option<&str>) -> String {
    let digits = format!("{number:.*}", usize::from(decimals))
        .replace('.', ",")
        .replace('-', "−");
    format!("{}{digits}", comparator.map(str::trim).unwrap_or_default())
}

/// `142/88` and the unit, or `5,9 mmol/L, 41 mmol/mol` when the units differ.
fn show(shown: &[Shown]) -> (Option<String>, Option<String>) {
    let numbers: Vec<(&str, Option<&str>)> = shown
        .iter()
        .filter_map(|one| Some((one.number.as_deref()?, one.unit.as_deref())))
        .collect();
    let Some((_, unit)) = numbers.first() else {
        return (None, None);
    };
    if numbers.iter().all(|(_, other)| other == unit) {
        let joined = numbers
            .iter()
            .map(|(number, _)| *number)
            .collect::<Vec<_>>()
            .join("/");
        return (Some(joined), unit.map(str::to_owned));
    }
    let joined = numbers.iter().map(|(number, unit)| match unit {
        Some(unit) => format!("{number} {unit}"),
        None => (*number).to_owned(),
    });
    (Some(joined.collect::<Vec<_>>().join(", ")), None)
}
