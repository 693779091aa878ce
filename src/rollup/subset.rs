//! The subset of SQL that DataFusion and Trino (and so Athena) understand alike. What is not listed is refused.
//!
//! Reads the syntax tree only, so what cannot be judged by it is not listed: `least` and `greatest` would pass any grammar
//! and differ on NULL. What is listed is what the roll-ups need, and `tests/trino/run` proves it on a real server.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::engine::files::{Foreign, Type};
use crate::engine::sql::ast::{
    BinaryOperator, CastKind, DataType, DateTimeField, ExactNumberInfo, Expr, Function, FunctionArg, FunctionArgExpr,
    FunctionArguments, Ident, JoinConstraint, JoinOperator, OrderByKind, Query, Select, SelectItem, Spanned, Statement,
    TableFactor, UnaryOperator, Value, Visit, Visitor,
};
use crate::engine::sql::dialect::GenericDialect;
use crate::engine::sql::parser::Parser;
use crate::engine::sql::tokenizer::Span;
use crate::engine::{Complaint, lint};

/// Functions that mean the same on both engines. Each is used by some roll-up, so that `tests/trino/run` proves it:
/// `concat`, `split_part`, `upper`, `trim`, `greatest`, `regexp_like` and the like differ on NULL, on what is not there,
/// on Unicode, or in their grammar.
const FUNCTIONS: &[&str] = &["coalesce", "count", "length", "max", "min", "nullif", "strpos", "sum"];

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
    let mut reader = Reader {
        exact: exact_names(statement, from),
        fractions: fraction_names(statement, from),
        complaints: lint(sql, &[]),
    };
    let _ = statement.visit(&mut reader);
    reader.complaints.sort();
    reader.complaints.dedup();
    reader.complaints
}

