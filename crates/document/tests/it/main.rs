//! The base templates, and what holds for every template.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod base;
mod engine;
mod window;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use halsonav_document::{Error, Options, Pdf, Templates};
use serde_json::Value;

/// The templates of `config/base/letters`, loaded once.
static BASE: LazyLock<Templates> =
    LazyLock::new(|| Templates::load(base_files(), Vec::new()).unwrap());

fn base_files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/base/letters");
    let mut files: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "typ"))
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read_to_string(&path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn options() -> Options {
    Options::new("2026-03-02".parse().unwrap())
}

fn render(template: &str, data: &Value) -> Result<Pdf, Error> {
    BASE.render(template, data, &options())
}

/// A template of the test's own.
fn set(text: &str, data: &Value) -> Result<Pdf, Error> {
    let head = "#set document(title: \"Prov\")\n#set text(lang: \"sv\")\n";
    let templates =
        Templates::load(vec![("t.typ".into(), format!("{head}{text}"))], Vec::new()).unwrap();
    templates.render("t", data, &options())
}

fn holds(pdf: &Pdf, needle: &str) -> bool {
    pdf.bytes
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}
