//! A set of DMN files, prepared.

use serde_json::Value;

use crate::{EvalError, Fault, Scope};

/// The decisions of a set of DMN files.
#[derive(Debug, Default)]
pub struct Decisions {
    ids: Vec<String>,
}

impl Decisions {
    /// No decisions.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads DMN files, each with its name and its XML. Files may refer to each other.
    ///
    /// # Errors
    /// Every fault in every file.
    pub fn load<N: AsRef<str>, X: AsRef<str>>(_files: &[(N, X)]) -> Result<Self, Vec<Fault>> {
        Ok(Self::default())
    }

    /// Whether there is a decision with this id.
    #[must_use]
    pub fn contains(&self, decision_id: &str) -> bool {
        self.ids.iter().any(|id| id == decision_id)
    }

    /// The ids of all decisions, sorted.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(String::as_str)
    }

    /// The variables that a decision needs, directly or through the decisions it requires.
    #[must_use]
    pub fn inputs(&self, _decision_id: &str) -> &[String] {
        &[]
    }

    /// Evaluates a decision.
    ///
    /// # Errors
    /// `UnknownDecision`, and as [`crate::Expression::evaluate`].
    pub fn evaluate(&self, decision_id: &str, _scope: &dyn Scope) -> Result<Value, EvalError> {
        Err(EvalError::UnknownDecision(decision_id.to_owned()))
    }
}
