//! The newest size of each bucket, for the analyses that stand on it. A size too old to speak of today is not used.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::AnalysisError;
use crate::engine::{Engine, EngineError};
use crate::model::{Coverage, CoverageState, Row};

/// Days after which a bucket's newest size says nothing about today. CloudWatch publishes daily; `ListMetrics` hides
/// a series after two silent weeks (CloudWatch API reference, `ListMetrics`).
pub const FRESH_DAYS: u64 = 14;

/// Account, Region and name of a bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BucketKey {
    pub account_id: String,
    pub region: String,
    pub bucket: String,
}

impl BucketKey {
    pub fn of(row: &Row) -> Self {
        let text = |column| row.key(column).to_owned();
        BucketKey { account_id: text("account_id"), region: text("region"), bucket: text("bucket") }
    }
}

/// The first day that is fresh enough.
pub(super) fn fresh_from(as_of: DateTime<Utc>) -> NaiveDate {
    let today = as_of.date_naive();
    today.checked_sub_days(Days::new(FRESH_DAYS)).unwrap_or(today)
}

/// SQL of the newest measured day of each bucket that is fresh, to be joined as `newest`.
pub(super) fn newest(as_of: DateTime<Utc>) -> String {
    format!(
        "select account_id, region, bucket, max(day) as day from storage \
         where bytes is not null and day <= date '{}' group by 1, 2, 3 having max(day) >= date '{}'",
        as_of.date_naive(),
        fresh_from(as_of)
    )
}

/// Returns the sizes of each bucket on its newest fresh day: storage type to bytes.
pub(super) async fn sizes(
    engine: &Engine,
    as_of: DateTime<Utc>,
) -> Result<BTreeMap<BucketKey, (NaiveDate, BTreeMap<String, i64>)>, EngineError> {
    let sql = format!(
        "select s.account_id, s.region, s.bucket, s.day, s.storage_type, s.bytes from storage s \
         join ({}) newest on newest.account_id = s.account_id and newest.region = s.region \
         and newest.bucket = s.bucket and newest.day = s.day where s.bytes is not null",
        newest(as_of)
    );
    let mut sizes: BTreeMap<BucketKey, (NaiveDate, BTreeMap<String, i64>)> = BTreeMap::new();
    for row in engine.rows(&sql).await? {
        let (Some(day), Some(bytes)) = (row.date("day"), row.int("bytes")) else { continue };
        let (_, by_type) = sizes.entry(BucketKey::of(&row)).or_insert_with(|| (day, BTreeMap::new()));
        by_type.insert(row.key("storage_type").to_owned(), bytes);
    }
    Ok(sizes)
}

/// Returns a gap for each account and Region that has buckets whose newest size is too old to be used.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn stale(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<Coverage>, AnalysisError> {
    let sql = format!(
        "select account_id, region, count(*) as old, max(day) as newest from (\
         select account_id, region, bucket, max(day) as day from storage \
         where bytes is not null and day <= date '{}' group by 1, 2, 3) \
         where day < date '{}' group by 1, 2 order by 1, 2",
        as_of.date_naive(),
        fresh_from(as_of)
    );
    let rows = engine.rows(&sql).await.map_err(AnalysisError::of("storage"))?;
    Ok(rows.iter().map(gap).collect())
}

fn gap(row: &Row) -> Coverage {
    let old = row.int("old").unwrap_or_default();
    let newest = row.date("newest").map(|day| format!(", the newest of {day}")).unwrap_or_default();
    Coverage::new("storage", "cloudwatch:GetMetricData", CoverageState::Partial)
        .at(row.key("account_id"), row.text("region").map(crate::model::Untrusted::raw))
        .because(format!("sizes of {old} buckets are older than {FRESH_DAYS} days{newest}: not used"))
}
