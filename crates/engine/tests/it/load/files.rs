//! Rules about whole files.

use std::fmt::Write as _;

use super::{faults, sheet};

/// The rules that are tested here.
pub const RULES: &[&str] = &[
    "file-too-large",
    "xml-malformed",
    "xml-doctype",
    "xml-too-deep",
    "not-bpmn",
    "no-process",
    "process-not-executable",
    "global-task",
];

fn check(text: &str, rule: &str, line: u32) {
    let faults = faults(text);
    let found = faults
        .iter()
        .any(|fault| fault.rule == rule && fault.line == line);
    assert!(
        found,
        "{rule} on line {line}: {:?}",
        faults.iter().take(5).collect::<Vec<_>>()
    );
}

#[test]
fn texts_that_are_not_bpmn() {
    check("", "xml-malformed", 1);
    check("<a>\n<b>\n</a>", "xml-malformed", 3);
    check("<!DOCTYPE a [<!ENTITY x \"y\">]>\n<a/>", "xml-doctype", 1);
    check("\n<html/>", "not-bpmn", 2);
    check(
        "<definitions xmlns=\"https://www.omg.org/spec/DMN/20191111/MODEL/\"/>",
        "not-bpmn",
        1,
    );
}

#[test]
fn texts_beyond_the_limits() {
    check(
        &format!("<a>{}</a>", " ".repeat(5 << 20)),
        "file-too-large",
        1,
    );
    check(
        &format!("<a>{}</a>", "<b/>".repeat(500_000)),
        "file-too-large",
        1,
    );
    check(&"<a>\n".repeat(200_000), "xml-too-deep", 101);
    let mut many = String::from("<a\n");
    (0..200_000).for_each(|n| write!(many, " a{n}=\"\"").expect("a string"));
    check(&many, "xml-too-deep", 1);
    let declared = "<b xmlns:c=\"d\"/>".repeat(100_000);
    check(&format!("<a>\n{declared}</a>"), "xml-too-deep", 2);
    let mut sheet = String::from("start s\nend e\ns > e\n");
    (0..10_001).for_each(|n| writeln!(sheet, "task t{n}").expect("a string"));
    check(&sheet::file(&sheet), "file-too-large", 10_004);
}

#[test]
fn files_without_anything_to_run() {
    check(
        &format!("{}\n</definitions>", sheet::head()),
        "no-process",
        1,
    );
    let idle = format!("{}\n<process id=\"p\"/></definitions>", sheet::head());
    check(&idle, "process-not-executable", 2);
    check(&idle, "no-process", 1);
    let global = format!(
        "{}\n<globalUserTask id=\"g\"/></definitions>",
        sheet::head()
    );
    check(&global, "global-task", 2);
}

#[test]
fn a_hostile_file_has_few_faults() {
    let sheet = "<serviceTask id=\"x\"/>\n".repeat(5_000);
    assert_eq!(faults(&sheet::file(&sheet)).len(), 1_000);
}
