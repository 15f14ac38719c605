//! TOML → instrument.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{
    Axis, Derived, Graphic, Instrument, Need, Part, Reads, Rule, Step, Table, Term, Test, check,
};
use crate::document::{Document, is_name, is_text};
use crate::fault::{Fault, VALUE};
use crate::score::Sex;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    id: Spanned<String>,
    version: Spanned<String>,
    label: Spanned<String>,
    #[serde(default)]
    sample: bool,
    graphic: Graphic,
    note: Option<String>,
    valid_from: Option<Spanned<Datetime>>,
    valid_to: Option<Spanned<Datetime>>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, f64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAxis {
    id: Spanned<String>,
    label: Spanned<String>,
    #[serde(default)]
    table: Vec<Spanned<RawTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    source: Spanned<String>,
    valid_from: Option<Spanned<Datetime>>,
    valid_to: Option<Spanned<Datetime>>,
    #[serde(default)]
    need: Need,
    texts: Vec<String>,
    #[serde(default)]
    part: Vec<Spanned<RawPart>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPart {
    form: Option<String>,
    observation: Option<OneOrMore>,
    derived: Option<Derived>,
    sum: Option<Vec<Term>>,
    unit: Option<String>,
    #[serde(default)]
    decimals: u8,
    plausible: Option<(f64, f64)>,
    #[serde(default)]
    undecided: Vec<String>,
    levels: Vec<Spanned<RawRule>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    level: u8,
    lt: Option<f64>,
    le: Option<f64>,
    gt: Option<f64>,
    ge: Option<f64>,
    is: Option<Vec<String>>,
    sex: Option<Sex>,
    from_age: Option<u8>,
    below_age: Option<u8>,
}

/// Rules and where they stand, for the checks that come after.
pub(super) struct Lines {
    /// Offset of the part.
    pub part: usize,
    /// Offset of each rule.
    pub rules: Vec<usize>,
}

pub(super) fn load(file: &str, text: &str) -> Result<Instrument, Vec<Fault>> {
    let mut document = Document::open(file, text)?;
    let scale: Vec<(usize, Step)> = document.list("scale");
    let raw: Vec<(usize, RawAxis)> = document.list("axis");
    let Some(head) = document.head::<Head>() else {
        return document.close(None);
    };
    check::scale(&mut document, &scale);
    let steps = scale.len();
    let mut axes = Vec::<Axis>::new();
    for (at, axis) in raw {
        if axes.iter().any(|other| other.id == *axis.id.get_ref()) {
            document.fault(
                at,
                VALUE,
                format!("two axes are called `{}`", axis.id.get_ref()),
            );
        }
        axes.push(build_axis(&mut document, axis, steps, &head.values));
    }
    if axes.len() < 3 || axes.len() > 24 {
        document.fault(
            0,
            VALUE,
            format!(
                "an instrument has 3 to 24 axes, this one has {}",
                axes.len()
            ),
        );
    }
    name(&mut document, &head.id);
    for text in [&head.version, &head.label] {
        words(&mut document, text, 80);
    }
    let instrument = Instrument {
        valid_from: date(&mut document, head.valid_from),
        valid_to: date(&mut document, head.valid_to),
        id: head.id.into_inner(),
        version: head.version.into_inner(),
        label: head.label.into_inner(),
        sample: head.sample,
        graphic: head.graphic,
        note: head.note,
        scale: scale.into_iter().map(|(_, step)| step).collect(),
        values: head.values,
        axes,
    };
    check::values(&mut document, &instrument);
    document.close(Some(instrument))
}

fn build_axis(
    document: &mut Document<'_>,
    raw: RawAxis,
    steps: usize,
    values: &BTreeMap<String, BTreeMap<String, f64>>,
) -> Axis {
    name(document, &raw.id);
    words(document, &raw.label, 40);
    let id = raw.id.into_inner();
    if raw.table.is_empty() {
        document.fault(
            raw.label.span().start,
            VALUE,
            format!("axis `{id}` has no [[axis.table]]"),
        );
    }
    let mut tables = Vec::new();
    for table in raw.table {
        let at = table.span().start;
        let table = build_table(document, table.into_inner(), at, steps, values);
        check::table(document, &id, &table, &tables, at);
        tables.push(table);
    }
    Axis {
        id,
        label: raw.label.into_inner(),
        tables,
    }
}

fn build_table(
    document: &mut Document<'_>,
    raw: RawTable,
    at: usize,
    steps: usize,
    values: &BTreeMap<String, BTreeMap<String, f64>>,
) -> Table {
    words(document, &raw.source, 400);
    let mut parts = Vec::new();
    for part in raw.part {
        let start = part.span().start;
        if let Some(part) = build_part(document, part.into_inner(), start, steps, values) {
            parts.push(part);
        }
    }
    let table = Table {
        valid_from: date(document, raw.valid_from),
        valid_to: date(document, raw.valid_to),
        source: raw.source.into_inner(),
        need: raw.need,
        texts: raw.texts,
        parts,
    };
    check::texts(document, &table, steps, at);
    table
}

fn build_part(
    document: &mut Document<'_>,
    raw: RawPart,
    at: usize,
    steps: usize,
    values: &BTreeMap<String, BTreeMap<String, f64>>,
) -> Option<Part> {
    let mut reads = [
        raw.form.map(Reads::Form),
        raw.observation.map(|codes| match codes {
            OneOrMore::One(code) => Reads::Observation(vec![code]),
            OneOrMore::More(codes) => Reads::Observation(codes),
        }),
        raw.derived.map(Reads::Derived),
        raw.sum.map(Reads::Sum),
    ]
    .into_iter()
    .flatten();
    let (Some(reads), None) = (reads.next(), reads.next()) else {
        let message = "a part reads exactly one of `form`, `observation`, `derived` and `sum`";
        document.fault(at, VALUE, message.to_owned());
        return None;
    };
    let mut lines = Lines {
        part: at,
        rules: Vec::new(),
    };
    let mut rules = Vec::new();
    for rule in raw.levels {
        lines.rules.push(rule.span().start);
        rules.push(build_rule(document, rule));
    }
    let part = Part {
        reads,
        unit: raw.unit,
        decimals: raw.decimals.min(6),
        plausible: raw.plausible,
        undecided: raw.undecided,
        rules,
    };
    check::part(document, &part, &lines, steps, values);
    Some(part)
}

fn build_rule(document: &mut Document<'_>, raw: Spanned<RawRule>) -> Rule {
    let at = raw.span().start;
    let raw = raw.into_inner();
    let limits = [raw.lt, raw.le, raw.gt, raw.ge];
    let test = match (raw.is, limits.iter().any(Option::is_some)) {
        (Some(_), true) => {
            document.fault(
                at,
                VALUE,
                "`is` does not go together with lt, le, gt, ge".to_owned(),
            );
            Test::Otherwise
        }
        (Some(answers), false) => Test::Is(answers),
        (None, true) => Test::Limits {
            lt: raw.lt,
            le: raw.le,
            gt: raw.gt,
            ge: raw.ge,
        },
        (None, false) => Test::Otherwise,
    };
    if limits.iter().flatten().any(|limit| !limit.is_finite()) {
        document.fault(at, VALUE, "a limit is to be a finite number".to_owned());
    }
    Rule {
        level: raw.level,
        test,
        sex: raw.sex,
        from_age: raw.from_age,
        below_age: raw.below_age,
    }
}

fn name(document: &mut Document<'_>, id: &Spanned<String>) {
    if !is_name(id.get_ref()) {
        let message = "a name is at most 64 of a–z, 0–9, `-` and `_`";
        document.fault(id.span().start, VALUE, message.to_owned());
    }
}

fn words(document: &mut Document<'_>, text: &Spanned<String>, longest: usize) {
    if text.get_ref().trim().is_empty() || !is_text(text.get_ref(), longest) {
        let message =
            format!("a text of 1 to {longest} characters, without control characters, is wanted");
        document.fault(text.span().start, VALUE, message);
    }
}

fn date(document: &mut Document<'_>, raw: Option<Spanned<Datetime>>) -> Option<Date> {
    let raw = raw?;
    let at = raw.span().start;
    let datetime = raw.into_inner();
    let day = datetime
        .date
        .filter(|_| datetime.time.is_none())
        .and_then(|day| {
            let year = i16::try_from(day.year).ok()?;
            Date::new(
                year,
                i8::try_from(day.month).ok()?,
                i8::try_from(day.day).ok()?,
            )
            .ok()
        });
    if day.is_none() {
        document.fault(
            at,
            VALUE,
            "a date is written 2023-09-12, without quotes".to_owned(),
        );
    }
    day
}
