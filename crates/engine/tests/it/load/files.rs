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
fn files_as_large_as_they_may_be_load_in_time() {
    // Each of these was quadratic once. The test has no clock; it is slow when one is again.
    let mut text = sheet::head();
    (0..201).for_each(|n| write!(text, "\n<process id=\"p{n}\"/>").expect("a string"));
    check(&format!("{text}</definitions>"), "file-too-large", 202);
    let mut links = String::from("start s\n");
    for n in 0..4_900 {
        let link = format!("<linkEventDefinition name=\"l{n}\"/>");
        writeln!(
            links,
            "<intermediateCatchEvent id=\"c{n}\">{link}</intermediateCatchEvent>"
        )
        .expect("a string");
        writeln!(
            links,
            "<intermediateThrowEvent id=\"t{n}\">{link}</intermediateThrowEvent>"
        )
        .expect("a string");
    }
    check(&sheet::file(&links), "end-missing", 2);
    let mut splits = String::from("start s\nend e\n");
    (0..4_900)
        .for_each(|n| write!(splits, "and g{n}\ntask t{n}\ng{n} > t{n} > e\n").expect("a string"));
    (1..4_900).for_each(|n| writeln!(splits, "g{} > g{n}", n - 1).expect("a string"));
    splits.push_str("s > g0");
    check(&sheet::file(&splits), "gateway-idle", 3 * 4_899 + 5);
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
