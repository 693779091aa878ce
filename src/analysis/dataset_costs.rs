//! What tables of the catalog cost: the bytes under their location, and the queries whose text names them alone.
//!
//! Nothing is guessed: what no list of objects, and no text, ties to one table is a line of its own. So the rows of an
//! account and Region add up to its pools of storage, queries and jobs. Must never keep a text, or what is in one.

mod catalog;
mod queries;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{Analysis, Given};
use crate::engine::EngineError;
use crate::model::service::{ATHENA, GLUE};
use crate::model::{Money, Row};
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::athena::ATHENA_QUERIES;
use crate::store::tables::bill::{BILL, COSTS};
use crate::store::tables::catalog::GLUE_TABLES;
use crate::store::tables::inventory::STORAGE_AGES;
use crate::store::tables::storage::STORAGE;
use catalog::{Bytes, Catalog};
use queries::{Asked, Reads};

/// One row for each location of a table, and one for each part that no table can be made to answer for.
pub const DATASET_COSTS: Analysis = Analysis {
    table: Table {
        name: "dataset_costs",
        doc: "What tables of the catalog cost a month: their share of the storage under their location, by S3 Inventory, and of the queries whose text names them and no other table. What cannot be tied to one table is a row of its own, so that the rows of an account and Region add up to its pools of storage, queries and Glue jobs. Jobs do not say what they read: arguments that would are never kept.",
        key: &["account_id", "region", "kind", "dataset"],
        source: Source::Analysis,
        columns: &[
            column("account_id", Kind::Text, "Account."),
            column("region", Kind::Text, "Region."),
            column(
                "kind",
                Kind::Text,
                "`table`; `shared` for queries over several tables; `unattributed` for what is tied to none.",
            ),
            column(
                "dataset",
                Kind::Text,
                "`database.table`, of several at one location the first by name; for other kinds `storage`, `queries` or `jobs`.",
            ),
            column("tables", Kind::Count, "Tables at the location; NULL for other kinds."),
            column("location", Kind::Text, "Where the data is (`s3://…`); NULL for other kinds."),
            column(
                "bytes",
                Kind::Bytes,
                "Bytes that the bucket's inventory counts under the location and under no deeper one; NULL without an inventory that looks that deep.",
            ),
            column("storage_usd", Kind::Money, "Their share, by class, of what the bucket's storage costs a month."),
            column("queries", Kind::Count, "Queries of the last full 30 days; NULL for storage and jobs."),
            column("scanned_bytes", Kind::Bytes, "What they were billed for."),
            column("query_usd", Kind::Money, "Their share of what their workgroups cost a month."),
            column(
                "usd",
                Kind::Money,
                "What is known of it: storage and queries, or for jobs all of them; NULL where nothing is.",
            ),
        ],
    },
    inputs: &[&GLUE_TABLES, &STORAGE_AGES, &STORAGE, &ATHENA_QUERIES, &COSTS, &BILL],
    compute: |given| Box::pin(compute(given)),
};

/// Account and Region.
type Place = (String, String);

/// What one row costs.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    bytes: Option<i64>,
    storage: Option<Money>,
    queries: Option<i64>,
    scanned: Option<i64>,
    query: Option<Money>,
    jobs: Option<Money>,
}

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let pools = super::pools::rows(given).await?;
    let catalog = Catalog::of(given.engine).await?;
    let bytes = catalog.bytes(given.engine).await?;
    let reads = queries::reads(given, &catalog).await?;
    let mut parts: BTreeMap<(Place, &str, String), Part> = BTreeMap::new();
    store(&mut parts, &pools, &catalog, &bytes);
    ask(&mut parts, &pools, &catalog, &reads);
    work(&mut parts, &pools);
    Ok(parts.into_iter().map(|((place, kind, dataset), part)| row(&catalog, &place, kind, &dataset, part)).collect())
}

fn place(row: &Row) -> Place {
    (row.key("account_id").to_owned(), row.key("region").to_owned())
}

fn cost(pool: &Row) -> Option<Money> {
    pool.money("billed_usd").or_else(|| pool.money("list_usd"))
}

/// `usd` × `part` ÷ `whole`, never rounded up.
fn share(usd: Money, part: Decimal, whole: Decimal) -> Money {
    let share = (usd.usd() * part).checked_div(whole).unwrap_or_default();
    Money::new(share.round_dp_with_strategy(crate::model::money::MONEY_SCALE, rust_decimal::RoundingStrategy::ToZero))
}

