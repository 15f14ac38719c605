//! A set of DMN files, prepared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use serde_json::Value;

use crate::bound::{Bound, Meter};
use crate::contained::{contained, on_large_stack};
use crate::dmn::{Addition, At, Element, ElementKind, File, Key, Known, inspect, order, rewrite};
use crate::fence::Surroundings;
use crate::json::{Shape, Unfit, to_feel, to_json};
use crate::model::{Model, broken_hit_policy};
use crate::{EvalError, Fault, Scope};

/// The decisions of a set of DMN files.
#[derive(Default)]
pub struct Decisions {
    model: Option<Model>,
    decisions: BTreeMap<String, Decision>,
}

struct Decision {
    namespace: String,
    model: String,
    name: String,
    inputs: Vec<String>,
    bound: Bound,
    splits: bool,
}

impl Decisions {
    /// No decisions.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads DMN 1.3–1.5 files, each with its name and its XML. Files may refer to each other.
    ///
    /// A table may read variables that no input declares, and leave cells empty, as Camunda's
    /// modeller writes them. The result of a required decision goes by its variable's name, by its
    /// own name, or by its id where it has no variable.
    ///
    /// # Errors
    /// Every fault found, with file, element and line.
    pub fn load<N: AsRef<str>, X: AsRef<str>>(files: &[(N, X)]) -> Result<Self, Vec<Fault>> {
        if files.is_empty() {
            return Ok(Self::default());
        }
        let texts: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, xml)| (name.as_ref(), xml.as_ref()))
            .collect();
        let load = || {
            let mut faults = Vec::new();
            let mut read = Vec::new();
            for (name, xml) in &texts {
                match File::read(name, xml) {
                    Ok(file) => read.push(file),
                    Err(its) => faults.extend(its),
                }
            }
            if faults.is_empty() {
                Loading::of(&read)
            } else {
                Err(faults)
            }
        };
        let failed = || {
            vec![Fault::new(
                "dmn-invalid",
                "the files cannot be read",
                "Open them in a modeller and save them again",
            )]
        };
        let (decisions, strict) = on_large_stack(load).unwrap_or_else(|_| Err(failed()))?;
        Ok(Self {
            model: Some(Model::build(&strict)?),
            decisions,
        })
    }

    /// Whether there is a decision with this id.
    #[must_use]
    pub fn contains(&self, decision_id: &str) -> bool {
        self.decisions.contains_key(decision_id)
    }

    /// The ids of all decisions, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.decisions.keys().map(String::as_str)
    }

    /// The variables that a decision needs, directly or through the decisions it requires, sorted.
    #[must_use]
    pub fn inputs(&self, decision_id: &str) -> &[String] {
        self.decisions
            .get(decision_id)
            .map_or(&[], |decision| &decision.inputs)
    }

    /// Evaluates a decision. Where no rule matches and there is no default it is null.
    ///
    /// # Errors
    /// `UnknownDecision`, `HitPolicy`, and as [`crate::Expression::evaluate`].
    pub fn evaluate(&self, decision_id: &str, scope: &dyn Scope) -> Result<Value, EvalError> {
        let unknown = || EvalError::UnknownDecision(decision_id.to_owned());
        let decision = self.decisions.get(decision_id).ok_or_else(unknown)?;
        let model = self.model.as_ref().ok_or_else(unknown)?;
        let unfit = |unfit: Unfit| unfit.error(decision_id);
        let mut meter = Meter::default();
        let mut variables = FeelContext::default();
        for name in &decision.inputs {
            if let Some(value) = scope.get(name) {
                variables.set_entry(
                    &Name::from(name),
                    to_feel(&value, &Shape::All, &mut meter).map_err(unfit)?,
                );
            }
        }
        if decision.splits {
            meter.longest = meter.units;
        }
        if !decision.bound.allows(&meter) {
            return Err(unfit(Unfit::TooLarge));
        }
        let decide = || {
            model.decide(
                &decision.namespace,
                &decision.model,
                &decision.name,
                &variables,
            )
        };
        let value: Feel = contained(decide).map_err(|_| EvalError::Panicked {
            expression: decision_id.to_owned(),
        })?;
        if let Some(why) = broken_hit_policy(&value) {
            return Err(EvalError::HitPolicy {
                decision: decision_id.to_owned(),
                why,
            });
        }
        to_json(value).map_err(unfit)
    }
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Decisions")
            .field(&self.decisions.keys())
            .finish()
    }
}

type Loaded = (BTreeMap<String, Decision>, Vec<(String, String)>);

/// The elements checked so far, in the order of their requirements.
struct Loading<'a> {
    files: &'a [File<'a>],
    names: BTreeSet<String>,
    elements: BTreeMap<&'a Key, (At, Known)>,
}

impl<'a> Loading<'a> {
    fn of(files: &'a [File<'a>]) -> Result<Loaded, Vec<Fault>> {
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
        let mut around = Surroundings::default();
        let mut made = BTreeSet::new();
        let mut inherited = BTreeSet::new();
        let mut required_bound = Bound::literal(0);
        let mut splits = false;
        for (key, _) in &element.requires {
            let Some((at, known)) = self.elements.get(key) else {
                continue;
            };
            let required = &self.files[at.0].elements[at.1];
            match required.kind {
                ElementKind::Knowledge | ElementKind::Service => {
                    around
                        .functions
                        .insert(required.variable.clone(), known.bound);
                    inherited.extend(known.reads.iter().cloned());
                }
                ElementKind::Decision => {
                    around
                        .locals
                        .insert(self.value_name(required).to_owned(), known.bound);
                    inherited.extend(known.reads.iter().cloned());
                    required_bound = required_bound.and(known.bound);
                }
                ElementKind::Input => {
                    inherited.insert(required.variable.clone());
                }
            }
            made.insert(self.value_name(required).to_owned());
            splits |= known.splits;
        }
        for import in &file.imports {
            around.locals.insert(import.clone(), Bound::variable());
            made.insert(import.clone());
        }
        let node = file.node(element).ok_or_else(Vec::new)?;
        let mut known = inspect(node, &file.place(element), &self.names, around)?;
        let addition = (element.kind == ElementKind::Decision).then(|| {
            let wanted = known.members.iter().filter(|name| {
                !known
                    .calls
                    .iter()
                    .any(|call| call.split(' ').any(|word| word == name.as_str()))
            });
            let names = known
                .reads
                .iter()
                .chain(wanted)
                .filter(|name| !made.contains(*name) && is_plain(name));
            Addition {
                element,
                names: names.cloned().collect(),
                named_by_id: self.goes_by_id(element),
            }
        });
        known.reads.extend(inherited);
        known.bound = known.bound.and(required_bound);
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
