//! XML as the service contracts use it: a reader with limits and a writer that cannot make an
//! empty element.
//!
//! The reader makes a small tree and compares names by namespace, never by prefix. It refuses a
//! DOCTYPE and every entity but the five of XML itself, so nothing is expanded or fetched.

mod element;
mod read;
mod time;
mod write;

pub use element::{Attribute, Element, Limits};
pub use read::decode;
pub(crate) use read::parts;
pub use time::{PartialDate, date, parse_date, parse_timestamp, timestamp};
pub use write::{Writer, document};

/// Why a text is not the XML that was expected. Names elements, never their content.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// Not well-formed, at this byte.
    #[error("not well-formed XML at byte {0}")]
    Malformed(u64),
    /// Bytes that are neither UTF-8 nor UTF-16.
    #[error("not UTF-8 or UTF-16")]
    Encoding,
    /// A document type declaration or an entity that is not one of XML's own five.
    #[error("document types and entities are not allowed")]
    Forbidden,
    /// Larger, deeper or more than is allowed.
    #[error("more {0} than allowed")]
    Limit(&'static str),
    /// An element that must be there is not.
    #[error("element {0} is missing")]
    Missing(String),
    /// An element holds something that its type does not allow.
    #[error("element {name} is not {expected}")]
    Value {
        /// Local name of the element.
        name: String,
        /// What it should be.
        expected: &'static str,
    },
}
