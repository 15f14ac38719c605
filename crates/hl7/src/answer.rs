//! What a handler says of a message.

use crate::Error;

/// A handler's verdict, given when it is final.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The message is safe with us: `AA`.
    Accepted,
    /// Not now; the sender should come again: `AE`.
    Retry(Fault),
    /// Never as it stands: `AR`.
    Rejected(Fault),
}

/// Why a message was not accepted. Goes into MSA-3 and `ERR`, so it holds no personal data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// HL7 table 0357, such as `101` required field missing, `207` application internal error.
    pub code: &'static str,
    /// Segment, its number among those of its name, and the field.
    pub location: Option<(&'static str, usize, usize)>,
    /// One sentence for the sender's staff.
    pub text: String,
}

impl Fault {
    /// A fault of the message as a whole.
    #[must_use]
    pub fn new(code: &'static str, text: impl Into<String>) -> Self {
        Self {
            code,
            location: None,
            text: text.into(),
        }
    }

    /// Names the field (from 1) of the n-th (from 1) segment of a name.
    #[must_use]
    pub fn at(mut self, segment: &'static str, number: usize, field: usize) -> Self {
        self.location = Some((segment, number, field));
        self
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        let code = match error {
            Error::TooMany { .. } | Error::SegmentName(_) => "100",
            Error::Time | Error::Charset | Error::NotUtf8 => "102",
            _ => "207",
        };
        let fault = Self::new(code, error.to_string());
        match error {
            Error::Delimiters => fault.at("MSH", 1, 2),
            Error::Charset | Error::NotUtf8 => fault.at("MSH", 1, 18),
            _ => fault,
        }
    }
}
