//! What the demo's scan saw and what it did not, in the words of a real one.

use super::Without;
use super::bucket::{Bucket, Hidden};
use super::calendar::{Calendar, Day};
use super::catalog::{ACCOUNTS, PAYER, REGIONS, SANDBOX, SCIENCE, TOKYO};
use super::habit;
use super::lake::Since;
use super::panel::WORKGROUPS;
use super::statement::Statement;
use crate::model::{Coverage, CoverageState};

const LIFECYCLE: (&str, &str) = ("s3:GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration");
const BY_POLICY: &[(&str, &str)] = &[
    LIFECYCLE,
    ("s3:GetBucketVersioning", "s3:GetBucketVersioning"),
    ("s3:GetBucketTagging", "s3:GetBucketTagging"),
    ("s3:ListMultipartUploads", "s3:ListBucketMultipartUploads"),
];

/// Returns the coverage of a scan on `today`.
pub fn coverage(
    calendar: Calendar,
    today: Day,
    since: Since,
    buckets: &[&Bucket],
    without: impl Fn(Without) -> bool,
) -> Vec<Coverage> {
    let mut seen = bill(calendar, (since.bill, today - 1), without(Without::Bill));
    for account in ACCOUNTS.iter().filter(|account| account.scanned) {
        seen.extend(account_reads(account.id, buckets));
    }
    let closed = Coverage::new("buckets", "s3:ListBuckets", CoverageState::Missing).at(SANDBOX, None);
    seen.push(closed.because("AccessDenied: not authorized to perform sts:AssumeRole").missing("sts:AssumeRole"));
    seen.extend(buckets.iter().flat_map(|bucket| bucket_gaps(bucket)));
    seen.extend(metrics(calendar, (since.recent, today - 1), buckets));
    seen.extend(lens(buckets, without(Without::Lens)));
    seen.extend(athena(calendar, since.recent.max(today - super::HISTORY_DAYS), today));
    seen
}

trait Missing {
    fn missing(self, action: &str) -> Self;
}

impl Missing for Coverage {
    fn missing(mut self, action: &str) -> Self {
        self.missing_action = Some(action.to_owned());
        self
    }
}

fn bill(calendar: Calendar, days: (Day, Day), denied: bool) -> Vec<Coverage> {
    let read = "ce:GetCostAndUsage";
    let (from, to) = (calendar.date(days.0), calendar.date(days.1));
    let one = |table: &&str| {
        if denied {
            let reason = "AccessDeniedException: not authorized to perform ce:GetCostAndUsage";
            let gap = Coverage::new(table, read, CoverageState::Missing).at(PAYER, None);
            return gap.because(reason).missing("ce:GetCostAndUsage");
        }
        Coverage::new(table, read, CoverageState::Seen).at(PAYER, None).days(from, to)
    };
    let mut reads: Vec<Coverage> = ["charges", "costs", "costs_by_account"].iter().map(one).collect();
    let by_operation = one(&"costs_by_operation");
    let first = calendar.date(Statement::first_of_operations(days.0, days.1 + 1));
    reads.push(Coverage { from: by_operation.from.map(|_| first), ..by_operation });
    reads
}

fn account_reads(account: &str, buckets: &[&Bucket]) -> Vec<Coverage> {
    let count = buckets.iter().filter(|bucket| bucket.plot.account == account).count();
    let seen = |table: &str, read: &str| {
        Coverage::new(table, read, CoverageState::Seen).at(account, None).counted(count, Some(count))
    };
    let mut reads = vec![seen("buckets", "s3:ListBuckets")];
    if count == 0 {
        return reads;
    }
    reads.extend(BY_POLICY.iter().map(|(read, _)| seen("buckets", read)));
    reads.push(seen("lifecycle_rules", LIFECYCLE.0));
    reads.push(seen("multipart_uploads", "s3:ListMultipartUploads"));
    reads.push(parts(account, buckets));
    reads
}

