//! Telling: text for people, or one JSON object for programs.

use halsonav_domain::Problem;
use serde_json::{Value, json};

/// How to tell.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    /// JSON instead of text.
    pub json: bool,
}

impl Output {
    /// Prints a result: `value` for programs, `text` for people.
    pub fn result(self, value: &Value, text: impl FnOnce() -> String) {
        use std::io::Write as _;
        let shown = if self.json { value.to_string() } else { text() };
        // A reader that went away (`| head`) is no error of ours.
        let _ = writeln!(std::io::stdout(), "{}", shown.trim_end());
    }

    /// Prints what was wrong: to standard error as text, or as the one JSON object.
    pub fn problems(self, problems: &[Problem]) {
        if self.json {
            let list: Vec<_> = problems.iter().map(|p| json!(p)).collect();
            self.result(&json!({ "problems": list }), String::new);
            return;
        }
        for problem in problems {
            eprintln!("{problem}");
        }
    }
}

/// A table with aligned columns.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = head.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (cell, width) in cells.zip(&widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
        }
        text.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut head.iter().copied())];
    lines.extend(
        rows.iter()
            .map(|row| line(&mut row.iter().map(String::as_str))),
    );
    lines.join("\n")
}

/// A progress bar on standard error, when it is wanted and somebody looks.
pub fn progress(show: bool, what: &'static str) -> indicatif::ProgressBar {
    if !show {
        return indicatif::ProgressBar::hidden();
    }
    let style = indicatif::ProgressStyle::with_template("{msg} {bar:30} {pos}/{len} {elapsed}")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::no_length()
        .with_message(what)
        .with_style(style)
}
