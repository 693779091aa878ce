//! What each service is asked for in an account, and in a Region of it. Asks AWS nothing.

use std::collections::BTreeMap;

use super::storage::{buckets, metrics};
use super::{Between, Calls, exactly};
use crate::aws::collect::advice::Adviser;
use crate::aws::collect::cloudwatch::hours;
use crate::aws::collect::{Collector, Scope, cost_explorer, s3};
use crate::store::Receipt;

/// Pages that a Cost Explorer answer for a month may have in a large account, before any scan has seen one.
const PAGES_AN_ANSWER: u64 = 4;
/// Regions that an account may use, about; and workgroups that a Region may have (Athena service quotas).
pub(super) const REGIONS: u64 = 40;
const WORKGROUPS: u64 = 1000;
/// Redshift clusters, or workgroups, that an account may have when nobody counted them.
const WAREHOUSES: u64 = 50;
/// Workgroups on a page (Athena API reference).
const WORKGROUPS_A_PAGE: u64 = 50;
/// Queries that one BatchGetQueryExecution request may ask for.
const QUERIES_A_REQUEST: u64 = 50;

/// Exports that an account may have, and requests for the files of two months of one.
const EXPORTS: u64 = 5;
const EXPORT_FILES: u64 = 400;

/// NAT gateways that a Region may have, and metrics of each.
const NAT_GATEWAYS: u64 = 10;
const NAT_METRICS: u64 = 5;
/// Names of events that are looked up in each Region.
const TRAIL_NAMES: u64 = 3;
/// What the network of a Region is asked for at least.
const NETWORK_LISTS: [&str; 7] = [
    "ec2:DescribeVpcs",
    "ec2:DescribeSubnets",
    "ec2:DescribeRouteTables",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeManagedPrefixLists",
    "ec2:DescribeNatGateways",
    "network-firewall:ListFirewalls",
];
/// What Cost Optimization Hub is asked.
const ADVICE: [&str; 2] = ["cost-optimization-hub:ListEnrollmentStatuses", "cost-optimization-hub:ListRecommendations"];
/// Job runs, tables and crawls on a page (Glue API reference).
const RUNS_A_PAGE: u64 = 200;
const TABLES_A_PAGE: u64 = 100;
const CRAWLS_A_PAGE: u64 = 100;

/// Among how many a budget of the whole scan is shared, and an account's things among its Regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Share {
    /// Accounts and Regions in which the collector runs.
    pub places: u64,
    /// Regions of the account.
    pub regions: u64,
}

/// Returns what a collector asks for in the scope's account and Region, and what that rests on.
pub(super) fn calls(
    collector: Collector,
    scope: &Scope,
    bill: Option<&Receipt>,
    counted: Option<u64>,
    share: Share,
) -> (Vec<Calls>, String) {
    match collector {
        Collector::Bill => of_bill(scope, bill),
        Collector::Exports => exports(),
        // A page or two, and only where other accounts are read; it is not chosen, so it is not listed.
        Collector::Organization => (Vec::new(), String::new()),
        Collector::S3 => buckets(scope, counted, share),
        Collector::Storage => metrics(scope, counted),
        Collector::Athena => queries(scope, share),
        Collector::Network => network(),
        Collector::Trail => trail(),
        Collector::Advice => advice(scope),
        Collector::Emr => clusters(scope),
        Collector::EmrServerless => runs(scope),
        Collector::Redshift => warehouses(scope, "redshift:DescribeClusters", "redshift:DescribeUsageLimits", 3, share),
        Collector::RedshiftServerless => {
            warehouses(scope, "redshift-serverless:ListWorkgroups", "redshift-serverless:ListUsageLimits", 1, share)
        }
        Collector::Glue => pipelines(scope),
    }
}

/// Returns what the last scan asked for, where the next one asks for the same; `None` where it depends on the days between.
pub(super) fn again(collector: Collector, scope: &Scope, last: &Receipt) -> Option<Vec<Calls>> {
    // Of many buckets only those are read again that somebody changed.
    let same = match collector {
        Collector::S3 => !of_many_buckets(scope, Some(last)),
        Collector::Glue | Collector::Network | Collector::Advice => true,
        _ => false,
    };
    // The receipt does not say which collector asked CloudWatch or CloudTrail.
    let of_others = |operation: &str| operation.starts_with("cloudwatch:") || operation.starts_with("cloudtrail:");
    let own = collector.reads().iter().filter(|read| !of_others(read.operation));
    let calls: Vec<Calls> = own.filter_map(|read| from_receipt(read.operation, last)).collect();
    (same && !calls.is_empty()).then(|| once(calls))
}

