//! The subset of SQL that DataFusion and Trino (and so Athena) understand alike. What is not listed is refused.
//!
//! Reads the syntax tree only. It cannot see everything: `least` and `greatest` would pass any grammar and differ on NULL,
//! so they are not listed.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::engine::files::{Foreign, Type};
use crate::engine::sql::ast::{
    BinaryOperator, CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    JoinConstraint, JoinOperator, Query, Select, SelectItem, Spanned, Statement, TableFactor, Value, Visit, Visitor,
};
use crate::engine::sql::dialect::GenericDialect;
use crate::engine::sql::parser::Parser;
use crate::engine::sql::tokenizer::Span;
use crate::engine::{Complaint, lint};

/// Functions that mean the same on both engines.
const FUNCTIONS: &[&str] = &[
    "abs",
    "coalesce",
    "concat",
    "count",
    "date_trunc",
    "floor",
    "length",
    "log10",
    "lower",
    "max",
    "min",
    "nullif",
    "regexp_like",
    "replace",
    "split_part",
    "strpos",
    "substr",
    "sum",
    "trim",
    "upper",
];

/// Returns what is wrong with a query over `from`, in the order of its text.
pub fn check(sql: &str, from: &Foreign) -> Vec<Complaint> {
    let at_start = |message: String| vec![Complaint { line: 1, column: 1, message }];
    let statements = match Parser::parse_sql(&GenericDialect {}, sql) {
        Ok(statements) => statements,
        Err(error) => return at_start(error.to_string()),
    };
    let [statement @ Statement::Query(_)] = statements.as_slice() else {
        return at_start("a roll-up is one query".to_owned());
    };
    let mut reader = Reader { exact: exact_names(statement, from), complaints: lint(sql, &[]) };
    let _ = statement.visit(&mut reader);
    reader.complaints.sort();
    reader.complaints.dedup();
    reader.complaints
}

struct Reader {
    /// Names whose every meaning in the query is a whole number or a decimal.
    exact: BTreeSet<String>,
    complaints: Vec<Complaint>,
}

impl Reader {
    fn refuse(&mut self, at: Span, message: impl Into<String>) {
        let (line, column) = (at.start.line.max(1), at.start.column.max(1));
        self.complaints.push(Complaint { line, column, message: message.into() });
    }

    fn function(&mut self, call: &Function, at: Span) {
        let name = call.name.to_string().to_lowercase();
        if !FUNCTIONS.contains(&name.as_str()) {
            return self.refuse(at, format!("`{name}` is not known to mean the same on both engines"));
        }
        let exact = arguments(call).all(|argument| is_exact(argument, &self.exact));
        if name == "sum" && !exact {
            self.refuse(at, "cast to decimal before summing: sums of floating point depend on the order of the rows");
        }
    }

    fn expression(&mut self, expr: &Expr) {
        let at = expr.span();
        match expr {
            Expr::Function(call) => self.function(call, at),
            Expr::Cast { kind: CastKind::Cast | CastKind::TryCast, data_type, .. } if is_type(data_type) => {}
            Expr::Cast { data_type, .. } => self.refuse(at, format!("a cast to {data_type} is not the same on both")),
            Expr::BinaryOp { op, .. } if is_operator(op) => {}
            Expr::BinaryOp { op, .. } => self.refuse(at, format!("`{op}` is not the same on both engines")),
            Expr::Interval(interval) => {
                let number = matches!(interval.value.as_ref(), Expr::Value(value)
                    if matches!(&value.value, Value::SingleQuotedString(text) if text.parse::<u32>().is_ok()));
                if !number || interval.leading_field.is_none() {
                    self.refuse(at, "write an interval as `interval '1' day`");
                }
            }
            Expr::Identifier(name) => self.name(name),
            Expr::CompoundIdentifier(path) => path.iter().for_each(|name| self.name(name)),
            Expr::Value(value) => {
                if !is_value(&value.value) {
                    self.refuse(at, format!("`{}` is not a literal of both engines", value.value));
                }
            }
            plain if is_plain(plain) => {}
            other => self.refuse(at, format!("`{other}` is outside the subset of both engines")),
        }
    }

    fn name(&mut self, name: &Ident) {
        if name.quote_style.is_some_and(|quote| quote != '"') {
            self.refuse(name.span, "quote names with `\"`");
        }
    }
}

