//! The shape of a parsed expression.

use dsntk_feel_parser::AstNode;

/// The nodes directly below one.
pub fn children(node: &AstNode) -> Vec<&AstNode> {
    match node {
        AstNode::Add(a, b)
        | AstNode::And(a, b)
        | AstNode::ContextEntry(a, b)
        | AstNode::ContextTypeEntry(a, b)
        | AstNode::Div(a, b)
        | AstNode::Eq(a, b)
        | AstNode::Every(a, b)
        | AstNode::Exp(a, b)
        | AstNode::Filter(a, b)
        | AstNode::For(a, b)
        | AstNode::FormalParameter(a, b)
        | AstNode::FunctionDefinition(a, b)
        | AstNode::FunctionInvocation(a, b)
        | AstNode::FunctionType(a, b)
        | AstNode::Ge(a, b)
        | AstNode::Gt(a, b)
        | AstNode::In(a, b)
        | AstNode::InstanceOf(a, b)
        | AstNode::IterationContextSingle(a, b)
        | AstNode::Le(a, b)
        | AstNode::Lt(a, b)
        | AstNode::Mul(a, b)
        | AstNode::NamedParameter(a, b)
        | AstNode::Nq(a, b)
        | AstNode::Or(a, b)
        | AstNode::Out(a, b)
        | AstNode::Path(a, b)
        | AstNode::QuantifiedContext(a, b)
        | AstNode::Range(a, b)
        | AstNode::Some(a, b)
        | AstNode::Sub(a, b) => vec![a, b],
        AstNode::Between(a, b, c)
        | AstNode::If(a, b, c)
        | AstNode::IterationContextInterval(a, b, c) => vec![a, b, c],
        _ => list_or_one(node),
    }
}

/// The nodes below one that has a list of them, or one, or none.
fn list_or_one(node: &AstNode) -> Vec<&AstNode> {
    match node {
        AstNode::CommaList(items)
        | AstNode::Context(items)
        | AstNode::ContextType(items)
        | AstNode::ExpressionList(items)
        | AstNode::FormalParameters(items)
        | AstNode::IterationContexts(items)
        | AstNode::List(items)
        | AstNode::NamedParameters(items)
        | AstNode::NegatedList(items)
        | AstNode::ParameterTypes(items)
        | AstNode::PositionalParameters(items)
        | AstNode::QualifiedName(items)
        | AstNode::QuantifiedContexts(items) => items.iter().collect(),
        AstNode::EvaluatedExpression(a)
        | AstNode::FunctionBody(a, _)
        | AstNode::IntervalEnd(a, _)
        | AstNode::IntervalStart(a, _)
        | AstNode::ListType(a)
        | AstNode::Neg(a)
        | AstNode::RangeType(a)
        | AstNode::Satisfies(a)
        | AstNode::UnaryGe(a)
        | AstNode::UnaryGt(a)
        | AstNode::UnaryLe(a)
        | AstNode::UnaryLt(a)
        | AstNode::UnaryEq(a)
        | AstNode::UnaryNe(a) => vec![a],
        _ => Vec::new(),
    }
}
