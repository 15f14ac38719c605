//! Process files in shorthand, so that a test shows what it is about and not the XML around it.
//!
//! A line is XML, or one of
//! ```text
//! start s          a node: start end task xor and or ebg
//! s > t > e        flows, with ids s_t and t_e
//! s > t : =x       a flow with a condition
//! ```
//! Line n of a sheet is line n + 2 of the file.

use std::fmt::Write as _;

/// Messages, errors, escalations and signals that sheets refer to. All on the first line.
const GLOBALS: &str = concat!(
    r#"<message id="m" name="booked"><extensionElements><z:subscription correlationKey="=key"/></extensionElements></message>"#,
    r#"<message id="m2" name="moved"><extensionElements><z:subscription correlationKey="=key"/></extensionElements></message>"#,
    r#"<message id="m_plain" name="plain"><extensionElements><z:subscription correlationKey="key"/></extensionElements></message>"#,
    r#"<message id="m_keyless" name="keyless"/><message id="m_nameless"/>"#,
    r#"<error id="err" errorCode="E1"/><error id="err_codeless"/><error id="err_feel" errorCode="=x"/>"#,
    r#"<escalation id="esc" escalationCode="C1"/><escalation id="esc_codeless"/>"#,
    r#"<signal id="sig" name="pause"/><signal id="sig_nameless"/><timerEventDefinition id="shared"><timeDuration>P1D</timeDuration></timerEventDefinition>"#,
);

/// The head of a file, on one line.
pub fn head() -> String {
    format!(
        r#"<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:z="http://camunda.org/schema/zeebe/1.0" id="file">{GLOBALS}"#
    )
}

/// A file with one process `p` that holds a sheet.
pub fn file(sheet: &str) -> String {
    let mut text = head();
    text.push_str("\n<process id=\"p\" isExecutable=\"true\">\n");
    for line in sheet.trim_matches('\n').lines() {
        text.push_str(&body(line.trim()));
        text.push('\n');
    }
    text.push_str("</process></definitions>\n");
    text
}

fn body(line: &str) -> String {
    if line.starts_with('<') || line.is_empty() {
        return line.to_owned();
    }
    if line.contains(" > ") {
        return flows(line);
    }
    let tags = [
        ("start", "startEvent"),
        ("end", "endEvent"),
        ("task", "task"),
        ("xor", "exclusiveGateway"),
        ("and", "parallelGateway"),
        ("or", "inclusiveGateway"),
        ("ebg", "eventBasedGateway"),
    ];
    let (word, id) = line.split_once(' ').expect("a word and an id");
    let tag = tags
        .iter()
        .find(|(short, _)| *short == word)
        .expect("a word of the shorthand")
        .1;
    format!("<{tag} id=\"{id}\"/>")
}

fn flows(line: &str) -> String {
    let (path, condition) = line.split_once(" : ").unwrap_or((line, ""));
    let ends: Vec<&str> = path.split(" > ").map(str::trim).collect();
    let mut text = String::new();
    for pair in ends.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        write!(
            text,
            r#"<sequenceFlow id="{from}_{to}" sourceRef="{from}" targetRef="{to}">"#
        )
        .expect("a string");
        if !condition.is_empty() {
            write!(
                text,
                "<conditionExpression>{condition}</conditionExpression>"
            )
            .expect("a string");
        }
        text.push_str("</sequenceFlow>");
    }
    text
}

/// One rule, and a sheet that breaks it.
pub struct Case {
    pub rule: &'static str,
    /// The element the fault is about.
    pub element: &'static str,
    /// The line of the sheet, from 1. Line -1 is the head of the file, 0 the process itself.
    pub line: i32,
    pub sheet: &'static str,
}

pub const fn case(
    rule: &'static str,
    element: &'static str,
    line: i32,
    sheet: &'static str,
) -> Case {
    Case {
        rule,
        element,
        line,
        sheet,
    }
}
