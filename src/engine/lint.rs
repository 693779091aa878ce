//! What a query may not say although it is SQL: whatever makes the same snapshot answer differently, turns money into
//! something it is not, or reaches outside the tables. Reads the syntax tree only; never runs the query.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause, FunctionArguments, Ident,
    Query, Select, SelectItem, SetExpr, Spanned, Statement, TableFactor, Visit, Visitor, WindowSpec, WindowType,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Span;

use super::taint::{Taint, name_of};
use crate::store::{Kind, Table};

/// Something that a query may not say, and where it says it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// Line in the query, from 1.
    pub line: u64,
    /// Column in the line, from 1.
    pub column: u64,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// Functions that read the clock.
const CLOCK: &[&str] = &[
    "now",
    "current_date",
    "current_time",
    "current_timestamp",
    "localtime",
    "localtimestamp",
    "today",
    "transaction_timestamp",
];
/// Functions that draw.
const DRAW: &[&str] = &["random", "rand", "uuid", "gen_random_uuid"];
/// Aggregates whose answer is the order of their input.
const ORDERED_AGGREGATES: &[&str] = &["array_agg", "string_agg", "listagg", "first_value", "last_value", "nth_value"];
/// Window functions whose answer is the order of their window.
const ORDERED_WINDOWS: &[&str] = &["row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"];
/// Sums of floats depend on the order in which threads add them.
const SUMS: &[&str] = &["sum", "avg", "mean"];
/// Table functions that make rows out of their arguments alone.
const PURE_TABLE_FUNCTIONS: &[&str] = &["unnest", "generate_series", "range"];

/// Returns what is wrong with a query over `tables`, in the order of its text. Text that is no SQL at all has no
/// complaints here: the parser says that.
pub fn lint(sql: &str, tables: &[&Table]) -> Vec<Complaint> {
    let Ok(statements) = Parser::parse_sql(&GenericDialect {}, sql) else {
        return Vec::new();
    };
    let mut reader = Reader { tables: mentioned(&statements, tables), ..Reader::default() };
    let money = |table: &&Table| {
        let columns = table.columns.iter().filter(|column| column.kind == Kind::Money);
        columns.map(|column| column.name.to_owned()).collect::<Vec<_>>()
    };
    reader.money = Taint::money(reader.tables.iter().flat_map(money).collect(), &statements);
    reader.float = Taint::float(&statements);
    let _ = statements.visit(&mut reader);
    reader.complaints.sort();
    reader.complaints.dedup();
    reader.complaints
}

/// The declared tables that the query names.
fn mentioned<'a>(statements: &Vec<Statement>, tables: &[&'a Table]) -> Vec<&'a Table> {
    let mut names = BTreeSet::new();
    let _ = datafusion::sql::sqlparser::ast::visit_relations(statements, |relation| {
        names.insert(relation.to_string().to_lowercase());
        ControlFlow::<()>::Continue(())
    });
    tables.iter().copied().filter(|table| names.contains(table.name)).collect()
}

#[derive(Default)]
struct Reader<'a> {
    tables: Vec<&'a Table>,
    money: Taint,
    float: Taint,
    /// The one declared table of each enclosing SELECT that reads nothing else.
    selects: Vec<Option<&'a Table>>,
    complaints: Vec<Complaint>,
}

