//! Every SQL file in `src/rollup/` gives the same rows on a real Trino server as here. `tests/trino/run` starts the server.
//!
//! The rows are made here: each column takes each word that the SQL compares it with, and values that engines are known to
//! treat differently. Both engines read one Parquet file.

mod rows;
mod server;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use leanlake::engine::files::{Files, Foreign, ForeignFile, Format};
use leanlake::engine::{Engine, EngineError};
use leanlake::rollup::{ROLL_UPS, RollUp, athena, subset};
use object_store::local::LocalFileSystem;

use self::server::Server;

/// Rows of each file: enough that every word meets every other one.
const ROWS: usize = 20_000;

/// What the subset allows and no roll-up uses, over the files of inventory lists.
const LANGUAGE: &[&str] = &[
    "select size between 1 and 131072 as a, size not between -1 and 1 as b, size is distinct from 1 as c,
        key is not distinct from null as d, not is_latest as e, -size as f, size - 1 as g, is_latest = false as h
    from inventory",
    "select min(key) as a, max(key) as b, min(size) as c, count(distinct key) as d, count(is_latest) as e,
        min(cast(last_modified_date as date)) as f, nullif(storage_class, 'STANDARD') as g
    from inventory
    where last_modified_date >= timestamp '2026-10-01 00:00:00' and key not in ('', 'a') and key not like '%a%'
    group by 7 having count(*) > 1",
    "select bucket as b, storage_class as c, count(*) as n from inventory group by bucket, storage_class
    order by storage_class desc nulls last, bucket",
];

/// Every SQL file of the folder with its roll-up. A file that no roll-up runs is a mistake.
fn files() -> Vec<&'static RollUp> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rollup");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| Path::new(name).extension().is_some_and(|of| of == "sql")).collect();
    names.sort();
    assert!(!names.is_empty());
    let of = |name: &String| ROLL_UPS.iter().find(|roll_up| roll_up.file == name).copied();
    names.iter().map(|name| of(name).unwrap_or_else(|| panic!("no roll-up runs src/rollup/{name}"))).collect()
}

#[test]
fn every_sql_file_is_run_by_a_roll_up() {
    assert_eq!(files().len(), ROLL_UPS.len());
}

#[tokio::test]
#[ignore = "needs a Trino server: tests/trino/run starts one"]
async fn every_roll_up_gives_the_same_rows_on_trino_as_here() {
    let server = Server::named();
    for roll_up in files() {
        let table = Shared::write(&server, roll_up.from, &rows::of(roll_up, ROWS)).await;
        let compared = table.same(&server, roll_up.sql).await;
        crate::support::skip::figure(&format!("{}: {compared} rows are the same", roll_up.file));
        assert!(compared > 100, "{}: {compared} rows prove little", roll_up.file);
    }
}

#[tokio::test]
#[ignore = "needs a Trino server: tests/trino/run starts one"]
async fn every_roll_up_gives_the_same_on_trino_as_here_of_no_rows() {
    let server = Server::named();
    for roll_up in files() {
        let table = Shared::write(&server, roll_up.from, &rows::of(roll_up, 0)).await;
        assert_eq!(table.same(&server, roll_up.sql).await, 0, "{}", roll_up.file);
    }
}

#[tokio::test]
#[ignore = "needs a Trino server: tests/trino/run starts one"]
async fn what_the_subset_allows_beyond_the_roll_ups_is_the_same_on_trino() {
    let server = Server::named();
    let inventory = files().into_iter().find(|roll_up| roll_up.from.name == "inventory").unwrap();
    let table = Shared::write(&server, inventory.from, &rows::of(inventory, ROWS)).await;
    for sql in LANGUAGE {
        assert_eq!(subset::check(sql, inventory.from), [], "{sql}");
        assert!(table.same(&server, sql).await > 1, "{sql}");
    }
}

