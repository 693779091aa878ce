//! Which tables the texts of queries name. Only names are taken from a text, and only to look them up.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::Place;
use super::catalog::{Catalog, Location};
use crate::analysis::Given;
use crate::analysis::athena::{Window, billed_bytes_sql};
use crate::engine::EngineError;
use crate::engine::sql::ast::{Statement, visit_relations};
use crate::engine::sql::dialect::GenericDialect;
use crate::engine::sql::parser::Parser;
use crate::model::Row;

/// The catalog of the account itself, as Athena calls it.
const OWN_CATALOG: &str = "awsdatacatalog";

/// What a query is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    /// Tables of one location, and nothing else.
    One(Location),
    /// Several locations.
    Several,
    /// Names that the catalog does not know, or a text that could not be read.
    Unknown,
}

/// Queries and billed bytes by what they are about.
type Sums = BTreeMap<Asked, (i64, i64)>;

/// By account, Region and workgroup.
pub(super) struct Reads(BTreeMap<(Place, String), Sums>);

impl Reads {
    pub fn of(&self, place: &Place, workgroup: &str) -> &Sums {
        static NONE: Sums = Sums::new();
        self.0.get(&(place.clone(), workgroup.to_owned())).unwrap_or(&NONE)
    }
}

/// Reads the queries of the last full 30 days that were paid by the byte; each text once.
pub(super) async fn reads(given: Given<'_>, catalog: &Catalog) -> Result<Reads, EngineError> {
    let sql = format!(
        "select account_id, region, workgroup, lower(catalog) as catalog, lower(database) as database, text_redacted, \
         count(*) as queries, sum({}) as bytes from athena_queries where statement_type = 'DML' \
         and state in ('SUCCEEDED', 'CANCELLED') and reused is not true and dpu_count is null and {} \
         group by 1, 2, 3, 4, 5, 6 order by 1, 2, 3, 4, 5, 6",
        billed_bytes_sql("bytes_scanned"),
        Window::before(given.as_of).sql("submitted")
    );
    let mut reads: BTreeMap<(Place, String), Sums> = BTreeMap::new();
    for row in given.engine.rows(&sql).await? {
        let of = reads.entry((super::place(&row), row.key("workgroup").to_owned())).or_default();
        let (queries, bytes) = of.entry(asked(&row, catalog)).or_default();
        *queries += row.int("queries").unwrap_or(0);
        *bytes = bytes.saturating_add(row.int("bytes").unwrap_or(0));
    }
    Ok(Reads(reads))
}

fn asked(row: &Row, catalog: &Catalog) -> Asked {
    let Some(names) = row.text("text_redacted").and_then(|text| relations(text.raw())) else { return Asked::Unknown };
    let place = super::place(row);
    let found = names.iter().map(|name| {
        let (database, table) = resolved(name, row)?;
        catalog.find(&place, format!("{database}.{table}")).cloned()
    });
    let Some(locations) = found.collect::<Option<BTreeSet<Location>>>() else { return Asked::Unknown };
    match (locations.len(), locations.into_iter().next()) {
        (1, Some(location)) => Asked::One(location),
        (0, _) => Asked::Unknown,
        _ => Asked::Several,
    }
}

/// Returns database and table of a name in the query's context; `None` for another catalog.
fn resolved(name: &[String], row: &Row) -> Option<(String, String)> {
    let own = |catalog: &str| catalog.is_empty() || catalog == OWN_CATALOG;
    match name {
        [table] if own(row.key("catalog")) => Some((row.key("database").to_owned(), table.clone())),
        [database, table] if own(row.key("catalog")) => Some((database.clone(), table.clone())),
        [catalog, database, table] if own(catalog) => Some((database.clone(), table.clone())),
        _ => None,
    }
}

/// Returns the names of a text's tables, those of its own CTEs left out; `None` for what is not one statement of SQL.
fn relations(text: &str) -> Option<BTreeSet<Vec<String>>> {
    let mut statements = Parser::parse_sql(&GenericDialect {}, text).ok()?;
    let statement = statements.pop().filter(|_| statements.is_empty())?;
    let own: BTreeSet<String> = match &statement {
        Statement::Query(query) => query
            .with
            .iter()
            .flat_map(|with| &with.cte_tables)
            .map(|cte| cte.alias.name.value.to_ascii_lowercase())
            .collect(),
        _ => BTreeSet::new(),
    };
    let mut names = BTreeSet::new();
    let _ = visit_relations(&statement, |name| {
        let parts = name.0.iter().map(|part| part.as_ident().map(|ident| ident.value.to_ascii_lowercase()));
        names.insert(parts.collect::<Option<Vec<String>>>().unwrap_or_default());
        ControlFlow::<()>::Continue(())
    });
    names.retain(|name| !matches!(name.as_slice(), [one] if own.contains(one)));
    Some(names)
}
