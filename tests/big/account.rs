//! The big account: what would be much to hold is worked out from its name when it is asked for.

#![expect(clippy::float_arithmetic, reason = "metrics are floats at CloudWatch")]

use std::time::Duration;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde_json::json;

use crate::aws::Account;
use crate::aws::athena::{Formula, Query};
use crate::aws::glue::Run;
use crate::aws::metrics::Series;
use crate::aws::s3::Bucket;
use crate::support::{TODAY, day};

const REGION: &str = "us-east-1";
/// Days over which the queries are spread: those that Athena keeps.
const KEPT: u64 = 45;
/// How long AWS takes for an answer.
const LATENCY: Duration = Duration::from_millis(20);
const RULES: &str = "<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><ID>tmp</ID>\
    <Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled</Status><Expiration><Days>30</Days></Expiration></Rule>\
    </LifecycleConfiguration>";

/// How much of everything there is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub buckets: usize,
    pub jobs: usize,
    /// Runs of each job.
    pub runs: usize,
    /// Queries in the last 45 days.
    pub queries: usize,
    /// Days of which each bucket has a size.
    pub days: u64,
}

impl Size {
    /// Returns the size that `LEANLAKE_BIG` names (`buckets,jobs,runs,queries,days`), or the big one.
    pub fn asked() -> Self {
        let text = std::env::var("LEANLAKE_BIG").unwrap_or_else(|_| "10000,2000,50,100000,455".to_owned());
        let numbers: Vec<usize> = text.split(',').map(|number| number.trim().parse().unwrap()).collect();
        let [buckets, jobs, runs, queries, days] = numbers[..] else { panic!("five numbers: {text}") };
        Size { buckets, jobs, runs, queries, days: u64::try_from(days).unwrap() }
    }
}

/// Makes `account` as big as `size` says.
pub fn fill(account: &mut Account, size: Size) {
    account.rates.latency = LATENCY;
    account.keep_calls = false;
    for n in 0..size.buckets {
        account.s3.add(&bucket_name(n), bucket(n));
    }
    let of = |n: usize| ["StandardStorage", "AllStorageTypes"].map(|kind| listed(&bucket_name(n), kind));
    account.metrics.series = (0..size.buckets).flat_map(of).collect();
    account.metrics.by_formula = Some(Box::new(move |bucket, kind| points(bucket, kind, size.days)));
    account.glue.jobs = (0..size.jobs).map(|n| (REGION.to_owned(), job(n))).collect();
    account.glue.runs_by_formula = Some(Box::new(move |job| (0..size.runs).map(|n| run(job, n, size.runs)).collect()));
    account.athena.by_formula = Some(history(size.queries));
}

/// Returns the name of a bucket.
pub fn bucket_name(n: usize) -> String {
    format!("lake-{n:05}")
}

/// Every second bucket has tags, every third is versioned, every fifth has a rule.
pub fn bucket(n: usize) -> Bucket {
    let plain = Bucket::in_region(REGION);
    let tagged = if n.is_multiple_of(2) { plain.tagged("team", &format!("team-{}", n % 40)) } else { plain };
    let versioned = if n.is_multiple_of(3) { tagged.versioned() } else { tagged };
    if n.is_multiple_of(5) { versioned.with_lifecycle(RULES) } else { versioned }
}

/// Returns a series as the list needs it: its last point says that it is alive.
fn listed(bucket: &str, kind: &str) -> Series {
    Series::new(REGION, bucket, kind, &[(day(TODAY), 0)])
}

/// A bucket grows from day to day. Each day has its point, that of the scan too.
fn points(bucket: &str, kind: &str, days: u64) -> Vec<(NaiveDate, f64)> {
    let n: u32 = bucket.rsplit('-').next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
    let unit = if kind == "AllStorageTypes" { 1.0 } else { 5e6 };
    let first = day(TODAY).checked_sub_days(Days::new(days)).unwrap();
    let end = u32::try_from(days).unwrap() + 2;
    let value = |since: u32| (f64::from(n % 977) + f64::from(since)) * unit;
    (0..end).map(|since| (first.checked_add_days(Days::new(since.into())).unwrap(), value(since))).collect()
}

fn job(n: usize) -> serde_json::Value {
    json!({
        "Name": job_name(n), "Role": "arn:aws:iam::111122223333:role/glue", "GlueVersion": "4.0",
        "Command": {"Name": "glueetl", "ScriptLocation": format!("s3://scripts/{n}.py"), "PythonVersion": "3"},
        "WorkerType": "G.1X", "NumberOfWorkers": 10, "Timeout": 480, "MaxRetries": 0,
        "DefaultArguments": {"--job-bookmark-option": "job-bookmark-enable", "--enable-metrics": "true"},
        "CreatedOn": 1_760_000_000, "LastModifiedOn": 1_760_000_000,
    })
}

fn job_name(n: usize) -> String {
    format!("etl-{n:05}")
}

/// Returns one of the runs of the last 80 days, newest first.
fn run(job: &str, n: usize, of: usize) -> Run {
    let before = i64::try_from(n * 80 * 24 * 60 / of.max(1)).unwrap() + 60;
    let started = midnight(day(TODAY)) - TimeDelta::minutes(before);
    Run::new(job, &format!("jr_{job}_{n:04}"), started)
}

/// Queries follow each other evenly, `kept` of them in 45 days, since the year began.
fn history(kept: usize) -> Formula {
    let kept = u64::try_from(kept).unwrap();
    let first = midnight(day("2026-01-01"));
    let before = move |day: NaiveDate| {
        let days = u64::try_from((midnight(day) - first).num_days()).unwrap();
        usize::try_from((days * kept).div_ceil(KEPT)).unwrap()
    };
    let query = move |place: usize| {
        let seconds = u64::try_from(place).unwrap() * KEPT * 86_400 / kept;
        let submitted = first + TimeDelta::seconds(i64::try_from(seconds).unwrap());
        let text =
            format!("SELECT sum(amount) FROM lake.orders_{} WHERE day = '{}'", place % 400, submitted.date_naive());
        Query::new(
            &format!("q-{place:08}"),
            &text,
            submitted,
            10_000_000 + u64::try_from(place % 1_000).unwrap() * 1_000_000,
        )
    };
    let place = |id: &str| id.strip_prefix("q-")?.parse().ok();
    Formula { before: Box::new(before), query: Box::new(query), place }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
