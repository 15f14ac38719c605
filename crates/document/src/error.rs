//! What can go wrong, without a word of what was in the letter.

use std::fmt;

use halsonav_domain::{Kind, Problem};

/// One fault in a template, found when the folder is loaded or checked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fault {
    /// The file's name.
    pub file: String,
    /// Line, from 1; 0 when the fault concerns the whole.
    pub line: usize,
    /// `HUB-DOCUMENT-…`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.file, self.line, self.code, self.message
        )
    }
}

impl std::error::Error for Fault {}

/// Why no document came out. Holds names of templates and keys, never values.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No template of that name in any usable language.
    #[error("there is no template `{0}`")]
    NoTemplate(String),
    /// The data is not an object, or too large or deep.
    #[error("the data cannot be used: {0}")]
    Data(&'static str),
    /// The template could not be carried out with this data.
    #[error("{file}:{line}: {message}")]
    Template {
        /// The file in which it failed.
        file: String,
        /// Its line.
        line: usize,
        /// What failed; values are left out.
        message: String,
    },
    /// The result would not meet the standard, for example because a character has no glyph.
    #[error("`{template}` does not meet the PDF standard: {message}")]
    Standard {
        /// The template.
        template: String,
        /// Which rule; values are left out.
        message: String,
    },
    /// More pages than the letter may have.
    #[error("`{template}` has {pages} pages")]
    Pages {
        /// The template.
        template: String,
        /// How many it came to.
        pages: usize,
    },
    /// The typesetter broke down.
    #[error("the typesetter broke down on `{0}`")]
    Broken(String),
    /// No address, or one of more than seven lines.
    #[error("an address has one to seven lines, the last with a place")]
    AddressLines,
    /// The address does not fit in the window of the envelope, however small.
    #[error("the address does not fit in the envelope's window")]
    AddressSize,
    /// What stands beside the address does not fit beside it.
    #[error("the sender does not fit beside the envelope's window")]
    SenderSize,
    /// Data that the letterhead cannot do without.
    #[error("the letter needs `{0}` in its data")]
    Missing(String),
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoTemplate(_) => "HUB-DOCUMENT-002",
            Self::Data(_) => "HUB-DOCUMENT-003",
            Self::Template { .. } => "HUB-DOCUMENT-004",
            Self::Standard { .. } => "HUB-DOCUMENT-005",
            Self::Pages { .. } => "HUB-DOCUMENT-006",
            Self::Broken(_) => "HUB-DOCUMENT-007",
            Self::AddressLines => "HUB-DOCUMENT-010",
            Self::AddressSize => "HUB-DOCUMENT-011",
            Self::SenderSize => "HUB-DOCUMENT-012",
            Self::Missing(_) => "HUB-DOCUMENT-013",
        }
    }

    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NoTemplate(_) => Kind::NotFound,
            Self::Broken(_) => Kind::Internal,
            _ => Kind::Invalid,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Problem::new(error.kind(), error.code(), error.to_string())
    }
}
