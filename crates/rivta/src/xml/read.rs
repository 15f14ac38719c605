//! The reader.

use std::{borrow::Cow, sync::Arc};

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesStart, Event},
    name::ResolveResult,
};

use super::{Attribute, Element, Error, Limits};

/// Bytes to text: UTF-8, with or without a byte order mark, or UTF-16 with one (WS-I R4003).
///
/// # Errors
/// [`Error::Encoding`].
pub fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|pair| unit([pair[0], pair[1]]))
            .collect();
        let whole = bytes.len().is_multiple_of(2);
        String::from_utf16(&units)
            .ok()
            .filter(|_| whole)
            .map(Cow::Owned)
            .ok_or(Error::Encoding)
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => std::str::from_utf8(rest)
            .map(Cow::Borrowed)
            .map_err(|_| Error::Encoding),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        _ => std::str::from_utf8(bytes)
            .map(Cow::Borrowed)
            .map_err(|_| Error::Encoding),
    }
}

/// Takes what the walk finds.
pub(super) trait Visitor {
    /// An element begins at byte `at`; its prefixed name and the bindings in scope are in `start` and `reader`.
    fn open(&mut self, element: Element, at: usize, reader: &NsReader<&[u8]>);
    /// Character data.
    fn text(&mut self, text: &str);
    /// The element last opened ends before byte `to`.
    fn close(&mut self, to: usize);
}

/// Builds the tree.
#[derive(Default)]
pub(super) struct Tree {
    open: Vec<Element>,
    pub(super) root: Option<Element>,
}

impl Visitor for Tree {
    fn open(&mut self, element: Element, _at: usize, _reader: &NsReader<&[u8]>) {
        self.open.push(element);
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn close(&mut self, _to: usize) {
        if let Some(element) = self.open.pop() {
            match self.open.last_mut() {
                Some(parent) => parent.children.push(element),
                None => self.root = Some(element),
            }
        }
    }
}

/// The pieces of a document two levels down, each with where it stands in the text: what an
/// envelope needs to hand on its body unchanged.
#[derive(Default)]
pub(crate) struct Parts {
    /// The document element, without children.
    pub root: Option<Element>,
    /// Its children, without theirs.
    pub sections: Vec<Element>,
    /// The children of those: index of the section, start and end byte, namespaces in scope.
    pub entries: Vec<Entry>,
    depth: usize,
}

/// One grandchild of the document element.
pub(crate) struct Entry {
    pub section: usize,
    pub element: Element,
    pub from: usize,
    pub to: usize,
    /// Prefix (empty for the default) and namespace, as they are written.
    pub scope: Vec<(String, String)>,
}

impl Visitor for Parts {
    fn open(&mut self, element: Element, at: usize, reader: &NsReader<&[u8]>) {
        match self.depth {
            0 => self.root = Some(element),
            1 => self.sections.push(element),
            2 => {
                let scope = reader
                    .resolver()
                    .bindings()
                    .map(|(prefix, ns)| (declared(prefix), ns.0.to_owned()))
                    .collect();
                let section = self.sections.len() - 1;
                self.entries.push(Entry {
                    section,
                    element,
                    from: at,
                    to: at,
                    scope,
                });
            }
            _ => {}
        }
        self.depth += 1;
    }

    fn text(&mut self, _text: &str) {}

