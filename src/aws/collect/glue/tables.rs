//! Tables of the account's catalog, database by database, as their parameters describe them.
//!
//! Never reads data, partitions or the text of a view.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{Column, StorageDescriptor, Table};
use serde_json::Value;

use super::databases::{lake_path, path};
use super::format::Hints;
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::utc;
use crate::aws::collect::pages::{Listed, list_most};
use crate::aws::collect::refusals::Refusals;
use crate::aws::collect::{Read, Scope};
use crate::model::Row;

/// Tables on a page (Glue API reference: at most 100).
const PAGE: i32 = 100;

/// The tables of one database.
pub const TABLES: Read = Read::rows("glue:GetTables", "glue:GetTables", "glue_tables");
/// How many a database has.
pub const COUNT: Read = Read::columns("glue:GetTables", "glue:GetTables", "glue_databases", &["table_count"]);

/// A table as far as it is known yet: other reads add to its row.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its row.
    pub row: Row,
    /// Its database.
    pub database: String,
    /// Its name.
    pub table: String,
    /// Where its data is.
    pub location: Option<String>,
    /// True for Iceberg tables: Glue can optimize them.
    pub iceberg: bool,
    /// Columns that may have statistics; none for views and links.
    pub columns: Vec<String>,
    /// Size that somebody noted.
    pub size: Option<i64>,
}

/// The tables of all databases share one budget.
pub struct Reader<'a> {
    scope: &'a Scope,
    client: &'a Client,
    left: AtomicUsize,
    refusals: Refusals,
}

impl<'a> Reader<'a> {
    /// Returns a reader with the scope's budget.
    pub fn new(scope: &'a Scope, client: &'a Client) -> Self {
        let left = AtomicUsize::new(scope.options.glue.tables as usize);
        Reader { scope, client, left, refusals: Refusals::default() }
    }

    /// Returns the tables of `database`.
    pub async fn of(&self, database: &str) -> Listed<Found> {
        if let Some(refusal) = self.refusals.standing() {
            return Listed { found: Vec::new(), failed: Some(refusal) };
        }
        let cut = format!("the budget of {} tables was spent", self.scope.options.glue.tables);
        let listed = list_most(self.left.load(Ordering::Relaxed), &cut, |token| {
            let call = self.client.get_tables().database_name(database).max_results(PAGE).set_next_token(token);
            async {
                let answer = ask(self.scope, call.send()).await;
                self.refusals.note(&answer);
                let page = answer?;
                let tables = page.table_list.unwrap_or_default();
                Ok((tables.iter().map(|table| found(self.scope, database, table)).collect(), page.next_token))
            }
        });
        let listed = listed.await;
        let take = |left: usize| Some(left.saturating_sub(listed.found.len()));
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        listed
    }
}

fn found(scope: &Scope, database: &str, table: &Table) -> Found {
    let storage = table.storage_descriptor();
    let serde = storage.and_then(|storage| storage.serde_info());
    let hints = Hints {
        serde: serde.and_then(|serde| serde.serialization_library()).filter(|library| !library.is_empty()),
        input_format: storage.and_then(|storage| storage.input_format()).filter(|class| !class.is_empty()),
        parameters: table.parameters(),
        storage: storage.and_then(|storage| storage.parameters()),
        of_serde: serde.and_then(|serde| serde.parameters()),
    };
    let columns = storage.map(StorageDescriptor::columns).unwrap_or_default();
    let location = storage.and_then(|storage| storage.location()).and_then(lake_path);
    let stored = table.target_table().is_none() && location.is_some();
    let row = super::place(described(named(table), &hints), scope)
        .with("database", database)
        .with("location", location)
        .with("column_count", storage.map(|_| columns.len()));
    Found {
        row,
        database: database.to_owned(),
        table: table.name().to_owned(),
        location: location.map(str::to_owned),
        iceberg: stored && hints.open_format() == Some("iceberg"),
        columns: if stored { plain(columns) } else { Vec::new() },
        size: hints.count("totalSize", "sizeKey"),
    }
}

/// Columns on one request for statistics (Glue API reference). Nested columns have none.
fn plain(columns: &[Column]) -> Vec<String> {
    let nested = |kind: &str| ["array", "map", "struct", "uniontype"].iter().any(|start| kind.starts_with(start));
    let plain = columns.iter().filter(|column| !column.r#type().is_some_and(nested));
    plain.take(100).map(|column| column.name().to_owned()).collect()
}

fn named(table: &Table) -> Row {
    let link = table.target_table().map(|to| path([to.catalog_id(), to.database_name(), to.name()]));
    let keys: Vec<&str> = table.partition_keys().iter().map(Column::name).collect();
    Row::new()
        .with("table", table.name())
        .with("table_type", table.table_type())
        .with("partition_key_count", keys.len())
        .with("partition_keys", Value::from(keys).to_string())
        .with("created", table.create_time().and_then(utc))
        .with("updated", table.update_time().and_then(utc))
        .with("lake_formation", table.is_registered_with_lake_formation())
        .with("shared_from", link)
        .with("federated_connection", table.federated_table().and_then(|by| by.connection_name()))
}

fn described(row: Row, hints: &Hints<'_>) -> Row {
    let is_true = |name| hints.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
    row.with("open_format", hints.open_format())
        .with("format", hints.format())
        .with("compression", hints.compression())
        .with("classification", hints.parameter("classification"))
        .with("serde", hints.serde)
        .with("input_format", hints.input_format)
        .with("partition_projection", is_true("projection.enabled"))
        .with("size_bytes", hints.count("totalSize", "sizeKey"))
        .with("record_count", hints.count("numRows", "recordCount"))
        .with("file_count", hints.count("numFiles", "objectCount"))
        .with("crawler", hints.parameter("UPDATED_BY_CRAWLER"))
        .with("reads_restored_objects", is_true("read_restored_glacier_objects"))
}

#[cfg(test)]
mod tests {
    use aws_sdk_glue::types::{StorageDescriptor, TableIdentifier};

    use super::*;
    use crate::aws::collect::glue::tests::scope;

    fn column(name: &str, kind: &str) -> Column {
        Column::builder().name(name).r#type(kind).build().unwrap()
    }

    #[test]
    fn a_table_is_described_by_what_it_says_of_itself() {
        let storage = StorageDescriptor::builder().location("s3://lake/orders/").columns(column("id", "bigint"));
        let storage = storage.columns(column("items", "array<string>")).build();
        let table = Table::builder().name("orders").storage_descriptor(storage).partition_keys(column("day", "date"));
        let table = table.parameters("table_type", "ICEBERG").parameters("totalSize", "42").build().unwrap();
        let found = found(&scope(vec![]), "sales", &table);
        assert_eq!((found.row.key("open_format"), found.row.key("partition_keys")), ("iceberg", r#"["day"]"#));
        assert_eq!((found.iceberg, found.size, found.columns), (true, Some(42), vec!["id".to_owned()]));
    }

    #[test]
    fn a_link_has_no_data_of_its_own() {
        let to = TableIdentifier::builder().catalog_id("2").database_name("sales").name("orders").build();
        let table = Table::builder().name("link").target_table(to).build().unwrap();
        let found = found(&scope(vec![]), "mine", &table);
        assert_eq!(found.row.key("shared_from"), "2/sales/orders");
        assert!(found.columns.is_empty() && !found.iceberg && found.row.text("format").is_none());
    }
}