/// Returns true where settings may be known from the last scan, which listed the uploads of every bucket.
fn of_many_buckets(scope: &Scope, last: Option<&Receipt>) -> bool {
    let listed = last.and_then(|last| last.requests.get("s3:ListMultipartUploads"));
    listed.is_some_and(|buckets| s3::may_be_unchanged(scope, *buckets))
}

fn from_receipt(operation: &'static str, last: &Receipt) -> Option<Calls> {
    Some(Calls { operation, requests: exactly(*last.requests.get(operation)?), units: None })
}

/// Several reads may share an operation: it is counted once.
fn once(calls: Vec<Calls>) -> Vec<Calls> {
    let by_operation: BTreeMap<&str, Calls> = calls.into_iter().map(|call| (call.operation, call)).collect();
    by_operation.into_values().collect()
}

/// A month without usage is asked one question; where net cost is hidden, one request is refused first.
fn of_bill(scope: &Scope, last: Option<&Receipt>) -> (Vec<Calls>, String) {
    let (months, questions) = cost_explorer::questions_to_ask(scope);
    let known = last.and_then(|last| cost_explorer::pages_to_read(scope, last.bill?));
    let (requests, basis) = if let Some((low, high)) = known {
        (Between { low, high: high + 1 }, format!("{months} months, paged as in the last scan"))
    } else {
        let most = questions * PAGES_AN_ANSWER + 1;
        (Between { low: months, high: most }, format!("{months} months, up to {PAGES_AN_ANSWER} pages an answer"))
    };
    let views = Calls { operation: "billing:ListBillingViews", requests: exactly(1), units: None };
    (vec![views, Calls { operation: "ce:GetCostAndUsage", requests, units: None }], basis)
}

/// Data Exports' own calls are free. How many files an export has is known once its manifests are read; they cost what
/// S3 charges for reading them.
fn exports() -> (Vec<Calls>, String) {
    let list = Calls { operation: "bcm-data-exports:ListExports", requests: exactly(1), units: None };
    let each = Between { low: 0, high: EXPORTS };
    let each = Calls { operation: "bcm-data-exports:GetExport", requests: each, units: None };
    let files = Between { low: 0, high: EXPORTS * EXPORT_FILES };
    let read = Calls { operation: "s3:GetObject", requests: files, units: None };
    (vec![list, each, read], format!("up to {EXPORTS} exports of {EXPORT_FILES} files"))
}

/// Athena's own calls are free; nobody knows how long a history is before it is read.
fn queries(scope: &Scope, share: Share) -> (Vec<Calls>, String) {
    let most = u64::from(scope.options.queries).div_ceil(share.places.max(1));
    let pages = Between { low: 1, high: most.div_ceil(QUERIES_A_REQUEST) };
    let lists = Between { low: 1, high: WORKGROUPS / WORKGROUPS_A_PAGE };
    let calls = vec![
        Calls { operation: "athena:ListWorkGroups", requests: lists, units: None },
        Calls { operation: "athena:GetWorkGroup", requests: Between { low: 1, high: WORKGROUPS }, units: None },
        Calls { operation: "athena:ListQueryExecutions", requests: pages, units: None },
        Calls { operation: "athena:BatchGetQueryExecution", requests: Between { low: 0, ..pages }, units: None },
    ];
    (calls, format!("up to {} queries; free", scope.options.queries))
}

/// Glue's own calls are free too; how many jobs and tables there are is known once they are read.
fn pipelines(scope: &Scope) -> (Vec<Calls>, String) {
    let limits = scope.options.glue;
    let up_to =
        |operation, most: u64| Calls { operation, requests: Between { low: 1, high: most.max(1) }, units: None };
    let calls = vec![
        up_to("glue:GetJobRuns", u64::from(limits.runs) / RUNS_A_PAGE),
        up_to("glue:GetTables", u64::from(limits.tables) / TABLES_A_PAGE),
        up_to("glue:ListCrawls", u64::from(limits.crawls) / CRAWLS_A_PAGE),
        up_to("glue:GetColumnStatisticsForTable", u64::from(limits.statistics)),
    ];
    let basis = format!("up to {} job runs and {} tables in a Region; free", limits.runs, limits.tables);
    (calls, basis)
}

