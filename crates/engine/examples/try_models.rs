//! Loads every `.bpmn` file under a folder, and prints how many load and by which rules the rest is
//! refused. With `--executable` processes that are not marked as executable are marked first, and
//! with `--list` each file is named.
//!
//! `cargo run -p halsonav-engine --example try_models -- <folder> [--executable] [--list]`
#![allow(clippy::disallowed_methods, reason = "an example reads files")]

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use halsonav_engine::{Anything, load};
use halsonav_expression::Decisions;

#[derive(Default)]
struct Count {
    loaded: usize,
    warned: usize,
    refused: usize,
    panicked: usize,
    unreadable: usize,
    rules: BTreeMap<&'static str, usize>,
    alone: BTreeMap<&'static str, usize>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
    let Some(folder) = arguments
        .iter()
        .find(|argument| !argument.starts_with("--"))
    else {
        eprintln!("which folder?");
        return;
    };
    let mut files = Vec::new();
    collect(Path::new(folder), &mut files);
    files.sort();
    let mut count = Count::default();
    for file in &files {
        let Ok(mut text) = std::fs::read_to_string(file) else {
            count.unreadable += 1;
            continue;
        };
        if has("--executable") {
            text = text.replace("isExecutable=\"false\"", "isExecutable=\"true\"");
            if !text.contains("isExecutable") {
                text = text.replace("process id=", "process isExecutable=\"true\" id=");
            }
        }
        try_one(file, &text, has("--list"), &mut count);
    }
    print(files.len(), &count);
}

fn try_one(file: &Path, text: &str, list: bool, count: &mut Count) {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let faults = match catch_unwind(|| load(text, &Decisions::empty(), &Anything)) {
        Err(_) => {
            count.panicked += 1;
            println!("PANIC {name}");
            return;
        }
        Ok(Ok(loaded)) => {
            count.loaded += 1;
            count.warned += usize::from(!loaded.warnings.is_empty());
            if list {
                println!("ok      {name}");
            }
            return;
        }
        Ok(Err(faults)) => faults,
    };
    count.refused += 1;
    let mut rules: Vec<&str> = faults
        .iter()
        .filter(|fault| fault.is_error())
        .map(|fault| fault.rule)
        .collect();
    rules.sort_unstable();
    rules.dedup();
    if list {
        println!("refused {name}: {}", rules.join(" "));
    }
    for fault in &faults {
        let Some(rule) = rules.iter().position(|rule| *rule == fault.rule) else {
            continue;
        };
        rules.swap_remove(rule);
        *count.rules.entry(fault.rule).or_default() += 1;
        if rules.is_empty()
            && faults
                .iter()
                .filter(|f| f.is_error())
                .all(|f| f.rule == fault.rule)
        {
            *count.alone.entry(fault.rule).or_default() += 1;
        }
    }
}

fn print(files: usize, count: &Count) {
    println!(
        "{files} files: {} loaded ({} with warnings), {} refused, {} panicked, {} not UTF-8",
        count.loaded, count.warned, count.refused, count.panicked, count.unreadable
    );
    let mut rules: Vec<_> = count.rules.iter().collect();
    rules.sort_by_key(|(_, files)| std::cmp::Reverse(**files));
    for (rule, files) in rules {
        println!(
            "{files:>6} {rule} (alone in {})",
            count.alone.get(rule).unwrap_or(&0)
        );
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path
            .extension()
            .is_some_and(|ext| ext == "bpmn" || ext == "bpmn2")
        {
            files.push(path);
        }
    }
}
