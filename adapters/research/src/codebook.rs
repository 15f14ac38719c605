//! The code book: what each column means.

use std::fmt::Write as _;

use crate::{
    Error, Kind,
    export::Facts,
    sheet,
    table::{Cell, Field, Table},
};

/// As CSV, one line for each column.
pub(crate) fn csv(table: &Table) -> Result<Vec<u8>, Error> {
    let head = [
        "column", "meaning", "type", "unit", "codes", "source", "filled",
    ];
    let line = |field: &Field| {
        [
            field.name.clone(),
            field.meaning.clone(),
            kind(field.kind).to_owned(),
            field.unit.clone().unwrap_or_default(),
            codes(field),
            field.source.clone(),
            filled(field).to_string(),
        ]
        .map(|text| sheet::harmless(&text))
        .to_vec()
    };
    let head = head.map(str::to_owned).to_vec();
    sheet::lines(std::iter::once(head).chain(table.fields.iter().map(line)))
}

/// As a text that a person reads.
pub(crate) fn text(table: &Table, facts: &Facts<'_>) -> String {
    let Facts {
        project,
        round,
        made,
        in_small_groups,
    } = facts;
    let mut text = format!(
        "# Kodbok: {}, omgång {round}\n\n\
         Etikgodkännande: {}. Framställd {made}. {} rader, en för varje deltagare som samtyckt.\n\n\
         Pseudonymen är en nycklad hash av ett slumpat nummer och gäller bara i detta projekt. \
         Födelsedatum och dagar ingår inte. Preliminära laboratoriesvar ingår inte. \
         Saknade värden är tomma. Flera svar på en fråga skiljs åt med `|`. I CSV-filen står en \
         apostrof före text som annars skulle bli en formel i ett kalkylprogram; i Parquet-filen \
         står texten som den är.\n\n\
         {in_small_groups} rader ligger i grupper av samma ålder och kön med färre än {} deltagare. \
         Små grupper får inte redovisas var för sig.\n\n\
         | Kolumn | Betydelse | Typ | Enhet | Koder | Källa | Ifyllda |\n|---|---|---|---|---|---|---|\n",
        project.id,
        line(&project.ethics_approval),
        table.rows,
        project.threshold,
    );
    for field in &table.fields {
        // Writing into a String cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} |",
            field.name,
            line(&field.meaning),
            kind(field.kind),
            line(field.unit.as_deref().unwrap_or_default()),
            line(&codes(field)),
            line(&field.source),
            filled(field),
        );
    }
    if !table.left_out.is_empty() {
        let _ = writeln!(
            text,
            "\nUtelämnade, eftersom svaren kan vara fritext: {}.",
            line(&table.left_out.join(", "))
        );
    }
    text
}

fn codes(field: &Field) -> String {
    let codes = field.codes.iter();
    let codes: Vec<_> = codes
        .map(|(code, meaning)| format!("{code} = {meaning}"))
        .collect();
    codes.join("; ")
}

fn filled(field: &Field) -> usize {
    let empty = |cell: &&Cell| **cell != Cell::Empty;
    field.cells.iter().filter(empty).count()
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "heltal",
        Kind::Number => "tal",
        Kind::Text => "text",
    }
}

/// One line that cannot break the table.
fn line(text: &str) -> String {
    text.replace(['\r', '\n'], " ").replace('|', "\\|")
}
