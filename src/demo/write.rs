//! The demo lake into a store: last week's scan, and this week's, which reads again only what can have changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::calendar::{self, Day};
use super::catalog::{PAYER, REGIONS};
use super::lake::{Lake, Since, Tables};
use super::tariff;
use crate::model::{Money, Origin};
use crate::store::table::Table;
use crate::store::tables::{self, advice, athena, bill, glue, network, storage, trail};
use crate::store::{Head, Receipt, Snapshot, Store, StoreError};

/// Days that a second scan reads again of sizes and queries before the scan before it.
const OVERLAP: Day = 2;
/// Groups that Cost Explorer puts on a page.
const GROUPS_A_PAGE: usize = 1_000;
/// Queries that one request describes.
const QUERIES_A_REQUEST: usize = 50;

impl Lake {
    /// Writes last week's and this week's snapshot and returns both, the newest last.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn write(&self, store: &Store) -> Result<[Snapshot; 2], StoreError> {
        let (before, now) = (calendar::previous(), calendar::newest());
        let first = self.scan(store, before, Since::default(), None).await?;
        let today = self.calendar.day(before.date_naive());
        let since = Since { bill: self.reopened(now), recent: (today - OVERLAP).max(0) };
        let second = self.scan(store, now, since, Some(&first)).await?;
        Ok([first, second])
    }

    /// The first day of the bill that can still change: the first of the previous month.
    fn reopened(&self, as_of: DateTime<Utc>) -> Day {
        let open = as_of.date_naive().with_day(1).and_then(|first| first.checked_sub_months(Months::new(1)));
        open.map_or(0, |first| self.calendar.day(first).max(0))
    }

    async fn scan(
        &self,
        store: &Store,
        as_of: DateTime<Utc>,
        since: Since,
        base: Option<&Snapshot>,
    ) -> Result<Snapshot, StoreError> {
        let head =
            Head { origin: Origin::Demo, payer: Some(PAYER.to_owned()), account_id: Some(PAYER.to_owned()), as_of };
        let mut writer = store.write(head, base);
        let seen = self.tables(as_of, since);
        let receipt = receipt(&seen);
        for (table, account, from) in again(&seen, since, |day| self.calendar.date(day)) {
            writer.replace_period(table, account.as_deref(), from, as_of.date_naive());
        }
        for coverage in seen.coverage {
            writer.cover(coverage);
        }
        for (name, rows) in seen.rows {
            if let Some(table) = tables::find(name) {
                writer.append(table, rows)?;
            }
        }
        writer.finish(receipt, false).await
    }
}

/// The tables by period, the accounts that were asked, and the first day that was read again.
fn again(
    seen: &Tables,
    since: Since,
    date: impl Fn(Day) -> NaiveDate,
) -> Vec<(&'static Table, Option<String>, NaiveDate)> {
    let days = [
        (&bill::CHARGES, since.bill),
        (&bill::COSTS, since.bill),
        (&bill::COSTS_BY_ACCOUNT, since.bill),
        (&bill::COSTS_BY_OPERATION, since.bill),
        (&glue::GLUE_JOB_RUNS, since.recent),
        (&glue::GLUE_CRAWLS, since.recent),
        (&network::NAT_TRAFFIC, since.recent),
        (&trail::LIFECYCLE_CHANGES, since.recent),
        (&advice::AWS_ANOMALIES, 0),
        (&storage::STORAGE, since.recent),
        (&athena::ATHENA_QUERIES, since.recent),
    ];
    let accounts = |table: &Table| {
        let asked = seen.coverage.iter().filter(|read| read.table == table.name).map(|read| read.account_id.clone());
        asked.collect::<std::collections::BTreeSet<_>>()
    };
    let each =
        |(table, from): (&'static Table, Day)| accounts(table).into_iter().map(move |account| (table, account, from));
    days.into_iter().flat_map(each).map(|(table, account, from)| (table, account, date(from))).collect()
}

/// What a real scan would have asked for these rows, and what AWS would have charged.
fn receipt(seen: &Tables) -> Receipt {
    let rows = |table: &Table| seen.rows.get(table.name).map_or(0, Vec::len);
    let buckets = rows(&storage::BUCKETS);
    let listed = seen.rows.get(storage::MULTIPART_UPLOADS.name).into_iter().flatten();
    let pages =
        [&bill::CHARGES, &bill::COSTS, &bill::COSTS_BY_ACCOUNT].map(|table| rows(table).div_ceil(GROUPS_A_PAGE));
    let asked = [
        ("ce:GetCostAndUsage", pages.iter().sum()),
        ("cloudwatch:ListMetrics", REGIONS.len()),
        ("cloudwatch:GetMetricData", buckets.div_ceil(REGIONS.len())),
        ("s3:ListBuckets", 3),
        ("s3:GetBucketLifecycleConfiguration", buckets),
        ("s3:GetBucketVersioning", buckets),
        ("s3:GetBucketTagging", buckets),
        ("s3:ListMultipartUploads", buckets),
        ("s3:ListParts", listed.filter(|upload| upload.int("bytes").is_some()).count()),
        ("athena:GetWorkGroup", rows(&athena::ATHENA_WORKGROUPS)),
        ("athena:BatchGetQueryExecution", rows(&athena::ATHENA_QUERIES).div_ceil(QUERIES_A_REQUEST)),
    ];
    let requests: BTreeMap<String, u64> = asked
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.to_owned(), count as u64))
        .collect();
    let seconds = requests.values().sum::<u64>() / 5;
    let page = tariff::fixed().into_iter().find(|line| line.usage_type == "USE1-APIRequest").map(|line| line.rate);
    let paid = requests.get("ce:GetCostAndUsage").copied().unwrap_or(0);
    let usd = Money::new(page.unwrap_or_default() * Decimal::from(paid));
    Receipt { requests, usd, seconds, bill: None }
}

#[cfg(test)]
mod tests {
    use crate::demo::{DemoOptions, fill};
    use crate::model::Origin;
    use crate::store::Store;

    #[tokio::test]
    async fn the_second_scan_shares_what_is_older_with_the_first_and_is_whole() {
        let store = Store::temporary().unwrap();
        let lake = fill(&DemoOptions::default());
        let [first, second] = lake.write(&store).await.unwrap();
        assert_eq!((first.origin(), second.origin()), (&Origin::Demo, &Origin::Demo));
        assert_eq!(second.as_of(), lake.as_of());
        for table in ["costs", "storage", "charges"] {
            let shared = second.parts(table).iter().filter(|part| first.parts(table).contains(part)).count();
            assert!(shared > 0 && shared < second.parts(table).len(), "{table}: {shared} parts shared");
        }
        let whole = lake.tables(lake.as_of(), crate::demo::Since::default());
        for table in ["costs", "charges", "costs_by_account", "storage", "buckets", "multipart_uploads"] {
            assert_eq!(second.manifest.rows(table), whole.rows[table].len() as u64, "{table}");
        }
        assert!(second.manifest.rows("athena_queries") >= whole.rows["athena_queries"].len() as u64);
    }
}
