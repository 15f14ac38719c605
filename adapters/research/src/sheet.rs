//! CSV: RFC 4180, UTF-8, comma. It will be opened in a spreadsheet, so no text may become a formula.

use crate::{
    Error,
    table::{Cell, Table},
};

/// The table as CSV.
pub(crate) fn csv(table: &Table) -> Result<Vec<u8>, Error> {
    let names = table.fields.iter().map(|field| field.name.clone());
    let rows = (0..table.rows).map(|row| {
        let cells = table
            .fields
            .iter()
            .map(move |field| show(&field.cells[row]));
        cells.collect::<Vec<_>>()
    });
    lines(std::iter::once(names.collect()).chain(rows))
}

/// Lines of cells as CSV.
pub(crate) fn lines(lines: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, Error> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for line in lines {
        writer.write_record(&line).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

fn failed(error: &dyn std::fmt::Display) -> Error {
    Error::Format {
        what: "CSV".to_owned(),
        reason: error.to_string(),
    }
}

fn show(cell: &Cell) -> String {
    match cell {
        Cell::Empty => String::new(),
        Cell::Integer(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Text(text) => harmless(text),
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
/// injection). Numbers are numbers: a negative one stays as it is.
pub(crate) fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        for (text, expect) in [
            ("=1+1", "'=1+1"),
            ("+46", "'+46"),
            ("-1", "'-1"),
            ("@a", "'@a"),
            ("\t=1", "'\t=1"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(harmless(text), expect, "{text}");
        }
        assert_eq!(show(&Cell::Number(-1.5)), "-1.5");
        let quoted = lines(std::iter::once(vec!["a,b".into(), "c\"d\r\ne".into()]));
        assert_eq!(quoted.ok(), Some(b"\"a,b\",\"c\"\"d\r\ne\"\r\n".to_vec()));
    }
}
