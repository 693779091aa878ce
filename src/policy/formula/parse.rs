//! The grammar of formulas: a small part of SQL's expressions. Anything else is refused when the policy is loaded.

use rust_decimal::Decimal;

use super::FormulaError;
use crate::engine::sql::ast::{
    BinaryOperator, CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};
use crate::engine::sql::dialect::GenericDialect;
use crate::engine::sql::parser::{Parser, ParserError};
use crate::engine::sql::tokenizer::Token;

/// An expression of the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Number(Decimal),
    Text(String),
    Flag(bool),
    Column(String),
    Param(String),
    AsOf,
    Group(Box<Node>),
    Negate(Box<Node>),
    Arith(Arith, Box<Node>, Box<Node>),
    Compare(Compare, Box<Node>, Box<Node>),
    Not(Box<Node>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Case(Vec<(Node, Node)>, Option<Box<Node>>),
    Pick(Pick, Vec<Node>),
    Size(Size, Box<Node>),
    Rate(String, Option<Box<Node>>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arith {
    Plus,
    Minus,
    Times,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    Least,
    Greatest,
}

/// A size that bytes are turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// 2^30 bytes: the bill's GB.
    Gib,
    /// 2^40 bytes: the bill's TB.
    Tib,
}

impl Node {
    /// Returns the parts of the node, in the order of reading.
    pub(super) fn parts(&self) -> Vec<&Node> {
        match self {
            Node::Group(of) | Node::Negate(of) | Node::Not(of) | Node::Size(_, of) => vec![of],
            Node::Arith(_, left, right)
            | Node::Compare(_, left, right)
            | Node::And(left, right)
            | Node::Or(left, right) => vec![left, right],
            Node::Case(branches, otherwise) => {
                branches.iter().flat_map(|(when, then)| [when, then]).chain(otherwise.as_deref()).collect()
            }
            Node::Pick(_, of) => of.iter().collect(),
            Node::Rate(_, quantity) => quantity.as_deref().into_iter().collect(),
            Node::Number(_) | Node::Text(_) | Node::Flag(_) | Node::Column(_) | Node::Param(_) | Node::AsOf => vec![],
        }
    }

    /// Returns what `pick` finds in the node and its parts, each once.
    pub(super) fn names<'a>(&'a self, pick: fn(&'a Node) -> Option<&'a str>) -> Vec<&'a str> {
        let mut found: Vec<&str> = pick(self).into_iter().collect();
        for name in self.parts().into_iter().flat_map(|part| part.names(pick)) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }
}

/// Returns the node for `text`.
pub(super) fn parse(text: &str) -> Result<Node, FormulaError> {
    let dialect = GenericDialect {};
    let mut parser = Parser::new(&dialect).try_with_sql(text).map_err(|e| located(&e))?;
    let expr = parser.parse_expr().map_err(|e| located(&e))?;
    let rest = parser.peek_token();
    if rest.token != Token::EOF {
        return Err(FormulaError {
            what: format!("a formula is one expression, and `{rest}` follows it"),
            at: Some((as_usize(rest.span.start.line), as_usize(rest.span.start.column))),
        });
    }
    node(expr)
}

fn as_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Takes the position out of the parser's message: ` at Line: 1, Column: 5`.
fn located(error: &ParserError) -> FormulaError {
    let (what, at) = crate::engine::sql_position(&error.to_string());
    FormulaError { what, at }
}

fn refuse<T>(expr: &impl std::fmt::Display) -> Result<T, FormulaError> {
    Err(FormulaError::new(format!(
        "`{expr}` is not allowed in a formula: columns, numbers, $parameters, + - * /, comparisons, AND, OR, NOT, CASE, \
         least, greatest, gib, tib and rate are"
    )))
}

fn boxed(expr: Expr) -> Result<Box<Node>, FormulaError> {
    node(expr).map(Box::new)
}

