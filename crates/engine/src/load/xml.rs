//! The file as an XML tree, within limits.
//!
//! A quick look over the text comes before the parser: nesting, attributes and namespace
//! declarations are counted first, because a parser spends quadratic time on too many of them.

use roxmltree::{Document, Error, Node, ParsingOptions};

/// An XML element.
pub(crate) type Element<'a> = Node<'a, 'a>;

/// BPMN 2.0 model elements.
pub(crate) const BPMN: &str = "http://www.omg.org/spec/BPMN/20100524/MODEL";
/// Zeebe extension elements.
pub(crate) const ZEEBE: &str = "http://camunda.org/schema/zeebe/1.0";
/// Camunda 7 extension elements, which the hub does not run.
pub(crate) const CAMUNDA_7: &str = "http://camunda.org/schema/1.0/bpmn";

const MAX_BYTES: usize = 4 << 20;
const MAX_DEPTH: usize = 100;
const MAX_ATTRIBUTES: usize = 100;
const MAX_DECLARATIONS: usize = 2_000;
const MAX_XML_NODES: u32 = 400_000;

/// Why a text is not read.
#[derive(Debug)]
pub(crate) enum Unreadable {
    TooLarge(String),
    TooDeep { line: u32 },
    Doctype { line: u32 },
    Malformed { line: u32, reason: String },
}

/// Reads a text.
pub(crate) fn read(text: &str) -> Result<Document<'_>, Unreadable> {
    if text.len() > MAX_BYTES {
        return Err(Unreadable::TooLarge(format!(
            "{} bytes, and at most {MAX_BYTES} are read",
            text.len()
        )));
    }
    measure(text)?;
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MAX_XML_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(text, options).map_err(|error| match error {
        Error::DtdDetected => Unreadable::Doctype { line: 1 },
        Error::NodesLimitReached => {
            Unreadable::TooLarge(format!("more than {MAX_XML_NODES} elements"))
        }
        other => Unreadable::Malformed {
            line: other.pos().row,
            reason: other.to_string(),
        },
    })
}

/// Counts what the parser should not meet too much of. Leaves well-formedness to the parser.
fn measure(text: &str) -> Result<(), Unreadable> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut declarations) = (0, 0usize, 0usize);
    while let Some(open) = find(bytes, at, b"<") {
        let rest = &bytes[open..];
        let after = |mark: &[u8], skip: usize| {
            find(bytes, open + skip, mark).map_or(bytes.len(), |end| end + mark.len())
        };
        if rest.starts_with(b"<!--") {
            at = after(b"-->", 4);
        } else if rest.starts_with(b"<![CDATA[") {
            at = after(b"]]>", 9);
        } else if rest.starts_with(b"<?") {
            at = after(b"?>", 2);
        } else if rest.starts_with(b"<!") {
            return Err(Unreadable::Doctype {
                line: line_at(bytes, open),
            });
        } else if rest.starts_with(b"</") {
            depth = depth.saturating_sub(1);
            at = after(b">", 2);
        } else {
            let tag = tag(bytes, open + 1);
            declarations += tag.declarations;
            at = tag.end;
            if tag.attributes > MAX_ATTRIBUTES || declarations > MAX_DECLARATIONS {
                return Err(Unreadable::TooDeep {
                    line: line_at(bytes, open),
                });
            }
            if !tag.closed {
                depth += 1;
            }
            if depth > MAX_DEPTH {
                return Err(Unreadable::TooDeep {
                    line: line_at(bytes, open),
                });
            }
        }
    }
    Ok(())
}

struct Tag {
    end: usize,
    attributes: usize,
    declarations: usize,
    closed: bool,
}