impl Reader<'_> {
    fn complain(&mut self, at: Span, message: String) {
        let Span { start, .. } = at;
        self.complaints.push(Complaint { line: start.line.max(1), column: start.column.max(1), message });
    }

    fn function(&mut self, call: &Function, at: Span) {
        let name = call.name.to_string().to_lowercase();
        let is = |names: &[&str]| names.contains(&name.as_str());
        if is(CLOCK) {
            self.complain(at, format!("`{name}` reads the clock: write `$as_of`"));
        } else if is(DRAW) {
            self.complain(at, format!("`{name}` answers differently each time"));
        } else if name.starts_with("approx_") {
            self.complain(at, format!("`{name}` is approximate: the same snapshot may answer differently"));
        } else if name.starts_with("read_") || name.ends_with("_scan") {
            self.complain(at, format!("`{name}` reads outside the tables of the snapshot"));
        } else if let Some(over) = &call.over {
            self.window(&name, over, at);
        } else if is(ORDERED_AGGREGATES) && !has_order(call) {
            self.complain(at, format!("`{name}` without ORDER BY depends on the order of the rows"));
        }
        if is(SUMS) && arguments(&call.args).any(|argument| self.float.carries(argument)) {
            self.complain(at, format!("`{name}` over floating point depends on the order of the rows: use decimals"));
        }
    }

    fn window(&mut self, name: &str, over: &WindowType, at: Span) {
        let WindowType::WindowSpec(spec) = over else {
            return;
        };
        if !ORDERED_WINDOWS.contains(&name) {
            return;
        }
        if spec.order_by.is_empty() {
            return self.complain(at, format!("`{name}` without ORDER BY depends on the order of the rows"));
        }
        let Some(Some(table)) = self.selects.last() else {
            return;
        };
        let missing = missing_key(table, spec);
        if !missing.is_empty() {
            let message = format!("`{name}` needs a total order: add {} to its ORDER BY", missing.join(", "));
            self.complain(at, message);
        }
    }

    fn multiplication(&mut self, left: &Expr, right: &Expr, at: Span) {
        if self.money.carries(left) || self.money.carries(right) {
            let message = "SQL may sum money, never multiply it: return the quantity and multiply in `saving`";
            self.complain(at, message.to_owned());
        }
    }
}

impl Visitor for Reader<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        let cut = query.limit_clause.is_some() || query.fetch.is_some();
        if cut && query.order_by.is_none() {
            self.complain(query.span(), "LIMIT without ORDER BY returns any rows: say which come first".to_owned());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if select.top.is_some() {
            self.complain(select.span(), "TOP returns any rows: write ORDER BY and LIMIT".to_owned());
        }
        let alone = match select.from.as_slice() {
            [from] if from.joins.is_empty() => match &from.relation {
                TableFactor::Table { name, .. } => Some(name.to_string().to_lowercase()),
                _ => None,
            },
            _ => None,
        };
        let table = alone.and_then(|name| self.tables.iter().copied().find(|table| table.name == name));
        self.selects.push(table);
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        self.selects.pop();
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let (TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. }) = factor else {
            return ControlFlow::Continue(());
        };
        let called = name.to_string().to_lowercase();
        if !PURE_TABLE_FUNCTIONS.contains(&called.as_str()) {
            self.complain(factor.span(), format!("`{called}` reads outside the tables of the snapshot"));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        match expr {
            Expr::Function(call) => self.function(call, expr.span()),
            Expr::BinaryOp { left, op: BinaryOperator::Multiply, right } => {
                self.multiplication(left, right, expr.span());
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn has_order(call: &Function) -> bool {
    let FunctionArguments::List(list) = &call.args else {
        return false;
    };
    !call.within_group.is_empty() || list.clauses.iter().any(|c| matches!(c, FunctionArgumentClause::OrderBy(_)))
}

/// The expressions that a function is called with.
pub(super) fn arguments(arguments: &FunctionArguments) -> impl Iterator<Item = &Expr> {
    let list = match arguments {
        FunctionArguments::List(list) => list.args.as_slice(),
        FunctionArguments::None | FunctionArguments::Subquery(_) => &[],
    };
    list.iter().filter_map(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))
        | FunctionArg::Named { arg: FunctionArgExpr::Expr(expr), .. } => Some(expr),
        _ => None,
    })
}

/// Columns of the table's key that neither part nor order the window.
fn missing_key(table: &Table, spec: &WindowSpec) -> Vec<&'static str> {
    let ordered = spec.order_by.iter().map(|order| &order.expr);
    let named: BTreeSet<String> = spec.partition_by.iter().chain(ordered).filter_map(name_of).collect();
    table.key.iter().copied().filter(|column| !named.contains(*column)).collect()
}

/// Every SELECT of the statements with the names that it gives its expressions.
pub(super) fn aliases(statements: &Vec<Statement>) -> Vec<(&Expr, &Ident)> {
    let mut found = Vec::new();
    for statement in statements {
        if let Statement::Query(query) = statement {
            query_aliases(query, &mut found);
        }
    }
    found
}

