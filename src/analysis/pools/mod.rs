//! The parts of the bill that findings can reduce: disjoint leaves, each with its quantity and cost a month.
//!
//! A leaf is never larger than what was measured, and its billed cost never more than its share of the bill's line.

mod leaf;
mod price;
mod split;

use super::athena::{History, Window, billed_bytes_sql, monthly};
use super::storage::sizes;
use super::{Analysis, AnalysisError, Given};
use crate::engine::{Engine, EngineError};
use crate::model::{BillLine, Pool, PoolPath, Row};
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::athena::ATHENA_QUERIES;
use crate::store::tables::bill::{BILL, COSTS};
use crate::store::tables::lens::STORAGE_LENS;
use crate::store::tables::storage::{BUCKETS, MULTIPART_UPLOADS, STORAGE};
use leaf::Leaf;

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
            column(
                "billed_usd",
                Kind::Money,
                "Its share of what the last full month's bill charged its resource, where an export names resources, else of the bill's line; by quantity.",
            ),
            column(
                "today_usd",
                Kind::Money,
                "Today's quantity at what the line paid for a unit: more than `billed_usd` where more is there than was billed.",
            ),
            column(
                "source",
                Kind::Text,
                "Where the cost comes from: `bill` for the resource's own line, `allocated` from a line of many resources, or `list`; NULL without any.",
            ),
            column("day", Kind::Day, "The day of the size; for queries the first day after the 30 days."),
        ],
    },
    inputs: &[&STORAGE, &STORAGE_LENS, &BUCKETS, &MULTIPART_UPLOADS, &ATHENA_QUERIES, &COSTS, &BILL],
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
        own_lines: row.key("source") == "bill",
        today: row.money("today_usd"),
    })
}

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let mut leaves = stored(given).await?;
    leaves.extend(queried(given).await?);
    leaves.retain(|leaf| !leaf.quantity.is_zero());
    let billed = super::bill::find_billed(given.engine, given.as_of).await?;
    let exported = super::bill::find_by_resource(given.engine, given.as_of).await?;
    Ok(price::price(&leaves, given.card, &billed, &exported))
}

/// Leaves of the buckets: each storage type of each bucket, split by state as far as sizes are known.
async fn stored(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let known = split::known(given.engine).await?;
    let mut leaves = Vec::new();
    for (key, size) in sizes(given.engine, given.as_of).await? {
        let nothing = split::Known::default();
        for part in split::split(&size.by_type, known.get(&key).unwrap_or(&nothing)) {
            leaves.push(Leaf::stored(&key, &part, size.day));
        }
    }
    Ok(leaves)
}

/// Leaves of the workgroups: billed bytes of the queries that are paid by the TB, on the days that were read. Failed
/// queries are free, cancelled ones pay for what they scanned; reserved capacity and reused answers are not paid by
/// the byte.
async fn queried(given: Given<'_>) -> Result<Vec<Leaf>, EngineError> {
    let window = Window::before(given.as_of);
    let history = History::of(given.engine, window).await?;
    let sql = format!(
        "select account_id, region, workgroup, date_trunc('day', submitted) as day, sum({}) as bytes from athena_queries \
         where statement_type = 'DML' and state in ('SUCCEEDED', 'CANCELLED') and reused is not true \
         and dpu_count is null and {} group by 1, 2, 3, 4 order by 1, 2, 3, 4",
        billed_bytes_sql("bytes_scanned"),
        window.sql("submitted")
    );
    let rows = given.engine.rows(&sql).await?;
    let same = |a: &Row, b: &Row| ["account_id", "region", "workgroup"].iter().all(|name| a.cell(name) == b.cell(name));
    let leaf = |days: &[Row]| {
        let (known, group) = (history.days(&days[0]), &days[0]);
        let read = days.iter().filter(|row| row.time("day").is_some_and(|day| known.contains(&day.date_naive())));
        let bytes = monthly(read.filter_map(|row| row.int("bytes")).sum(), known.len());
        let workgroup = group.text("workgroup")?;
        Some(Leaf::queried(group.key("account_id"), group.key("region"), workgroup, bytes, window.until))
    };
    Ok(rows.chunk_by(same).filter_map(leaf).collect())
}
