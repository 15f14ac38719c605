//! What FHIR's JSON demands everywhere: nothing empty, no null, ids and narratives of their shape.

use serde_json::Value;

use super::Faults;

/// Deeper than any resource.
const MAX_DEPTH: usize = 40;
const XHTML: &str = "http://www.w3.org/1999/xhtml";

pub(super) fn check(value: &Value, path: &str, faults: &mut Faults) {
    walk(value, path, 0, faults);
}

fn walk(value: &Value, path: &str, depth: usize, faults: &mut Faults) {
    if depth > MAX_DEPTH {
        return faults.add(path, "not nested so deep");
    }
    match value {
        Value::Null => faults.add(path, "no null"),
        Value::String(text) => string(text, path, faults),
        Value::Array(items) if items.is_empty() => faults.add(path, "no empty array"),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                walk(item, &format!("{path}[{place}]"), depth + 1, faults);
            }
        }
        Value::Object(fields) if fields.is_empty() => faults.add(path, "no empty object"),
        Value::Object(fields) => {
            for (name, inner) in fields {
                let here = format!("{path}.{name}");
                match (name.as_str(), inner) {
                    ("div", Value::String(text)) => narrative(text, &here, faults),
                    ("id", Value::String(id)) if fields.contains_key("resourceType") => {
                        identity(id, &here, faults);
                    }
                    _ => walk(inner, &here, depth + 1, faults),
                }
            }
        }
        Value::Bool(_) | Value::Number(_) => {}
    }
}

fn string(text: &str, path: &str, faults: &mut Faults) {
    if text.trim().is_empty() {
        faults.add(path, "no empty string");
    } else if text
        .chars()
        .any(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r'))
    {
        faults.add(path, "no control characters");
    }
}

fn identity(id: &str, path: &str, faults: &mut Faults) {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    if id.is_empty() || id.len() > 64 || !id.bytes().all(allowed) {
        faults.add(path, "1 to 64 letters, digits, - and .");
    }
}

/// txt-1 and txt-2: a div of XHTML, with something to read, and nothing that acts.
fn narrative(text: &str, path: &str, faults: &mut Faults) {
    let Ok(document) = roxmltree::Document::parse(text) else {
        return faults.add(path, "well-formed XHTML");
    };
    let root = document.root_element();
    if !root.has_tag_name((XHTML, "div")) {
        return faults.add(path, "a div of XHTML");
    }
    for node in root.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let acts = node
            .attributes()
            .any(|attribute| attribute.name().starts_with("on"));
        let known = [
            "div", "p", "table", "thead", "tbody", "tr", "th", "td", "b", "i", "em", "strong",
            "span", "br", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "dt", "dd",
            "caption", "sub", "sup", "pre", "hr", "small", "a", "img",
        ];
        if acts || !known.contains(&name) || node.tag_name().namespace() != Some(XHTML) {
            return faults.add(path, "only elements that show text");
        }
    }
    let says = |node: roxmltree::Node<'_, '_>| {
        node.text().is_some_and(|text| !text.trim().is_empty()) || node.has_tag_name((XHTML, "img"))
    };
    if !root.descendants().any(says) {
        faults.add(path, "something to read");
    }
}
