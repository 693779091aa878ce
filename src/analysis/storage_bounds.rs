//! How much of a bucket's Standard storage is old, and how much can be: certified bounds.
//!
//! A byte older than N days was there on each of the last N days, so no more bytes are that old than the smallest of
//! those days held. A day that is missing only loosens the bound. The floor needs every write to be known: see `floor`;
//! without that it is 0.

mod floor;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::storage::{BucketKey, STANDARD, Size, daily, sizes};
use super::{Analysis, Given};
use crate::engine::EngineError;
use crate::model::Row;
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::bill::BILL;
use crate::store::tables::lens::{STORAGE_ACTIVITY, STORAGE_LENS};
use crate::store::tables::storage::STORAGE;

use floor::Floor;

/// Ages for which a bound is given.
const AGES: [i64; 5] = [30, 60, 90, 180, 365];

/// One row for each bucket with Standard bytes and each age whose days were seen at least by half.
pub const STORAGE_BOUNDS: Analysis = Analysis {
    table: Table {
        name: "storage_bounds",
        doc: "Least and most Standard bytes of a bucket that can be older than so many days, from CloudWatch's daily sizes, or Storage Lens's where CloudWatch has none, and from what the bill or Storage Lens says was written. One row for each age; an age of which fewer than half of the days were seen has no row.",
        key: &["account_id", "region", "bucket", "older_than_days"],
        source: Source::Analysis,
        columns: &[
            column("account_id", Kind::Text, "Owner's account."),
            column("region", Kind::Text, "Region of the bucket."),
            column("bucket", Kind::Text, "Name of the bucket."),
            column("scope", Kind::Text, "Its place in the tree of pools: `account/region/s3/bucket`."),
            column("older_than_days", Kind::Count, "30, 60, 90, 180 or 365."),
            column(
                "floor_bytes",
                Kind::Bytes,
                "Standard bytes that are certainly older on `floor_day`: the size of that day less all that was written since. 0 where nothing is certain, as with CloudWatch alone.",
            ),
            column(
                "floor_source",
                Kind::Text,
                "Who counted every write: `bill`, whose days hold the bucket's requests and the bytes that came, or `storage_lens`, where each PUT that may be a copy counts as the largest copy. NULL where nobody did, or where what was counted contradicts itself.",
            ),
            column("floor_day", Kind::Day, "The day of which the floor is certain; NULL without a source."),
            column(
                "reads",
                Kind::Quantity,
                "Reads in those days as `floor_source` counts them; 0 when nobody read an object, except by copying it out of the bucket. NULL when they were not counted.",
            ),
            column(
                "ceiling_bytes",
                Kind::Bytes,
                "Standard bytes that can be that old: the smallest daily size in those days.",
            ),
            column("days_seen", Kind::Count, "Days with a size among the last `older_than_days`."),
            column("standard_bytes", Kind::Bytes, "Standard bytes on the newest day."),
            column("total_bytes", Kind::Bytes, "Bytes of all classes on the newest day."),
            column(
                "objects",
                Kind::Count,
                "Objects of all classes on the newest day, versions, delete markers and parts counted too: no fewer than there are in Standard.",
            ),
            column("mean_object_bytes", Kind::Bytes, "`total_bytes` ÷ `objects`; NULL when the count was not seen."),
            column("day", Kind::Day, "The newest day with a size."),
            column(
                "least_since_bytes",
                Kind::Bytes,
                "The smallest Standard size from `older_than_days` before the newest day to the newest day, both in: what the bucket held all that time. NULL unless each of those days was seen, since a day that is missing may have been smaller.",
            ),
        ],
    },
    inputs: &[&STORAGE, &STORAGE_LENS, &STORAGE_ACTIVITY, &BILL],
    compute: |given| Box::pin(compute(given)),
};

/// The smallest size and the days seen within one age and the age before it.
type Bands = BTreeMap<i64, (i64, i64)>;

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let (bands, held, floors) = (bands(given).await?, held(given).await?, floor::floors(given).await?);
    let mut rows = Vec::new();
    for (key, size) in sizes(given.engine, given.as_of).await? {
        let Some(bands) = bands.get(&key) else { continue };
        let held = |age: i64| held.get(&key).and_then(|row| row.int(&format!("least_{age}")));
        let floors = floors.get(&(key.account_id.clone(), key.bucket.clone()));
        let floor = |age: i64| floors.and_then(|floors| floors.get(&age)).copied();
        let bounds = AGES
            .into_iter()
            .filter_map(|age| Some(bound(&key, &size, bands, age, floor(age))?.with("least_since_bytes", held(age))));
        rows.extend(bounds);
    }
    Ok(rows)
}

