//! Small things, kept small.

use crate::{
    exceptions::{hold, list},
    house::{files, text},
    rust::functions,
};

const SOURCE: usize = 400;
const TEST: usize = 600;
const FUNCTION: usize = 70;

fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
}

#[test]
fn files_are_short() {
    let measured: Vec<(String, usize)> = files(".rs")
        .into_iter()
        .map(|path| {
            let lines = text(&path).lines().count();
            (path, lines)
        })
        .collect();
    assert!(measured.len() > 100, "found only {} files", measured.len());
    let limit = |path: &str| if is_test(path) { TEST } else { SOURCE };
    hold("files too long", limit, &measured, &list().files);
}

#[test]
fn functions_are_short() {
    let mut measured: Vec<(String, usize)> = Vec::new();
    for path in files(".rs") {
        let of_file = functions(&text(&path)).into_iter();
        measured.extend(of_file.map(|f| (format!("{path}::{}", f.name), f.lines)));
    }
    assert!(measured.len() > 1000, "found only {}", measured.len());
    hold(
        "functions too long",
        |_| FUNCTION,
        &measured,
        &list().functions,
    );
}
