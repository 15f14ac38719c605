//! Links between documents lead somewhere.

use std::path::{Component, Path, PathBuf};

use crate::house::{files, is_there, none, text};

/// Targets of `[text](target)` outside code.
fn targets(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        let outside: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        let mut rest = outside.as_str();
        while let Some(at) = rest.find("](") {
            rest = &rest[at + 2..];
            let end = rest.find([')', ' ']).unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
        }
    }
    found
}

/// `a/b/../c` as `a/c`; nothing when it leads out of the house.
fn plain(path: &Path) -> Option<PathBuf> {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                if !plain.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    Some(plain)
}

#[test]
fn links_lead_to_files() {
    let mut faults = Vec::new();
    for document in files(".md") {
        let folder = Path::new(&document).parent().unwrap();
        for target in targets(&text(&document)) {
            let elsewhere = ["http://", "https://", "mailto:", "#"];
            if elsewhere.iter().any(|start| target.starts_with(start)) {
                continue;
            }
            let path = target.split('#').next().unwrap_or_default();
            let there =
                plain(&folder.join(path)).is_some_and(|path| is_there(path.to_str().unwrap()));
            if !there {
                faults.push(format!("{document}: {target}"));
            }
        }
    }
    none("links that lead nowhere", &faults);
}

#[test]
fn links_are_found() {
    let markdown = "see [a](b.md) and [c](d.md#e)\n```\n[x](y)\n```\n`[x](y)` ![p](q.svg \"t\")";
    assert_eq!(targets(markdown), ["b.md", "d.md#e", "q.svg"]);
    assert_eq!(plain(Path::new("a/../../b")), None);
}
