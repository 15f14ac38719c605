//! The table of an export.

use std::collections::{BTreeMap, HashSet};

use halsonav_domain::{RoundId, Timestamp, command::research::Contribute};
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::{Column, Error, Kind, Project, Source, export::Entry, values};

/// What stands in one place.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Cell {
    Empty,
    Integer(i64),
    Number(f64),
    Text(String),
}

/// A column with its cells.
pub(crate) struct Field {
    pub name: String,
    pub meaning: String,
    pub kind: Kind,
    pub unit: Option<String>,
    pub codes: BTreeMap<String, String>,
    /// Where it comes from, in words.
    pub source: String,
    pub cells: Vec<Cell>,
}

/// The columns, all of the same length.
pub(crate) struct Table {
    pub fields: Vec<Field>,
    pub rows: usize,
    /// Answers that look like free text and that no column asks for.
    pub left_out: Vec<String>,
}

/// The columns every export has.
const ALWAYS: [&str; 5] = ["pseudonym", "round", "month", "age", "sex"];

/// Makes the table of these entries, which stand in their final order.
pub(crate) fn table(entries: &[Entry], project: &Project, round: &RoundId) -> Result<Table, Error> {
    let mut table = Table {
        fields: always(entries, round)?,
        rows: entries.len(),
        left_out: Vec::new(),
    };
    if project.columns.is_empty() {
        everything(entries, &mut table)?;
    } else {
        declared(entries, project, &mut table)?;
    }
    Ok(table)
}

fn always(entries: &[Entry], round: &RoundId) -> Result<Vec<Field>, Error> {
    let field = |name: &str, meaning: &str, kind, source: &str, cells| Field {
        name: name.to_owned(),
        meaning: meaning.to_owned(),
        kind,
        unit: (name == "age").then(|| "år".to_owned()),
        codes: BTreeMap::new(),
        source: source.to_owned(),
        cells,
    };
    let texts = |of: &dyn Fn(&Entry) -> Option<String>| -> Vec<Cell> {
        let cell = |entry| of(entry).map_or(Cell::Empty, Cell::Text);
        entries.iter().map(cell).collect()
    };
    let sex = |entry: &Entry| match entry.contribution.sex.as_deref() {
        None => Ok(Cell::Empty),
        Some(sex @ ("woman" | "man")) => Ok(Cell::Text(sex.to_owned())),
        Some(_) => Err(Error::Value {
            column: "sex".to_owned(),
            expected: "woman or man".to_owned(),
        }),
    };
    let sexes: Result<Vec<_>, _> = entries.iter().map(sex).collect();
    let ages = entries
        .iter()
        .map(|entry| Cell::Integer(entry.contribution.age));
    let pseudonyms = texts(&|entry| Some(entry.pseudonym.clone()));
    let rounds = texts(&|_| Some(round.0.clone()));
    let months = texts(&|entry| entry.held.map(month));
    let mut fields = vec![
        field(
            "pseudonym",
            "Deltagaren, under projektets egen pseudonym",
            Kind::Text,
            "nycklad hash",
            pseudonyms,
        ),
        field("round", "Omgång", Kind::Text, "omgången", rounds),
        field(
            "month",
            "Månad för hälsosamtalet (ÅÅÅÅ-MM)",
            Kind::Text,
            "hälsosamtalet",
            months,
        ),
        field(
            "age",
            "Ålder under omgångens år",
            Kind::Integer,
            "urvalet",
            ages.collect(),
        ),
        field("sex", "Kön", Kind::Text, "urvalet", sexes?),
    ];
    if let Some(sex) = fields.last_mut() {
        sex.codes = [("woman", "kvinna"), ("man", "man")]
            .map(|(code, meaning)| (code.to_owned(), meaning.to_owned()))
            .into();
    }
    Ok(fields)
}

/// A column for everything but free text, named after its source.
fn everything(entries: &[Entry], table: &mut Table) -> Result<(), Error> {
    let contributions = || entries.iter().map(|entry| &entry.contribution);
    let mut taken: HashSet<String> = ALWAYS.map(str::to_owned).into();
    for source in values::sources(contributions()) {
        let found: Vec<_> = contributions()
            .map(|contribution| values::value(contribution, &source))
            .collect();
        let wanted = name(&source);
        if !found.iter().all(values::is_choice) {
            table.left_out.push(wanted);
            continue;
        }
        let kind = match source {
            Source::Answer { .. } => values::kind_of(found.iter()),
            Source::Value { .. } => Kind::Number,
            Source::Level { .. } => Kind::Integer,
        };
        let column = Column {
            name: unique(&wanted, &mut taken),
            meaning: meaning(&source),
            source,
            kind,
            codes: BTreeMap::new(),
        };
        add(&column, &found, entries, table, &mut taken)?;
    }
    Ok(())
}

