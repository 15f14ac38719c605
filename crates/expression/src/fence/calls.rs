//! Functions: the built-in ones may be called, and nothing may be defined but an order to sort by.

use dsntk_feel::bif::is_built_in_function_name;
use dsntk_feel_parser::AstNode;

use super::{Local, Walk, loops};
use crate::Fault;
use crate::bound::{Bound, Poly};
use crate::scan::clock;

/// Comparisons of a sort, per item, at most.
const COMPARISONS: f64 = 20.0;

/// Functions that give one number, date or truth.
const SCALAR: [&str; 39] = [
    "abs",
    "all",
    "any",
    "ceiling",
    "contains",
    "count",
    "date",
    "date and time",
    "day of week",
    "day of year",
    "decimal",
    "duration",
    "ends with",
    "even",
    "exp",
    "floor",
    "includes",
    "is",
    "list contains",
    "log",
    "matches",
    "mean",
    "median",
    "modulo",
    "month of year",
    "not",
    "number",
    "odd",
    "product",
    "round down",
    "round half up",
    "round up",
    "sqrt",
    "starts with",
    "stddev",
    "string length",
    "sum",
    "time",
    "years and months duration",
];

impl Walk<'_> {
    pub(super) fn call(&mut self, function: &AstNode, arguments: &AstNode) -> Result<Bound, Fault> {
        let AstNode::Name(name) = function else {
            return Err(Fault::new(
                "feel-function",
                "only a function's name can be called",
                "Call one of FEEL's built-in functions by its name",
            ));
        };
        let name = name.as_str();
        let arguments = named(arguments);
        match name {
            "now" | "today" => return Err(clock(name)),
            "range" => return Err(loops::range_function()),
            "matches" | "replace" | "split" => self.pattern(name, &arguments)?,
            _ => {}
        }
        if let Some(cost) = self.around.functions.get(name).copied() {
            return self.known(cost, &arguments);
        }
        if !is_built_in_function_name(name) || self.is_local(name) {
            return Err(unknown(name));
        }
        self.built_in.insert(name.to_owned());
        self.splits |= matches!(name, "flatten" | "split" | "get entries");
        if name == "sort" {
            return self.sort(&arguments);
        }
        let mut bound = Bound::literal(1);
        let mut longest = Poly::ZERO;
        for (_, argument) in &arguments {
            let its = self.value(argument)?;
            longest = longest + self.length(argument, &its);
            bound = bound.and(its);
        }
        Ok(match name {
            "distinct values" | "union" | "mode" => bound.with_work(longest * longest),
            _ if SCALAR.contains(&name) => bound.scalar().with_work(longest),
            _ => bound.with_work(longest),
        })
    }

    /// A call of a function whose parameters were reckoned as whole variables.
    fn known(
        &mut self,
        cost: Bound,
        arguments: &[(Option<&str>, &AstNode)],
    ) -> Result<Bound, Fault> {
        let mut given = Bound::literal(1);
        for (_, argument) in arguments {
            given = given.and(self.value(argument)?);
        }
        Ok(cost.call(given))
    }

    fn sort(&mut self, arguments: &[(Option<&str>, &AstNode)]) -> Result<Bound, Fault> {
        let mut list = Bound::literal(1);
        let mut length = Poly::list();
        for (_, argument) in arguments {
            let AstNode::FunctionDefinition(parameters, body) = argument else {
                let its = self.value(argument)?;
                length = length + self.length(argument, &its);
                list = list.and(its);
                continue;
            };
            let AstNode::FunctionBody(body, false) = body.as_ref() else {
                return Err(definition(body));
            };
            let outer = self.locals.len();
            for name in parameter_names(parameters) {
                self.locals.push(Local {
                    name,
                    bound: Bound::item(),
                    length: Poly::list(),
                });
            }
            let order = self.value(body)?;
            self.locals.truncate(outer);
            list = list.with_work(order.work * length * Poly::constant(COMPARISONS));
        }
        Ok(list)
    }

    /// Regular expressions are fixed texts: they are checked by eye, not by chance.
    fn pattern(&self, function: &str, arguments: &[(Option<&str>, &AstNode)]) -> Result<(), Fault> {
        let pattern = arguments
            .iter()
            .find(|(name, _)| matches!(name, Some("pattern" | "delimiter")))
            .or_else(|| arguments.get(1).filter(|(name, _)| name.is_none()));
        match pattern {
            None | Some((_, AstNode::String(_))) => Ok(()),
            Some(_) => Err(Fault::new(
                "feel-pattern",
                format!("the pattern of `{function}` is not a text literal"),
                "Write the regular expression as a text in quotes",
            )),
        }
    }
}

fn named(arguments: &AstNode) -> Vec<(Option<&str>, &AstNode)> {
    let items = match arguments {
        AstNode::PositionalParameters(items) | AstNode::NamedParameters(items) => items,
        other => return vec![(None, other)],
    };
    items
        .iter()
        .map(|item| match item {
            AstNode::NamedParameter(name, value) => match name.as_ref() {
                AstNode::ParameterName(name) => (Some(name.as_str()), value.as_ref()),
                _ => (None, value.as_ref()),
            },
            value => (None, value),
        })
        .collect()
}

fn parameter_names(parameters: &AstNode) -> Vec<String> {
    let AstNode::FormalParameters(parameters) = parameters else {
        return Vec::new();
    };
    let name = |parameter: &AstNode| match parameter {
        AstNode::FormalParameter(name, _) => match name.as_ref() {
            AstNode::ParameterName(name) => Some(name.as_str().to_owned()),
            _ => None,
        },
        _ => None,
    };
    parameters.iter().filter_map(name).collect()
}

pub fn definition(body: &AstNode) -> Fault {
    if matches!(body, AstNode::FunctionBody(_, true)) {
        return Fault::new(
            "feel-external-function",
            "the expression defines an external function",
            "Move what it does into a task; expressions cannot reach the outside",
        );
    }
    Fault::new(
        "feel-function",
        "the expression defines a function",
        "A function can only be defined as the order of `sort`; write the calculation where it is needed",
    )
}

pub fn passed_around(name: &str) -> Fault {
    Fault::new(
        "feel-function",
        format!("the function `{name}` is used as a value"),
        "Call it with its arguments",
    )
}

fn unknown(name: &str) -> Fault {
    let advice = match name {
        "is defined" => "Write `x != null`",
        "get or else" => "Write `if x = null then y else x`",
        "is empty" => "Write `count(x) = 0`",
        "trim" => "Write `replace(x, \"^\\s+|\\s+$\", \"\")`",
        "uuid" | "random number" => {
            "Let a task make it; expressions give the same answer every time"
        }
        "assert" => "Use a gateway",
        "last day of month" => {
            "Write `date(x.year, x.month, 1) + duration(\"P1M\") - duration(\"P1D\")`"
        }
        _ => "Use one of the built-in functions of FEEL 1.5; names of variables have no spaces",
    };
    Fault::new(
        "feel-function",
        format!("there is no function `{name}`"),
        advice,
    )
}