/// A start tag, from the byte after its `<`.
fn tag(bytes: &[u8], start: usize) -> Tag {
    let mut tag = Tag {
        end: bytes.len(),
        attributes: 0,
        declarations: 0,
        closed: false,
    };
    let mut quote = None;
    let mut name = start;
    for (at, &byte) in bytes.iter().enumerate().skip(start) {
        match quote {
            Some(open) if open == byte => quote = None,
            Some(_) => {}
            None => match byte {
                b'"' | b'\'' => quote = Some(byte),
                b'=' => {
                    tag.attributes += 1;
                    tag.declarations += usize::from(bytes[name..at].starts_with(b"xmlns"));
                }
                b'>' => {
                    tag.closed = at > start && bytes[at - 1] == b'/';
                    tag.end = at + 1;
                    return tag;
                }
                _ if byte.is_ascii_whitespace() => name = at + 1,
                _ => {}
            },
        }
    }
    tag
}

fn find(bytes: &[u8], from: usize, mark: &[u8]) -> Option<usize> {
    let from = from.min(bytes.len());
    bytes[from..]
        .windows(mark.len())
        .position(|window| window == mark)
        .map(|at| from + at)
}

fn line_at(bytes: &[u8], at: usize) -> u32 {
    let breaks = bytes[..at.min(bytes.len())]
        .iter()
        .filter(|byte| **byte == b'\n')
        .count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

/// Where the lines of a text begin, so that an offset becomes a line number without counting again.
#[derive(Debug)]
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let breaks = text
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(breaks).collect())
    }

    /// The line an element begins on, from 1.
    pub(crate) fn line(&self, element: Element<'_>) -> u32 {
        let begun = self
            .0
            .partition_point(|start| *start <= element.range().start);
        u32::try_from(begun).unwrap_or(u32::MAX)
    }
}

/// Whether it is this element of BPMN, whatever its prefix.
pub(crate) fn is(element: Element<'_>, name: &str) -> bool {
    element.is_element()
        && element.tag_name().namespace() == Some(BPMN)
        && element.tag_name().name() == name
}

/// The child elements in the namespace of BPMN.
pub(crate) fn children<'a>(element: Element<'a>) -> impl Iterator<Item = Element<'a>> {
    element
        .children()
        .filter(|child| child.is_element() && child.tag_name().namespace() == Some(BPMN))
}

/// The first child of this name.
pub(crate) fn child<'a>(element: Element<'a>, name: &str) -> Option<Element<'a>> {
    children(element).find(|child| child.tag_name().name() == name)
}

/// The Zeebe extension elements of an element.
pub(crate) fn extensions<'a>(element: Element<'a>) -> impl Iterator<Item = Element<'a>> {
    children(element)
        .filter(|child| child.tag_name().name() == "extensionElements")
        .flat_map(|holder| holder.children())
        .filter(|child| child.is_element() && child.tag_name().namespace() == Some(ZEEBE))
}

/// One Zeebe extension element, such as `taskDefinition`.
pub(crate) fn zeebe<'a>(element: Element<'a>, name: &str) -> Option<Element<'a>> {
    extensions(element).find(|child| child.tag_name().name() == name)
}

/// An attribute that is there and says something.
pub(crate) fn attribute<'a>(element: Element<'a>, name: &str) -> Option<&'a str> {
    element
        .attribute(name)
        .map(str::trim)
        .filter(|value| !value.is_empty())
}

/// An attribute that refers to another element: a QName, of which the local part is the id.
pub(crate) fn reference<'a>(element: Element<'a>, name: &str) -> Option<&'a str> {
    attribute(element, name).map(local)
}

/// The local part of a QName.
pub(crate) fn local(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}

/// The text in an element, all parts of it, trimmed.
pub(crate) fn text(element: Element<'_>) -> String {
    let parts = element
        .children()
        .filter(|child| child.is_text())
        .filter_map(|child| child.text());
    parts.collect::<String>().trim().to_owned()
}

/// An XML boolean.
pub(crate) fn flag(element: Element<'_>, name: &str, default: bool) -> bool {
    attribute(element, name).map_or(default, |value| value == "true" || value == "1")
}
