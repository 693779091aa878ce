//! The parts of the bill that findings can reduce: disjoint leaves, each with its quantity and cost a month.
//!
//! A leaf is never larger than what was measured, and its billed cost never more than its share of the bill's line.

mod leaf;
mod price;
mod split;

use super::athena::{Window, billed_bytes_sql, monthly};
use super::storage::sizes;
use super::{Analysis, AnalysisError, Given};
use crate::engine::{Engine, EngineError};
use crate::model::{BillLine, Pool, PoolPath, Row};
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::athena::ATHENA_QUERIES;
use crate::store::tables::bill::COSTS;
use crate::store::tables::storage::{BUCKETS, MULTIPART_UPLOADS, STORAGE};
use chrono::NaiveDate;
use leaf::Leaf;
use std::collections::BTreeMap;

/// One row for each leaf: a bucket's state and storage type, or an Athena workgroup.
pub const POOLS: Analysis = Analysis {
    table: Table {
        name: "pools",
        doc: "Parts of the bill that findings can reduce. Rows are disjoint: together they are what was measured, once. Several rows share a `pool_id` when a bucket's state holds several storage types.",
        key: &["pool_id", "storage_type"],
        source: Source::Analysis,
        columns: &[
            column(
                "pool_id",
                Kind::Text,
                "Its place in the tree: `account/region/s3/bucket/state` or `account/region/athena/workgroup`.",
            ),
            column("scope", Kind::Text, "The resource's place in the tree: `account/region/s3/bucket`."),
            column("account_id", Kind::Text, "Account."),
            column("region", Kind::Text, "Region."),
            column("bucket", Kind::Text, "Bucket; NULL for queries."),
            column("workgroup", Kind::Text, "Athena workgroup; NULL for storage."),
            column(
                "state",
                Kind::Text,
                "`current`, `noncurrent`, `incomplete`, or `unsplit` where the size of one of them is not known; NULL for queries.",
            ),
            column("class", Kind::Text, "Storage class as the S3 API names it; empty where there are none."),
            column("storage_type", Kind::Text, "CloudWatch's storage type; empty for queries."),
            column("item", Kind::Text, "Item of the price book; NULL for a storage type that is not known."),
            column("service", Kind::Text, "Service as Cost Explorer names it."),
            column(
                "usage_type",
                Kind::Text,
                "Usage type as billed, with its Region code; NULL when that is not known.",
            ),
            column("unit", Kind::Text, "Unit of `quantity`: `GB-month` (2^30 bytes), `TB` (2^40 bytes)."),
            column("quantity", Kind::Quantity, "A month at today's size; for queries the last full 30 days."),
            column(
                "list_usd",
                Kind::Money,
                "Cost a month at list price, the tiers shared by all that was measured in the Region.",
            ),
            column("billed_usd", Kind::Money, "Its share of the last full month's bill line, by quantity."),
            column(
                "source",
                Kind::Text,
                "Where the cost comes from: `allocated` from the bill's line, or `list`; NULL without either.",
            ),
            column("day", Kind::Day, "The day of the size; for queries the first day after the 30 days."),
        ],
    },
    inputs: &[&STORAGE, &BUCKETS, &MULTIPART_UPLOADS, &ATHENA_QUERIES, &COSTS],
    compute: |given| Box::pin(compute(given)),
};

/// Returns the pools that the engine holds, once the analysis was provided.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn pools(engine: &Engine) -> Result<Vec<Pool>, AnalysisError> {
    let rows = engine.rows("select * from pools order by pool_id, storage_type").await;
    Ok(rows.map_err(AnalysisError::of(POOLS.table.name))?.iter().filter_map(pool).collect())
}

fn pool(row: &Row) -> Option<Pool> {
    let text = |column| row.text(column).map(|text| text.raw().to_owned());
    Some(Pool {
        path: PoolPath::parse(row.text("pool_id")?.raw()),
        class: row.key("class").to_owned(),
        line: BillLine {
            account_id: None,
            region: text("region"),
            service: row.key("service").to_owned(),
            usage_type: row.key("usage_type").to_owned(),
        },
        quantity: row.decimal("quantity")?,
        list: row.money("list_usd"),
        billed: row.money("billed_usd"),
    })
}

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let mut leaves = stored(given).await?;
    leaves.extend(queried(given).await?);
    leaves.retain(|leaf| !leaf.quantity.is_zero());
    let billed = super::bill::find_billed(given.engine, given.as_of).await?;
    Ok(price::price(&leaves, given.card, &billed))
}

/// Leaves of the buckets: each storage type of each bucket, split by state as far as sizes are known.
async fn stored(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let known = split::known(given.engine).await?;
    let mut leaves = Vec::new();
    for (key, size) in sizes(given.engine, given.as_of).await? {
        let told = known.get(&key).copied().unwrap_or_default();
        for part in split::split(&size.by_type, told) {
            leaves.push(Leaf::stored(&key, &part, size.day));
        }
    }
    Ok(leaves)
}

/// Leaves of the workgroups: billed bytes of the queries that are paid by the TB. Failed queries are free, cancelled
/// ones pay for what they scanned; reserved capacity and reused answers are not paid by the byte.
async fn queried(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let window = Window::before(given.as_of);
    let sql = format!(
        "select account_id, region, workgroup, min(submitted) as first, sum(case when state in ('SUCCEEDED', 'CANCELLED') \
         and reused is not true and dpu_count is null then {} else 0 end) as bytes \
         from athena_queries where statement_type = 'DML' and {} group by 1, 2, 3 order by 1, 2, 3",
        billed_bytes_sql("bytes_scanned"),
        window.sql("submitted")
    );
    let rows = given.engine.rows(&sql).await?;
    let place = |row: &Row| (row.key("account_id").to_owned(), row.key("region").to_owned());
    let mut first: BTreeMap<(String, String), NaiveDate> = BTreeMap::new();
    for (place, day) in rows.iter().filter_map(|row| Some((place(row), row.time("first")?.date_naive()))) {
        let earliest = first.entry(place).or_insert(day);
        *earliest = day.min(*earliest);
    }
    let leaf = |row: &Row| {
        let days = first.get(&place(row)).map_or(0, |day| window.days_since(*day));
        let bytes = monthly(row.int("bytes")?, days);
        Some(Leaf::queried(row.key("account_id"), row.key("region"), row.text("workgroup")?, bytes, window.until))
    };
    Ok(rows.iter().filter_map(leaf).collect())
}