impl Visitor for Reader {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        if query.limit_clause.is_some() || query.fetch.is_some() {
            self.refuse(query.span(), "a roll-up has no LIMIT: it would drop rows");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(Expr::Identifier(_)) | SelectItem::ExprWithAlias { .. } => {}
                SelectItem::UnnamedExpr(other) => self.refuse(other.span(), "give every expression a name with `as`"),
                star => self.refuse(star.span(), "name the columns: `*` reads all of them"),
            }
        }
        let strange = select.top.is_some() || select.qualify.is_some() || !select.lateral_views.is_empty();
        if strange || select.into.is_some() {
            self.refuse(select.span(), "TOP, QUALIFY, INTO and LATERAL VIEW are outside the subset");
        }
        for join in select.from.iter().flat_map(|from| &from.joins) {
            let on = match &join.join_operator {
                JoinOperator::Join(on)
                | JoinOperator::Inner(on)
                | JoinOperator::Left(on)
                | JoinOperator::LeftOuter(on) => Some(on),
                _ => None,
            };
            if !matches!(on, Some(JoinConstraint::On(_))) {
                self.refuse(join.span(), "join with `join … on` or `left join … on`");
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if !matches!(factor, TableFactor::Table { args: None, .. } | TableFactor::Derived { lateral: false, .. }) {
            self.refuse(factor.span(), "read tables and subqueries only");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.expression(expr);
        ControlFlow::Continue(())
    }
}

fn arguments(call: &Function) -> impl Iterator<Item = &Expr> {
    let list = match &call.args {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    };
    list.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
        _ => None,
    })
}

/// Decimal division has another scale on each engine, so it is not among them.
fn is_operator(op: &BinaryOperator) -> bool {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, Minus, Multiply, NotEq, Or, Plus, StringConcat};
    matches!(op, Plus | Minus | Multiply | Eq | NotEq | Lt | LtEq | Gt | GtEq | And | Or | StringConcat)
}

fn is_type(kind: &DataType) -> bool {
    use DataType::{BigInt, Boolean, Date, Decimal, Integer, Timestamp, Varchar};
    matches!(kind, BigInt(_) | Boolean | Date | Decimal(_) | Integer(_) | Timestamp(None, _) | Varchar(_))
}

fn is_value(value: &Value) -> bool {
    matches!(value, Value::Number(_, false) | Value::SingleQuotedString(_) | Value::Boolean(_) | Value::Null)
}

fn is_plain(expr: &Expr) -> bool {
    use Expr::{
        Between, Case, Exists, Extract, InList, InSubquery, IsDistinctFrom, IsFalse, IsNotDistinctFrom, IsNotFalse,
        IsNotNull, IsNotTrue, IsNull, IsTrue, Like, Nested, Subquery, Substring, Trim, TypedString, UnaryOp,
    };
    matches!(
        expr,
        Between { .. }
            | Case { .. }
            | Exists { .. }
            | Extract { .. }
            | InList { .. }
            | InSubquery { .. }
            | IsDistinctFrom(..)
            | IsFalse(_)
            | IsNotDistinctFrom(..)
            | IsNotFalse(_)
            | IsNotNull(_)
            | IsNotTrue(_)
            | IsNull(_)
            | IsTrue(_)
            | Like { .. }
            | Nested(_)
            | Subquery(_)
            | Substring { .. }
            | Trim { .. }
            | TypedString(_)
            | UnaryOp { .. }
            | Expr::GroupingSets(_)
    )
}

/// Returns the names that mean whole numbers or decimals wherever they stand.
fn exact_names(statement: &Statement, from: &Foreign) -> BTreeSet<String> {
    let mut aliases = Aliases::default();
    let _ = statement.visit(&mut aliases);
    let whole = |column: &&crate::engine::files::Wanted| column.kind == Type::Whole;
    let mut exact: BTreeSet<String> = from.columns.iter().filter(whole).map(|column| column.name.to_owned()).collect();
    loop {
        let named = aliases.0.iter().filter(|(expr, _)| is_exact(expr, &exact)).map(|(_, name)| name);
        let more: BTreeSet<String> = named.cloned().collect();
        let before = exact.len();
        exact.extend(more);
        if exact.len() == before {
            break;
        }
    }
    let inexact = aliases.0.iter().filter(|(expr, _)| !is_exact(expr, &exact)).map(|(_, name)| name);
    let inexact: BTreeSet<&String> = inexact.collect();
    exact.into_iter().filter(|name| !inexact.contains(name)).collect()
}

