//! A definition as a Mermaid flowchart.

use std::fmt::Write as _;

use super::{Marks, Outline, event_word};
use crate::graph::{Definition, Node, NodeIx, NodeKind, ScopeIx};

/// Draws a definition as a Mermaid flowchart.
#[must_use]
pub fn mermaid(definition: &Definition, marks: &Marks) -> String {
    let mut out = String::from("flowchart LR\n");
    scope(definition, 0, 1, &mut out);
    for (at, flow) in definition.flows.iter().enumerate() {
        let default = definition
            .node(flow.source)
            .default
            .is_some_and(|ix| ix as usize == at);
        let text = match &flow.condition {
            Some(condition) => format!("|\"{}\"|", escape(condition.source())),
            None if default => "|default|".to_owned(),
            None => String::new(),
        };
        line(
            &mut out,
            1,
            &format!("n{} -->{text} n{}", flow.source, flow.target),
        );
    }
    for (ix, node) in (0u32..).zip(&definition.nodes) {
        if let NodeKind::Boundary { host, .. } = node.kind {
            line(&mut out, 1, &format!("n{host} -.- n{ix}"));
        }
    }
    tints(definition, marks, &mut out);
    out
}

fn scope(definition: &Definition, ix: ScopeIx, depth: usize, out: &mut String) {
    for node_ix in &definition.scope(ix).nodes {
        let node = definition.node(*node_ix);
        match node.kind {
            NodeKind::SubProcess(inner) | NodeKind::EventSubProcess { scope: inner, .. } => {
                line(
                    out,
                    depth,
                    &format!("subgraph n{node_ix} [\"{}\"]", escape(&node.name)),
                );
                scope(definition, inner, depth + 1, out);
                line(out, depth, "end");
            }
            _ => line(out, depth, &shape(*node_ix, node)),
        }
    }
}

fn shape(ix: NodeIx, node: &Node) -> String {
    let word = event_word(node);
    let text = if word.is_empty() {
        escape(&node.name)
    } else {
        format!("{word}: {}", escape(&node.name))
    };
    match Outline::of(node) {
        Outline::Gateway => format!("n{ix}{{\"{text}\"}}"),
        Outline::End => format!("n{ix}(((\"{text}\")))"),
        outline if outline.is_event() => format!("n{ix}((\"{text}\"))"),
        _ => format!("n{ix}[\"{text}\"]"),
    }
}

fn tints(definition: &Definition, marks: &Marks, out: &mut String) {
    line(out, 1, "classDef covered fill:#d9ead3,stroke:#38761d");
    line(
        out,
        1,
        "classDef active fill:#fff2cc,stroke:#b45f06,stroke-width:3px",
    );
    line(
        out,
        1,
        "classDef troubled fill:#f4cccc,stroke:#990000,stroke-width:3px",
    );
    for (ix, node) in definition.nodes.iter().enumerate() {
        let class = marks.class(&node.id);
        if class != "plain" {
            line(out, 1, &format!("class n{ix} {class}"));
        }
    }
    for (ix, flow) in definition.flows.iter().enumerate() {
        if marks.covered.contains(&flow.id) {
            line(
                out,
                1,
                &format!("linkStyle {ix} stroke:#38761d,stroke-width:3px"),
            );
        }
    }
}

fn line(out: &mut String, depth: usize, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{:indent$}{text}", "", indent = depth * 2);
}

/// Text inside quotes: Mermaid takes numeric entities.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' | '#' | '<' | '>' | '&' | '|' | '`' => {
                let _ = write!(out, "#{};", u32::from(letter));
            }
            '\n' | '\r' => out.push(' '),
            _ => out.push(letter),
        }
    }
    out
}
