//! What is wrong with a file, and what went wrong in an evaluation.

use halsonav_domain::Kind;

/// Something in a file that is refused when it is loaded.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{rule}: {message}. {advice}")]
pub struct Fault {
    /// Stable id of the rule: `feel-parse`, `feel-external-function`, `feel-clock`, `feel-too-long`,
    /// `feel-too-deep`, `feel-range`, `feel-function`, `feel-number`, `dmn-…`, `timer-…`.
    pub rule: &'static str,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What to write instead, as a sentence.
    pub advice: String,
    /// Where in the expression, in characters from 0.
    pub position: Option<usize>,
    /// File or id of the element that holds it, where known.
    pub element: Option<String>,
    /// Line in the file, from 1, where known.
    pub line: Option<u32>,
}

impl Fault {
    pub(crate) fn new(
        rule: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            rule,
            message: message.into(),
            advice: advice.into(),
            position: None,
            element: None,
            line: None,
        }
    }

    pub(crate) fn at(mut self, position: usize) -> Self {
        self.position = Some(position);
        self
    }

    /// The same fault, said to be in `element` on `line`, unless it already says where it is.
    #[must_use]
    pub fn within(mut self, element: impl Into<String>, line: Option<u32>) -> Self {
        if self.element.is_none() {
            self.element = Some(element.into());
        }
        self.line = self.line.or(line);
        self
    }
}

/// An evaluation without a usable result. Never holds values of variables.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum EvalError {
    /// A condition that is neither true nor false.
    #[error("the condition `{expression}` gave a {found}, not true or false")]
    NotBoolean {
        /// Its source.
        expression: String,
        /// The type it gave instead.
        found: &'static str,
    },
    /// A condition that is null: most often a variable that does not exist, or a comparison with one.
    #[error("the condition `{expression}` is null: a variable is missing or of another type")]
    Null {
        /// Its source.
        expression: String,
    },
    /// Text was asked for and something else came.
    #[error("`{expression}` gave a {found}, text was expected")]
    NotText {
        /// Its source.
        expression: String,
        /// The type it gave instead.
        found: &'static str,
    },
    /// A function or a range, which has no place among variables.
    #[error("`{expression}` gives a {found}, which cannot be a variable")]
    NotData {
        /// Its source.
        expression: String,
        /// The type it gave.
        found: &'static str,
    },
    /// The variables it reads, or what it would do with them, exceed the limits.
    #[error("`{expression}` would be too much work: {limit}")]
    TooLarge {
        /// Its source.
        expression: String,
        /// Which limit.
        limit: &'static str,
    },
    /// The FEEL engine failed. Our fault.
    #[error("the evaluation of `{expression}` failed inside")]
    Panicked {
        /// Its source.
        expression: String,
    },
    /// A decision table whose rules contradict its hit policy.
    #[error("the decision `{decision}` cannot be made: {why}")]
    HitPolicy {
        /// Its id.
        decision: String,
        /// Which rules.
        why: &'static str,
    },
    /// No such decision is loaded.
    #[error("no decision has the id `{0}`")]
    UnknownDecision(String),
}

impl EvalError {
    /// Stable code for the operator.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotBoolean { .. } => "HUB-EXPRESSION-001",
            Self::Null { .. } => "HUB-EXPRESSION-002",
            Self::NotText { .. } => "HUB-EXPRESSION-003",
            Self::NotData { .. } => "HUB-EXPRESSION-004",
            Self::TooLarge { .. } => "HUB-EXPRESSION-005",
            Self::Panicked { .. } => "HUB-EXPRESSION-006",
            Self::UnknownDecision(_) => "HUB-EXPRESSION-007",
            Self::HitPolicy { .. } => "HUB-EXPRESSION-008",
        }
    }

    /// What should happen next.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Panicked { .. } => Kind::Internal,
            Self::UnknownDecision(_) => Kind::NotFound,
            _ => Kind::Invalid,
        }
    }
}
