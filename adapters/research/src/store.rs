//! Parquet, and files that get their names when they are whole.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use parquet::{
    basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel},
    data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type},
    errors::ParquetError,
    file::{
        metadata::KeyValue,
        properties::WriterProperties,
        writer::{SerializedColumnWriter, SerializedFileWriter},
    },
    schema::types::Type,
};

use crate::{
    Error, Kind,
    export::Facts,
    table::{Cell, Field, Table},
};

/// Rows in one row group.
const GROUP: usize = 100_000;

/// The table as Parquet. Every column may be empty.
pub(crate) fn parquet(table: &Table, facts: &Facts<'_>) -> Result<Vec<u8>, Error> {
    write(table, facts).map_err(|error| Error::Format {
        what: "Parquet".to_owned(),
        reason: error.to_string(),
    })
}

fn write(table: &Table, facts: &Facts<'_>) -> Result<Vec<u8>, ParquetError> {
    let columns: Result<Vec<_>, _> = table.fields.iter().map(column).collect();
    let schema = Type::group_type_builder("contribution")
        .with_fields(columns?)
        .build()?;
    let note = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by("halsonav".to_owned())
        .set_key_value_metadata(Some(vec![
            note("project", facts.project.id.clone()),
            note("ethics_approval", facts.project.ethics_approval.clone()),
            note("round", facts.round.0.clone()),
        ]))
        .build();
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties))?;
    for from in (0..table.rows).step_by(GROUP) {
        let to = (from + GROUP).min(table.rows);
        let mut group = writer.next_row_group()?;
        for field in &table.fields {
            if let Some(mut column) = group.next_column()? {
                cells(&field.cells[from..to], field.kind, &mut column)?;
                column.close()?;
            }
        }
        group.close()?;
    }
    writer.into_inner()
}

fn column(field: &Field) -> Result<Arc<Type>, ParquetError> {
    let (physical, logical) = match field.kind {
        Kind::Integer => (Physical::INT64, None),
        Kind::Number => (Physical::DOUBLE, None),
        Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let column = Type::primitive_type_builder(&field.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()?;
    Ok(Arc::new(column))
}

/// Definition level 1 for a cell with a value, 0 for an empty one.
fn cells(
    cells: &[Cell],
    kind: Kind,
    column: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    let levels: Vec<i16> = cells
        .iter()
        .map(|cell| i16::from(*cell != Cell::Empty))
        .collect();
    let levels = Some(levels.as_slice());
    match kind {
        Kind::Integer => {
            let values: Vec<_> = cells.iter().filter_map(integer).collect();
            column
                .typed::<Int64Type>()
                .write_batch(&values, levels, None)?;
        }
        Kind::Number => {
            let values: Vec<_> = cells.iter().filter_map(number).collect();
            column
                .typed::<DoubleType>()
                .write_batch(&values, levels, None)?;
        }
        Kind::Text => {
            let values: Vec<_> = cells.iter().filter_map(text).collect();
            column
                .typed::<ByteArrayType>()
                .write_batch(&values, levels, None)?;
        }
    }
    Ok(())
}

fn integer(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Integer(number) => Some(*number),
        Cell::Empty | Cell::Number(_) | Cell::Text(_) => None,
    }
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(*number),
        Cell::Empty | Cell::Integer(_) | Cell::Text(_) => None,
    }
}

fn text(cell: &Cell) -> Option<ByteArray> {
    match cell {
        Cell::Text(text) => Some(ByteArray::from(text.as_str())),
        Cell::Empty | Cell::Integer(_) | Cell::Number(_) => None,
    }
}

/// Writes every file beside its name, then gives all of them their names: a reader finds the old
/// file or the new one, never half of one.
pub(crate) fn place(dir: &Path, made: &[(String, Vec<u8>)]) -> Result<Vec<PathBuf>, Error> {
    let failed = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| Error::Write {
            what,
            kind: error.kind(),
        }
    };
    fs::create_dir_all(dir).map_err(failed("the folder"))?;
    let part = |name: &str| dir.join(format!(".{name}.part"));
    for (name, bytes) in made {
        let write = || {
            let mut file = File::create(part(name))?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(failed(name))?;
    }
    let mut files = Vec::with_capacity(made.len());
    for (name, _) in made {
        let path = dir.join(name);
        fs::rename(part(name), &path).map_err(failed(name))?;
        files.push(path);
    }
    // The names themselves must survive a power cut too.
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("the folder"))?;
    Ok(files)
}