    fn close(&mut self, to: usize) {
        self.depth -= 1;
        if self.depth == 2
            && let Some(entry) = self.entries.last_mut()
        {
            entry.to = to;
        }
    }
}

fn declared(prefix: quick_xml::name::PrefixDeclaration<'_>) -> String {
    match prefix {
        quick_xml::name::PrefixDeclaration::Default => String::new(),
        quick_xml::name::PrefixDeclaration::Named(name) => name.to_owned(),
    }
}

/// Reads a whole document for its [`Parts`].
pub(crate) fn parts(text: &str, limits: Limits) -> Result<Parts, Error> {
    let mut parts = Parts::default();
    walk(text, limits, &mut parts)?;
    Ok(parts)
}

/// One pass over a document; every rule of the reader is here.
pub(super) fn walk(text: &str, limits: Limits, visitor: &mut dyn Visitor) -> Result<(), Error> {
    if text.len() > limits.bytes {
        return Err(Error::Limit("bytes"));
    }
    let mut reader = NsReader::from_str(text);
    reader.config_mut().expand_empty_elements = false;
    let mut names = Names::default();
    let (mut depth, mut elements, mut rooted) = (0_usize, 0_usize, false);
    loop {
        let at = reader.buffer_position();
        let event = reader
            .read_event()
            .map_err(|error| fault(&error, reader.error_position()))?;
        match event {
            Event::Start(_) | Event::Empty(_) if depth == 0 && rooted => {
                return Err(Error::Malformed(at));
            }
            Event::Start(start) => {
                rooted = true;
                depth += 1;
                elements += 1;
                check(depth, elements, limits)?;
                let element = names.element(&reader, &start, limits, at)?;
                visitor.open(element, offset(at), &reader);
            }
            Event::Empty(start) => {
                rooted = true;
                elements += 1;
                check(depth + 1, elements, limits)?;
                let element = names.element(&reader, &start, limits, at)?;
                visitor.open(element, offset(at), &reader);
                visitor.close(offset(reader.buffer_position()));
            }
            Event::End(_) => {
                depth = depth.checked_sub(1).ok_or(Error::Malformed(at))?;
                visitor.close(offset(reader.buffer_position()));
            }
            Event::Text(text) => {
                let text = text.xml10_content();
                if depth == 0 && !text.trim().is_empty() {
                    return Err(Error::Malformed(at));
                }
                visitor.text(&text);
            }
            Event::CData(_) if depth == 0 => return Err(Error::Malformed(at)),
            Event::CData(data) => visitor.text(&data.xml10_content()),
            Event::GeneralRef(reference) => {
                visitor.text(resolve(&reference)?.encode_utf8(&mut [0; 4]))
            }
            Event::DocType(_) => return Err(Error::Forbidden),
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof if depth == 0 && rooted => return Ok(()),
            Event::Eof => return Err(Error::Malformed(at)),
        }
    }
}

fn check(depth: usize, elements: usize, limits: Limits) -> Result<(), Error> {
    if depth > limits.depth {
        return Err(Error::Limit("depth"));
    }
    if elements > limits.elements {
        Err(Error::Limit("elements"))
    } else {
        Ok(())
    }
}

fn offset(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

fn fault(error: &quick_xml::Error, at: u64) -> Error {
    match error {
        quick_xml::Error::Namespace(quick_xml::name::NamespaceError::TooManyBindings {
            ..
        }) => Error::Limit("namespaces"),
        _ => Error::Malformed(at),
    }
}

/// A character reference or one of XML's own five entities.
fn resolve(reference: &quick_xml::events::BytesRef<'_>) -> Result<char, Error> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| Error::Forbidden)? {
        return Ok(character);
    }
    match &*reference.xml10_content() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        _ => Err(Error::Forbidden),
    }
}

/// Makes elements; the same namespace is the same allocation.
#[derive(Default)]
struct Names {
    seen: Vec<Arc<str>>,
}

impl Names {
    fn element(
        &mut self,
        reader: &NsReader<&[u8]>,
        start: &BytesStart<'_>,
        limits: Limits,
        at: u64,
    ) -> Result<Element, Error> {
        let (ns, local) = reader.resolver().resolve_element(start.name());
        let ns = self.namespace(&ns, at)?;
        let name = local.into_inner().to_owned();
        let mut attributes = Vec::new();
        for (count, attribute) in start.attributes().enumerate() {
            if count >= limits.attributes {
                return Err(Error::Limit("attributes"));
            }
            let attribute = attribute.map_err(|_| Error::Malformed(at))?;
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let (ns, local) = reader.resolver().resolve_attribute(attribute.key);
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| Error::Forbidden)?;
            attributes.push(Attribute {
                ns: self.namespace(&ns, at)?,
                name: local.into_inner().to_owned(),
                value: value.into_owned(),
            });
        }
        Ok(Element {
            ns,
            name,
            attributes,
            children: Vec::new(),
            text: String::new(),
        })
    }

    fn namespace(&mut self, resolved: &ResolveResult<'_>, at: u64) -> Result<Arc<str>, Error> {
        let ns = match resolved {
            ResolveResult::Bound(ns) => ns.0,
            ResolveResult::Unbound => "",
            ResolveResult::Unknown(_) => return Err(Error::Malformed(at)),
        };
        if let Some(known) = self.seen.iter().rev().find(|known| ***known == *ns) {
            return Ok(Arc::clone(known));
        }
        let fresh: Arc<str> = match ns.contains('&') {
            true => Arc::from(&*quick_xml::escape::unescape(ns).map_err(|_| Error::Forbidden)?),
            false => Arc::from(ns),
        };
        self.seen.truncate(31);
        self.seen.push(Arc::clone(&fresh));
        Ok(fresh)
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
