//! The Data Catalog of one Region: databases, their tables, and what other reads know of the tables.

use aws_sdk_glue::Client;
use aws_sdk_glue::types::Database;
use futures::StreamExt;

use super::databases::{self, DATABASES};
use super::tables::{self, Found, TABLES};
use super::{optimizers, registered, statistics};
use crate::aws::collect::outcome::{Outcome, told};
use crate::aws::collect::pages::Listed;
use crate::aws::collect::{Scope, Sink};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::catalog::{GLUE_DATABASES, GLUE_TABLES};

/// Databases read at the same time.
const AT_ONCE: usize = 4;
/// What a list of tables hides, without an error, from callers who lack permissions in Lake Formation.
const FILTERED: &str =
    "Lake Formation governs locations here and leaves out tables that the caller may not describe, without an error";

/// Reads the catalog of the scope's Region.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client) {
    let databases = databases::databases(scope, client).await;
    databases.cover(scope, sink, &DATABASES, &[&TABLES]).await;
    databases::cover_catalogs(scope, sink, client).await;
    let (mut tables, outcomes) = tables_of(scope, sink, client, &databases.found).await;
    optimizers::read(scope, sink, client, &mut tables).await;
    statistics::read(scope, sink, client, &mut tables).await;
    let governed = registered::read(scope, sink, &scope.lake_formation(), &mut tables).await;
    for row in told(scope, &TABLES, &outcomes) {
        sink.cover(if governed { filtered(row) } else { row }).await;
    }
    sink.rows(&GLUE_TABLES, tables.into_iter().map(|table| table.row).collect()).await;
}

/// Where Lake Formation governs locations, a list of tables that looks whole proves nothing.
fn filtered(row: Coverage) -> Coverage {
    match row.state {
        CoverageState::Seen => Coverage { state: CoverageState::Partial, ..row.because(FILTERED) },
        _ => row,
    }
}

/// Hands over the databases; returns their tables and how the read of each database ended.
async fn tables_of(scope: &Scope, sink: &Sink, client: &Client, databases: &[Database]) -> (Vec<Found>, Vec<Outcome>) {
    let reader = tables::Reader::new(scope, client);
    let reads: Vec<_> = databases.iter().map(|database| one(&reader, database)).collect();
    let mut reads = futures::stream::iter(reads).buffered(AT_ONCE);
    let (mut tables, mut outcomes, mut rows): (Vec<Found>, Vec<Outcome>, Vec<Row>) = Default::default();
    while let Some((database, listed)) = reads.next().await {
        let Ok(listed) = listed else {
            rows.push(databases::row(scope, database, None));
            continue;
        };
        let count = listed.failed.is_none().then_some(listed.found.len());
        rows.push(databases::row(scope, database, count));
        outcomes.push(listed.outcome(scope, database.name()));
        tables.extend(listed.found);
        sink.progress(tables.len() as u64, None);
    }
    drop(reads);
    sink.rows(&GLUE_DATABASES, rows).await;
    for (database, why) in databases.iter().filter_map(|d| Some((d, databases::elsewhere(d)?))) {
        let gap = Coverage::new(TABLES.table, TABLES.operation, CoverageState::NotAsked).because(why);
        sink.cover(gap.at(&scope.account_id, Some(&scope.region)).of(database.name())).await;
    }
    (tables, outcomes)
}

/// Returns the tables of a database, or why they are not read.
async fn one<'d>(
    reader: &tables::Reader<'_>,
    database: &'d Database,
) -> (&'d Database, Result<Listed<Found>, &'static str>) {
    match databases::elsewhere(database) {
        Some(why) => (database, Err(why)),
        None => (database, Ok(reader.of(database.name()).await)),
    }
}
