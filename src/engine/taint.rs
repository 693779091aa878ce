//! Which expressions of a query carry money, or floating point, through the names that the query gives them.
//!
//! Judges by names, in every scope alike: it may be too strict where two things share a name, never too lax.

use std::collections::BTreeSet;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Function, Query, SelectItem, SetExpr, Statement,
};

use super::lint::{aliases, arguments};

/// Functions that hand on what they are given.
const HAND_ON: &[&str] = &[
    "sum",
    "min",
    "max",
    "avg",
    "mean",
    "median",
    "coalesce",
    "nullif",
    "nvl",
    "ifnull",
    "abs",
    "round",
    "trunc",
    "greatest",
    "least",
    "first_value",
    "last_value",
    "nth_value",
    "lag",
    "lead",
    "any_value",
];
/// Functions whose answer is floating point whatever they are given.
const FLOATS: &[&str] = &[
    "sqrt",
    "cbrt",
    "exp",
    "ln",
    "log",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "atan2",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "var",
    "var_pop",
    "var_samp",
    "variance",
    "corr",
    "covar_pop",
    "covar_samp",
    "percentile_cont",
];

/// What makes an expression carry it, apart from names.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Source {
    /// Nothing else.
    #[default]
    Names,
    /// Casts to floating point and functions that answer in it.
    Floats,
}

/// The names that carry something.
#[derive(Default)]
pub(super) struct Taint {
    names: BTreeSet<String>,
    source: Source,
}

impl Taint {
    /// Returns the names that carry money, from the columns that do.
    pub(super) fn money(columns: BTreeSet<String>, statements: &Vec<Statement>) -> Taint {
        Taint { names: columns, source: Source::Names }.through(statements)
    }

    /// Returns the names that carry floating point.
    pub(super) fn float(statements: &Vec<Statement>) -> Taint {
        Taint { names: BTreeSet::new(), source: Source::Floats }.through(statements)
    }

    /// Follows the names that a query gives to what carries it, until there are no more.
    fn through(mut self, statements: &Vec<Statement>) -> Taint {
        let aliases = aliases(statements);
        loop {
            let before = self.names.len();
            for (expr, alias) in &aliases {
                if self.carries(expr) {
                    self.names.insert(alias.value.to_lowercase());
                }
            }
            if self.names.len() == before {
                return self;
            }
        }
    }

    /// Returns true when the value of `expr` is, or is made of, what this taint follows.
    pub(super) fn carries(&self, expr: &Expr) -> bool {
        use BinaryOperator::{Divide, Minus, Modulo, Multiply, Plus};
        if let Some(name) = name_of(expr) {
            return self.names.contains(&name);
        }
        match expr {
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => self.carries(inner),
            Expr::Cast { expr: inner, data_type, .. } => match self.source {
                Source::Floats => is_float(data_type) || (!is_exact(data_type) && self.carries(inner)),
                Source::Names => self.carries(inner),
            },
            Expr::BinaryOp { left, op: Plus | Minus | Multiply | Divide | Modulo, right } => {
                self.carries(left) || self.carries(right)
            }
            Expr::Case { conditions, else_result, .. } => {
                let results = conditions.iter().map(|when| &when.result);
                results.chain(else_result.as_deref()).any(|result| self.carries(result))
            }
            Expr::Function(call) => self.function(call),
            Expr::Subquery(query) => self.answer(query),
            _ => false,
        }
    }

    fn function(&self, call: &Function) -> bool {
        let name = call.name.to_string().to_lowercase();
        let made = self.source == Source::Floats && FLOATS.contains(&name.as_str());
        made || (HAND_ON.contains(&name.as_str()) && arguments(&call.args).any(|argument| self.carries(argument)))
    }

    /// True when the one column of a scalar subquery carries it.
    fn answer(&self, query: &Query) -> bool {
        let SetExpr::Select(select) = query.body.as_ref() else {
            return false;
        };
        select.projection.iter().any(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => self.carries(expr),
            _ => false,
        })
    }
}

/// Returns the column that an expression names, without its table, in lower case.
pub(super) fn name_of(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(name) => Some(name.value.to_lowercase()),
        Expr::CompoundIdentifier(path) => path.last().map(|name| name.value.to_lowercase()),
        _ => None,
    }
}

fn is_float(kind: &DataType) -> bool {
    let name = kind.to_string().to_lowercase();
    ["float", "double", "real"].iter().any(|float| name.starts_with(float))
}

fn is_exact(kind: &DataType) -> bool {
    let name = kind.to_string().to_lowercase();
    ["decimal", "numeric", "int", "bigint", "smallint"].iter().any(|exact| name.starts_with(exact))
}
