//! A whole message.

use std::fmt;

use crate::{Error, Field, Segment, charset, delimiters::Delimiters, field::read_name};

/// How much a message may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the whole.
    pub bytes: usize,
    /// Segments.
    pub segments: usize,
    /// Fields of a segment.
    pub fields: usize,
    /// Repetitions of a field, components of a repetition, subcomponents of a component.
    pub parts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 10,
            segments: 4096,
            fields: 256,
            parts: 256,
        }
    }
}

/// An HL7 v2 message; its first segment is `MSH`. `Debug` shows type and size only.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    pub(crate) segments: Vec<Segment>,
}

impl Message {
    /// Reads a message with the default [`Limits`].
    ///
    /// # Errors
    /// [`Error`] says what is wrong and where.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        Self::parse_within(bytes, &Limits::default())
    }

    /// Reads a message.
    ///
    /// Segments end in CR or CRLF, or, in a message whose header ends in LF, in any of them. A lone
    /// LF in other messages is text: a sender that escapes only CR must not let a segment slip in.
    ///
    /// # Errors
    /// [`Error`] says what is wrong and where.
    pub fn parse_within(bytes: &[u8], limits: &Limits) -> Result<Self, Error> {
        if bytes.len() > limits.bytes {
            return Err(Error::TooLong {
                limit: limits.bytes,
            });
        }
        let text = charset::decode(bytes)?;
        let delimiters = Delimiters::read(text.split(['\r', '\n']).next().unwrap_or_default())?;
        let with_lf = text
            .find(['\r', '\n'])
            .is_some_and(|at| text[at..].starts_with('\n'));
        let ends = |c: char| c == '\r' || (with_lf && c == '\n');
        let mut segments = Vec::new();
        for (number, line) in text.split(ends).enumerate() {
            let line = if number > 0 {
                line.strip_prefix('\n').unwrap_or(line)
            } else {
                line
            };
            if line.trim().is_empty() {
                continue;
            }
            if segments.len() == limits.segments {
                return Err(Error::TooMany {
                    segment: segments.len(),
                    part: "segments",
                    limit: limits.segments,
                });
            }
            segments.push(segment(line, number + 1, &delimiters, limits)?);
        }
        Ok(Self { segments })
    }

    /// Reads only the header, to answer a message that cannot be read whole.
    #[must_use]
    pub fn parse_header(bytes: &[u8]) -> Option<Self> {
        let line = bytes.split(|b| *b == b'\r' || *b == b'\n').next()?;
        Self::parse(line).ok()
    }

    /// A message of a header and nothing more. MSH-1 and MSH-2 are written by themselves.
    #[must_use]
    pub fn new(header: Segment) -> Self {
        Self {
            segments: vec![header],
        }
    }

    /// Adds a segment.
    pub fn push(&mut self, segment: Segment) {
        self.segments.push(segment);
    }

    /// All segments, the header first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// The first segment of that name.
    #[must_use]
    pub fn segment(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|segment| segment.name() == name)
    }

    /// A field's first component in the first segment of that name; empty when it is not there.
    #[must_use]
    pub fn text(&self, segment: &str, field: usize) -> &str {
        self.segment(segment)
            .map_or("", |segment| segment.text(field))
    }

    /// MSH-10.
    #[must_use]
    pub fn control_id(&self) -> &str {
        self.text("MSH", 10)
    }

    /// MSH-9 as message code and trigger event, such as `("ORU", "R01")`.
    #[must_use]
    pub fn kind(&self) -> (&str, &str) {
        self.segment("MSH").map_or(("", ""), |header| {
            (header.component(9, 1), header.component(9, 2))
        })
    }
}

fn segment(
    line: &str,
    number: usize,
    delimiters: &Delimiters,
    limits: &Limits,
) -> Result<Segment, Error> {
    let mut pieces = line.split(delimiters.field);
    let name = pieces.next().unwrap_or_default();
    let name = read_name(name).ok_or(Error::SegmentName(number))?;
    let header = &name == b"MSH";
    let mut segment = Segment::new(std::str::from_utf8(&name).unwrap_or_default());
    if header {
        if number != 1 {
            return Err(Error::SegmentName(number));
        }
        segment
            .fields
            .push(Field::from(delimiters.field.to_string()));
        segment
            .fields
            .push(Field::from(pieces.next().unwrap_or_default()));
    }
    for piece in pieces {
        if segment.fields.len() == limits.fields {
            return Err(Error::TooMany {
                segment: number,
                part: "fields",
                limit: limits.fields,
            });
        }
        segment
            .fields
            .push(Field::read(piece, delimiters, limits, number)?);
    }
    Ok(segment)
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Message({:?}, {} segments, redacted)",
            self.kind(),
            self.segments.len()
        )
    }
}
