//! Makes a file strict: what modellers leave out and the engine wants is written in.
//!
//! Camunda's modeller lets a table read variables that no input declares, and leaves cells empty.
//! The engine underneath would read null and stop at the empty cell. So declared inputs and filled
//! cells are added to the text, in a copy.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use roxmltree::Node;

use super::outline::{Element, File, is};

/// For each decision: names it needs beyond its requirements, and whether its value goes by its id.
pub struct Addition<'a> {
    pub element: &'a Element,
    pub names: BTreeSet<String>,
    pub named_by_id: bool,
}

/// The file's XML with additions and filled cells.
pub fn rewrite(file: &File<'_>, additions: &[Addition<'_>]) -> String {
    let source = file.document.input_text();
    let mut edits: Vec<(std::ops::Range<usize>, String)> = Vec::new();
    let declared: BTreeSet<&String> = additions
        .iter()
        .flat_map(|addition| &addition.names)
        .collect();
    let root = file.document.root_element();
    let prefix = prefix(source, root);
    if let Some(first) = root.children().find(Node::is_element) {
        let mut inputs = String::new();
        for name in declared {
            let id = input_id(name);
            let _ = write!(
                inputs,
                "<{prefix}inputData id=\"{id}\" name=\"{name}\"><{prefix}variable name=\"{name}\" typeRef=\"Any\"/></{prefix}inputData>"
            );
        }
        edits.push((first.range().start..first.range().start, inputs));
    }
    for addition in additions {
        let Some(node) = file.node(addition.element) else {
            continue;
        };
        let Some(at) = node
            .children()
            .find(|child| child.is_element() && !is_head(child))
        else {
            continue;
        };
        let mut added = String::new();
        if addition.named_by_id {
            let _ = write!(
                added,
                "<{prefix}variable name=\"{}\"/>",
                addition.element.key.1
            );
        }
        for name in &addition.names {
            let id = input_id(name);
            let _ = write!(
                added,
                "<{prefix}informationRequirement><{prefix}requiredInput href=\"#{id}\"/></{prefix}informationRequirement>"
            );
        }
        edits.push((at.range().start..at.range().start, added));
    }
    edits.extend(
        root.descendants()
            .filter(|node| is(node, "text"))
            .filter_map(|node| filled(source, node)),
    );
    apply(source, edits)
}

fn input_id(name: &str) -> String {
    let mut id = "halsonav-input".to_owned();
    for byte in name.bytes() {
        let _ = write!(id, "-{byte:02x}");
    }
    id
}

/// Elements that come before the requirements of a decision.
fn is_head(node: &Node<'_, '_>) -> bool {
    [
        "description",
        "extensionElements",
        "question",
        "allowedAnswers",
        "variable",
    ]
    .iter()
    .any(|name| is(node, name))
}

/// `dmn:` of `<dmn:definitions`, or nothing.
fn prefix<'a>(source: &'a str, node: Node<'_, '_>) -> &'a str {
    let tag = &source[node.range().start + 1..];
    let end = tag
        .find(|c: char| c.is_whitespace() || matches!(c, '>' | '/'))
        .unwrap_or(0);
    tag[..end]
        .split_once(':')
        .map_or("", |(prefix, _)| &tag[..=prefix.len()])
}

fn filled(source: &str, node: Node<'_, '_>) -> Option<(std::ops::Range<usize>, String)> {
    if !node.text().unwrap_or_default().trim().is_empty() {
        return None;
    }
    let parent = node.parent()?;
    let content = match parent.tag_name().name() {
        "inputEntry" => "-",
        "outputEntry" => "null",
        "inputValues" | "outputValues" | "defaultOutputEntry" => {
            return Some((parent.range(), String::new()));
        }
        _ => return None,
    };
    let tag = prefix(source, node);
    Some((node.range(), format!("<{tag}text>{content}</{tag}text>")))
}

fn apply(source: &str, mut edits: Vec<(std::ops::Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut text = String::with_capacity(source.len() + 1024);
    let mut at = 0;
    for (range, new) in edits {
        if range.start < at {
            continue;
        }
        text.push_str(&source[at..range.start]);
        text.push_str(&new);
        at = range.end;
    }
    text.push_str(&source[at..]);
    text
}
