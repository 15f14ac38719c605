//! Loops: over lists, and over ranges of small literal numbers.

use dsntk_feel_parser::AstNode;

use super::{Local, Walk, children, path};
use crate::Fault;
use crate::bound::{Bound, Poly};

/// Longest range that may be looped over.
const MAX_RANGE: i64 = 1000;

impl Walk<'_> {
    pub(super) fn filter(&mut self, list: &AstNode, condition: &AstNode) -> Result<Bound, Fault> {
        let whole = self.value(list)?;
        let length = self.length(list, &whole);
        let outer = self.locals.len();
        let bound = item_of(list, &whole);
        self.locals.push(Local {
            name: "item".to_owned(),
            bound,
            length: Poly::list(),
        });
        let condition = self.value(condition)?;
        self.locals.truncate(outer);
        Ok(whole.and(condition.dropped().times(length + Poly::constant(1.0))))
    }

    /// `for`, which collects, and `some` and `every`, which do not.
    pub(super) fn repeat(
        &mut self,
        contexts: &AstNode,
        body: &AstNode,
        collects: bool,
    ) -> Result<Bound, Fault> {
        let outer = self.locals.len();
        let mut times = Poly::constant(1.0);
        let mut domains = Bound::literal(1);
        let (AstNode::IterationContexts(contexts) | AstNode::QuantifiedContexts(contexts)) =
            contexts
        else {
            return Err(strange());
        };
        for context in contexts {
            let (variable, domain) = match context {
                AstNode::IterationContextSingle(variable, domain)
                | AstNode::QuantifiedContext(variable, domain) => (variable, domain),
                AstNode::IterationContextInterval(variable, start, end) => {
                    let length = interval(start, end).ok_or_else(open_range)?;
                    times = times * Poly::constant(length);
                    self.bind(variable, Bound::literal(1));
                    continue;
                }
                _ => return Err(strange()),
            };
            if self.depends(domain, outer, collects) {
                return Err(dependent());
            }
            let whole = self.value(domain)?;
            times = times * self.length(domain, &whole);
            domains = domains.and(whole);
            self.bind(variable, item_of(domain, &whole));
        }
        self.loops += usize::from(collects);
        let body = self.value(body)?;
        self.loops -= usize::from(collects);
        self.locals.truncate(outer);
        let repeated = body.times(times);
        // `for` hands every step a copy of all results so far.
        let copies = if collects { times * times } else { Poly::ZERO };
        let whole = if collects {
            domains.dropped().and(repeated)
        } else {
            domains.and(repeated).scalar()
        };
        Ok(whole.with_work(copies))
    }

    /// Whether a later list is made from an earlier variable of the same loop. The engine evaluates
    /// all lists first, and only in `for` and only for a bare name does it wait.
    fn depends(&self, domain: &AstNode, outer: usize, collects: bool) -> bool {
        let earlier = &self.locals[outer..];
        match domain {
            AstNode::Name(_) if collects => false,
            _ => earlier.iter().any(|local| mentions(domain, &local.name)),
        }
    }

    fn bind(&mut self, variable: &AstNode, bound: Bound) {
        if let AstNode::Name(name) = variable {
            self.locals.push(Local {
                name: name.as_str().to_owned(),
                bound,
                length: Poly::list(),
            });
        }
    }

    /// How many items a value has at most, if it is a list.
    pub(super) fn length(&self, node: &AstNode, bound: &Bound) -> Poly {
        let own = match node {
            AstNode::Name(name) => self
                .local(name.as_str())
                .map_or_else(Poly::list, |local| local.length),
            AstNode::Path(..) if path(node).is_some_and(|names| !self.is_local(names[0])) => {
                Poly::list()
            }
            AstNode::List(items) => Bound::literal(items.len()).size.fixed,
            AstNode::Range(..) => Poly::constant(literal_length(node).unwrap_or(0.0)),
            AstNode::Filter(list, _) => self.length(list, bound) + Poly::list(),
            AstNode::String(_) | AstNode::Numeric(..) | AstNode::Boolean(_) | AstNode::Null => {
                Poly::ZERO
            }
            _ => bound.length(),
        };
        own + Poly::constant(1.0)
    }
}

fn mentions(node: &AstNode, wanted: &str) -> bool {
    match node {
        AstNode::Name(name) => name.as_str() == wanted,
        AstNode::Path(base, _) => mentions(base, wanted),
        _ => children(node)
            .into_iter()
            .any(|child| mentions(child, wanted)),
    }
}

/// What one item of a list is: of a variable, an item; of anything else, perhaps all of it.
fn item_of(list: &AstNode, whole: &Bound) -> Bound {
    if path(list).is_some() && whole.size == Bound::variable().size {
        Bound::item()
    } else {
        *whole
    }
}

/// Length of a range of literal integers, if it is short.
pub fn literal_length(range: &AstNode) -> Option<f64> {
    let AstNode::Range(start, end) = range else {
        return None;
    };
    match (start.as_ref(), end.as_ref()) {
        (AstNode::IntervalStart(start, _), AstNode::IntervalEnd(end, _)) => interval(start, end),
        _ => None,
    }
}

fn interval(start: &AstNode, end: &AstNode) -> Option<f64> {
    let length = integer(end)?.checked_sub(integer(start)?)?.checked_abs()?;
    let length = i32::try_from(length).ok()?;
    (i64::from(length) < MAX_RANGE).then(|| f64::from(length) + 1.0)
}

fn integer(node: &AstNode) -> Option<i64> {
    match node {
        AstNode::Numeric(whole, fraction, _, exponent)
            if fraction.is_empty() && exponent.is_empty() =>
        {
            whole.parse().ok()
        }
        AstNode::Neg(inner) => integer(inner)?.checked_neg(),
        _ => None,
    }
}

pub fn open_range() -> Fault {
    Fault::new(
        "feel-range",
        format!("a loop runs over a range that is not two whole numbers at most {MAX_RANGE} apart"),
        "Loop over a list, or write the ends of the range as numbers",
    )
}

pub fn range_function() -> Fault {
    Fault::new(
        "feel-range",
        "`range()` reads a range from text",
        "Write the range itself, such as [18..69]",
    )
}

pub fn partial() -> Fault {
    Fault::new(
        "feel-range",
        "the loop uses `partial`, which doubles at every step",
        "Use sum, count, max or another function over the finished list",
    )
}

fn dependent() -> Fault {
    Fault::new(
        "feel-loop",
        "a list in the loop is made from a variable of the same loop",
        "Put one loop inside the other: `flatten(for a in x return for b in a.y return b)`",
    )
}

fn strange() -> Fault {
    Fault::new(
        "feel-parse",
        "the loop has no list to run over",
        "Write `for x in list return …`",
    )
}