fn parts(account: &str, buckets: &[&Bucket]) -> Coverage {
    let read = "s3:ListParts";
    if account == SCIENCE {
        let gap = Coverage::new("multipart_uploads", read, CoverageState::Missing).at(account, None);
        let reason = "AccessDenied: not authorized to perform s3:ListMultipartUploadParts";
        return gap.because(reason).missing("s3:ListMultipartUploadParts");
    }
    let own = buckets.iter().filter(|bucket| bucket.plot.account == account);
    let (listed, all) = own.fold((0, 0), |(listed, all), bucket| {
        let uploads = bucket.uploads.len();
        (listed + uploads.min(habit::parts_budget(&bucket.plot)), all + uploads)
    });
    let cut = Coverage::new("multipart_uploads", read, CoverageState::OverBudget).at(account, None);
    cut.because("the budget of ListParts requests ended first").counted(listed, Some(all))
}

fn bucket_gaps(bucket: &Bucket) -> Vec<Coverage> {
    let gap = |&(read, action): &(&str, &str), reason: &str| {
        let table = if read == "s3:ListMultipartUploads" { "multipart_uploads" } else { "buckets" };
        let plot = &bucket.plot;
        let gap = Coverage::new(table, read, CoverageState::Missing).at(plot.account, Some(plot.region));
        gap.of(plot.name.as_str()).because(reason).missing(action)
    };
    match bucket.hidden {
        Hidden::Nothing => Vec::new(),
        Hidden::Settings => {
            let denied = |read: &(&str, &str)| gap(read, "AccessDenied: explicit deny in a resource-based policy");
            BY_POLICY.iter().map(denied).collect()
        }
        Hidden::Lifecycle => {
            let mut slow = gap(&LIFECYCLE, "SlowDown: please reduce your request rate (after 5 attempts)");
            slow.missing_action = None;
            vec![slow]
        }
    }
}

fn metrics(calendar: Calendar, days: (Day, Day), buckets: &[&Bucket]) -> Vec<Coverage> {
    let read = "cloudwatch:GetMetricData";
    let mut seen = Vec::new();
    for account in ACCOUNTS {
        for (region, _) in REGIONS {
            let own: Vec<_> =
                buckets.iter().filter(|b| b.plot.account == account.id && b.plot.region == *region).collect();
            if own.is_empty() {
                continue;
            }
            let answered = own.iter().filter(|bucket| habit::metrics(&bucket.plot)).count();
            let state = if *region == TOKYO { CoverageState::Partial } else { CoverageState::Seen };
            let read = Coverage::new("storage", read, state).at(account.id, Some(region));
            let read = read.days(calendar.date(days.0), calendar.date(days.1)).counted(answered, Some(own.len()));
            seen.push(if state.is_gap() { read.because("Throttling: Rate exceeded (after 5 attempts)") } else { read });
        }
    }
    seen
}

fn lens(buckets: &[&Bucket], without: bool) -> Vec<Coverage> {
    let one = |account: &&str| {
        let own = || buckets.iter().filter(|bucket| bucket.plot.account == *account);
        let covered = if without { 0 } else { own().filter(|bucket| habit::lens(&bucket.plot)).count() };
        let state = if covered == own().count() { CoverageState::Seen } else { CoverageState::Missing };
        let read =
            Coverage::new("buckets", "lens:export", state).at(account, None).counted(covered, Some(own().count()));
        if state.is_gap() { read.because("no Storage Lens export covers this account") } else { read }
    };
    let accounts: std::collections::BTreeSet<&str> = buckets.iter().map(|bucket| bucket.plot.account).collect();
    accounts.iter().map(one).collect()
}

fn athena(calendar: Calendar, from: Day, today: Day) -> Vec<Coverage> {
    let (from, to) = (calendar.date(from), calendar.date(today));
    let one = |workgroup: &super::panel::Workgroup| {
        let at = |read: Coverage| read.at(workgroup.account, Some(workgroup.region)).of(workgroup.name);
        let history = Coverage::new("athena_queries", "athena:BatchGetQueryExecution", CoverageState::Seen);
        let settings = if workgroup.readable {
            Coverage::new("athena_workgroups", "athena:GetWorkGroup", CoverageState::Seen)
        } else {
            let gap = Coverage::new("athena_workgroups", "athena:GetWorkGroup", CoverageState::Missing);
            gap.because("AccessDeniedException: not authorized to perform athena:GetWorkGroup")
                .missing("athena:GetWorkGroup")
        };
        [at(history.days(from, to)), at(settings)]
    };
    WORKGROUPS.iter().flat_map(one).collect()
}
