//! The FEEL engine: the one place, beside `model`, where it is parsed and run.

use std::collections::BTreeSet;

use dsntk_feel::context::FeelContext;
use dsntk_feel::values::Value as Feel;
use dsntk_feel::{Evaluator, FeelScope, Name};
use dsntk_feel_parser::AstNode;

use crate::Fault;
use crate::contained::on_large_stack;
use crate::fence::{Facts, Surroundings, inspect};
use crate::scan::{Scan, long_functions, scan};

/// A prepared expression and what is known of it.
pub struct Prepared {
    pub facts: Facts,
    evaluator: Evaluator,
}

impl Prepared {
    /// Runs it. To be called inside [`crate::contained::contained`].
    pub fn run(&self, variables: FeelContext) -> Feel {
        (self.evaluator)(&FeelScope::from(variables))
    }
}

/// Reads, checks and prepares an expression.
///
/// # Errors
/// See [`scan`] and [`inspect`]; `feel-parse` for what is not FEEL.
pub fn prepare(source: &str) -> Result<Prepared, Fault> {
    let seen = scan(source)?;
    if source.trim().is_empty() {
        return Err(Fault::new(
            "feel-parse",
            "the expression is empty",
            "Write an expression, or `null`",
        ));
    }
    let prepare = || {
        let tree = parse(source, &seen, &BTreeSet::new(), Grammar::Expression)?;
        let facts = inspect(&tree, &Surroundings::default())?;
        let evaluator = dsntk_feel_evaluator::prepare(&tree);
        Ok(Prepared { facts, evaluator })
    };
    on_large_stack(prepare).unwrap_or_else(|_| Err(not_feel()))
}

/// What kind of text it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Grammar {
    /// An expression, as in a condition or an output entry.
    Expression,
    /// Unary tests, as in an input entry.
    UnaryTests,
}

/// Parses a text of a decision and walks over it. The tree is not kept.
///
/// `names` are names with spaces or signs that the model declares.
pub fn check(
    source: &str,
    grammar: Grammar,
    names: &BTreeSet<String>,
    around: &Surroundings,
) -> Result<Facts, Fault> {
    let seen = scan(source)?;
    let tree = parse(source, &seen, names, grammar)?;
    inspect(&tree, around)
}

fn parse(
    source: &str,
    seen: &Scan,
    names: &BTreeSet<String>,
    grammar: Grammar,
) -> Result<AstNode, Fault> {
    let mut known = FeelContext::default();
    let words = seen.names.iter().map(String::as_str);
    for name in words.chain(names.iter().map(String::as_str)) {
        known.set_null(Name::from(name));
    }
    // Without these, `string length(x)` would fall apart where `string` is a variable too.
    for name in long_functions()
        .iter()
        .filter(|name| seen.calls.iter().any(|(called, _)| called == *name))
    {
        known.set_null(Name::from(*name));
    }
    let scope = FeelScope::from(known);
    let parsed = match grammar {
        Grammar::Expression => dsntk_feel_parser::parse_expression(&scope, source, false),
        Grammar::UnaryTests => dsntk_feel_parser::parse_unary_tests(&scope, source, false),
    };
    parsed.map_err(|_| not_feel())
}

fn not_feel() -> Fault {
    Fault::new(
        "feel-parse",
        "the expression is not FEEL",
        "Check brackets, quotes and operators: FEEL has `and`, `or`, `not(x)`, `=`, `!=`, `if … then … else …`; names have no spaces",
    )
}
