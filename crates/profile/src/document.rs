//! A TOML file read piece by piece, so that one bad piece does not hide the faults of the others.

use std::ops::Range;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::fault::{Fault, SYNTAX, VALUE};

/// Longest file that is read, in bytes.
const LONGEST: usize = 1 << 20;

pub(crate) struct Document<'t> {
    file: &'t str,
    text: &'t str,
    root: DeTable<'t>,
    span: Range<usize>,
    faults: Vec<Fault>,
}

impl<'t> Document<'t> {
    /// Every syntax fault of the file, if there are any.
    pub fn open(file: &'t str, text: &'t str) -> Result<Self, Vec<Fault>> {
        let mut document = Self {
            file,
            text,
            root: DeTable::new(),
            span: 0..0,
            faults: Vec::new(),
        };
        if text.len() > LONGEST {
            document.fault(0, VALUE, format!("the file is longer than {LONGEST} bytes"));
            return Err(document.faults);
        }
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            for error in errors {
                let at = error.span().map_or(0, |span| span.start);
                document.fault(at, SYNTAX, error.message().to_owned());
            }
            return Err(document.faults);
        }
        document.span = root.span();
        document.root = root.into_inner();
        Ok(document)
    }

    /// The array of tables `key`, each with its offset; those that cannot be read become faults.
    pub fn list<T: DeserializeOwned>(&mut self, key: &str) -> Vec<(usize, T)> {
        let Some(value) = self.root.remove(key) else {
            return Vec::new();
        };
        let start = value.span().start;
        let DeValue::Array(items) = value.into_inner() else {
            self.fault(
                start,
                SYNTAX,
                format!("`{key}` is to be written as [[{key}]]"),
            );
            return Vec::new();
        };
        let mut out = Vec::new();
        for item in items {
            let span = item.span();
            match T::deserialize(ValueDeserializer::from(item)) {
                Ok(piece) => out.push((span.start, piece)),
                Err(error) => {
                    let at = error.span().map_or(span.start, |at| at.start);
                    self.fault(at, SYNTAX, format!("in [[{key}]]: {}", error.message()));
                }
            }
        }
        out
    }

    /// What is left when the lists have been taken.
    pub fn head<T: DeserializeOwned>(&mut self) -> Option<T> {
        let root = Spanned::new(
            self.span.clone(),
            DeValue::Table(std::mem::take(&mut self.root)),
        );
        match T::deserialize(ValueDeserializer::from(root)) {
            Ok(head) => Some(head),
            Err(error) => {
                let at = error.span().map_or(0, |at| at.start);
                self.fault(at, SYNTAX, error.message().to_owned());
                None
            }
        }
    }

    /// Notes a fault at a byte offset.
    pub fn fault(&mut self, at: usize, code: &'static str, message: String) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line,
            code,
            message,
        });
    }

    /// `value`, or every fault in order of line.
    pub fn close<T>(mut self, value: Option<T>) -> Result<T, Vec<Fault>> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => {
                self.faults.sort();
                self.faults.dedup();
                Err(self.faults)
            }
        }
    }
}

/// Whether a name can stand in keys and file names: letters of a–z, digits, `-` and `_`.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

/// Whether text can be shown: within length and without control characters.
pub(crate) fn is_text(text: &str, longest: usize) -> bool {
    text.chars().count() <= longest && !text.chars().any(|c| c.is_control() && c != '\n')
}
