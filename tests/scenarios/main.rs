//! The regions' own processes, played by scenario against the engine alone.
//!
//! Each `*.txt` beside this file holds runs that a process owner can read; `README.md` has the words.
//! Together they must take every sequence flow of every process that the regions run.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod anytime;
mod play;
mod region;
mod world;

use std::{env, fs, path::Path, sync::LazyLock};

use halsonav_engine::Coverage;

use crate::{anytime::Interruption, play::play, region::Region};

struct Played {
    runs: usize,
    interrupted: usize,
    failures: Vec<String>,
    not_taken: Vec<String>,
}

fn played() -> &'static Played {
    static PLAYED: LazyLock<Played> = LazyLock::new(all);
    &PLAYED
}

fn all() -> Played {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "txt"))
        .collect();
    files.sort();
    let mut coverage = Coverage::new();
    let (mut runs, mut interrupted, mut failures) = (0, 0, Vec::new());
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&file).unwrap();
        let mut parts = text.split("\n--- ");
        let mut written = parts.next().unwrap().to_owned();
        for part in parts {
            let (title, lines) = part.split_once('\n').unwrap();
            runs += 1;
            written.push_str(&format!("\n--- {title}\n"));
            match play(lines, coverage.clone()) {
                Ok(ran) => {
                    coverage = ran.coverage;
                    interrupted += ran.interrupted;
                    if let Some(difference) = first_difference(lines, &ran.lines) {
                        failures.push(format!("{name}: {title}\n{difference}"));
                    }
                    written.push_str(ran.lines.trim_end_matches('\n'));
                }
                Err(why) => {
                    failures.push(format!("{name}: {title}\n    {why}"));
                    written.push_str(lines.trim_end_matches('\n'));
                }
            }
            written.push('\n');
        }
        if env::var_os("UPDATE_SCENARIOS").is_some() {
            fs::write(&file, written).unwrap();
        }
    }
    let library = Region::read("demo", &[]).library;
    let not_taken = library
        .iter()
        .flat_map(|definition| {
            let missing = coverage.missing(definition);
            missing
                .into_iter()
                .map(|flow| format!("{}: {flow}", definition.id))
                .collect::<Vec<_>>()
        })
        .collect();
    Played {
        runs,
        interrupted,
        failures,
        not_taken,
    }
}

/// Where what happened first differs from what is written.
fn first_difference(written: &str, happened: &str) -> Option<String> {
    let lines = |text: &str| {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (written, happened) = (lines(written), lines(happened));
    let at =
        (0..written.len().max(happened.len())).find(|n| written.get(*n) != happened.get(*n))?;
    let line = |lines: &[String]| {
        lines
            .get(at)
            .cloned()
            .unwrap_or_else(|| "nothing more".to_owned())
    };
    let before = happened[..at]
        .iter()
        .rev()
        .find(|line| !line.starts_with('-'));
    Some(format!(
        "    after:    {}\n    written:  {}\n    happened: {}",
        before.map_or("", String::as_str),
        line(&written),
        line(&happened)
    ))
}

#[test]
fn scenarios_go_as_written() {
    let played = played();
    assert!(played.runs >= 20, "only {} runs", played.runs);
    assert!(
        played.failures.is_empty(),
        "{} of {} went otherwise\n{}",
        played.failures.len(),
        played.runs,
        played.failures.join("\n\n")
    );
}

#[test]
fn every_flow_is_taken() {
    let not_taken = &played().not_taken;
    assert!(
        not_taken.is_empty(),
        "{} flows that no scenario takes\n  {}",
        not_taken.len(),
        not_taken.join("\n  ")
    );
}

/// What may come at any time came after every line of every run; see [`Interruption`].
#[test]
fn anything_can_be_interrupted() {
    let least = 2 * played().runs * Interruption::ALL.len();
    assert!(
        played().interrupted > least,
        "only {} interruptions",
        played().interrupted
    );
}