/// For each bucket and band of age: the smallest Standard size and the days that were seen.
async fn bands(given: Given<'_>) -> Result<BTreeMap<BucketKey, Bands>, EngineError> {
    let today = given.as_of.date_naive();
    let back = |age: i64| today - TimeDelta::days(age);
    let cases: Vec<String> = AGES.iter().map(|age| format!("when day > date '{}' then {age}", back(*age))).collect();
    let sql = format!(
        "select account_id, region, bucket, case {} end as age, min(bytes) as least, count(*) as days from {} d \
         where storage_type = '{STANDARD}' and bytes is not null and day > date '{}' and day <= date '{today}' \
         group by 1, 2, 3, 4",
        cases.join(" "),
        daily(given.engine).await?,
        back(AGES[AGES.len() - 1])
    );
    let mut bands: BTreeMap<BucketKey, Bands> = BTreeMap::new();
    for row in given.engine.rows(&sql).await? {
        if let (Some(age), Some(least), Some(days)) = (row.int("age"), row.int("least"), row.int("days")) {
            bands.entry(BucketKey::of(&row)).or_default().insert(age, (least, days));
        }
    }
    Ok(bands)
}

/// For each bucket: the smallest Standard size since each age before its newest day, where every day was seen.
async fn held(given: Given<'_>) -> Result<BTreeMap<BucketKey, Row>, EngineError> {
    let since = |age: i64| {
        let inside = format!("s.day >= n.newest - interval '{age}' day");
        format!(
            "case when count(case when {inside} then 1 end) = {age} + 1 then min(case when {inside} then s.bytes end) end \
             as least_{age}"
        )
    };
    let those =
        format!("storage_type = '{STANDARD}' and bytes is not null and day <= date '{}'", given.as_of.date_naive());
    let daily = daily(given.engine).await?;
    let sql = format!(
        "select s.account_id, s.region, s.bucket, {} from (select * from {daily} d where {those}) s join \
         (select account_id, region, bucket, max(day) as newest from {daily} d where {those} group by 1, 2, 3) n \
         on n.account_id = s.account_id and n.region = s.region and n.bucket = s.bucket group by 1, 2, 3",
        AGES.map(since).join(", ")
    );
    Ok(given.engine.rows(&sql).await?.into_iter().map(|row| (BucketKey::of(&row), row)).collect())
}

/// What was certain on an earlier day may have been deleted since: no more of it is left than the ceiling.
fn bound(key: &BucketKey, size: &Size, bands: &Bands, age: i64, floor: Option<Floor>) -> Option<Row> {
    let standard = size.by_type.get(STANDARD).copied().filter(|bytes| *bytes > 0)?;
    let ceiling = bands.range(..=age).map(|(_, (least, _))| *least).min()?;
    let days: i64 = bands.range(..=age).map(|(_, (_, days))| days).sum();
    if days * 2 < age {
        return None;
    }
    let total: i64 = size.by_type.values().sum();
    let BucketKey { account_id, region, bucket } = key;
    Some(
        Row::new()
            .with("account_id", account_id.as_str())
            .with("region", region.as_str())
            .with("bucket", bucket.as_str())
            .with("scope", key.scope().as_str())
            .with("older_than_days", age)
            .with("floor_bytes", floor.map_or(0, |floor| floor.bytes.min(ceiling)))
            .with("floor_source", floor.map(|floor| floor.source))
            .with("floor_day", floor.map(|floor| floor.day))
            .with("reads", floor.and_then(|floor| floor.reads))
            .with("ceiling_bytes", ceiling)
            .with("days_seen", days)
            .with("standard_bytes", standard)
            .with("total_bytes", total)
            .with("objects", size.objects)
            .with("mean_object_bytes", size.objects.and_then(|objects| total.checked_div(objects)))
            .with("day", size.day),
    )
}
