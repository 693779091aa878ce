//! How much of a bucket's Standard storage can be old: certified bounds from daily sizes alone.
//!
//! A byte older than N days was there on each of the last N days, so no more bytes are that old than the smallest of
//! those days held. A day that is missing only loosens the bound. Without uploads or an inventory the floor is 0.

use std::collections::BTreeMap;

use super::storage::{BucketKey, newest};
use super::{Analysis, Given};
use crate::engine::EngineError;
use crate::model::{PoolPath, Row};
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::storage::STORAGE;

/// Ages for which a bound is given.
const AGES: [i64; 5] = [30, 60, 90, 180, 365];

/// One row for each bucket with Standard bytes and each age whose days were seen at least by half.
pub const STORAGE_BOUNDS: Analysis = Analysis {
    table: Table {
        name: "storage_bounds",
        doc: "Least and most Standard bytes of a bucket that can be older than so many days, from CloudWatch's daily sizes. One row for each age; an age of which fewer than half of the days were seen has no row.",
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
        ],
    },
    inputs: &[&STORAGE],
    compute: |given| Box::pin(compute(given)),
};

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let objects = objects(given).await?;
    let mut rows = Vec::new();
    for seen in given.engine.rows(&series(given)).await? {
        let key = BucketKey::of(&seen);
        for age in AGES {
            rows.extend(bound(&seen, &key, age, objects.get(&key).copied()));
        }
    }
    Ok(rows)
}

/// For each bucket: sizes now, and for each age the smallest Standard size and the days that were seen.
fn series(given: Given<'_>) -> String {
    let standard = "s.storage_type = 'StandardStorage'";
    let aged = AGES.map(|age| {
        let inside = format!("{standard} and s.day > newest.day - interval '{age} days'");
        format!("min(case when {inside} then s.bytes end) as least_{age}, count(case when {inside} then s.bytes end) as days_{age}")
    });
    format!(
        "select s.account_id, s.region, s.bucket, newest.day, \
         sum(case when s.day = newest.day and {standard} then s.bytes end) as standard_bytes, \
         sum(case when s.day = newest.day then s.bytes end) as total_bytes, {} \
         from storage s join ({}) newest on newest.account_id = s.account_id and newest.region = s.region \
         and newest.bucket = s.bucket where s.bytes is not null and s.day <= newest.day \
         group by 1, 2, 3, 4 order by 1, 2, 3",
        aged.join(", "),
        newest(given.as_of)
    )
}

fn bound(seen: &Row, key: &BucketKey, age: i64, objects: Option<i64>) -> Option<Row> {
    let standard = seen.int("standard_bytes").filter(|bytes| *bytes > 0)?;
    let days = seen.int(&format!("days_{age}"))?;
    let ceiling = seen.int(&format!("least_{age}"))?;
    if days * 2 < age {
        return None;
    }
    let total = seen.int("total_bytes");
    let mean = total.zip(objects).and_then(|(bytes, objects)| bytes.checked_div(objects));
    let BucketKey { account_id, region, bucket } = key;
    Some(
        Row::new()
            .with("account_id", account_id.as_str())
            .with("region", region.as_str())
            .with("bucket", bucket.as_str())
            .with("scope", PoolPath::of(&[account_id, region, "s3", bucket]).as_str())
            .with("older_than_days", age)
            .with("floor_bytes", 0_i64)
            .with("ceiling_bytes", ceiling)
            .with("days_seen", days)
            .with("standard_bytes", standard)
            .with("total_bytes", total)
            .with("objects", objects)
            .with("mean_object_bytes", mean)
            .with("day", seen.date("day")),
    )
}

/// Objects of each bucket on its newest day.
async fn objects(given: Given<'_>) -> Result<BTreeMap<BucketKey, i64>, EngineError> {
    let sql = format!(
        "select s.account_id, s.region, s.bucket, max(s.objects) as objects from storage s join ({}) newest \
         on newest.account_id = s.account_id and newest.region = s.region and newest.bucket = s.bucket \
         and newest.day = s.day where s.objects is not null group by 1, 2, 3",
        newest(given.as_of)
    );
    let rows = given.engine.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| Some((BucketKey::of(row), row.int("objects")?))).collect())
}
