//! How much of a bucket's Standard storage is certainly old: its size on a day less what was written before that day.
//!
//! Deletes only take from the size, so what the bucket held and nobody wrote lately is old. That stands or falls with
//! knowing every write: a day that nobody measured, bytes that came without a transfer, or growth beyond what was
//! uploaded leave nothing certain. Must never take an absent row for a day without writes.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::super::Given;
use super::super::storage::{STANDARD, daily};
use super::AGES;
use crate::engine::EngineError;
use crate::model::Row;

/// The most that one request can make without an upload: `CopyObject` and `UploadPartCopy` take 5 GiB at most (S3 API
/// reference).
const LARGEST_COPY: i64 = 5 << 30;
/// Days after which the bill of a day is final for our purposes.
const SETTLE_DAYS: i64 = 2;

/// What is certain of one bucket and age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Floor {
    /// Standard bytes that were at least that old on `day`.
    pub bytes: i64,
    /// Who counted the writes.
    pub source: &'static str,
    /// The day of which it is certain.
    pub day: NaiveDate,
    /// What was read in those days, in requests and GB or bytes: only 0 says anything. `None` when it was not counted.
    pub reads: Option<Decimal>,
}

/// By account and bucket, and age in days.
pub(super) type Floors = BTreeMap<(String, String), BTreeMap<i64, Floor>>;

/// Where writes are counted.
struct Counted {
    /// What the floor says it rests on.
    source: &'static str,
    /// Its newest day that will not change any more.
    newest: &'static str,
    /// Rows `account_id`, `bucket`, `day`, `uploaded`, `writes`, `copies`, `restores`, `reads` of each day that was
    /// measured; `uploaded` is NULL where it is not known.
    moved: &'static str,
}

/// Every day on which the bill charges the bucket's own storage is a day whose requests are on the bill too. A request
/// for a list, a deletion or a setting writes no object. Bytes of transfer come in GB.
const BILL: Counted = Counted {
    source: "bill",
    newest: "select max(day) as day from bill where source = 'cur' and service = 'AmazonS3' and resource is not null",
    moved: "select account_id, bucket, day, \
        case when count(case when arrives and unit <> 'GB' or (arrives or writes) and usage is null then 1 end) = 0 \
             then coalesce(sum(case when arrives then usage end), 0) * 1073741824 end as uploaded, \
        sum(case when writes then usage else 0 end) as writes, \
        sum(case when writes and operation like '%Copy%' then usage else 0 end) as copies, \
        count(case when operation like '%estor%' then 1 end) as restores, \
        sum(case when reads then usage else 0 end) as reads \
        from (select linked_account_id as account_id, day, operation, usage_type, usage, unit, \
            case when resource like 'arn:%' then split_part(resource, ':::', 2) else resource end as bucket, \
            usage_type like '%In-Bytes' or usage_type like '%In-ABytes' as arrives, \
            usage_type like '%Requests-%Tier1' and operation not like 'List%' and operation not like 'Delete%' \
                and operation not like 'PutBucket%' as writes, \
            usage_type like '%Requests-%Tier2' and operation not like 'Head%' or usage_type like '%Out-Bytes' \
                or usage_type like '%Out-ABytes' as reads \
            from bill where source = 'cur' and record_type = 'usage' and service = 'AmazonS3' and resource is not null) r \
        group by 1, 2, 3 having count(case when usage_type like '%TimedStorage-%' then 1 end) > 0",
};

/// Storage Lens counts a copy among the PUT requests and not among the uploaded bytes.
const LENS: Counted = Counted {
    source: "storage_lens",
    newest: "select max(day) as day from storage_activity where prefix is null",
    moved: "select account_id, bucket, day, \
        case when count(put_requests) = count(*) and count(bytes_uploaded) = count(*) \
             then sum(bytes_uploaded) end as uploaded, \
        sum(put_requests) as writes, sum(put_requests) as copies, 0 as restores, \
        case when count(get_requests) = count(*) and count(bytes_downloaded) = count(*) \
             then sum(get_requests) + sum(bytes_downloaded) + sum(coalesce(select_requests, 0)) end as reads \
        from storage_activity where prefix is null group by 1, 2, 3",
};

