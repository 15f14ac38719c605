//! The requirements between decisions: none missing, no circle, not too long a chain.

use std::collections::BTreeMap;

use super::outline::{ElementKind, File, Key};
use crate::Fault;

/// Longest chain of requirements; each is a level of calls when decided.
const MAX_CHAIN: usize = 24;

/// Index of a file, and of an element in it.
pub type At = (usize, usize);

/// The elements in an order in which each comes after what it requires.
pub fn order(files: &[File<'_>]) -> Result<Vec<At>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut index: BTreeMap<&Key, At> = BTreeMap::new();
    let mut decisions: BTreeMap<&str, &str> = BTreeMap::new();
    let mut names: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
    for (f, file) in files.iter().enumerate() {
        for (e, element) in file.elements.iter().enumerate() {
            let mut fault = |rule, message: String, advice: &str| {
                faults.push(
                    Fault::new(rule, message, advice)
                        .within(file.place(element), Some(element.line)),
                );
            };
            if index.insert(&element.key, (f, e)).is_some() {
                fault(
                    "dmn-duplicate-id",
                    format!("the id `{}` is there twice", element.key.1),
                    "Give each element an id of its own",
                );
            }
            if element.kind == ElementKind::Decision {
                if let Some(other) = decisions
                    .insert(&element.key.1, file.name)
                    .filter(|other| *other != file.name)
                {
                    let message = format!("the decision `{}` is in `{other}` too", element.key.1);
                    fault(
                        "dmn-duplicate-id",
                        message,
                        "Give each decision an id of its own",
                    );
                }
            }
            if element.kind != ElementKind::Input
                && names
                    .insert(
                        (&file.namespace, &file.model, &element.name),
                        &element.key.1,
                    )
                    .is_some()
            {
                fault(
                    "dmn-duplicate-name",
                    format!("the name `{}` is there twice", element.name),
                    "Give each a name of its own",
                );
            }
        }
    }
    let mut visit = Visit {
        files,
        index: &index,
        state: BTreeMap::new(),
        order: Vec::new(),
        faults: &mut faults,
    };
    for (f, file) in files.iter().enumerate() {
        for e in 0..file.elements.len() {
            visit.element((f, e), 0);
        }
    }
    let order = visit.order;
    if faults.is_empty() {
        Ok(order)
    } else {
        Err(faults)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    Done,
}

struct Visit<'a> {
    files: &'a [File<'a>],
    index: &'a BTreeMap<&'a Key, At>,
    state: BTreeMap<At, State>,
    order: Vec<At>,
    faults: &'a mut Vec<Fault>,
}

impl Visit<'_> {
    fn element(&mut self, at: At, depth: usize) {
        let file = &self.files[at.0];
        let element = &file.elements[at.1];
        let mut fault = |rule, message: String, advice: &str, line| {
            self.faults
                .push(Fault::new(rule, message, advice).within(file.place(element), Some(line)));
        };
        match self.state.get(&at) {
            Some(State::Done) => return,
            Some(State::Open) => {
                let message = format!(
                    "`{}` requires itself, directly or through others",
                    element.name
                );
                return fault(
                    "dmn-cycle",
                    message,
                    "Remove one of the requirements",
                    element.line,
                );
            }
            None if depth > MAX_CHAIN => {
                return fault(
                    "dmn-too-deep",
                    "the chain of requirements is too long".to_owned(),
                    "Join some decisions",
                    element.line,
                );
            }
            None => {}
        }
        self.state.insert(at, State::Open);
        for (key, line) in &element.requires {
            match self.index.get(key) {
                Some(required) => self.element(*required, depth + 1),
                None => {
                    let message = format!("it requires `{}`, which is not there", key.1);
                    let fault = Fault::new(
                        "dmn-reference",
                        message,
                        "Load the file that has it, or remove the requirement",
                    );
                    self.faults
                        .push(fault.within(file.place(element), Some(*line)));
                }
            }
        }
        self.state.insert(at, State::Done);
        self.order.push(at);
    }
}
