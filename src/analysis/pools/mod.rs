//! The parts of the bill that findings can reduce: disjoint leaves, each with its quantity and cost a month.
//!
//! A leaf is never larger than what was measured, and its billed cost never more than its share of the bill's line.

mod athena;
mod charged;
mod glue;
mod leaf;
mod nat;
mod price;
mod s3;
mod split;
#[cfg(test)]
mod tests;

use super::{Analysis, AnalysisError, Given};
use crate::engine::{Engine, EngineError};
use crate::model::{BillLine, Pool, PoolPath, Row};
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::athena::ATHENA_QUERIES;
use crate::store::tables::bill::{BILL, COSTS};
use crate::store::tables::glue::GLUE_JOB_RUNS;
use crate::store::tables::lens::STORAGE_LENS;
use crate::store::tables::network::NAT_TRAFFIC;
use crate::store::tables::storage::{BUCKETS, MULTIPART_UPLOADS, STORAGE};
use charged::Measured;
use leaf::Leaf;

/// One row for each leaf: a bucket's state and storage type, an Athena workgroup, a job, a gateway; and of what the bill
/// charges to a resource beyond that, each usage type and operation.
pub const POOLS: Analysis = Analysis {
    table: Table {
        name: "pools",
        doc: "Parts of the bill that findings can reduce. Rows are disjoint: together they are what was measured, once. Several rows share a `pool_id` when a bucket's state holds several storage types. Where an export of the bill names resources, what it charges them beyond what was measured is here too, by usage type and operation.",
        key: &["pool_id", "storage_type"],
        source: Source::Analysis,
        columns: &[
            column(
                "pool_id",
                Kind::Text,
                "Its place in the tree: `account/region/s3/bucket/state`, `account/region/athena/workgroup`, `account/region/glue/job/usage type`, …; `account/region/s3-requests/bucket/usage type/operation` and the like for what the bill charges beside the bytes.",
            ),
            column("scope", Kind::Text, "The resource's place in the tree: `account/region/s3/bucket`."),
            column("account_id", Kind::Text, "Account."),
            column("region", Kind::Text, "Region."),
            column("bucket", Kind::Text, "Bucket whose storage it is; NULL for all others."),
            column("workgroup", Kind::Text, "Athena workgroup; NULL for all others."),
            column(
                "resource",
                Kind::Text,
                "What exports of the bill call the resource, of an ARN what follows the partition: a bucket's name, `glue:REGION:ACCOUNT:job/NAME`, …",
            ),
            column(
                "operation",
                Kind::Text,
                "Operation as billed (`GetObject`, `Jobrun`, …); NULL for what was measured and not billed by operation.",
            ),
            column(
                "state",
                Kind::Text,
                "`current`, `noncurrent`, `incomplete`, or `unsplit` where the size of one of them is not known; NULL for what is no storage.",
            ),
            column(
                "class",
                Kind::Text,
                "Storage class as the S3 API names it, or `STANDARD` or `FLEX` for Glue jobs; empty where there are none.",
            ),
            column("storage_type", Kind::Text, "CloudWatch's storage type; empty for what is no storage."),
            column(
                "item",
                Kind::Text,
                "Item of the price book; NULL for a storage type that is not known, and for charges of the bill.",
            ),
            column("service", Kind::Text, "Service as Cost Explorer names it."),
            column(
                "usage_type",
                Kind::Text,
                "Usage type as billed, with its Region code; NULL when that is not known.",
            ),
            column(
                "unit",
                Kind::Text,
                "Unit of `quantity`: `GB-month` (2^30 bytes), `TB` (2^40 bytes), `DPU-hour`, `GB`; of charges of the bill, the bill's.",
            ),
            column(
                "quantity",
                Kind::Quantity,
                "A month at today's size; for queries, jobs and gateways the last full 30 days; for charges of the bill its last full month.",
            ),
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
            column(
                "day",
                Kind::Day,
                "The day of the size; for all others the first day after the 30 days, or the month.",
            ),
        ],
    },
    inputs: &[
        &STORAGE,
        &STORAGE_LENS,
        &BUCKETS,
        &MULTIPART_UPLOADS,
        &ATHENA_QUERIES,
        &GLUE_JOB_RUNS,
        &NAT_TRAFFIC,
        &COSTS,
        &BILL,
    ],
    compute: |given| Box::pin(rows(given)),
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

/// Returns the rows of the table, for an analysis that shares them out further.
pub(super) async fn rows(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let charges = super::bill::charges(given.engine, given.as_of).await?;
    let mut leaves = s3::leaves(given).await?;
    leaves.extend(athena::leaves(given).await?);
    // What the bill names by itself is not measured again.
    let named = |service: &str| charges.iter().any(|charge| charge.service == service);
    let measured = [glue::leaves(given).await?, nat::leaves(given).await?];
    leaves.extend(measured.into_iter().flatten().filter(|leaf: &Leaf| !named(leaf.service)));
    leaves.retain(|leaf| !leaf.quantity.is_zero());
    let billed = super::bill::find_billed(given.engine, given.as_of).await?;
    let exported = super::bill::find_by_resource(given.engine, given.as_of).await?;
    let mut rows = price::price(&leaves, given.card, &billed, &exported);
    rows.extend(charged::rows(&charges, &Measured::of(&leaves)));
    Ok(rows)
}