fn node(expr: Expr) -> Result<Node, FormulaError> {
    Ok(match expr {
        Expr::Identifier(name) => Node::Column(name.value),
        Expr::Value(value) => return literal(value.value),
        Expr::Nested(inner) => Node::Group(boxed(*inner)?),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => Node::Negate(boxed(*expr)?),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => Node::Not(boxed(*expr)?),
        Expr::BinaryOp { left, op, right } => return binary(*left, &op, *right),
        Expr::Case { operand: None, conditions, else_result, .. } => {
            let branch = |when: CaseWhen| Ok((node(when.condition)?, node(when.result)?));
            let branches = conditions.into_iter().map(branch).collect::<Result<_, _>>()?;
            Node::Case(branches, else_result.map(|otherwise| boxed(*otherwise)).transpose()?)
        }
        Expr::Function(call) => return function(&call),
        other => return refuse(&other),
    })
}

fn literal(value: Value) -> Result<Node, FormulaError> {
    Ok(match value {
        Value::Number(digits, _) => match digits.parse() {
            Ok(number) => Node::Number(number),
            Err(_) => return Err(FormulaError::new(format!("`{digits}` has too many digits"))),
        },
        Value::SingleQuotedString(text) => Node::Text(text),
        Value::Boolean(flag) => Node::Flag(flag),
        Value::Placeholder(name) if name == "$as_of" => Node::AsOf,
        Value::Placeholder(name) if name.starts_with('$') => Node::Param(name.trim_start_matches('$').to_owned()),
        other => return refuse(&other),
    })
}

fn binary(left: Expr, op: &BinaryOperator, right: Expr) -> Result<Node, FormulaError> {
    let (left, right) = (boxed(left)?, boxed(right)?);
    Ok(match op {
        BinaryOperator::Plus => Node::Arith(Arith::Plus, left, right),
        BinaryOperator::Minus => Node::Arith(Arith::Minus, left, right),
        BinaryOperator::Multiply => Node::Arith(Arith::Times, left, right),
        BinaryOperator::Divide => Node::Arith(Arith::Over, left, right),
        BinaryOperator::Eq => Node::Compare(Compare::Equal, left, right),
        BinaryOperator::NotEq => Node::Compare(Compare::NotEqual, left, right),
        BinaryOperator::Lt => Node::Compare(Compare::Less, left, right),
        BinaryOperator::LtEq => Node::Compare(Compare::LessOrEqual, left, right),
        BinaryOperator::Gt => Node::Compare(Compare::Greater, left, right),
        BinaryOperator::GtEq => Node::Compare(Compare::GreaterOrEqual, left, right),
        BinaryOperator::And => Node::And(left, right),
        BinaryOperator::Or => Node::Or(left, right),
        other => return refuse(other),
    })
}

fn function(call: &Function) -> Result<Node, FormulaError> {
    let name = call.name.to_string().to_ascii_lowercase();
    let plain = call.over.is_none() && call.filter.is_none() && call.within_group.is_empty();
    let Some(args) = plain.then(|| arguments(&call.args)).flatten() else { return refuse(call) };
    let mut args = args.into_iter().map(node).collect::<Result<Vec<_>, _>>()?;
    match (name.as_str(), args.len()) {
        ("least", 1..) => Ok(Node::Pick(Pick::Least, args)),
        ("greatest", 1..) => Ok(Node::Pick(Pick::Greatest, args)),
        ("gib", 1) => Ok(Node::Size(Size::Gib, Box::new(args.remove(0)))),
        ("tib", 1) => Ok(Node::Size(Size::Tib, Box::new(args.remove(0)))),
        ("rate", 1 | 2) => match args.remove(0) {
            Node::Text(item) => Ok(Node::Rate(item, args.pop().map(Box::new))),
            _ => Err(FormulaError::new("the item of `rate` must be written out, in quotes")),
        },
        ("gib" | "tib" | "rate" | "least" | "greatest", n) => {
            Err(FormulaError::new(format!("`{name}` does not take {n} arguments")))
        }
        _ => refuse(call),
    }
}

fn arguments(args: &FunctionArguments) -> Option<Vec<Expr>> {
    let FunctionArguments::List(list) = args else { return None };
    let plain = |arg: &FunctionArg| match arg {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    };
    if list.duplicate_treatment.is_some() || !list.clauses.is_empty() {
        return None;
    }
    list.args.iter().map(plain).collect()
}