struct Reader {
    /// Names whose every meaning in the query is a whole number or a decimal.
    exact: BTreeSet<String>,
    /// Names of which some meaning is a decimal with places after the point.
    fractions: BTreeSet<String>,
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
        if call.over.is_some()
            || call.filter.is_some()
            || !call.within_group.is_empty()
            || call.null_treatment.is_some()
        {
            self.refuse(at, "OVER, FILTER, WITHIN GROUP and IGNORE NULLS are outside the subset");
        }
        let exact = arguments(call).all(|argument| is_exact(argument, &self.exact));
        if name == "sum" && !exact {
            self.refuse(at, "cast to decimal before summing: sums of floating point depend on the order of the rows");
        }
    }

    fn cast(&mut self, of: &Expr, to: &DataType, at: Span) {
        if !is_type(to) {
            self.refuse(at, format!("a cast to {to} is not the same on both"));
        }
        let whole = matches!(to, DataType::BigInt(_) | DataType::Integer(_));
        if whole && self.may_be_fraction(of) {
            self.refuse(at, "a cast of a fraction to a whole number is rounded there and cut off here");
        }
    }

    /// True where a name of a fraction stands anywhere outside a cast to whole numbers.
    fn may_be_fraction(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Cast { data_type, .. } => is_fraction(data_type),
            Expr::Identifier(name) => self.fractions.contains(&name.value.to_lowercase()),
            Expr::CompoundIdentifier(path) => {
                path.last().is_some_and(|name| self.fractions.contains(&name.value.to_lowercase()))
            }
            Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => self.may_be_fraction(inner),
            Expr::BinaryOp { left, right, .. } => self.may_be_fraction(left) || self.may_be_fraction(right),
            Expr::Case { conditions, else_result, .. } => {
                let mut results = conditions.iter().map(|when| &when.result).chain(else_result.as_deref());
                results.any(|result| self.may_be_fraction(result))
            }
            Expr::Function(call) => arguments(call).any(|argument| self.may_be_fraction(argument)),
            Expr::Value(value) => matches!(&value.value, Value::Number(text, _) if text.contains(['.', 'e', 'E'])),
            _ => false,
        }
    }

    fn like(&mut self, pattern: &Expr, plain: bool, at: Span) {
        let literal = matches!(pattern, Expr::Value(value)
            if matches!(&value.value, Value::SingleQuotedString(text) if !text.contains('\\')));
        if !literal || !plain {
            self.refuse(at, "write LIKE with a literal pattern, without an escape: `\\` is one here and none there");
        }
    }

    fn expression(&mut self, expr: &Expr) {
        let at = expr.span();
        match expr {
            Expr::Function(call) => self.function(call, at),
            Expr::Cast { kind: CastKind::Cast, expr, data_type, format: None, .. } => self.cast(expr, data_type, at),
            Expr::Cast { .. } => {
                self.refuse(at, "write `cast(… as …)`: what fails in `try_cast` is not the same on both");
            }
            Expr::Like { pattern, any, escape_char, .. } => self.like(pattern, !any && escape_char.is_none(), at),
            Expr::Substring { special: true, substring_from, .. } => {
                let first = matches!(substring_from.as_deref(), Some(Expr::Value(value))
                    if matches!(&value.value, Value::Number(text, _) if text == "0"));
                if first || matches!(substring_from.as_deref(), Some(Expr::UnaryOp { .. }) | None) {
                    self.refuse(at, "the first character is 1: below it the engines count differently");
                }
            }
            Expr::BinaryOp { op, .. } if is_operator(op) => {}
            Expr::BinaryOp { op, .. } => self.refuse(at, format!("`{op}` is not the same on both engines")),
            Expr::Interval(interval) => {
                let number = matches!(interval.value.as_ref(), Expr::Value(value)
                    if matches!(&value.value, Value::SingleQuotedString(text) if text.parse::<u32>().is_ok()));
                if !number
                    || !matches!(interval.leading_field, Some(DateTimeField::Day))
                    || interval.last_field.is_some()
                {
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
        match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(keys)) => {
                for key in keys.iter().filter(|key| key.options.asc == Some(false) && key.options.nulls_first.is_none())
                {
                    self.refuse(
                        key.expr.span(),
                        "say `desc nulls first` or `desc nulls last`: each engine has its own",
                    );
                }
            }
            Some(OrderByKind::All(_)) => self.refuse(query.span(), "name what to order by"),
            None => {}
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

/// Products and quotients of decimals have another scale on each engine, so they are not among them.
fn is_operator(op: &BinaryOperator) -> bool {
    use BinaryOperator::{And, Eq, Gt, GtEq, Lt, LtEq, Minus, NotEq, Or, Plus};
    matches!(op, Plus | Minus | Eq | NotEq | Lt | LtEq | Gt | GtEq | And | Or)
}

/// Text, floating point and times are written differently; a decimal that does not say its places has 0 there, 10 here.
fn is_type(kind: &DataType) -> bool {
    use DataType::{BigInt, Date, Decimal, Integer};
    matches!(kind, BigInt(_) | Date | Integer(_) | Decimal(ExactNumberInfo::PrecisionAndScale(..)))
}

fn is_fraction(kind: &DataType) -> bool {
    matches!(kind, DataType::Decimal(ExactNumberInfo::PrecisionAndScale(_, places)) if *places != 0)
}

fn is_value(value: &Value) -> bool {
    matches!(value, Value::Number(_, false) | Value::SingleQuotedString(_) | Value::Boolean(_) | Value::Null)
}

fn is_plain(expr: &Expr) -> bool {
    use Expr::{
        Between, Case, InList, IsDistinctFrom, IsNotDistinctFrom, IsNotNull, IsNull, Nested, TypedString, UnaryOp,
    };
    match expr {
        TypedString(literal) => matches!(literal.data_type, DataType::Date | DataType::Timestamp(None, _)),
        UnaryOp { op, .. } => matches!(op, UnaryOperator::Not | UnaryOperator::Minus),
        Between { .. }
        | Case { .. }
        | InList { .. }
        | Nested(_)
        | IsDistinctFrom(..)
        | IsNotDistinctFrom(..)
        | IsNotNull(_)
        | IsNull(_) => true,
        _ => false,
    }
}

/// Returns the names that may mean a decimal with places after the point.
fn fraction_names(statement: &Statement, from: &Foreign) -> BTreeSet<String> {
    let mut aliases = Aliases::default();
    let _ = statement.visit(&mut aliases);
    let decimal = |column: &&crate::engine::files::Wanted| column.kind == Type::Decimal;
    let mut reader = Reader { exact: BTreeSet::new(), fractions: BTreeSet::new(), complaints: Vec::new() };
    reader.fractions = from.columns.iter().filter(decimal).map(|column| column.name.to_owned()).collect();
    loop {
        let named = aliases.0.iter().filter(|(expr, _)| reader.may_be_fraction(expr)).map(|(_, name)| name);
        let more: Vec<String> = named.cloned().collect();
        let before = reader.fractions.len();
        reader.fractions.extend(more);
        if reader.fractions.len() == before {
            return reader.fractions;
        }
    }
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
            "sum" | "min" | "max" | "coalesce" | "nullif" => arguments(call).all(|arg| is_exact(arg, exact)),
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
            ("select cast(size as decimal) as d from files", "DECIMAL"),
            ("select cast(size as varchar) as d from files", "VARCHAR"),
            ("select cast(at as timestamp) as d from files", "TIMESTAMP"),
            ("select cast(cost as bigint) as d from files", "fraction"),
            (
                "select cast(sum(c) as bigint) as d from (select cast(cost as decimal(28, 12)) as c from files) x",
                "fraction",
            ),
            ("select cast(case when size > 1 then 0.5 end as bigint) as d from files", "fraction"),
            ("select try_cast(size as bigint) as d from files", "try_cast"),
            ("select size * 2 as twice from files", "`*`"),
            ("select extract(dow from at) as d from files", "subset"),
            ("select trim(name) as d from files", "subset"),
            ("select size is true as d from files", "subset"),
            ("select concat(name, 'x') as d from files", "`concat`"),
            ("select split_part(name, '/', 1) as d from files", "`split_part`"),
            ("select substr(name, 0) as d from files", "first character"),
            ("select substr(name, -2) as d from files", "first character"),
            ("select size from files where name like 'a\\_%'", "LIKE"),
            ("select size from files where name like name", "LIKE"),
            ("select size from files where name ilike 'a'", "subset"),
            ("select at - interval '1' month as d from files", "interval"),
            ("select sum(size) over (order by at) as n from files", "OVER"),
            ("select count(*) filter (where size > 1) as n from files", "FILTER"),
            ("select size from files order by size desc", "nulls"),
            ("select size from files where exists (select 1 as n from files)", "subset"),
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
            "select cast(at - interval '3' day as date) as day from files where at > timestamp '2026-01-01 00:00:00'",
            "select cast(sum(s) as bigint) as n from (select cast(size as decimal(20, 0)) as s from files) x",
            "select substr(name, strpos(name, '/') + 1) as d from files where name not like 'Object%Count'",
            "select size from files order by size, cost desc nulls last",
            "select coalesce(a.size, b.size) as s from files a left join files b on a.size = b.size",
            "select not flag as d from files where cost between 1 and 2 and name is distinct from 'x'",
        ] {
            assert_eq!(check(sql, &FILES), [], "{sql}");
        }
    }

    #[test]
    fn every_function_of_the_subset_is_used_by_a_roll_up_which_proves_it_on_both_engines() {
        let all: String = crate::rollup::ROLL_UPS.iter().map(|roll_up| roll_up.sql.to_lowercase()).collect();
        for name in FUNCTIONS {
            assert!(all.contains(&format!("{name}(")), "`{name}`");
        }
    }
}
