//! What a table must hold to: every value gets a level, every rule can apply.

use std::collections::BTreeMap;

use super::load::Lines;
use super::{Instrument, Part, Reads, Step, Table, Test, overlap};
use crate::document::{Document, is_text};
use crate::fault::{DATES, RULES, VALUE};
use crate::score::{Sex, Value, decide};

pub(super) fn scale(document: &mut Document<'_>, scale: &[(usize, Step)]) {
    if scale.len() < 2 || scale.len() > 9 {
        document.fault(
            0,
            VALUE,
            format!("a scale has 2 to 9 steps, this one has {}", scale.len()),
        );
    }
    for (at, step) in scale {
        let colour = step.colour.as_bytes();
        if colour.len() != 7 || colour[0] != b'#' || !colour[1..].iter().all(u8::is_ascii_hexdigit)
        {
            document.fault(*at, VALUE, "a colour is written #rrggbb".to_owned());
        }
        if step.name.trim().is_empty() || !is_text(&step.name, 24) {
            document.fault(
                *at,
                VALUE,
                "a step has a name of 1 to 24 characters".to_owned(),
            );
        }
    }
}

pub(super) fn values(document: &mut Document<'_>, instrument: &Instrument) {
    for (code, map) in &instrument.values {
        if map.values().any(|value| !value.is_finite()) {
            document.fault(
                0,
                VALUE,
                format!("[values.{code}] holds a number that is not finite"),
            );
        }
    }
    if let (Some(from), Some(to)) = (instrument.valid_from, instrument.valid_to)
        && from > to
    {
        document.fault(0, DATES, "valid_from lies after valid_to".to_owned());
    }
    if instrument
        .note
        .as_deref()
        .is_some_and(|note| !is_text(note, 200))
    {
        document.fault(
            0,
            VALUE,
            "the note is longer than 200 characters".to_owned(),
        );
    }
}

pub(super) fn texts(document: &mut Document<'_>, table: &Table, steps: usize, at: usize) {
    if table.texts.len() != steps {
        let message = format!(
            "`texts` has {} texts, the scale has {steps} steps",
            table.texts.len()
        );
        document.fault(at, VALUE, message);
        return;
    }
    let given: Vec<u8> = table
        .parts
        .iter()
        .flat_map(|part| part.rules.iter().map(|rule| rule.level))
        .collect();
    for (level, text) in table.texts.iter().enumerate() {
        if text.trim().is_empty() && given.iter().any(|one| usize::from(*one) == level) {
            document.fault(
                at,
                VALUE,
                format!("level {level} is given by a rule but has no text"),
            );
        }
        if !is_text(text, 300) {
            document.fault(
                at,
                VALUE,
                format!("the text of level {level} is longer than 300 characters"),
            );
        }
    }
}

pub(super) fn table(
    document: &mut Document<'_>,
    axis: &str,
    table: &Table,
    before: &[Table],
    at: usize,
) {
    let period = (table.valid_from, table.valid_to);
    if let (Some(from), Some(to)) = period
        && from > to
    {
        document.fault(
            at,
            DATES,
            format!("axis `{axis}`: valid_from lies after valid_to"),
        );
    }
    if before
        .iter()
        .any(|other| overlap((other.valid_from, other.valid_to), period))
    {
        document.fault(
            at,
            DATES,
            format!("axis `{axis}`: two tables are in force on the same day"),
        );
    }
    if table.parts.is_empty() {
        document.fault(
            at,
            VALUE,
            format!("axis `{axis}`: the table has no [[axis.table.part]]"),
        );
    }
}

pub(super) fn part(
    document: &mut Document<'_>,
    part: &Part,
    lines: &Lines,
    steps: usize,
    values: &BTreeMap<String, BTreeMap<String, f64>>,
) {
    if part.rules.is_empty() || part.rules.len() > 64 {
        document.fault(lines.part, RULES, "a part has 1 to 64 levels".to_owned());
        return;
    }
    for (rule, at) in part.rules.iter().zip(&lines.rules) {
        if usize::from(rule.level) >= steps {
            document.fault(
                *at,
                RULES,
                format!("level {} is not on the scale", rule.level),
            );
        }
    }
    if part
        .plausible
        .is_some_and(|(low, high)| !(low < high && low.is_finite() && high.is_finite()))
    {
        document.fault(
            lines.part,
            VALUE,
            "`plausible` is the lowest and the highest value".to_owned(),
        );
    }
    if part
        .unit
        .as_deref()
        .is_some_and(|unit| unit.is_empty() || !is_text(unit, 20))
    {
        document.fault(
            lines.part,
            VALUE,
            "a unit has 1 to 20 characters".to_owned(),
        );
    }
    reads(document, part, lines, values);
    rules(document, part, lines);
}

