//! `RULES.md` is the table of rules, written out. `UPDATE_RULES=1 cargo test` writes it again.

use std::fmt::Write as _;

use halsonav_engine::rules;

fn page() -> String {
    let mut page = String::from(concat!(
        "# Rules for process files\n\n",
        "Every rule the loader holds a process file to. An *error* refuses the file; a *warning* is told.\n",
        "This page is written by a test from the table in the code.\n\n",
        "| rule | | asks | if it is broken |\n|---|---|---|---|\n"
    ));
    for rule in rules() {
        writeln!(
            page,
            "| `{}` | {} | {} | {} |",
            rule.id, rule.severity, rule.says, rule.advice
        )
        .expect("a string");
    }
    page
}

#[test]
fn the_page_says_what_the_loader_does() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/RULES.md");
    if std::env::var_os("UPDATE_RULES").is_some() {
        std::fs::write(path, page()).expect("written");
    }
    let written = std::fs::read_to_string(path).expect("the page");
    assert!(
        written == page(),
        "the page is old: UPDATE_RULES=1 cargo test -p halsonav-engine writes it"
    );
}

#[test]
fn sentences_are_sentences() {
    for rule in rules() {
        assert!(
            rule.says.ends_with('.')
                && rule
                    .says
                    .starts_with(|c: char| c.is_uppercase() || c == '`'),
            "{}",
            rule.id
        );
        assert!(
            !rule.advice.ends_with('.') && rule.advice.starts_with(|c: char| c.is_lowercase()),
            "{}",
            rule.id
        );
        assert!(
            rule.id
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-' || c.is_ascii_digit()),
            "{}",
            rule.id
        );
    }
}