/// Every expression that the query gives a name, with the name.
#[derive(Default)]
struct Aliases(Vec<(Expr, String)>);

impl Visitor for Aliases {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { expr, alias } = item {
                self.0.push((expr.clone(), alias.value.to_lowercase()));
            }
        }
        ControlFlow::Continue(())
    }
}

/// True when the value is a whole number or a decimal on both engines.
fn is_exact(expr: &Expr, exact: &BTreeSet<String>) -> bool {
    match expr {
        Expr::Identifier(name) => exact.contains(&name.value.to_lowercase()),
        Expr::CompoundIdentifier(path) => path.last().is_some_and(|name| exact.contains(&name.value.to_lowercase())),
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => is_exact(inner, exact),
        Expr::Cast { data_type, .. } => {
            matches!(data_type, DataType::Decimal(_) | DataType::BigInt(_) | DataType::Integer(_))
        }
        Expr::BinaryOp { left, op, right } => is_operator(op) && is_exact(left, exact) && is_exact(right, exact),
        Expr::Case { conditions, else_result, .. } => {
            let results = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
            results.into_iter().all(|result| is_exact(result, exact))
        }
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => !text.contains(['e', 'E']),
            Value::Null => true,
            _ => false,
        },
        Expr::Function(call) => match call.name.to_string().to_lowercase().as_str() {
            "count" | "length" | "strpos" => true,
            "sum" | "min" | "max" | "coalesce" | "nullif" | "abs" => arguments(call).all(|arg| is_exact(arg, exact)),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::files::Wanted;

    const FILES: Foreign = Foreign {
        name: "files",
        columns: &[
            Wanted { name: "cost", also: &[], kind: Type::Decimal },
            Wanted { name: "size", also: &[], kind: Type::Whole },
            Wanted { name: "at", also: &[], kind: Type::Instant },
        ],
        null_words: &[],
    };

    #[test]
    fn what_the_engines_do_differently_is_refused_where_it_stands() {
        for (sql, word) in [
            ("select * from files", "`*`"),
            ("select f.* from files f", "`*`"),
            ("select sum(cost) as c from files", "cast to decimal"),
            ("select sum(c) as c from (select cost + 1 as c from files) x", "cast to decimal"),
            ("select sum(cast(cost as double)) as c from files", "DOUBLE"),
            ("select cost::decimal as c from files", "cast"),
            ("select date_part('day', at) as d from files", "`date_part`"),
            ("select url_decode(size) as d from files", "`url_decode`"),
            ("select least(size, 1) as d from files", "`least`"),
            ("select at - interval '1 day' as d from files", "interval"),
            ("select size / 2 as half from files", "`/`"),
            ("select size from files limit 3", "LIMIT"),
            ("select size + 1 from files", "name"),
            ("select now() as n from files", "`now`"),
            ("select a.size from files a natural join files b", "join"),
            ("select [1, 2] as list from files", "subset"),
            ("select size as n from read_parquet('x')", "tables"),
            ("delete from files", "one query"),
            ("select 'x' from files; select 1 as n", "one query"),
        ] {
            let found = check(sql, &FILES);
            assert!(found.iter().any(|complaint| complaint.message.contains(word)), "{sql}: {found:?}");
        }
        let found = check("select size\nfrom files\nwhere size /2 > 1", &FILES);
        assert_eq!((found[0].line, found[0].column), (3, 7));
    }

    #[test]
    fn what_both_understand_passes() {
        for sql in [
            "select size from files",
            "select sum(size) as n, count(*) as rows, min(at) as first from files group by size",
            "with f as (select cast(cost as decimal(28, 12)) as c, size as s from files)
             select s, case when count(c) = count(*) then sum(c) end as c from f group by 1",
            "select cast(date_trunc('day', at - interval '3' day) as date) as day from files where at is not null",
            "select coalesce(a.size, b.size) as s from files a left join files b on a.size = b.size",
            "select extract(dow from at) as d, try_cast(cost as bigint) as c from files where cost between 1 and 2",
        ] {
            assert_eq!(check(sql, &FILES), [], "{sql}");
        }
    }
}
