//! Process files: every rule is broken once, everything in the subset loads, nothing panics.

mod accepts;
mod events;
mod files;
mod fuzz;
mod manual;
mod render;
mod sheet;
mod structure;
mod tasks;

use std::collections::BTreeSet;

use halsonav_engine::{Anything, Fault, Known, Severity, load, rules};
use halsonav_expression::Decisions;

use sheet::Case;

/// A hub that knows everything but `no.such`.
struct AlmostAnything;

impl Known for AlmostAnything {
    fn job_kind(&self, kind: &str) -> bool {
        kind != "no.such"
    }
    fn process(&self, id: &str) -> bool {
        id != "no.such"
    }
    fn form(&self, id: &str) -> bool {
        id != "no.such"
    }
}

fn faults(text: &str) -> Vec<Fault> {
    match load(text, &Decisions::empty(), &AlmostAnything) {
        Ok(loaded) => loaded.warnings,
        Err(faults) => faults,
    }
}

fn cases() -> impl Iterator<Item = &'static Case> {
    structure::CASES
        .iter()
        .chain(events::CASES)
        .chain(tasks::CASES)
}

#[test]
fn each_rule_is_named_where_it_is_broken() {
    let mut wrong = Vec::new();
    for case in cases() {
        let rule = rules()
            .iter()
            .find(|rule| rule.id == case.rule)
            .expect("a rule of the manual");
        let faults = faults(&sheet::file(case.sheet));
        let line = u32::try_from(case.line + 2).expect("a line");
        let found = faults.iter().any(|fault| {
            fault.rule == case.rule
                && fault.severity == rule.severity
                && fault.element.as_deref() == Some(case.element)
                && fault.line == line
                && !fault.message.is_empty()
                && !fault.advice.is_empty()
        });
        let others: BTreeSet<&str> = faults
            .iter()
            .filter(|f| f.is_error() && f.rule != case.rule)
            .map(|f| f.rule)
            .collect();
        if !found || !others.is_empty() {
            let all: Vec<String> = faults
                .iter()
                .map(|f| format!("    {:?} {f}", f.element))
                .collect();
            wrong.push(format!(
                "{} at {} line {line}:\n{}",
                case.rule,
                case.element,
                all.join("\n")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_test_breaks_every_rule() {
    let tested: BTreeSet<&str> = cases()
        .map(|case| case.rule)
        .chain(files::RULES.iter().copied())
        .chain(tasks::ELSEWHERE.iter().copied())
        .collect();
    let listed: BTreeSet<&str> = rules().iter().map(|rule| rule.id).collect();
    assert_eq!(listed.len(), rules().len(), "an id is used twice");
    assert_eq!(tested, listed);
}

#[test]
fn all_faults_come_at_once_and_in_order() {
    let text = sheet::file(
        "start s\n<serviceTask id=\"t\"/>\n<userTask id=\"u\"/>\nend e\ns > t > gone\nt > u > e : =1 +",
    );
    let faults = faults(&text);
    let seen: Vec<(u32, &str)> = faults
        .iter()
        .map(|fault| (fault.line, fault.rule))
        .collect();
    assert_eq!(
        seen,
        [
            (4, "task-no-type"),
            (5, "form-missing"),
            (7, "flow-dangling"),
            (8, "condition-alone"),
            (8, "condition-alone"),
            (8, "feel-parse"),
            (8, "feel-parse"),
        ]
    );
    assert!(
        faults
            .iter()
            .all(|fault| fault.process.as_deref() == Some("p"))
    );
}

#[test]
fn a_fault_is_one_line() {
    let fault = faults(&sheet::file(
        "start s\n<serviceTask id=\"t\"/>\nend e\ns > t > e",
    ))
    .remove(0)
    .in_file("a.bpmn");
    let line = fault.to_string();
    assert!(
        line.starts_with("a.bpmn:4: error[task-no-type]: "),
        "{line}"
    );
    assert!(!line.contains('\n'));
}

#[test]
fn camunda_7_is_told_to_change_platform() {
    let text = sheet::file(
        "start s\n<serviceTask id=\"t\" c:topic=\"x\" xmlns:c=\"http://camunda.org/schema/1.0/bpmn\"/>\nend e\ns > t > e",
    );
    assert!(faults(&text)[0].advice.contains("Camunda 8"));
}

#[test]
fn warnings_do_not_refuse() {
    let loaded = load(
        &sheet::file("start s\n<userTask id=\"u\"/>\nend e\ns > u > e"),
        &Decisions::empty(),
        &Anything,
    )
    .expect("loads");
    assert_eq!(loaded.warnings.len(), 1);
    assert_eq!(loaded.warnings[0].severity, Severity::Warning);
}
