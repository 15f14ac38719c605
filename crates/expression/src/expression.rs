//! One prepared FEEL expression.

use std::fmt;
use std::sync::{Arc, OnceLock};

use dsntk_feel::Name;
use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use serde_json::Value;

use crate::bound::Meter;
use crate::contained::contained;
use crate::feel::{Prepared, prepare};
use crate::json::{Shape, Unfit, kind, to_feel, to_json};
use crate::plain::Path;
use crate::{EvalError, Fault, Scope};

/// A FEEL expression, read and prepared once. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Inner>);

struct Inner {
    source: String,
    variables: Vec<String>,
    reads: Vec<Read>,
    path: Option<Path>,
    /// Its value, if it reads nothing and was evaluated: there is no clock in FEEL here.
    constant: OnceLock<Value>,
    prepared: Prepared,
}

struct Read {
    name: Name,
    shape: Shape,
}

impl Expression {
    /// Reads FEEL, without the leading `=`.
    ///
    /// Names are of letters, digits and `_`: `case.round` is the member `round` of `case`, and `a-b`
    /// is a subtraction. At most 4 KB, 1000 parts and 48 levels of brackets.
    ///
    /// # Errors
    /// The first fault found: `feel-parse`, `feel-clock`, `feel-external-function`, `feel-function`,
    /// `feel-range`, `feel-pattern`, `feel-growth`, `feel-name`, `feel-too-long`, `feel-too-deep`.
    pub fn parse(source: &str) -> Result<Self, Fault> {
        let prepared = prepare(source)?;
        let reads = &prepared.facts.reads;
        let variables: Vec<String> = reads.keys().cloned().collect();
        let path = match variables.as_slice() {
            [variable] => Path::of(source.trim(), variable),
            _ => None,
        };
        let reads = reads
            .iter()
            .map(|(name, shape)| Read {
                name: Name::from(name),
                shape: shape.clone(),
            })
            .collect();
        Ok(Self(Arc::new(Inner {
            source: source.trim().to_owned(),
            variables,
            reads,
            path,
            constant: OnceLock::new(),
            prepared,
        })))
    }

    /// As written, trimmed.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The names it reads from the scope, sorted, each once. Names in a filter such as `score` in
    /// `answers[score > 3]` are among them, for they may be variables or members of the items.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.0.variables
    }

    /// Its value as JSON. A variable that is not in the scope is null. Dates, times and durations
    /// become their ISO 8601 text.
    ///
    /// # Errors
    /// `NotData`, `TooLarge`, `Panicked`.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        let inner = &*self.0;
        let known = || inner.path.as_ref()?.value(scope);
        if let Some(value) = inner.constant.get().cloned().or_else(known) {
            return Ok(value);
        }
        let value = to_json(self.run(scope)?).map_err(|unfit| self.unfit(unfit))?;
        if inner.reads.is_empty() {
            inner.constant.get_or_init(|| value.clone());
        }
        Ok(value)
    }

    /// Its value as a condition. Null and anything that is not a boolean is an error, never false.
    ///
    /// # Errors
    /// `Null`, `NotBoolean`, `TooLarge`, `Panicked`.
    pub fn condition(&self, scope: &dyn Scope) -> Result<bool, EvalError> {
        match self.run(scope)? {
            Feel::Boolean(truth) => Ok(truth),
            Feel::Null(_) => Err(EvalError::Null {
                expression: self.0.source.clone(),
            }),
            other => Err(EvalError::NotBoolean {
                expression: self.0.source.clone(),
                found: kind(&other),
            }),
        }
    }

    /// Its value in FEEL.
    pub(crate) fn run(&self, scope: &dyn Scope) -> Result<Feel, EvalError> {
        let inner = &*self.0;
        let mut meter = Meter::default();
        let mut variables = FeelContext::default();
        for read in &inner.reads {
            let value = match scope.get(read.name.as_str()) {
                Some(value) => {
                    to_feel(&value, &read.shape, &mut meter).map_err(|unfit| self.unfit(unfit))?
                }
                None => Feel::Null(None),
            };
            variables.set_entry(&read.name, value);
        }
        if inner.prepared.facts.splits {
            meter.longest = meter.units;
        }
        if !inner.prepared.facts.bound.still_allows(&meter) {
            return Err(self.unfit(Unfit::TooLarge));
        }
        contained(|| inner.prepared.run(variables)).map_err(|_| EvalError::Panicked {
            expression: inner.source.clone(),
        })
    }

    fn unfit(&self, unfit: Unfit) -> EvalError {
        unfit.error(&self.0.source)
    }
}

impl Unfit {
    /// As an error about `expression`.
    pub fn error(self, expression: &str) -> EvalError {
        let expression = expression.to_owned();
        match self {
            Self::TooDeep => EvalError::TooLarge {
                expression,
                limit: "a value is nested more than 64 levels",
            },
            Self::TooLarge => EvalError::TooLarge {
                expression,
                limit: "its variables are too large for what it does with them",
            },
            Self::NotData(found) => EvalError::NotData { expression, found },
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}
