//! One line into its fields.

use std::borrow::Cow;

use serde_json::Value;

use super::FileError;

/// How the list is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Columns with this separator.
    Csv(u8),
    /// One JSON object a line.
    JsonLines,
}

/// The columns we know.
pub(super) const KNOWN: [&str; 8] = [
    "person_id",
    "unit_hsa_id",
    "unit_name",
    "listed_since",
    "language",
    "interpreter",
    "invitation",
    "test",
];

/// The fields of one line in the order of [`KNOWN`]; `None` where there is nothing.
pub(super) type Line = [Option<String>; KNOWN.len()];

/// A code and a reason, for a line that has no number yet.
pub(super) type Refusal = (&'static str, Cow<'static, str>);

/// Where the fields stand.
#[derive(Debug)]
pub(super) struct Columns {
    format: Format,
    /// For every column of the file, which of ours it is.
    places: Vec<Option<usize>>,
    ignored: Vec<String>,
}

impl Columns {
    pub fn json() -> Self {
        Self {
            format: Format::JsonLines,
            places: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// Reads the first line. The separator is the one of `;`, `,` and tab that it holds most of.
    pub fn csv(line: &[u8]) -> Result<Self, FileError> {
        let count = |separator: u8| line.iter().filter(|byte| **byte == separator).count();
        let separator = [b';', b',', b'\t']
            .into_iter()
            .rev()
            .max_by_key(|separator| count(*separator))
            .unwrap_or(b';');
        let names = fields(line, separator).map_err(|_| FileError::Column(KNOWN[0]))?;
        let mut columns = Self {
            format: Format::Csv(separator),
            places: Vec::new(),
            ignored: Vec::new(),
        };
        for name in names {
            let name = name.trim().to_lowercase();
            let place = KNOWN.iter().position(|known| *known == name);
            if let Some(place) = place
                && columns.places.contains(&Some(place))
            {
                return Err(FileError::Twice(KNOWN[place]));
            }
            if place.is_none() {
                columns.ignored.push(name.chars().take(60).collect());
            }
            columns.places.push(place);
        }
        match (0..2).find(|required| !columns.places.contains(&Some(*required))) {
            Some(missing) => Err(FileError::Column(KNOWN[missing])),
            None => Ok(columns),
        }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// The fields of a line.
    pub fn split(&self, line: &[u8]) -> Result<Line, Refusal> {
        let separator = match self.format {
            Format::JsonLines => return object(line),
            Format::Csv(separator) => separator,
        };
        let fields = fields(line, separator)?;
        if fields.len() != self.places.len() {
            let reason = format!(
                "{} fields where the first line has {}",
                fields.len(),
                self.places.len()
            );
            return Err(("HUB-ROSTER-013", reason.into()));
        }
        let mut out = Line::default();
        for (field, place) in fields.into_iter().zip(&self.places) {
            if let Some(place) = place {
                out[*place] = Some(field.trim().to_owned()).filter(|text| !text.is_empty());
            }
        }
        Ok(out)
    }
}

/// UTF-8, or else Latin-1, where every byte is the character of its number.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(
        |_| bytes.iter().map(|byte| char::from(*byte)).collect(),
        Cow::Borrowed,
    )
}

/// Splits at the separator; a field in `"` may hold it, and `""` is one quote.
fn fields(line: &[u8], separator: u8) -> Result<Vec<Cow<'_, str>>, Refusal> {
    let quote = || {
        (
            "HUB-ROSTER-014",
            Cow::Borrowed("a quote that is not closed, or text beside one"),
        )
    };
    let mut out = Vec::with_capacity(KNOWN.len());
    let mut rest = line;
    loop {
        let (field, after) = match rest {
            [b'"', quoted @ ..] => quoted_field(quoted).ok_or_else(quote)?,
            _ => {
                let end = rest
                    .iter()
                    .position(|byte| *byte == separator)
                    .unwrap_or(rest.len());
                (decode(&rest[..end]), &rest[end..])
            }
        };
        out.push(field);
        match after {
            [] => return Ok(out),
            [first, tail @ ..] if *first == separator => rest = tail,
            _ => return Err(quote()),
        }
    }
}

/// The field up to its closing quote, and what is after that.
fn quoted_field(quoted: &[u8]) -> Option<(Cow<'_, str>, &[u8])> {
    let mut bytes = Vec::new();
    let mut at = 0;
    loop {
        match (quoted.get(at)?, quoted.get(at + 1)) {
            (b'"', Some(b'"')) => {
                bytes.push(b'"');
                at += 2;
            }
            (b'"', _) => return Some((Cow::Owned(decode(&bytes).into_owned()), &quoted[at + 1..])),
            (byte, _) => {
                bytes.push(*byte);
                at += 1;
            }
        }
    }
}

/// A JSON object. Fields we do not know are passed over.
fn object(line: &[u8]) -> Result<Line, Refusal> {
    let refuse = |reason: &'static str| ("HUB-ROSTER-015", Cow::Borrowed(reason));
    let text = std::str::from_utf8(line).map_err(|_| refuse("JSON must be UTF-8"))?;
    let Ok(Value::Object(mut object)) = serde_json::from_str(text) else {
        return Err(refuse("not a JSON object"));
    };
    let mut out = Line::default();
    for (place, name) in KNOWN.iter().enumerate() {
        let text = match object.remove(*name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Bool(flag)) => flag.to_string(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => return Err(("HUB-ROSTER-015", format!("{name} is not a text").into())),
        };
        out[place] = Some(text).filter(|text| !text.is_empty());
    }
    Ok(out)
}