fn declared(entries: &[Entry], project: &Project, table: &mut Table) -> Result<(), Error> {
    let mut taken: HashSet<String> = ALWAYS.map(str::to_owned).into();
    for column in &project.columns {
        let mut letters = column.name.bytes();
        let sound = column.name.len() <= 64
            && letters.next().is_some_and(|b| b.is_ascii_alphabetic())
            && letters.all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !sound || !taken.insert(column.name.clone()) {
            return Err(Error::Column(column.name.clone()));
        }
    }
    for column in &project.columns {
        let mut found = Vec::with_capacity(entries.len());
        for entry in entries {
            if values::elsewhere(&entry.contribution, &column.source) {
                return Err(Error::Value {
                    column: column.name.clone(),
                    expected: "in the unit of its column".to_owned(),
                });
            }
            found.push(values::value(&entry.contribution, &column.source));
        }
        add(column, &found, entries, table, &mut taken)?;
    }
    Ok(())
}

/// Adds a column and, where a value is a limit, a column with the sign: a limit read as a value
/// would be another value.
fn add(
    column: &Column,
    found: &[Value],
    entries: &[Entry],
    table: &mut Table,
    taken: &mut HashSet<String>,
) -> Result<(), Error> {
    let cells: Option<Vec<_>> = found
        .iter()
        .map(|value| values::cell(value, column.kind))
        .collect();
    let cells = cells.ok_or_else(|| values::misfit(&column.name, column.kind))?;
    let unit = match &column.source {
        Source::Value { unit, .. } => Some(unit.clone()),
        Source::Answer { .. } | Source::Level { .. } => None,
    };
    table.fields.push(Field {
        name: column.name.clone(),
        meaning: column.meaning.clone(),
        kind: column.kind,
        unit,
        codes: column.codes.clone(),
        source: meaning(&column.source),
        cells,
    });
    let sign = |contribution: &Contribute| {
        let observation = values::observation(contribution, &column.source)?;
        observation.comparator.clone()
    };
    let signs: Vec<_> = entries
        .iter()
        .map(|entry| sign(&entry.contribution).map_or(Cell::Empty, Cell::Text))
        .collect();
    if signs.iter().any(|sign| *sign != Cell::Empty) {
        table.fields.push(Field {
            name: unique(&format!("{}_limit", column.name), taken),
            meaning: format!("Tecken när {} är en gräns: < eller >", column.name),
            kind: Kind::Text,
            unit: None,
            codes: BTreeMap::new(),
            source: meaning(&column.source),
            cells: signs,
        });
    }
    Ok(())
}

/// `halsa_sleep`, `NPU27300_mmol_mol`, `level_bmi`.
fn name(source: &Source) -> String {
    let name = match source {
        Source::Answer { form, question } => format!("{form}_{question}"),
        Source::Value { code, unit } => format!("{code}_{unit}"),
        Source::Level { axis } => format!("level_{axis}"),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = name.chars().map(plain).take(56).collect();
    let name = name.trim_matches('_');
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        format!("c_{name}")
    }
}

fn unique(wanted: &str, taken: &mut HashSet<String>) -> String {
    let mut name = wanted.to_owned();
    let mut n = 1;
    while !taken.insert(name.clone()) {
        n += 1;
        name = format!("{wanted}_{n}");
    }
    name
}

fn meaning(source: &Source) -> String {
    match source {
        Source::Answer { form, question } => format!("Svar på {question} i formuläret {form}"),
        Source::Value { code, unit } => format!("{code} i {unit}"),
        Source::Level { axis } => format!("Nivå på {axis} i profilen, 0 är gynnsammast"),
    }
}

/// The month in Sweden.
fn month(at: Timestamp) -> String {
    let zone = TimeZone::get("Europe/Stockholm").unwrap_or(TimeZone::UTC);
    at.to_zoned(zone).strftime("%Y-%m").to_string()
}
