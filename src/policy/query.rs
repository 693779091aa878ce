//! The query of a policy: which tables, columns and parameters it names, and the query with its parameters in.
//!
//! Parameters become literals in the syntax tree, never text that is pasted into SQL.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use chrono::{DateTime, Utc};

use super::formula::{Literal, Params};
use crate::analysis::ANALYSES;
use crate::engine::sql::ast::{
    BinaryOperator, DataType, Expr, Interval, Statement, TimezoneInfo, TypedString, Value, visit_expressions,
    visit_expressions_mut, visit_relations,
};
use crate::engine::sql::dialect::GenericDialect;
use crate::engine::sql::parser::Parser;
use crate::engine::sql::tokenizer::{Token, Tokenizer};
use crate::engine::{lint, sql_position};
use crate::store::{Table, tables};

/// A parsed query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    text: String,
    statement: Statement,
}

/// What is wrong with a query, and where in its text (line and column, from 1).
pub type QueryError = (String, Option<(usize, usize)>);

impl Query {
    /// Returns the query written in `text`.
    ///
    /// # Errors
    /// It is not one SELECT.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let mut statements = Parser::parse_sql(&GenericDialect {}, text).map_err(|e| sql_position(&e.to_string()))?;
        match (statements.pop(), statements.pop()) {
            (Some(statement @ Statement::Query(_)), None) => Ok(Query { text: text.to_owned(), statement }),
            (Some(other), None) => Err((format!("a policy asks with SELECT, and this is `{other}`"), None)),
            (None, _) => Err(("the query is empty".to_owned(), None)),
            (Some(_), Some(_)) => Err(("a policy has one query, and this is more than one".to_owned(), None)),
        }
    }

    /// Returns the SQL as the policy wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the names of tables and analyses that the query reads (names of its own CTEs among them).
    pub fn tables(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let _ = visit_relations(&self.statement, |name| {
            names.insert(name.to_string().to_ascii_lowercase());
            ControlFlow::<()>::Continue(())
        });
        names
    }

    /// Returns every word of the text: whatever column the query reads is among them, or a `*` is.
    pub fn words(&self) -> BTreeSet<String> {
        let tokens = Tokenizer::new(&GenericDialect {}, &self.text).tokenize().unwrap_or_default();
        let word = |token| match token {
            Token::Word(word) => Some(word.value.to_ascii_lowercase()),
            Token::Mul => Some("*".to_owned()),
            _ => None,
        };
        tokens.into_iter().filter_map(word).collect()
    }

    /// Returns the first thing that a policy's query must not hold: what makes answers differ, a date, a decimal.
    pub fn lint(&self) -> Option<QueryError> {
        let tables: Vec<&Table> = tables::TABLES.iter().copied().chain(ANALYSES.iter().map(|a| &a.table)).collect();
        if let Some(complaint) = lint(&self.text, &tables).into_iter().next() {
            return Some((complaint.message, position(complaint.line, complaint.column)));
        }
        let mut swallowed = None;
        let _ = visit_expressions(&self.statement, |expr| {
            swallowed = swallows(expr);
            if swallowed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        swallowed.map(|what| (what, None)).or_else(|| self.literal())
    }

    /// Returns the first date or decimal that is written out.
    fn literal(&self) -> Option<QueryError> {
        let tokens = Tokenizer::new(&GenericDialect {}, &self.text).tokenize_with_location().ok()?;
        let told: Vec<_> = tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
        told.iter().enumerate().find_map(|(n, token)| {
            let what = forbidden(&token.token, told.get(n + 1).map(|next| &next.token))?;
            Some((what, position(token.span.start.line, token.span.start.column)))
        })
    }

    /// Returns the parameters that the query names, `as_of` among them.
    pub fn params(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        let _ = visit_expressions(&self.statement, |expr| {
            names.extend(placeholder(expr).map(str::to_owned));
            ControlFlow::<()>::Continue(())
        });
        names
    }

    /// Returns the SQL with typed literals in place of the parameters. Text must hold neither quotes nor backslashes.
    pub fn bind(&self, params: &Params, as_of: DateTime<Utc>) -> String {
        let mut bound = self.statement.clone();
        let _ = visit_expressions_mut(&mut bound, |expr| {
            if let Some(value) =
                placeholder(expr).and_then(|name| literal(name, params, as_of)).or_else(|| several(expr))
            {
                *expr = value;
            }
            ControlFlow::<()>::Continue(())
        });
        bound.to_string()
    }
}

fn forbidden(token: &Token, next: Option<&Token>) -> Option<String> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => {
            let quoted = matches!(next, Some(Token::SingleQuotedString(_)));
            let dated = ["date", "timestamp"].iter().any(|name| word.value.eq_ignore_ascii_case(name)) && quoted;
            dated.then(|| "a policy holds no date: use `$as_of` and a parameter".to_owned())
        }
        Token::Number(digits, _) if digits.contains('.') => {
            Some(format!("`{digits}`: SQL returns whole quantities, prices and shares belong in formulas"))
        }
        _ => None,
    }
}

