//! The newest size of each bucket, for the analyses that stand on it. A size too old to speak of today is not used.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::AnalysisError;
use crate::engine::{Engine, EngineError};
use crate::model::storage_type::STORAGE_TYPES;
use crate::model::{Coverage, CoverageState, PoolPath, Row};

/// Days after which a bucket's newest size says nothing about today. CloudWatch publishes daily; `ListMetrics` hides
/// a series after two silent weeks (CloudWatch API reference, `ListMetrics`).
pub const FRESH_DAYS: u64 = 14;
/// Days before as-of in which a bucket's last size is looked for, to say that it is too old.
const LOOK_BACK_DAYS: u64 = 60;

/// CloudWatch's storage type of Standard.
pub(super) const STANDARD: &str = "StandardStorage";
/// The class whose tiers have prices of their own: Storage Lens does not say how its bytes divide.
const TIERING: &str = "INTELLIGENT_TIERING";

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

    /// The bucket's place in the tree of pools.
    pub fn scope(&self) -> PoolPath {
        PoolPath::of(&[&self.account_id, &self.region, "s3", &self.bucket])
    }
}

/// The first day that is fresh enough.
fn fresh_from(as_of: DateTime<Utc>) -> NaiveDate {
    let today = as_of.date_naive();
    today.checked_sub_days(Days::new(FRESH_DAYS)).unwrap_or(today)
}

/// The condition on `day` of a size that is fresh; parts of older days are not even opened.
pub(super) fn fresh(as_of: DateTime<Utc>) -> String {
    format!("day >= date '{}' and day <= date '{}'", fresh_from(as_of), as_of.date_naive())
}

/// What a bucket held on its newest fresh day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub day: NaiveDate,
    /// Storage type to bytes.
    pub by_type: BTreeMap<String, i64>,
    /// Objects of all classes, versions, delete markers and parts counted too; `None` when they were not seen.
    pub objects: Option<i64>,
}

/// Returns the table of daily sizes, in SQL: CloudWatch's, and Storage Lens's of buckets of which CloudWatch says
/// nothing. The two measure the same bytes, so no bucket has both.
pub(super) async fn daily(engine: &Engine) -> Result<String, EngineError> {
    let counted = engine.rows("select count(*) as n from storage_lens").await?;
    if counted.first().and_then(|row| row.int("n")).unwrap_or(0) == 0 {
        return Ok("storage".to_owned());
    }
    let types = STORAGE_TYPES.iter().filter(|of| of.class != TIERING);
    let mut of_class: BTreeMap<&str, &str> = BTreeMap::new();
    for of in types {
        of_class.entry(of.class).or_insert(of.name);
    }
    let cases: Vec<String> = of_class.iter().map(|(class, name)| format!("when '{class}' then '{name}'")).collect();
    Ok(format!(
        "(select account_id, region, bucket, day, storage_type, bytes, objects from storage union all \
         select l.account_id, l.region, l.bucket, l.day, l.storage_type, l.bytes, l.objects from (\
         select account_id, region, bucket, day, case storage_class {} else storage_class end as storage_type, bytes, \
         cast(null as bigint) as objects from storage_lens where prefix is null and bytes is not null union all \
         select account_id, region, bucket, day, 'AllStorageTypes' as storage_type, cast(null as bigint) as bytes, \
         sum(objects) as objects from storage_lens where prefix is null group by 1, 2, 3, 4) l left join (\
         select distinct account_id, bucket from storage where bytes is not null) s \
         on s.account_id = l.account_id and s.bucket = l.bucket where s.bucket is null)",
        cases.join(" ")
    ))
}

/// Returns what each bucket held on its newest fresh day.
pub(super) async fn sizes(engine: &Engine, as_of: DateTime<Utc>) -> Result<BTreeMap<BucketKey, Size>, EngineError> {
    let sql = format!(
        "select account_id, region, bucket, day, storage_type, bytes, objects from {} d \
         where {} order by day desc, bytes desc nulls last",
        daily(engine).await?,
        fresh(as_of)
    );
    let mut sizes: BTreeMap<BucketKey, Size> = BTreeMap::new();
    for row in engine.rows(&sql).await? {
        let Some(day) = row.date("day") else { continue };
        let key = BucketKey::of(&row);
        match (row.int("bytes"), sizes.get_mut(&key)) {
            (Some(bytes), known) => {
                let fresh = || Size { day, by_type: BTreeMap::new(), objects: None };
                let size = match known {
                    Some(size) => size,
                    None => sizes.entry(key).or_insert_with(fresh),
                };
                if size.day == day {
                    size.by_type.insert(row.key("storage_type").to_owned(), bytes);
                }
            }
            (None, Some(size)) if size.day == day => size.objects = row.int("objects"),
            (None, _) => {}
        }
    }
    Ok(sizes)
}

/// Returns a gap for each account and Region with buckets that are there and whose newest size is too old to be used.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn stale(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<Coverage>, AnalysisError> {
    let today = as_of.date_naive();
    let sql = format!(
        "select account_id, region, count(*) as old, max(day) as newest from (\
         select s.account_id, s.region, s.bucket, max(s.day) as day from storage s join buckets b \
         on b.account_id = s.account_id and b.region = s.region and b.bucket = s.bucket \
         where s.bytes is not null and s.day >= date '{}' and s.day <= date '{today}' group by 1, 2, 3) \
         where day < date '{}' group by 1, 2 order by 1, 2",
        today.checked_sub_days(Days::new(LOOK_BACK_DAYS)).unwrap_or(today),
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
