//! The requirements between decisions: none missing, no circle, not too long a chain.

use std::collections::{BTreeMap, BTreeSet};

use super::outline::{ElementKind, File, Key};
use crate::Fault;

/// Longest chain of requirements; each is a level of calls when decided.
const MAX_CHAIN: usize = 24;

/// Index of a file, and of an element in it.
pub type At = (usize, usize);

/// The elements in an order in which each comes after what it requires.
pub fn order(files: &[File<'_>]) -> Result<Vec<At>, Vec<Fault>> {
    let mut faults = duplicates(files);
    let mut index: BTreeMap<&Key, At> = BTreeMap::new();
    for (f, file) in files.iter().enumerate() {
        index.extend(
            file.elements
                .iter()
                .enumerate()
                .map(|(e, element)| (&element.key, (f, e))),
        );
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

/// Ids must be unique in a file and those of decisions in all files, names in a model.
fn duplicates(files: &[File<'_>]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut keys: BTreeSet<&Key> = BTreeSet::new();
    let mut decisions: BTreeMap<&str, &Key> = BTreeMap::new();
    let mut names: BTreeSet<(&str, &str, &str)> = BTreeSet::new();
    for (file, element) in files
        .iter()
        .flat_map(|file| file.elements.iter().map(move |element| (file, element)))
    {
        let id = &element.key.1;
        let mut fault = |rule, message, advice| {
            faults.push(
                Fault::new(rule, message, advice).within(file.place(element), Some(element.line)),
            );
        };
        let elsewhere = element.kind == ElementKind::Decision
            && decisions
                .insert(id, &element.key)
                .is_some_and(|other| *other != element.key);
        if !keys.insert(&element.key) || elsewhere {
            let message = format!("the id `{id}` is there twice");
            fault(
                "dmn-duplicate-id",
                message,
                "Give each element an id of its own",
            );
        }
        let named = element.kind != ElementKind::Input;
        if named && !names.insert((&file.namespace, &file.model, &element.name)) {
            let message = format!("the name `{}` is there twice", element.name);
            fault("dmn-duplicate-name", message, "Give each a name of its own");
        }
    }
    faults
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
