//! An element and what can be asked of it.

use std::sync::Arc;

use super::{
    Error,
    read::{Tree, walk},
};

/// How much is read before it is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of the document.
    pub bytes: usize,
    /// Elements within elements.
    pub depth: usize,
    /// Elements in all.
    pub elements: usize,
    /// Attributes of one element, namespace declarations among them.
    pub attributes: usize,
}

impl Default for Limits {
    /// Room for 500 persons with everything, or a long form; not for a bomb.
    fn default() -> Self {
        Self {
            bytes: 16 << 20,
            depth: 64,
            elements: 400_000,
            attributes: 64,
        }
    }
}

/// An attribute that is not a namespace declaration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    /// Namespace; empty when the name has no prefix.
    pub ns: Arc<str>,
    /// Local name.
    pub name: String,
    /// Value, with references resolved.
    pub value: String,
}

/// An element with what it holds. `Debug` shows names only: content may be personal data.
#[derive(Clone, PartialEq, Eq)]
pub struct Element {
    /// Namespace; empty when it has none.
    pub ns: Arc<str>,
    /// Local name.
    pub name: String,
    /// Attributes in order.
    pub attributes: Vec<Attribute>,
    /// Elements in order.
    pub children: Vec<Element>,
    /// All character data directly in this element, joined.
    pub text: String,
}

impl std::fmt::Debug for Element {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{{{}}}{}({} children)",
            self.ns,
            self.name,
            self.children.len()
        )
    }
}

impl Element {
    /// Reads a document within the default [`Limits`].
    ///
    /// # Errors
    /// [`Error`], naming at most an element.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_within(text, Limits::default())
    }

    /// Reads a document within `limits`.
    ///
    /// # Errors
    /// [`Error`], naming at most an element.
    pub fn parse_within(text: &str, limits: Limits) -> Result<Self, Error> {
        let mut tree = Tree::default();
        walk(text, limits, &mut tree)?;
        tree.root.ok_or(Error::Malformed(0))
    }

    /// Whether this is `{ns}name`.
    #[must_use]
    pub fn is(&self, ns: &str, name: &str) -> bool {
        self.name == name && &*self.ns == ns
    }

    /// The first child `{ns}name`.
    #[must_use]
    pub fn child(&self, ns: &str, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(ns, name))
    }

    /// All children `{ns}name`.
    pub fn all<'a>(&'a self, ns: &'a str, name: &'a str) -> impl Iterator<Item = &'a Self> + 'a {
        self.children.iter().filter(move |child| child.is(ns, name))
    }

    /// The first child `{ns}name`, which must be there.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn require(&self, ns: &str, name: &str) -> Result<&Self, Error> {
        self.child(ns, name)
            .ok_or_else(|| Error::Missing(name.to_owned()))
    }

    /// The trimmed text of this element.
    #[must_use]
    pub fn value(&self) -> &str {
        self.text.trim()
    }

    /// The trimmed text of a child; `None` when it is absent or empty, which mean the same here.
    #[must_use]
    pub fn text_of(&self, ns: &str, name: &str) -> Option<&str> {
        self.child(ns, name)
            .map(Self::value)
            .filter(|text| !text.is_empty())
    }

    /// The trimmed text of a child that must be there and not empty.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn require_text(&self, ns: &str, name: &str) -> Result<&str, Error> {
        self.text_of(ns, name)
            .ok_or_else(|| Error::Missing(name.to_owned()))
    }

    /// A child of type `xs:boolean`.
    ///
    /// # Errors
    /// [`Error::Value`] for another text.
    pub fn flag(&self, ns: &str, name: &str) -> Result<Option<bool>, Error> {
        match self.text_of(ns, name) {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Error::Value {
                name: name.to_owned(),
                expected: "a boolean",
            }),
        }
    }

    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, ns: &str, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|a| a.name == name && &*a.ns == ns)
            .map(|a| a.value.as_str())
    }
}
