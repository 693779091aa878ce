//! What is true of the demo lake, whether a scan can see it or not. Tests hold findings against it; nothing else may.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Lake;
use super::bucket::{Bucket, Idle};
use super::panel::Statement;
use super::query::{Outcome, Query};

/// What is true of one bucket at the time of the newest scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BucketTruth {
    /// Unfinished uploads: when each began, and its bytes.
    pub uploads: Vec<(DateTime<Utc>, i64)>,
    /// Bytes of noncurrent versions by CloudWatch's storage type.
    pub noncurrent: BTreeMap<&'static str, i64>,
    /// Current Standard objects by days since the last read.
    pub idle: Vec<Idle>,
}

impl BucketTruth {
    /// Returns the bytes of uploads that are older than `days` at `now`.
    pub fn abandoned_bytes(&self, now: DateTime<Utc>, days: i64) -> i64 {
        let old = self.uploads.iter().filter(|(begun, _)| *begun < now - TimeDelta::days(days));
        old.map(|(_, bytes)| bytes).sum()
    }

    /// Returns the current Standard bytes that nobody has read for at least `days`.
    pub fn idle_bytes(&self, days: i32) -> i64 {
        self.idle.iter().filter(|idle| idle.days >= days).map(|idle| idle.bytes).sum()
    }
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
            noncurrent: bucket.noncurrent_bytes(today - 1),
            idle: bucket.idle(today - 1),
        }
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