/// Returns what is certain of each bucket and age; of two sources the one that says more.
pub(super) async fn floors(given: Given<'_>) -> Result<Floors, EngineError> {
    let mut floors = Floors::new();
    for counted in [BILL, LENS] {
        let Some(day) = newest(given, &counted).await? else { continue };
        for row in given.engine.rows(&question(given, &counted, day).await?).await? {
            let of = floors.entry((row.key("account_id").to_owned(), row.key("bucket").to_owned())).or_default();
            for (age, floor) in AGES.iter().filter_map(|age| Some((*age, floor(&row, *age, day, counted.source)?))) {
                of.entry(age)
                    .and_modify(|known| {
                        if floor.bytes > known.bytes {
                            *known = floor;
                        }
                    })
                    .or_insert(floor);
            }
        }
    }
    Ok(floors)
}

/// The newest day of which a size can be held against the writes: those of the day after it are counted too, since a
/// size does not say at which hour it was taken.
async fn newest(given: Given<'_>, counted: &Counted) -> Result<Option<NaiveDate>, EngineError> {
    let rows = given.engine.rows(counted.newest).await?;
    let settled = given.as_of.date_naive() - TimeDelta::days(SETTLE_DAYS);
    Ok(rows.first().and_then(|row| row.date("day")).map(|day| day.min(settled) - TimeDelta::days(1)))
}

/// One row for each bucket with writes of a source: for each age the days that were counted, what was written in them,
/// and the days that contradict themselves (requests that write and no bytes; more growth than bytes).
async fn question(given: Given<'_>, counted: &Counted, day: NaiveDate) -> Result<String, EngineError> {
    let Counted { moved, .. } = counted;
    let since = |age: i64| {
        let inside =
            format!("day >= date '{}' and day <= date '{}'", day - TimeDelta::days(age), day + TimeDelta::days(1));
        format!(
            "count(case when {inside} and uploaded is not null then 1 end) as days_{age}, \
             sum(case when {inside} then brought end) as brought_{age}, \
             count(case when {inside} and (restores > 0 or silent or grew > around) then 1 end) as doubtful_{age}, \
             case when count(case when {inside} then reads end) = count(case when {inside} then 1 end) \
             then sum(case when {inside} then reads end) end as reads_{age}"
        )
    };
    Ok(format!(
        "with moved as ({moved}), \
         sized as (select account_id, bucket, day, bytes, bytes - lag(bytes) over w as grew, \
             lag(day) over w as day_before from {} d \
             where storage_type = '{STANDARD}' and bytes is not null window w as (partition by account_id, bucket order by day)), \
         brought as (select *, uploaded + copies * {LARGEST_COPY} as brought, \
             writes > 0 and uploaded = 0 and copies < writes as silent from moved), \
         told as (select b.*, sum(brought) over (partition by b.account_id, b.bucket order by b.day \
             rows between 1 preceding and 1 following) as around, s.bytes, \
             case when s.day_before = b.day - interval '1' day then s.grew end as grew \
             from brought b left join sized s on s.account_id = b.account_id and s.bucket = b.bucket and s.day = b.day) \
         select account_id, bucket, max(case when day = date '{day}' then bytes end) as bytes, {} from told \
         group by 1, 2 order by 1, 2",
        daily(given.engine).await?,
        AGES.map(since).join(", ")
    ))
}

/// `None` unless every day was counted and none contradicts itself.
fn floor(row: &Row, age: i64, day: NaiveDate, source: &'static str) -> Option<Floor> {
    let days = age + 2;
    if row.int(&format!("days_{age}")) != Some(days) || row.int(&format!("doubtful_{age}")) != Some(0) {
        return None;
    }
    let brought = row.decimal(&format!("brought_{age}"))?.ceil().to_i64()?;
    let bytes = row.int("bytes")?.saturating_sub(brought).max(0);
    Some(Floor { bytes, source, day, reads: row.decimal(&format!("reads_{age}")) })
}
