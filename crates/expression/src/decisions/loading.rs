//! From files to decisions: each element checked once those it requires are known.

use std::collections::{BTreeMap, BTreeSet};

use super::Decision;
use crate::Fault;
use crate::bound::{Bound, Meter};
use crate::dmn::{Addition, At, Element, ElementKind, File, Key, Known, inspect, order, rewrite};
use crate::fence::Surroundings;

/// The decisions, and the files made strict.
pub type Loaded = (BTreeMap<String, Decision>, Vec<(String, String)>);

/// The elements checked so far, in the order of their requirements.
pub struct Loading<'a> {
    files: &'a [File<'a>],
    names: BTreeSet<String>,
    elements: BTreeMap<&'a Key, (At, Known)>,
}

struct Required {
    around: Surroundings,
    /// Names that are there without being read from the scope.
    made: BTreeSet<String>,
    reads: BTreeSet<String>,
    bound: Bound,
    splits: bool,
}

impl<'a> Loading<'a> {
    /// Checks everything in files that could be read.
    pub fn of(files: &'a [File<'a>]) -> Result<Loaded, Vec<Fault>> {
        let order = order(files)?;
        let all = files.iter().flat_map(|file| &file.elements);
        let names = all
            .map(|element| element.variable.clone())
            .filter(|name| !is_plain(name))
            .collect();
        let mut loading = Self {
            files,
            names,
            elements: BTreeMap::new(),
        };
        let mut faults = Vec::new();
        let mut additions: BTreeMap<usize, Vec<Addition<'a>>> = BTreeMap::new();
        for at in order {
            let element = &files[at.0].elements[at.1];
            match loading.element(at) {
                Ok((known, addition)) => {
                    loading.elements.insert(&element.key, (at, known));
                    additions.entry(at.0).or_default().extend(addition);
                }
                Err(its) => faults.extend(its),
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let strict = files.iter().enumerate().map(|(f, file)| {
            let additions = additions.remove(&f).unwrap_or_default();
            (file.name.to_owned(), rewrite(file, &additions))
        });
        let strict = strict.collect();
        Ok((loading.decisions(), strict))
    }

    fn decisions(self) -> BTreeMap<String, Decision> {
        let decisions = self.elements.values().filter_map(|((f, e), known)| {
            let file = &self.files[*f];
            let element = &file.elements[*e];
            let decision = Decision {
                namespace: file.namespace.clone(),
                model: file.model.clone(),
                name: element.name.clone(),
                inputs: known.reads.iter().cloned().collect(),
                bound: known.bound,
                splits: known.splits,
            };
            (element.kind == ElementKind::Decision).then(|| (element.key.1.clone(), decision))
        });
        decisions.collect()
    }

    fn element(&self, at: At) -> Result<(Known, Option<Addition<'a>>), Vec<Fault>> {
        let file = &self.files[at.0];
        let element = &file.elements[at.1];
        if element.kind == ElementKind::Input {
            let reads = BTreeSet::from([element.variable.clone()]);
            return Ok((
                Known {
                    reads,
                    members: BTreeSet::new(),
                    calls: BTreeSet::new(),
                    bound: Bound::variable(),
                    splits: false,
                },
                None,
            ));
        }
        let Required {
            around,
            made,
            reads,
            bound,
            splits,
        } = self.required(file, element);
        let node = file.node(element).ok_or_else(Vec::new)?;
        let mut known = inspect(node, &file.place(element), &self.names, around)?;
        let decides = element.kind == ElementKind::Decision;
        let addition = decides.then(|| self.addition(element, &known, &made));
        known.reads.extend(reads);
        known.bound = known.bound.and(bound.dropped());
        known.splits |= splits;
        if !known.bound.allows(&Meter::MODEST) {
            let fault = Fault::new(
                "feel-growth",
                "the decision would grow or loop beyond all limits",
                "Use fewer loops",
            );
            return Err(vec![fault.within(file.place(element), Some(element.line))]);
        }
        Ok((known, addition))
    }

    /// What an element gets from those it requires, all of which are known by now.
    fn required(&self, file: &File<'_>, element: &Element) -> Required {
        let mut got = Required {
            around: Surroundings::default(),
            made: BTreeSet::new(),
            reads: BTreeSet::new(),
            bound: Bound::literal(0),
            splits: false,
        };
        for (key, _) in &element.requires {
            let Some((at, known)) = self.elements.get(key) else {
                continue;
            };
            let required = &self.files[at.0].elements[at.1];
            let name = self.value_name(required).to_owned();
            match required.kind {
                ElementKind::Knowledge | ElementKind::Service => {
                    got.around.functions.insert(name.clone(), known.bound);
                }
                ElementKind::Decision => {
                    got.around.locals.insert(name.clone(), known.bound);
                    got.bound = got.bound.and(known.bound);
                }
                ElementKind::Input => {}
            }
            got.reads.extend(known.reads.iter().cloned());
            got.made.insert(name);
            got.splits |= known.splits;
        }
        for import in &file.imports {
            got.around.locals.insert(import.clone(), Bound::variable());
            got.made.insert(import.clone());
        }
        got
    }

    /// What the file lacks for the engine to read this decision as it was meant.
    fn addition(
        &self,
        element: &'a Element,
        known: &Known,
        made: &BTreeSet<String>,
    ) -> Addition<'a> {
        let called = |name: &str| {
            known
                .calls
                .iter()
                .any(|call| call.split(' ').any(|word| word == name))
        };
        let members = known.members.iter().filter(|name| !called(name));
        let names = known.reads.iter().chain(members);
        let names = names
            .filter(|name| !made.contains(*name) && is_plain(name))
            .cloned()
            .collect();
        Addition {
            element,
            names,
            named_by_id: self.goes_by_id(element),
        }
    }

    /// What the value of a required decision is called.
    fn value_name<'e>(&self, required: &'e Element) -> &'e str {
        if self.goes_by_id(required) {
            &required.key.1
        } else {
            &required.variable
        }
    }

    /// A decision without a variable whose name could not be written in FEEL goes by its id.
    fn goes_by_id(&self, element: &Element) -> bool {
        element.kind == ElementKind::Decision
            && !element.has_variable
            && !is_plain(&element.name)
            && is_plain(&element.key.1)
    }
}

/// One word of letters, digits and `_`.
fn is_plain(name: &str) -> bool {
    name.chars()
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