/// The statement that Athena gets, over files as AWS writes them: floating point, and nothing for what they lack.
#[tokio::test]
#[ignore = "needs a Trino server: tests/trino/run starts one"]
async fn the_query_for_athena_gives_the_same_rows_on_trino_as_the_roll_up_here() {
    let server = Server::named();
    for roll_up in files() {
        let table = Shared::write(&server, roll_up.from, &rows::as_written(roll_up, ROWS)).await;
        let named = format!("lake.{}.\"{}\"", table.schema, roll_up.from.name);
        let query = athena::query(roll_up, &table.files.outline().unwrap(), &named).unwrap();
        let here = table.here(roll_up.sql).await.unwrap();
        assert!(here.len() > 100, "{}", roll_up.file);
        table.compare(&server, roll_up.sql, &query).await;
    }
}

/// A sum that no bigint holds, and text that is no number, end a roll-up on both engines: nobody answers with a wrong one.
#[tokio::test]
#[ignore = "needs a Trino server: tests/trino/run starts one"]
async fn what_fails_here_fails_on_trino_too() {
    let server = Server::named();
    for roll_up in files() {
        let plain = Shared::write(&server, roll_up.from, &rows::plain(roll_up)).await;
        assert!(plain.same(&server, roll_up.sql).await > 0, "{}: these rows do not fail", roll_up.file);
        for broken in rows::broken(roll_up) {
            let table = Shared::write(&server, roll_up.from, &broken).await;
            let (here, there) = (table.here(roll_up.sql).await, server.rows(&table.schema, roll_up.sql));
            assert!(here.is_err(), "{}: {here:?}", roll_up.file);
            assert!(there.is_err(), "{}: {there:?}", roll_up.file);
        }
    }
}

/// One Parquet file that both engines read.
struct Shared {
    files: Files,
    /// The schema on Trino that holds the table.
    schema: String,
}

impl Shared {
    async fn write(server: &Server, foreign: &'static Foreign, batch: &RecordBatch) -> Shared {
        let schema = server.schema(foreign, batch);
        let objects = Arc::new(LocalFileSystem::new_with_prefix(server.folder(&schema)).unwrap());
        let file = ForeignFile {
            path: "1.parquet".into(),
            shown: format!("local:///tables/{schema}/1.parquet"),
            format: Format::Parquet,
        };
        Shared { files: Files::open(objects, vec![file], foreign).await.unwrap(), schema }
    }

    async fn here(&self, sql: &str) -> Result<Vec<Vec<String>>, EngineError> {
        let engine = Engine::new()?;
        engine.attach(self.files.clone())?;
        let batches: Vec<RecordBatch> = engine.stream(sql).await?.try_collect().await?;
        Ok(batches.iter().flat_map(texts).collect())
    }

    /// Returns how many rows both engines give, after it compared them: as they come where the query says an order.
    async fn same(&self, server: &Server, sql: &str) -> usize {
        self.compare(server, sql, sql).await
    }

    /// As [`Shared::same`], of two queries that mean the same.
    async fn compare(&self, server: &Server, sql: &str, there: &str) -> usize {
        let mut here = self.here(sql).await.unwrap_or_else(|error| panic!("here: {error}\n{sql}"));
        let mut there = server.rows(&self.schema, there).unwrap_or_else(|error| panic!("on Trino: {error}\n{there}"));
        if !sql.contains("order by") {
            here.sort();
            there.sort();
        }
        let first = here.iter().zip(&there).position(|(here, there)| here != there);
        if let Some(at) = first {
            panic!("row {at} differs\nhere:     {:?}\non Trino: {:?}\n{sql}", here[at], there[at]);
        }
        assert_eq!(here.len(), there.len(), "{sql}");
        here.len()
    }
}

/// The rows as text, as Trino's protocol writes them.
fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::new().with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.3f"));
    let text = |array: &ArrayRef, row: usize| {
        if array.is_null(row) {
            return "NULL".to_owned();
        }
        let text = ArrayFormatter::try_new(array, &options).unwrap().value(row).to_string();
        if matches!(array.data_type(), DataType::Utf8 | DataType::Utf8View) { format!("{text:?}") } else { text }
    };
    (0..batch.num_rows()).map(|row| batch.columns().iter().map(|array| text(array, row)).collect()).collect()
}
