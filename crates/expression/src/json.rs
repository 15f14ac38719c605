//! JSON to FEEL values and back.

use std::collections::BTreeMap;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use dsntk_feel::{FeelNumber, Name};
use serde_json::{Map, Number, Value};

use crate::bound::Meter;

/// Deepest nesting of a variable or a result.
const MAX_DEPTH: usize = 64;
/// Most units of the variables of one evaluation, and of its result.
const MAX_UNITS: u32 = 2_000_000;

/// Which part of a variable an expression reads.
#[derive(Clone, PartialEq, Debug)]
pub enum Shape {
    /// All of it.
    All,
    /// Only these members; of each item, if it is a list.
    Members(BTreeMap<String, Shape>),
}

impl Shape {
    /// A shape that reads nothing yet.
    pub fn none() -> Self {
        Self::Members(BTreeMap::new())
    }

    /// Adds a path: `a.b` of `x.a.b`. The end of the path is read whole.
    pub fn add(&mut self, path: &[&str]) {
        match (self, path) {
            (Self::All, _) => {}
            (this, []) => *this = Self::All,
            (Self::Members(members), [first, rest @ ..]) => {
                members
                    .entry((*first).to_owned())
                    .or_insert_with(Self::none)
                    .add(rest);
            }
        }
    }
}

/// Why a value cannot be converted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    TooDeep,
    TooLarge,
    NotData(&'static str),
}

/// The part `shape` of a JSON value as a FEEL value, measured.
pub fn to_feel(value: &Value, shape: &Shape, meter: &mut Meter) -> Result<Feel, Unfit> {
    inward(value, shape, meter, 0)
}

fn inward(value: &Value, shape: &Shape, meter: &mut Meter, depth: usize) -> Result<Feel, Unfit> {
    if depth > MAX_DEPTH {
        return Err(Unfit::TooDeep);
    }
    count(meter, 1)?;
    Ok(match value {
        Value::Null => Feel::Null(None),
        Value::Bool(truth) => Feel::Boolean(*truth),
        Value::Number(number) => number_in(number),
        Value::String(text) => {
            count(meter, text.len())?;
            Feel::String(text.clone())
        }
        Value::Array(items) => {
            meter.longest = meter
                .longest
                .max(u32::try_from(items.len()).map_err(|_| Unfit::TooLarge)?);
            let mut list = Vec::with_capacity(items.len());
            for item in items {
                let before = meter.units;
                list.push(inward(item, shape, meter, depth + 1)?);
                meter.largest_item = meter.largest_item.max(meter.units - before);
            }
            Feel::List(list)
        }
        Value::Object(members) => Feel::Context(members_in(members, shape, meter, depth)?),
    })
}

fn members_in(
    members: &Map<String, Value>,
    shape: &Shape,
    meter: &mut Meter,
    depth: usize,
) -> Result<FeelContext, Unfit> {
    let mut context = FeelContext::default();
    match shape {
        Shape::All => {
            for (key, value) in members {
                count(meter, key.len())?;
                context.set_entry(
                    &Name::from(key.as_str()),
                    inward(value, shape, meter, depth + 1)?,
                );
            }
        }
        Shape::Members(wanted) => {
            for (key, shape) in wanted {
                if let Some(value) = members.get(key) {
                    count(meter, key.len())?;
                    context.set_entry(
                        &Name::from(key.as_str()),
                        inward(value, shape, meter, depth + 1)?,
                    );
                }
            }
        }
    }
    Ok(context)
}

fn count(meter: &mut Meter, units: usize) -> Result<(), Unfit> {
    let units = u32::try_from(units).map_err(|_| Unfit::TooLarge)?;
    meter.units = meter.units.saturating_add(units);
    if meter.units > MAX_UNITS {
        Err(Unfit::TooLarge)
    } else {
        Ok(())
    }
}

fn number_in(number: &Number) -> Feel {
    if let Some(whole) = number.as_i64() {
        return Feel::Number(whole.into());
    }
    match number.to_string().parse::<FeelNumber>() {
        Ok(number) => Feel::Number(number),
        Err(_) => Feel::Null(None),
    }
}

/// A FEEL value as JSON. Dates, times and durations become their ISO 8601 text.
pub fn to_json(value: Feel) -> Result<Value, Unfit> {
    outward(value, &mut Meter::default(), 0)
}

fn outward(value: Feel, meter: &mut Meter, depth: usize) -> Result<Value, Unfit> {
    if depth > MAX_DEPTH {
        return Err(Unfit::TooDeep);
    }
    count(meter, 1)?;
    Ok(match value {
        Feel::Null(_) => Value::Null,
        Feel::Boolean(truth) => Value::Bool(truth),
        Feel::Number(number) => number_out(&number),
        Feel::String(text) => {
            count(meter, text.len())?;
            Value::String(text)
        }
        Feel::List(items) | Feel::ExpressionList(items) => {
            let items: Result<_, _> = items
                .into_iter()
                .map(|item| outward(item, meter, depth + 1))
                .collect();
            Value::Array(items?)
        }
        Feel::Context(context) => {
            let mut members = Map::new();
            for (name, value) in context.iter() {
                count(meter, name.as_str().len())?;
                members.insert(
                    name.as_str().to_owned(),
                    outward(value.clone(), meter, depth + 1)?,
                );
            }
            Value::Object(members)
        }
        Feel::DateTime(moment) => Value::String(moment_out(&moment.to_string())),
        Feel::Transparent(value) => outward(*value, meter, depth + 1)?,
        other => match kind(&other) {
            "date" | "time" | "duration" => Value::String(other.to_string()),
            found => return Err(Unfit::NotData(found)),
        },
    })
}

/// Integers stay integers; fractions keep the digits that JSON numbers can hold.
fn number_out(number: &FeelNumber) -> Value {
    let text = number.to_string();
    let text = if number.is_integer() {
        text.split('.').next().unwrap_or(&text)
    } else {
        &text
    };
    if let Ok(whole) = text.parse::<i64>() {
        return Value::from(whole);
    }
    serde_json::from_str::<Number>(text).map_or(Value::Null, Value::Number)
}

/// FEEL writes a zone as `2026-03-01T08:00:00@Europe/Stockholm`; everyone else expects an offset.
fn moment_out(text: &str) -> String {
    let Some((local, zone)) = text.split_once('@') else {
        return text.to_owned();
    };
    match format!("{local}[{zone}]").parse::<jiff::Zoned>() {
        Ok(zoned) => zoned
            .timestamp()
            .display_with_offset(zoned.offset())
            .to_string(),
        Err(_) => text.to_owned(),
    }
}

/// The type of a value, in words for a message.
pub fn kind(value: &Feel) -> &'static str {
    match value {
        Feel::Null(_) => "null",
        Feel::Boolean(_) => "boolean",
        Feel::Number(_) => "number",
        Feel::String(_) => "string",
        Feel::List(_) | Feel::ExpressionList(_) => "list",
        Feel::Context(_) => "context",
        Feel::Date(_) => "date",
        Feel::Time(_) => "time",
        Feel::DateTime(_) => "date and time",
        Feel::DaysAndTimeDuration(_) | Feel::YearsAndMonthsDuration(_) => "duration",
        Feel::BuiltInFunction(_) | Feel::FunctionDefinition(..) => "function",
        Feel::Range(..)
        | Feel::UnaryGreater(_)
        | Feel::UnaryGreaterOrEqual(_)
        | Feel::UnaryLess(_)
        | Feel::UnaryLessOrEqual(_)
        | Feel::UnaryEqual(_)
        | Feel::UnaryNotEqual(_) => "range",
        _ => "value of no type",
    }
}