/// Free but for the metrics of NAT gateways; a page a list in most Regions.
fn network() -> (Vec<Calls>, String) {
    let lists = exactly(1);
    let traffic = Between { low: 0, high: 1 };
    let metrics = Between { low: 0, high: NAT_GATEWAYS * NAT_METRICS };
    let mut calls = vec![Calls { operation: "cloudwatch:GetMetricData", requests: traffic, units: Some(metrics) }];
    calls.extend(NETWORK_LISTS.map(|operation| Calls { operation, requests: lists, units: None }));
    (calls, format!("by Region, one page a list and up to {NAT_GATEWAYS} NAT gateways"))
}

/// Free, but slow where there are many changes.
fn trail() -> (Vec<Calls>, String) {
    let requests = Between { low: TRAIL_NAMES, high: TRAIL_NAMES * 2 };
    (vec![Calls { operation: "cloudtrail:LookupEvents", requests, units: None }], "by Region; free".to_owned())
}

/// One request an adviser, as few have a second page.
fn advice(scope: &Scope) -> (Vec<Calls>, String) {
    let calls = |adviser: &Adviser| -> Vec<Calls> {
        let one = |operation| Calls { operation, requests: exactly(1), units: None };
        match adviser {
            Adviser::Hub => ADVICE.map(one).into(),
            Adviser::Anomalies => vec![one("ce:GetAnomalies")],
            Adviser::Budgets => vec![one("budgets:DescribeBudgets")],
            Adviser::Forecast => vec![one("ce:GetCostForecast")],
        }
    };
    let asked = &scope.options.advisers;
    (asked.iter().flat_map(calls).collect(), format!("{} advisers, one page each", asked.len()))
}

/// EMR's own calls are free; each living cluster has one metric. An ended cluster is described once.
fn clusters(scope: &Scope) -> (Vec<Calls>, String) {
    let most = u64::from(scope.options.emr_clusters);
    let of = |operation| Calls { operation, requests: Between { low: 0, high: most }, units: None };
    let list = Calls { operation: "emr:ListClusters", requests: Between { low: 2, high: 2 + most / 50 }, units: None };
    let metrics = Calls {
        operation: "cloudwatch:GetMetricData",
        requests: Between { low: 0, high: most.div_ceil(hours::SERIES_A_REQUEST) },
        units: Some(Between { low: 0, high: most }),
    };
    let calls = vec![list, of("emr:DescribeCluster"), of("emr:ListInstanceGroups"), metrics];
    (calls, format!("up to {most} clusters in each Region"))
}

/// All of it is free.
fn runs(scope: &Scope) -> (Vec<Calls>, String) {
    let most = u64::from(scope.options.emr_serverless_runs);
    let calls = vec![
        Calls { operation: "emr-serverless:ListApplications", requests: exactly(1), units: None },
        Calls { operation: "emr-serverless:GetJobRun", requests: Between { low: 0, high: most }, units: None },
    ];
    (calls, format!("up to {most} job runs in each Region; free"))
}

/// Two lists in each Region, and so many metrics of each thing on the first one.
fn warehouses(
    scope: &Scope,
    list: &'static str,
    limits: &'static str,
    metrics: u64,
    share: Share,
) -> (Vec<Calls>, String) {
    let listed = scope.earlier.iter().filter(|c| c.read == list && c.resource.is_none());
    let known: Vec<u64> = listed.filter_map(|c| u64::try_from(c.seen?).ok()).collect();
    let (count, basis) = match known.iter().sum::<u64>() {
        _ if known.is_empty() => (
            Between { low: 0, high: WAREHOUSES.div_ceil(share.regions.max(1)) },
            format!("up to {WAREHOUSES} in an account"),
        ),
        count => (exactly(count), format!("the {count} of the last scan")),
    };
    let units = Between { low: count.low * metrics, high: count.high * metrics };
    let requests = Between { low: count.low.min(1), high: units.high.div_ceil(hours::SERIES_A_REQUEST) };
    let calls = vec![
        Calls { operation: list, requests: exactly(1.max(known.len() as u64)), units: None },
        Calls { operation: limits, requests: exactly(1.max(known.len() as u64)), units: None },
        Calls { operation: "cloudwatch:GetMetricData", requests, units: Some(units) },
    ];
    (calls, basis)
}
