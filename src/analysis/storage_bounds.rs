//! How much of a bucket's Standard storage can be old: certified bounds from daily sizes alone.
//!
//! A byte older than N days was there on each of the last N days, so no more bytes are that old than the smallest of
//! those days held. A day that is missing only loosens the bound. Without uploads or an inventory the floor is 0.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::storage::{BucketKey, STANDARD, Size, daily, sizes};
use super::{Analysis, Given};
use crate::engine::EngineError;
use crate::model::Row;
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::lens::STORAGE_LENS;
use crate::store::tables::storage::STORAGE;

/// Ages for which a bound is given.
const AGES: [i64; 5] = [30, 60, 90, 180, 365];

/// One row for each bucket with Standard bytes and each age whose days were seen at least by half.
pub const STORAGE_BOUNDS: Analysis = Analysis {
    table: Table {
        name: "storage_bounds",
        doc: "Least and most Standard bytes of a bucket that can be older than so many days, from CloudWatch's daily sizes, or Storage Lens's where CloudWatch has none. One row for each age; an age of which fewer than half of the days were seen has no row.",
        key: &["account_id", "region", "bucket", "older_than_days"],
        source: Source::Analysis,
        columns: &[
            column("account_id", Kind::Text, "Owner's account."),
            column("region", Kind::Text, "Region of the bucket."),
            column("bucket", Kind::Text, "Name of the bucket."),
            column("scope", Kind::Text, "Its place in the tree of pools: `account/region/s3/bucket`."),
            column("older_than_days", Kind::Count, "30, 60, 90, 180 or 365."),
            column("floor_bytes", Kind::Bytes, "Standard bytes that are at least that old; 0 with CloudWatch alone."),
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
    inputs: &[&STORAGE, &STORAGE_LENS],
    compute: |given| Box::pin(compute(given)),
};

/// The smallest size and the days seen within one age and the age before it.
type Bands = BTreeMap<i64, (i64, i64)>;

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let (bands, held) = (bands(given).await?, held(given).await?);
    let mut rows = Vec::new();
    for (key, size) in sizes(given.engine, given.as_of).await? {
        let Some(bands) = bands.get(&key) else { continue };
        let held = |age: i64| held.get(&key).and_then(|row| row.int(&format!("least_{age}")));
        let bounds = AGES
            .into_iter()
            .filter_map(|age| Some(bound(&key, &size, bands, age)?.with("least_since_bytes", held(age))));
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

fn bound(key: &BucketKey, size: &Size, bands: &Bands, age: i64) -> Option<Row> {
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
            .with("floor_bytes", 0_i64)
            .with("ceiling_bytes", ceiling)
            .with("days_seen", days)
            .with("standard_bytes", standard)
            .with("total_bytes", total)
            .with("objects", size.objects)
            .with("mean_object_bytes", size.objects.and_then(|objects| total.checked_div(objects)))
            .with("day", size.day),
    )
}
