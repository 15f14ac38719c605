//! A process file is read whole: refused with every fault at once, or compiled and then run as drawn.
//!
//! ```text
//! text ─ xml ─▶ globals, sketch ─ reader ─▶ nodes, flows, scopes ─ check ─▶ Definition
//! ```
//! The rules are in [`rules`], one sentence each. What is neither run nor harmless is refused.

mod build;
mod check;
mod condition;
mod event;
mod extension;
mod foreign;
mod globals;
mod pairing;
mod reader;
mod report;
mod rule;
mod sketch;
mod task;
mod trigger;
pub(crate) mod xml;

use halsonav_expression::Decisions;

pub use rule::{Rule, rules};

use crate::fault::{Fault, Severity};
use crate::graph::Definition;
use globals::Globals;
use reader::Reader;
use report::Report;
use sketch::Sketch;
use xml::{Element, Lines, Unreadable};

/// A file that loads.
#[derive(Debug)]
pub struct Loaded {
    /// Its executable processes, in the order of the file.
    pub definitions: Vec<Definition>,
    /// What someone should look at.
    pub warnings: Vec<Fault>,
}

/// What the hub knows beyond the file, so that a misspelt name is found when the file is loaded.
pub trait Known {
    /// Whether an adapter does jobs of this type.
    fn job_kind(&self, kind: &str) -> bool {
        let _ = kind;
        true
    }

    /// Whether there is a process of this id in another file.
    fn process(&self, id: &str) -> bool {
        let _ = id;
        true
    }

    /// Whether there is a form of this id.
    fn form(&self, id: &str) -> bool {
        let _ = id;
        true
    }
}

/// Knows everything: names are not checked.
#[derive(Clone, Copy, Debug)]
pub struct Anything;

impl Known for Anything {}

/// Reads a BPMN file.
///
/// `decisions` are those that its business rule tasks may call. The version of each definition is 0
/// until the caller counts.
///
/// # Errors
/// Every fault of the file, errors and warnings, in the order of the file.
pub fn load(text: &str, decisions: &Decisions, known: &dyn Known) -> Result<Loaded, Vec<Fault>> {
    let document = xml::read(text).map_err(|reason| vec![unreadable(reason)])?;
    let root = document.root_element();
    let mut report = Report::new(Lines::of(text));
    if !xml::is(root, "definitions") {
        let found = root.tag_name().name();
        report.at(
            &rule::NOT_BPMN,
            root,
            format!("the root is '{found}', not definitions of BPMN 2.0"),
        );
        return Err(report.finish());
    }
    globals::duplicate_ids(root, &mut report);
    let globals = Globals::of(root, &mut report);
    foreign::check(root, &mut report);
    let mut definitions = Vec::new();
    for process in &globals.processes {
        report.enter(xml::attribute(*process, "id"));
        if xml::flag(*process, "isExecutable", false) {
            definitions.push(compile(*process, &globals, (decisions, known), &mut report));
        } else {
            report.at(
                &rule::NOT_EXECUTABLE,
                *process,
                "it is not marked as executable",
            );
        }
        report.enter(None);
    }
    if definitions.is_empty() {
        report.at(&rule::NO_PROCESS, root, "there is nothing to run in it");
    }
    check::calls_between(&definitions, &mut report);
    let refused = report.refused();
    let faults = report.finish();
    if refused {
        return Err(faults);
    }
    let digest = digest(text);
    definitions
        .iter_mut()
        .for_each(|definition| definition.digest.clone_from(&digest));
    Ok(Loaded {
        definitions,
        warnings: faults,
    })
}

fn compile<'a>(
    process: Element<'a>,
    globals: &Globals<'a>,
    (decisions, known): (&Decisions, &dyn Known),
    report: &mut Report,
) -> Definition {
    let sketch = Sketch::of(process, report);
    let mut reader = Reader {
        globals,
        sketch: &sketch,
        decisions,
        known,
        report,
    };
    let mut nodes = reader.nodes();
    let flows = reader.flows(&mut nodes);
    reader.defaults(&mut nodes, &flows);
    let scopes = reader.scopes(&nodes);
    let id = xml::attribute(process, "id").unwrap_or_default().to_owned();
    if id.is_empty() {
        report.at(&rule::ID_MISSING, process, "a process has no id");
    }
    let definition = Definition {
        name: xml::attribute(process, "name").unwrap_or(&id).to_owned(),
        id,
        version: 0,
        version_tag: xml::zeebe(process, "versionTag")
            .and_then(|tag| xml::attribute(tag, "value"))
            .map(str::to_owned),
        digest: String::new(),
        nodes,
        flows,
        scopes,
    };
    check::all(&definition, &sketch, report);
    definition
}

/// FNV-1a, 64 bits, in hexadecimal.
fn digest(text: &str) -> String {
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    format!("{:016x}", text.bytes().fold(0xcbf2_9ce4_8422_2325, fold))
}

fn unreadable(reason: Unreadable) -> Fault {
    let (rule, line, message) = match reason {
        Unreadable::TooLarge(size) => (&rule::FILE_TOO_LARGE, 1, format!("the file has {size}")),
        Unreadable::TooDeep { line } => (
            &rule::XML_TOO_DEEP,
            line,
            "there is too much in one place here".to_owned(),
        ),
        Unreadable::Doctype { line } => (&rule::XML_DOCTYPE, line, "there is a DOCTYPE".to_owned()),
        Unreadable::Malformed { line, reason } => (&rule::XML_MALFORMED, line, reason),
    };
    Fault {
        rule: rule.id,
        severity: Severity::Error,
        file: None,
        process: None,
        element: None,
        line,
        message,
        advice: rule.advice.to_owned(),
    }
}
