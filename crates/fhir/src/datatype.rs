//! Data types of R4 (`hl7.org/fhir/R4/datatypes.html`). Identity and health data stand in them, so
//! `Debug` of the types that hold any is redacted.

use jiff::Timestamp;
use serde::Serialize;

use crate::narrative::clean;

/// A struct of optional and repeated elements: what is absent is not written. `Debug` is redacted.
macro_rules! element {
    ($(#[$doc:meta])* $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Default, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($body)* }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}
pub(crate) use element;

element! {
/// A number or name in a system.
Identifier {
    /// The system's URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The value.
    pub value: String,
}}

element! {
/// A code in a system.
Coding {
    /// The system's URI.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The code.
    pub code: String,
    /// What the system calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}}

element! {
/// A concept by codes, text or both.
CodeableConcept {
    /// The codes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub coding: Vec<Coding>,
    /// In words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}}

element! {
/// Another resource of the same document.
Reference {
    /// Its `fullUrl`.
    pub reference: String,
    /// What it is, for a reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}}

element! {
/// A measured amount.
Quantity {
    /// The number.
    pub value: f64,
    /// `<`, `<=`, `>=` or `>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparator: Option<String>,
    /// The unit as it is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The unit's code system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The unit's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}}

element! {
/// From and to.
Period {
    /// From.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Timestamp>,
    /// To.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<Timestamp>,
}}

element! {
/// A name.
HumanName {
    /// `official`.
    #[serde(rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<&'static str>,
    /// The whole name as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Surname.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Given names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<String>,
}}

element! {
/// Where content is.
Attachment {
    /// Media type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Language of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'static str>,
    /// `fullUrl` of the Binary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Bytes of the content.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation: Option<Timestamp>,
}}

impl Identifier {
    /// `value` in `system`.
    #[must_use]
    pub fn new(system: &str, value: impl Into<String>) -> Self {
        Self {
            system: Some(system.to_owned()),
            value: value.into(),
        }
    }
}

impl Coding {
    /// `code` in `system`, called `display` there.
    #[must_use]
    pub fn new(system: &str, code: impl Into<String>, display: Option<&str>) -> Self {
        Self {
            system: Some(system.to_owned()),
            code: code.into(),
            display: display.map(str::to_owned),
        }
    }
}

impl CodeableConcept {
    /// A concept in words, with the codes there are.
    #[must_use]
    pub fn new(text: &str, coding: Vec<Coding>) -> Self {
        Self {
            coding,
            text: clean(text),
        }
    }
}

impl From<Coding> for CodeableConcept {
    fn from(coding: Coding) -> Self {
        Self {
            coding: vec![coding],
            text: None,
        }
    }
}