fn reads(
    document: &mut Document<'_>,
    part: &Part,
    lines: &Lines,
    values: &BTreeMap<String, BTreeMap<String, f64>>,
) {
    match &part.reads {
        Reads::Sum(terms) => {
            if terms.is_empty()
                || terms.len() > 32
                || terms.iter().any(|term| !term.times.is_finite())
            {
                document.fault(
                    lines.part,
                    VALUE,
                    "a sum has 1 to 32 terms with finite weights".to_owned(),
                );
            }
            for term in terms {
                if !values.contains_key(bare(&term.form)) {
                    let message = format!(
                        "a sum reads `{}`, which has no [values.{0}]",
                        bare(&term.form)
                    );
                    document.fault(lines.part, VALUE, message);
                }
            }
        }
        Reads::Observation(codes) => {
            if codes.is_empty() || part.unit.is_none() {
                document.fault(
                    lines.part,
                    VALUE,
                    "an observation has a code and a unit".to_owned(),
                );
            }
        }
        Reads::Form(_) | Reads::Derived(_) => {}
    }
}

/// The code without the form's name.
pub(super) fn bare(code: &str) -> &str {
    code.rsplit_once('.').map_or(code, |(_, code)| code)
}

/// Puts every threshold and its neighbours through the rules: each must give a level, and each rule
/// must be reached by one of them.
fn rules(document: &mut Document<'_>, part: &Part, lines: &Lines) {
    let words = part
        .rules
        .iter()
        .any(|rule| matches!(rule.test, Test::Is(_)));
    let numbers = part
        .rules
        .iter()
        .any(|rule| matches!(rule.test, Test::Limits { .. }));
    if words && numbers {
        let message = "levels either compare a number or list answers with `is`, not both";
        document.fault(lines.part, RULES, message.to_owned());
        return;
    }
    if words && !matches!(part.reads, Reads::Form(_)) {
        document.fault(lines.part, RULES, "`is` goes with `form` only".to_owned());
        return;
    }
    let probes = if words {
        answers(part)
    } else {
        numbers_of(part).into_iter().map(Value::Number).collect()
    };
    let mut reached = vec![false; part.rules.len()];
    for value in &probes {
        for sex in [Sex::Woman, Sex::Man] {
            for age in ages(part) {
                match decide(part, value, sex, age) {
                    Some(rule) => reached[rule] = true,
                    None => {
                        let message =
                            format!("{} has no level for {sex} aged {age}", value.describe());
                        document.fault(lines.part, RULES, message);
                        return;
                    }
                }
            }
        }
    }
    for (reached, at) in reached.iter().zip(&lines.rules) {
        if !reached {
            document.fault(
                *at,
                RULES,
                "this level is never reached: those before it take every value".to_owned(),
            );
        }
    }
}

fn answers(part: &Part) -> Vec<Value> {
    let known = part.rules.iter().filter_map(|rule| match &rule.test {
        Test::Is(answers) => Some(answers),
        _ => None,
    });
    let mut out: Vec<Value> = known
        .flatten()
        .map(|answer| Value::Answer(vec![answer.clone()]))
        .collect();
    if part.rules.iter().any(|rule| rule.test == Test::Otherwise) {
        out.push(Value::Answer(vec!["\u{0}another".to_owned()]));
    }
    out
}

/// Every limit, and a number on each side of it.
pub(crate) fn numbers_of(part: &Part) -> Vec<f64> {
    let mut limits: Vec<f64> = part
        .rules
        .iter()
        .flat_map(|rule| match rule.test {
            Test::Limits { lt, le, gt, ge } => [lt, le, gt, ge],
            _ => [None; 4],
        })
        .flatten()
        .collect();
    limits.sort_by(f64::total_cmp);
    limits.dedup();
    let mut out = vec![limits.first().map_or(0.0, |least| least - 1.0)];
    for (index, limit) in limits.iter().enumerate() {
        out.push(*limit);
        out.push(
            limits
                .get(index + 1)
                .map_or(limit + 1.0, |next| f64::midpoint(*limit, *next)),
        );
    }
    out
}

/// Ages on each side of every age that a rule names.
pub(crate) fn ages(part: &Part) -> Vec<u8> {
    let mut out = vec![50];
    for age in part
        .rules
        .iter()
        .flat_map(|rule| [rule.from_age, rule.below_age])
        .flatten()
    {
        out.extend([age.saturating_sub(1), age]);
    }
    out.sort_unstable();
    out.dedup();
    out
}