/// `a is distinct from true and b` is read as `a is distinct from (true and b)`, which nobody means.
fn swallows(expr: &Expr) -> Option<String> {
    let (Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right)) = expr else { return None };
    let Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or, .. } = right.as_ref() else { return None };
    Some(format!("`{expr}` compares with all that follows: put the comparison in parentheses"))
}

fn position(line: u64, column: u64) -> Option<(usize, usize)> {
    Some((usize::try_from(line).ok()?, usize::try_from(column).ok()?))
}

fn placeholder(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => name.strip_prefix('$'),
            _ => None,
        },
        _ => None,
    }
}

fn literal(name: &str, params: &Params, as_of: DateTime<Utc>) -> Option<Expr> {
    if name == "as_of" {
        let instant = as_of.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let data_type = DataType::Timestamp(None, TimezoneInfo::WithTimeZone);
        let value = Value::SingleQuotedString(instant).into();
        return Some(Expr::TypedString(TypedString { data_type, value, uses_odbc_syntax: false }));
    }
    Some(Expr::Value(match params.get(name)? {
        Literal::Flag(flag) => Value::Boolean(*flag).into(),
        Literal::Int(number) => Value::Number(number.to_string(), false).into(),
        Literal::Text(text) => Value::SingleQuotedString(text.clone()).into(),
    }))
}

/// Returns `interval '30' day` for `interval '1' day * 30`: the engine multiplies no intervals.
fn several(expr: &Expr) -> Option<Expr> {
    let Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } = expr else { return None };
    let (Expr::Interval(one), Expr::Value(times)) = (left.as_ref(), right.as_ref()) else { return None };
    let (Expr::Value(length), Value::Number(times, _)) = (one.value.as_ref(), &times.value) else { return None };
    let Value::SingleQuotedString(length) = &length.value else { return None };
    let product = length.trim().parse::<i64>().ok()?.checked_mul(times.parse().ok()?)?;
    let value = Box::new(Expr::Value(Value::SingleQuotedString(product.to_string()).into()));
    Some(Expr::Interval(Interval { value, ..one.clone() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_of() -> DateTime<Utc> {
        "2026-11-15T00:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn parameters_become_literals_and_cannot_become_sql() {
        let query = Query::parse("select $a as a, $t as t, $as_of - interval '1' day * $a as d").unwrap();
        let params = Params::from([("a".into(), Literal::Int(7)), ("t".into(), Literal::Text("x -- or 1=1".into()))]);
        assert_eq!(query.params(), BTreeSet::from(["a".into(), "as_of".into(), "t".into()]));
        let engine = crate::engine::Engine::new().unwrap();
        let row = &engine.rows(&query.bind(&params, as_of())).await.unwrap()[0];
        assert_eq!((row.int("a"), row.key("t")), (Some(7), "x -- or 1=1"));
        assert_eq!(row.time("d"), Some("2026-11-08T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn tables_are_found_in_every_corner() {
        let query = Query::parse(
            "with a as (select * from buckets) select 1 from a join Pools p on true where exists (select 1 from storage)",
        );
        assert_eq!(query.unwrap().tables(), ["a", "buckets", "pools", "storage"].map(String::from).into());
    }

    #[test]
    fn a_query_holds_no_clock_no_chance_no_date_and_no_price() {
        let lint = |sql: &str| Query::parse(sql).unwrap().lint();
        for sql in ["select now()", "select random()", "select approx_distinct(a) from b"] {
            assert!(lint(sql).is_some(), "{sql}");
        }
        let (what, at) = lint("select bytes\n  * 0.023 from buckets").unwrap();
        assert!(what.starts_with("`0.023`") && at == Some((2, 5)), "{what} {at:?}");
        assert!(lint("select date '2026-01-01'").is_some());
        let (what, _) = lint("select 1 from buckets where abort_rule is distinct from true and bucket = 'a'").unwrap();
        assert!(what.contains("put the comparison in parentheses"), "{what}");
        assert_eq!(lint("select \"now\", '0.023', date from buckets -- now() 0.1"), None);
    }

    #[test]
    fn anything_but_one_select_is_refused() {
        for sql in ["", "drop table buckets", "select 1; select 2", "insert into buckets values (1)"] {
            assert!(Query::parse(sql).is_err(), "{sql}");
        }
        let (what, at) = Query::parse("select a\nfrom )").unwrap_err();
        assert!(at.is_some_and(|(line, _)| line == 2), "{what} {at:?}");
    }
}
