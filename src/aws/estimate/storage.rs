//! What reading buckets and their metrics would cost. Spends at most one listing of the buckets.

use std::collections::BTreeMap;

use super::services::{REGIONS, Share};
use super::{Between, Calls, exactly, sum};
use crate::aws::collect::ask::ask;
use crate::aws::collect::cloudtrail::changed;
use crate::aws::collect::s3::listing::PAGE;
use crate::aws::collect::{Scope, cloudwatch, s3};

/// Storage Lens configurations that a home Region may have (S3 user guide).
const LENSES: u64 = 50;
/// Storage types that a bucket may have metrics of, its object count included.
const SERIES: (u64, u64) = (2, 6);
/// Metrics on a page of ListMetrics (CloudWatch API reference).
const METRICS_A_PAGE: u64 = 500;
/// Uploads on a page of ListMultipartUploads (S3 API reference), and most pages of one bucket.
const UPLOADS_A_PAGE: u64 = 1000;
const UPLOAD_PAGES: u64 = 10;
/// Lists of metrics in a Region: sizes and object counts.
const LISTS: u64 = 2;

/// Returns the calls of buckets and of Storage Lens.
pub(super) fn buckets(scope: &Scope, counted: Option<u64>, share: Share) -> (Vec<Calls>, String) {
    let Some(count) = counted else {
        return (Vec::new(), "unknown: the buckets were not counted".to_owned());
    };
    // Uploads are counted anew each time; settings of many buckets only where somebody changed them.
    let again = |operation: &str| s3::is_setting(operation) && s3::may_be_unchanged(scope, count);
    let each = |operation| Calls {
        operation,
        requests: if again(operation) { Between { low: 0, high: count } } else { exactly(count) },
        units: None,
    };
    let shared = |budget: u32| u64::from(budget).div_ceil(share.places.max(1));
    let parts = Between { low: 0, high: shared(scope.options.list_parts) };
    let mut calls =
        vec![Calls { operation: "s3:ListBuckets", requests: exactly(count.div_ceil(PAGE.into()).max(1)), units: None }];
    calls.extend(s3::each_bucket().map(each));
    if s3::may_be_unchanged(scope, count) {
        let events = Between { low: 0, high: REGIONS * changed::NAMES.len() as u64 };
        calls.push(Calls { operation: changed::CHANGES.operation, requests: events, units: None });
    }
    let pages = shared(scope.options.uploads) / UPLOADS_A_PAGE;
    for call in calls.iter_mut().filter(|call| call.operation == "s3:ListMultipartUploads") {
        call.requests.high += pages.min(count * (UPLOAD_PAGES - 1));
    }
    calls.push(Calls { operation: "s3:ListParts", requests: parts, units: None });
    let lens = |operation, low, high| Calls { operation, requests: Between { low, high }, units: None };
    calls.push(lens("s3control:ListStorageLensConfigurations", 1, REGIONS));
    calls.push(lens("s3control:GetStorageLensConfiguration", 0, LENSES));
    (calls, format!("{count} buckets"))
}

/// Returns the calls of storage metrics. GetMetricData is priced by series, however many requests ask for them.
pub(super) fn metrics(scope: &Scope, counted: Option<u64>) -> (Vec<Calls>, String) {
    let mut before = cloudwatch::listed_before(scope);
    before.retain(|region, _| is_asked(scope, Some(region)));
    if !before.is_empty() {
        return (metrics_again(scope, &before), "the series of the last scan".to_owned());
    }
    let Some(count) = counted else {
        return (Vec::new(), "unknown: the buckets were not counted".to_owned());
    };
    let series = Between { low: count * SERIES.0, high: count * SERIES.1 };
    let each = cloudwatch::series_a_request(scope);
    let lists = Between { low: LISTS, high: LISTS + series.high / METRICS_A_PAGE };
    let reads = Between { low: series.low.div_ceil(each), high: series.high.div_ceil(each) };
    let calls = vec![
        Calls { operation: "cloudwatch:ListMetrics", requests: lists, units: None },
        Calls { operation: "cloudwatch:GetMetricData", requests: reads, units: Some(series) },
    ];
    (calls, format!("{count} buckets with {} to {} series", SERIES.0, SERIES.1))
}

/// Returns the requests for as many series as the last scan listed in each Region.
fn metrics_again(scope: &Scope, before: &BTreeMap<String, u64>) -> Vec<Calls> {
    let (mut lists, mut reads, mut series) = (Between::default(), 0, 0);
    for (region, &listed) in before {
        lists = sum(lists, Between { low: LISTS, high: LISTS + listed / METRICS_A_PAGE });
        reads += listed.div_ceil(cloudwatch::series_a_request(&scope.in_region(region)));
        series += listed;
    }
    vec![
        Calls { operation: "cloudwatch:ListMetrics", requests: lists, units: None },
        Calls { operation: "cloudwatch:GetMetricData", requests: exactly(reads), units: Some(exactly(series)) },
    ]
}

/// The buckets of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    /// All that a scan would read.
    pub total: u64,
    /// Those whose Region the list names.
    pub regions: BTreeMap<String, u64>,
}

impl Counted {
    /// Returns true where some bucket's Region is not known yet.
    pub fn is_unplaced(&self) -> bool {
        self.regions.values().sum::<u64>() < self.total
    }
}

/// Counts the buckets, page by page, as long as `pages` are left: half a thousandth of a cent for a thousand. Large accounts
/// refuse a list without pages.
pub(super) async fn count(scope: &Scope, pages: &mut u64) -> Option<Counted> {
    let (client, mut counted, mut token) = (scope.s3(), Counted::default(), None);
    loop {
        *pages = pages.checked_sub(1)?;
        let page = client.list_buckets().max_buckets(PAGE.into()).set_continuation_token(token.take()).send();
        let page = ask(scope, page).await.ok()?;
        for bucket in page.buckets().iter().filter(|bucket| is_asked(scope, bucket.bucket_region())) {
            counted.total += 1;
            if let Some(region) = bucket.bucket_region() {
                *counted.regions.entry(region.to_owned()).or_default() += 1;
            }
        }
        match page.continuation_token() {
            Some(next) if !next.is_empty() => token = Some(next.to_owned()),
            _ => return Some(counted),
        }
    }
}

/// Returns false for Regions that `--region` leaves out.
fn is_asked(scope: &Scope, region: Option<&str>) -> bool {
    let given = &scope.options.regions;
    given.is_empty() || region.is_none_or(|region| given.iter().any(|asked| asked == region))
}
