//! What can be wrong with a message or a frame.

use halsonav_domain::Kind;

/// A message or frame that cannot be read. Holds places, never values.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// It does not begin with `MSH` and a field separator.
    #[error("HUB-HL7-001: it does not begin with a message header")]
    NoHeader,
    /// MSH-1 and MSH-2 are not delimiters.
    #[error("HUB-HL7-002: MSH-1 and MSH-2 must be different marks, no letters, digits or controls")]
    Delimiters,
    /// Longer than a message may be.
    #[error("HUB-HL7-003: it is longer than {limit} bytes")]
    TooLong {
        /// Bytes allowed.
        limit: usize,
    },
    /// More parts than a message may have.
    #[error("HUB-HL7-004: segment {segment} and after: more than {limit} {part}")]
    TooMany {
        /// Segment, from 1.
        segment: usize,
        /// `segments`, `fields`, `repetitions`, `components` or `subcomponents`.
        part: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// A line does not begin with a segment's name.
    #[error("HUB-HL7-005: line {0} does not begin with the name of a segment")]
    SegmentName(usize),
    /// MSH-18 names a character set that is not read here.
    #[error("HUB-HL7-006: MSH-18 names a character set other than UNICODE UTF-8 and 8859/1")]
    Charset,
    /// The bytes are not in the character set that MSH-18 names.
    #[error("HUB-HL7-007: the text is not UTF-8 as MSH-18 says")]
    NotUtf8,
    /// A frame without its beginning or its end.
    #[error("HUB-HL7-008: bytes that are not an MLLP frame")]
    Frame,
    /// A time stamp that is not one.
    #[error("HUB-HL7-009: not a time stamp of HL7")]
    Time,
    /// The connection broke, or ended in the middle of a frame.
    #[error("HUB-HL7-010: the connection broke: {0}")]
    Broken(std::io::ErrorKind),
    /// A certificate or key that cannot be used.
    #[error("HUB-HL7-011: {0} cannot be used")]
    Tls(&'static str),
}

impl Error {
    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Broken(_) => Kind::Unavailable,
            _ => Kind::Invalid,
        }
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoHeader => "HUB-HL7-001",
            Self::Delimiters => "HUB-HL7-002",
            Self::TooLong { .. } => "HUB-HL7-003",
            Self::TooMany { .. } => "HUB-HL7-004",
            Self::SegmentName(_) => "HUB-HL7-005",
            Self::Charset => "HUB-HL7-006",
            Self::NotUtf8 => "HUB-HL7-007",
            Self::Frame => "HUB-HL7-008",
            Self::Time => "HUB-HL7-009",
            Self::Broken(_) => "HUB-HL7-010",
            Self::Tls(_) => "HUB-HL7-011",
        }
    }
}
