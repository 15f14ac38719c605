//! Segments and fields as trees of plain text; escapes are read and written at the edge.

use std::fmt;

use crate::{Error, Limits, delimiters::Delimiters, escape::unescape};

/// The value of a field: repetitions of components of subcomponents.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Field(pub(crate) Vec<Vec<Vec<String>>>);

impl Field {
    /// Components of a single repetition.
    #[must_use]
    pub fn components(parts: &[&str]) -> Self {
        Self(vec![
            parts.iter().map(|part| vec![(*part).to_owned()]).collect(),
        ])
    }

    /// Sets a component (from 1) of the last repetition to subcomponents.
    #[must_use]
    pub fn with(mut self, component: usize, parts: &[&str]) -> Self {
        if self.0.is_empty() {
            self.0.push(Vec::new());
        }
        if let Some(last) = self.0.last_mut() {
            let index = component.max(1) - 1;
            if last.len() <= index {
                last.resize(index + 1, Vec::new());
            }
            last[index] = parts.iter().map(|part| (*part).to_owned()).collect();
        }
        self
    }

    /// Adds the repetitions of another field.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Each repetition as a field of its own.
    pub fn repetitions(&self) -> impl Iterator<Item = Field> {
        self.0
            .iter()
            .map(|repetition| Self(vec![repetition.clone()]))
    }

    /// The text of a component (from 1) of the first repetition; empty when it is not there.
    #[must_use]
    pub fn component(&self, component: usize) -> &str {
        self.subcomponent(component, 1)
    }

    /// The text of a subcomponent (both from 1) of the first repetition.
    #[must_use]
    pub fn subcomponent(&self, component: usize, subcomponent: usize) -> &str {
        self.0
            .first()
            .and_then(|repetition| repetition.get(component.checked_sub(1)?))
            .and_then(|parts| parts.get(subcomponent.checked_sub(1)?))
            .map_or("", String::as_str)
    }

    /// Whether it holds no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().flatten().flatten().all(String::is_empty)
    }

    pub(crate) fn read(
        text: &str,
        delimiters: &Delimiters,
        limits: &Limits,
        segment: usize,
    ) -> Result<Self, Error> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let too_many = |part| Error::TooMany {
            segment,
            part,
            limit: limits.parts,
        };
        let mut repetitions = Vec::new();
        for repetition in parts(text, delimiters.repetition) {
            let mut components = Vec::new();
            for component in repetition.split(delimiters.component) {
                let subcomponents: Vec<String> = parts(component, delimiters.subcomponent)
                    .take(limits.parts + 1)
                    .map(|part| unescape(part, delimiters))
                    .collect();
                if subcomponents.len() > limits.parts {
                    return Err(too_many("subcomponents"));
                }
                components.push(subcomponents);
                if components.len() > limits.parts {
                    return Err(too_many("components"));
                }
            }
            repetitions.push(components);
            if repetitions.len() > limits.parts {
                return Err(too_many("repetitions"));
            }
        }
        Ok(Self(repetitions))
    }
}

fn parts(text: &str, mark: Option<char>) -> impl Iterator<Item = &str> {
    text.split(move |c| Some(c) == mark)
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self::components(&[text])
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Self::components(&[&text])
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Field(redacted, {} repetitions)", self.0.len())
    }
}

/// A segment: its name and its fields. `Debug` shows only the name and the number of fields.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Segment {
    name: [u8; 3],
    /// Field n at n − 1. Of `MSH` the first two are the delimiters and are not written from here.
    pub(crate) fields: Vec<Field>,
}

impl Segment {
    /// An empty segment.
    ///
    /// A name that is not three capitals or digits becomes `ZZZ`: a name is written in a program
    /// and never comes from data.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: read_name(name).unwrap_or(*b"ZZZ"),
            fields: Vec::new(),
        }
    }

    /// Sets a field (from 1).
    #[must_use]
    pub fn with(mut self, number: usize, field: impl Into<Field>) -> Self {
        let index = number.max(1) - 1;
        if self.fields.len() <= index {
            self.fields.resize(index + 1, Field::default());
        }
        self.fields[index] = field.into();
        self
    }

    /// Three letters, such as `PID`.
    #[must_use]
    pub fn name(&self) -> &str {
        std::str::from_utf8(&self.name).unwrap_or("ZZZ")
    }

    /// A field (from 1), if the segment goes that far.
    #[must_use]
    pub fn field(&self, number: usize) -> Option<&Field> {
        self.fields.get(number.checked_sub(1)?)
    }

    /// The text of a field's first component; empty when it is not there.
    #[must_use]
    pub fn text(&self, number: usize) -> &str {
        self.component(number, 1)
    }

    /// The text of a component of a field, both from 1.
    #[must_use]
    pub fn component(&self, number: usize, component: usize) -> &str {
        self.field(number)
            .map_or("", |field| field.component(component))
    }

    /// Each repetition of a field.
    pub fn repetitions(&self, number: usize) -> impl Iterator<Item = Field> {
        self.field(number).into_iter().flat_map(Field::repetitions)
    }
}

pub(crate) fn read_name(name: &str) -> Option<[u8; 3]> {
    let bytes: [u8; 3] = name.as_bytes().try_into().ok()?;
    let rest = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    (bytes[0].is_ascii_uppercase() && bytes.iter().all(rest)).then_some(bytes)
}

impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({} fields, redacted)", self.name(), self.fields.len())
    }
}