fn query_aliases<'a>(query: &'a Query, found: &mut Vec<(&'a Expr, &'a Ident)>) {
    for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
        query_aliases(&cte.query, found);
    }
    set_aliases(&query.body, found);
}

fn set_aliases<'a>(body: &'a SetExpr, found: &mut Vec<(&'a Expr, &'a Ident)>) {
    match body {
        SetExpr::Select(select) => select_aliases(select, found),
        SetExpr::Query(query) => query_aliases(query, found),
        SetExpr::SetOperation { left, right, .. } => {
            set_aliases(left, found);
            set_aliases(right, found);
        }
        _ => {}
    }
}

fn select_aliases<'a>(select: &'a Select, found: &mut Vec<(&'a Expr, &'a Ident)>) {
    for item in &select.projection {
        if let SelectItem::ExprWithAlias { expr, alias } = item {
            found.push((expr, alias));
        }
    }
    let sources = select
        .from
        .iter()
        .flat_map(|from| std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation)));
    for source in sources {
        if let TableFactor::Derived { subquery, .. } = source {
            query_aliases(subquery, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::TABLES;

    fn complaints(sql: &str) -> Vec<String> {
        lint(sql, TABLES).into_iter().map(|complaint| complaint.message).collect()
    }

    #[test]
    fn whatever_answers_differently_each_time_is_refused() {
        for (sql, word) in [
            ("select * from buckets where creation_date < now()", "`now`"),
            ("select current_date from buckets", "`current_date`"),
            ("select current_timestamp as t from buckets", "`current_timestamp`"),
            ("select random() from buckets", "`random`"),
            ("select approx_distinct(bucket) from buckets", "`approx_distinct`"),
            ("select bucket from buckets limit 3", "LIMIT"),
            ("select * from (select bucket from buckets limit 3) x order by 1", "LIMIT"),
            ("select bucket from buckets fetch first 3 rows only", "LIMIT"),
            ("select array_agg(bucket) from buckets", "`array_agg`"),
            ("select first_value(bucket) from buckets", "`first_value`"),
            ("select row_number() over (partition by region) from buckets", "`row_number`"),
            ("select row_number() over (order by region) from buckets", "account_id, bucket"),
            ("select sum(cast(bytes as double)) from storage", "`sum`"),
            ("select avg(b) from (select sqrt(bytes) as b from storage) x", "`avg`"),
            ("with s as (select bytes::float as b from storage) select sum(b + 1) from s", "`sum`"),
        ] {
            let found = complaints(sql);
            assert!(found.len() == 1 && found[0].contains(word), "{sql}: {found:?}");
        }
    }

    #[test]
    fn money_is_never_multiplied_under_any_name() {
        for sql in [
            "select unblended * 2 from costs",
            "select 12 * sum(c.unblended) as year from costs c",
            "select cost * 12 from (select sum(unblended) as cost from costs) x",
            "with m as (select coalesce(net_amortized, unblended) as usd from costs), n as (select -usd as less from m)
             select case when less > 0 then less end * 3 from n",
        ] {
            assert!(complaints(sql)[0].contains("multiply"), "{sql}");
        }
    }

    #[test]
    fn nothing_outside_the_tables_is_read() {
        for sql in ["select * from read_parquet('/etc/passwd')", "select * from parquet_metadata('x')"] {
            assert!(complaints(sql)[0].contains("outside"), "{sql}");
        }
    }

    #[test]
    fn plain_questions_have_no_complaints() {
        for sql in [
            "select bucket, usage * 2 from costs c join buckets b on true",
            "select sum(unblended) + sum(amortized), usage / 2 from costs group by usage",
            "select bucket from buckets order by bucket limit 3",
            "select array_agg(bucket order by bucket) from buckets",
            "select row_number() over (partition by account_id, region order by bucket) from buckets",
            "select count(unblended) * 2, (unblended > 0) from costs group by unblended",
            "select sum(x) from generate_series(1, 3) t(x)",
            "not sql at all",
        ] {
            assert_eq!(complaints(sql), Vec::<String>::new(), "{sql}");
        }
    }

    #[test]
    fn a_complaint_says_where_it_stands() {
        let found = lint("select bucket\nfrom buckets\nwhere creation_date < now()", TABLES);
        assert_eq!((found[0].line, found[0].column), (3, 23));
    }
}
