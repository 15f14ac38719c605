//! One prepared FEEL expression.

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::{EvalError, Fault, Scope};

/// A FEEL expression, read and prepared once. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Inner>);

struct Inner {
    source: String,
    variables: Vec<String>,
}

impl Expression {
    /// Reads FEEL, without the leading `=`.
    ///
    /// # Errors
    /// The first fault found.
    pub fn parse(source: &str) -> Result<Self, Fault> {
        Ok(Self(Arc::new(Inner {
            source: source.trim().to_owned(),
            variables: Vec::new(),
        })))
    }

    /// As written, trimmed.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The names it reads from the scope, sorted, each once.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        &self.0.variables
    }

    /// Its value as JSON.
    ///
    /// # Errors
    /// `NotData`, `TooLarge`, `Panicked`.
    pub fn evaluate(&self, _scope: &dyn Scope) -> Result<Value, EvalError> {
        Err(EvalError::Panicked {
            expression: self.0.source.clone(),
        })
    }

    /// Its value as a condition. Null and anything that is not a boolean is an error, never false.
    ///
    /// # Errors
    /// `Null`, `NotBoolean`, `TooLarge`, `Panicked`.
    pub fn condition(&self, _scope: &dyn Scope) -> Result<bool, EvalError> {
        Err(EvalError::Panicked {
            expression: self.0.source.clone(),
        })
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.source).finish()
    }
}
