//! A set of DMN files, prepared.

mod loading;

use std::collections::BTreeMap;
use std::fmt;

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use serde_json::Value;

use crate::bound::{Bound, Meter};
use crate::contained::{contained, on_large_stack};
use crate::dmn::File;
use crate::json::{Shape, Unfit, to_feel, to_json};
use crate::model::{Model, broken_hit_policy};
use crate::{EvalError, Fault, Scope};
use loading::Loading;

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
        if !decision.bound.still_allows(&meter) {
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
