//! What is true of the demo lake, whether a scan can see it or not. Tests hold findings against it; nothing else may.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::Lake;
use super::bill::{ATHENA, Line, Meter, S3};
use super::bucket::{Bucket, Cohort, Idle};
use super::calendar::Day;
use super::catalog::REGIONS;
use super::panel::Statement;
use super::query::{Outcome, Query};
use super::tariff;

/// What is true of one bucket at the time of the newest scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketTruth {
    /// Unfinished uploads: when each began, and its bytes.
    pub uploads: Vec<(DateTime<Utc>, i64)>,
    /// Noncurrent versions: days since they were replaced, CloudWatch's storage type, and bytes.
    pub noncurrent: Vec<(i32, &'static str, i64)>,
    /// Current Standard objects by days since the last read.
    pub idle: Vec<Idle>,
}

impl BucketTruth {
    /// Returns the bytes of uploads that are older than `days` at `now`.
    pub fn abandoned_bytes(&self, now: DateTime<Utc>, days: i64) -> i64 {
        let old = self.uploads.iter().filter(|(begun, _)| *begun < now - TimeDelta::days(days));
        old.map(|(_, bytes)| bytes).sum()
    }

    /// Returns the bytes of versions that were replaced at least `days` ago, by storage type.
    pub fn noncurrent_bytes(&self, days: i32) -> BTreeMap<&'static str, i64> {
        let mut bytes = BTreeMap::new();
        for (_, place, size) in self.noncurrent.iter().filter(|(since, _, _)| *since >= days) {
            *bytes.entry(*place).or_insert(0) += size;
        }
        bytes
    }

    /// Returns the current Standard bytes that nobody has read for at least `days`.
    pub fn idle_bytes(&self, days: i32) -> i64 {
        self.idle.iter().filter(|idle| idle.days >= days).map(|idle| idle.bytes).sum()
    }
}

fn prefix(region: &str) -> &'static str {
    REGIONS.iter().find(|(name, _)| *name == region).map_or("", |(_, prefix)| prefix)
}

/// A version that was never replaced is no version of the past; the caller has filtered those out.
fn old(bucket: &Bucket, cohort: &Cohort, day: Day) -> (i32, &'static str, i64) {
    (cohort.gone.map_or(0, |gone| day - gone), bucket.place(cohort, day), cohort.bytes)
}

impl Lake {
    /// Returns what is true of every bucket, by name.
    pub fn truth(&self) -> BTreeMap<&str, BucketTruth> {
        self.buckets.iter().map(|(bucket, _)| (bucket.plot.name.as_str(), self.truth_of(bucket))).collect()
    }

    fn truth_of(&self, bucket: &Bucket) -> BucketTruth {
        let (today, calendar) = (self.calendar.today, self.calendar);
        let standing = bucket.uploads.iter().filter(|upload| upload.stands(today));
        BucketTruth {
            uploads: standing.map(|upload| (calendar.at(upload.day, upload.second), upload.bytes)).collect(),
            noncurrent: bucket.noncurrent(today - 1).map(|cohort| old(bucket, cohort, today - 1)).collect(),
            idle: bucket.idle(today - 1),
        }
    }

    /// Returns the net dollars that one unit more of an S3 or Athena usage type (without prefix) costs in a Region:
    /// what the bill took for the last unit of last month, or the price where nothing was used.
    pub fn marginal(&self, region: &str, usage_type: &str) -> Option<Decimal> {
        let open = self.as_of().date_naive().with_day(1)?;
        let last = self.calendar.day(open) - 1;
        let tiered = |meter: &Meter| {
            let service = [S3, ATHENA].contains(&meter.service) && meter.region == Some(region);
            service && usage_type == meter.usage_type.trim_start_matches("USE1-").trim_start_matches(prefix(region))
        };
        let same = |line: &&Line| line.day == last && tiered(&self.ledger.meters[line.meter]);
        let used = self.ledger.lines.iter().rev().filter(same).find(|line| !line.amount.usage.is_zero());
        let tariff = tariff::tariff();
        let listed = || tariff.get(&(usage_type, region)).and_then(|tiers| tiers.first().copied());
        used.map(|line| line.amount.net / line.amount.usage)
            .or_else(|| listed().map(|tier| tier.rate * Decimal::new(tier.net, 3)))
    }

    /// Returns the bytes of runs that answered which each workgroup, by (account, Region, name), would not have scanned
    /// from `since` on, had every caller allowed answers `minutes` old, and had no answer been used after its tables were written.
    pub fn avoidable_bytes(&self, since: DateTime<Utc>, minutes: i64) -> BTreeMap<(&str, &str, &str), i64> {
        let mut avoided = BTreeMap::new();
        let mut originals: BTreeMap<(&str, &str), &Query> = BTreeMap::new();
        let reads = |query: &&Query| query.statement == Statement::Select && query.outcome == Outcome::Succeeded;
        for query in self.queries.iter().filter(reads).filter(|query| query.completed() <= self.as_of()) {
            let at = query.workgroup;
            let key = (at.name, query.text.as_str());
            let fresh = |original: &&Query| {
                let done = original.completed() <= query.submitted;
                let young = query.submitted - original.submitted <= TimeDelta::minutes(minutes);
                done && young && original.version == query.version
            };
            if originals.get(&key).is_some_and(fresh) {
                let bytes = avoided.entry((at.account, at.region, at.name)).or_insert(0);
                *bytes += if query.submitted >= since { query.billed_bytes() } else { 0 };
            } else {
                originals.insert(key, query);
            }
        }
        avoided
    }
}
