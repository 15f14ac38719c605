//! An attribute that is text, or FEEL if it starts with `=`.

use serde_json::Value;

use crate::{EvalError, Expression, Fault, Scope};

/// An attribute value in the Zeebe dialect.
#[derive(Clone, Debug)]
pub enum Template {
    /// The text itself.
    Literal(String),
    /// What the FEEL after the leading `=` gives.
    Expression(Expression),
}

impl Template {
    /// Reads an attribute. White space before the `=` does not matter.
    ///
    /// # Errors
    /// The fault of the expression.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        match text.trim_start().strip_prefix('=') {
            Some(feel) => Expression::parse(feel).map(Self::Expression),
            None => Ok(Self::Literal(text.to_owned())),
        }
    }

    /// The value: the literal as a string, or whatever the expression gives.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn value(&self, scope: &dyn Scope) -> Result<Value, EvalError> {
        match self {
            Self::Literal(text) => Ok(Value::String(text.clone())),
            Self::Expression(expression) => expression.evaluate(scope),
        }
    }

    /// The value as text. Numbers and booleans are written out; null, lists and contexts are errors.
    ///
    /// # Errors
    /// `NotText`, and as [`Expression::evaluate`].
    pub fn text(&self, scope: &dyn Scope) -> Result<String, EvalError> {
        let expression = match self {
            Self::Literal(text) => return Ok(text.clone()),
            Self::Expression(expression) => expression,
        };
        let found = match expression.evaluate(scope)? {
            Value::String(text) => return Ok(text),
            Value::Number(number) => return Ok(number.to_string()),
            Value::Bool(truth) => return Ok(truth.to_string()),
            Value::Null => "null",
            Value::Array(_) => "list",
            Value::Object(_) => "context",
        };
        Err(EvalError::NotText {
            expression: expression.source().to_owned(),
            found,
        })
    }

    /// The text if it is a literal.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Expression(_) => None,
        }
    }

    /// The expression, if it is one.
    #[must_use]
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Self::Literal(_) => None,
            Self::Expression(expression) => Some(expression),
        }
    }

    /// Every expression in it: none or one.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.expression().into_iter()
    }

    /// As it was written, with the `=`.
    #[must_use]
    pub fn source(&self) -> String {
        match self {
            Self::Literal(text) => text.clone(),
            Self::Expression(expression) => format!("={}", expression.source()),
        }
    }
}