fn add<T: std::ops::Add<Output = T>>(sum: &mut Option<T>, more: T) {
    *sum = Some(match sum.take() {
        Some(sum) => sum + more,
        None => more,
    });
}

/// Each class of a bucket is shared by the bytes of its list: by those of the size where the list counts fewer.
fn store(parts: &mut BTreeMap<(Place, &str, String), Part>, pools: &[Row], catalog: &Catalog, bytes: &Bytes) {
    let mut held: BTreeMap<(Place, &str, &str), (Decimal, Money)> = BTreeMap::new();
    for pool in pools.iter().filter(|pool| pool.text("bucket").is_some()) {
        let key = (place(pool), pool.key("bucket"), pool.key("class"));
        let (quantity, usd) = held.entry(key).or_default();
        *quantity += pool.decimal("quantity").unwrap_or_default() * Decimal::from(1_i64 << 30);
        *usd += cost(pool).unwrap_or_default();
    }
    for ((place, bucket, class), (quantity, usd)) in held {
        let listed = bytes.in_class(bucket, class);
        let whole = quantity.max(Decimal::from(listed.values().sum::<i64>()));
        let mut left = usd;
        for (location, bytes) in listed.iter().filter_map(|(at, bytes)| Some((at.as_deref()?, *bytes))) {
            let share = share(usd, bytes.into(), whole);
            let part = parts.entry((catalog.place(location), "table", catalog.name(location))).or_default();
            add(&mut part.bytes, bytes);
            add(&mut part.storage, share);
            left = left - share;
        }
        add(&mut parts.entry((place, "unattributed", "storage".to_owned())).or_default().storage, left);
    }
}

/// Each workgroup is shared by the billed bytes of its queries.
fn ask(parts: &mut BTreeMap<(Place, &str, String), Part>, pools: &[Row], catalog: &Catalog, reads: &Reads) {
    for pool in pools.iter().filter(|pool| pool.key("service") == ATHENA && pool.text("workgroup").is_some()) {
        let (place, Some(usd)) = (place(pool), cost(pool)) else { continue };
        let asked = reads.of(&place, pool.key("workgroup"));
        let whole: i64 = asked.values().map(|(_, bytes)| bytes).sum();
        let mut left = usd;
        for (what, (queries, scanned)) in asked {
            let share = share(usd, (*scanned).into(), whole.into());
            let (kind, dataset) = match what {
                Asked::One(location) => ("table", catalog.name(location)),
                Asked::Several => ("shared", "queries".to_owned()),
                Asked::Unknown => continue,
            };
            let part = parts.entry((place.clone(), kind, dataset)).or_default();
            add(&mut part.queries, *queries);
            add(&mut part.scanned, *scanned);
            add(&mut part.query, share);
            left = left - share;
        }
        let part = parts.entry((place, "unattributed", "queries".to_owned())).or_default();
        let (queries, scanned) = asked.get(&Asked::Unknown).copied().unwrap_or_default();
        add(&mut part.queries, queries);
        add(&mut part.scanned, scanned);
        add(&mut part.query, left);
    }
}

fn work(parts: &mut BTreeMap<(Place, &str, String), Part>, pools: &[Row]) {
    for pool in pools.iter().filter(|pool| pool.key("service") == GLUE) {
        let Some(usd) = cost(pool) else { continue };
        add(&mut parts.entry((place(pool), "unattributed", "jobs".to_owned())).or_default().jobs, usd);
    }
}

fn row(catalog: &Catalog, (account_id, region): &Place, kind: &str, dataset: &str, part: Part) -> Row {
    let known = [part.storage, part.query, part.jobs].into_iter().flatten();
    let usd = known.fold(None, |sum: Option<Money>, more| Some(sum.unwrap_or_default() + more));
    let at = catalog.at((account_id, region), dataset).filter(|_| kind == "table");
    Row::new()
        .with("account_id", account_id.as_str())
        .with("region", region.as_str())
        .with("kind", kind)
        .with("dataset", dataset)
        .with("tables", at.as_ref().map(|(_, tables)| *tables))
        .with("location", at.map(|(location, _)| location))
        .with("bytes", part.bytes)
        .with("storage_usd", part.storage)
        .with("queries", part.queries)
        .with("scanned_bytes", part.scanned)
        .with("query_usd", part.query)
        .with("usd", usd)
}
