//! What a scan would cost before it is made: requests, dollars and minutes, from the last receipt or as a range.
//!
//! Spends at most one listing of the buckets.

mod storage;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::collect::advice::Adviser;
use crate::aws::collect::cloudwatch::hours;
use crate::aws::collect::cost_explorer;
use crate::aws::collect::{Collector, Scope, cloudwatch, s3};
use crate::aws::connector::limits::default_pace;
use crate::aws::scan::{Order, ScanError, prepare};
use crate::aws::session::Session;
use crate::model::Money;
use crate::store::{Receipt, Store};
use storage::{buckets, count, metrics};

/// Pages that a Cost Explorer answer for a month may have in a large account, before any scan has seen one.
const PAGES_AN_ANSWER: u64 = 4;
/// Regions that an account may use, about; and workgroups that a Region may have (Athena service quotas).
const REGIONS: u64 = 40;
const WORKGROUPS: u64 = 1000;
/// Redshift clusters, or workgroups, that an account may have when nobody counted them.
const WAREHOUSES: u64 = 50;
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

/// From so many to so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Between<T> {
    /// At least.
    pub low: T,
    /// At most.
    pub high: T,
}

/// What one service would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Estimate {
    /// The collector's name, or `total`.
    pub service: &'static str,
    /// Requests.
    pub requests: Between<u64>,
    /// Their price.
    pub usd: Between<Money>,
    /// How long they take at the documented limits.
    pub seconds: Between<u64>,
    /// What the figures rest on.
    pub basis: String,
}

impl Estimate {
    /// Returns requests, dollars and minutes for people.
    pub fn human(&self) -> [String; 3] {
        let minutes = Between { low: self.seconds.low.div_ceil(60), high: self.seconds.high.div_ceil(60) };
        let dollars = Between { low: self.usd.low.human(), high: self.usd.high.human() };
        [shown(&self.requests), shown(&dollars), shown(&minutes)]
    }
}

fn shown<T: std::fmt::Display + PartialEq>(between: &Between<T>) -> String {
    if between.low == between.high { between.low.to_string() } else { format!("{} … {}", between.low, between.high) }
}

/// Requests of one operation, and priced units where they are not the requests.
struct Calls {
    operation: &'static str,
    requests: Between<u64>,
    units: Option<Between<u64>>,
}

/// Estimates what `order` would cost.
pub async fn estimate(session: &Session, store: &Store, order: &Order) -> Result<Vec<Estimate>, ScanError> {
    let (scope, base) = prepare(session, store, order).await?;
    let last = base.as_ref().map(|base| &base.manifest.receipt);
    let mut estimates = Vec::new();
    let listed = !order.collectors.contains(&Collector::Storage) || !cloudwatch::listed_before(&scope).is_empty();
    let known = last.is_some() && listed && order.options.regions.is_empty();
    let known = known && !of_many_buckets(&scope, last);
    let counted = if known { None } else { count(&scope).await };
    for &collector in &order.collectors {
        let (calls, basis) = calls(collector, &scope, last, counted);
        estimates.push(priced(session, collector.name(), &calls, basis));
    }
    Ok(estimates)
}

/// Returns the sum of all services.
pub fn total(estimates: &[Estimate]) -> Estimate {
    let zero = Between { low: Money::ZERO, high: Money::ZERO };
    let mut total = Estimate {
        service: "total",
        requests: Between::default(),
        usd: zero,
        seconds: Between::default(),
        basis: String::new(),
    };
    for estimate in estimates {
        total.requests = sum(total.requests, estimate.requests);
        total.seconds = sum(total.seconds, estimate.seconds);
        total.usd = Between { low: total.usd.low + estimate.usd.low, high: total.usd.high + estimate.usd.high };
    }
    total
}

fn sum(a: Between<u64>, b: Between<u64>) -> Between<u64> {
    Between { low: a.low + b.low, high: a.high + b.high }
}

fn exactly(n: u64) -> Between<u64> {
    Between { low: n, high: n }
}

fn calls(collector: Collector, scope: &Scope, last: Option<&Receipt>, counted: Option<u64>) -> (Vec<Calls>, String) {
    // What the others are asked for depends on the days since the last scan.
    let whole = scope.options.regions.is_empty();
    // Of many buckets only those are read again that somebody changed.
    let whole = whole && (collector != Collector::S3 || !of_many_buckets(scope, last));
    if let (Some(last), Collector::S3 | Collector::Glue | Collector::Network | Collector::Advice, true) =
        (last, collector, whole)
    {
        // The receipt does not say which collector asked CloudWatch or CloudTrail.
        let of_others = |operation: &str| operation.starts_with("cloudwatch:") || operation.starts_with("cloudtrail:");
        let own = collector.reads().iter().filter(|read| !of_others(read.operation));
        let calls: Vec<Calls> = own.filter_map(|read| from_receipt(read.operation, last)).collect();
        if !calls.is_empty() {
            return (once(calls), "the last scan".to_owned());
        }
    }
    match collector {
        Collector::Bill => bill(scope, last),
        Collector::Exports => exports(),
        // A page or two, and only where other accounts are read; it is not chosen, so it is not listed.
        Collector::Organization => (Vec::new(), String::new()),
        Collector::S3 => buckets(scope, counted),
        Collector::Storage => metrics(scope, counted),
        Collector::Athena => queries(scope),
        Collector::Network => network(),
        Collector::Trail => trail(),
        Collector::Advice => advice(scope),
        Collector::Emr => clusters(scope),
        Collector::EmrServerless => runs(scope),
        Collector::Redshift => warehouses(scope, "redshift:DescribeClusters", "redshift:DescribeUsageLimits", 3),
        Collector::RedshiftServerless => {
            warehouses(scope, "redshift-serverless:ListWorkgroups", "redshift-serverless:ListUsageLimits", 1)
        }
        Collector::Glue => pipelines(scope),
    }
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
fn bill(scope: &Scope, last: Option<&Receipt>) -> (Vec<Calls>, String) {
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
fn queries(scope: &Scope) -> (Vec<Calls>, String) {
    let pages = Between { low: 1, high: u64::from(scope.options.queries) / QUERIES_A_REQUEST };
    let calls = vec![
        Calls { operation: "athena:ListWorkGroups", requests: Between { low: 1, high: REGIONS }, units: None },
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
fn warehouses(scope: &Scope, list: &'static str, limits: &'static str, metrics: u64) -> (Vec<Calls>, String) {
    let listed = scope.earlier.iter().filter(|c| c.read == list && c.resource.is_none());
    let known: Vec<u64> = listed.filter_map(|c| u64::try_from(c.seen?).ok()).collect();
    let (count, basis) = match known.iter().sum::<u64>() {
        _ if known.is_empty() => (Between { low: 0, high: WAREHOUSES }, format!("up to {WAREHOUSES} in all Regions")),
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

fn priced(session: &Session, service: &'static str, calls: &[Calls], basis: String) -> Estimate {
    let mut estimate = Estimate { service, basis, ..total(&[]) };
    for call in calls {
        let price = session.connector.price(call.operation, session.region());
        let units = call.units.unwrap_or(call.requests);
        estimate.requests = sum(estimate.requests, call.requests);
        estimate.usd.low += price * Decimal::from(units.low);
        estimate.usd.high += price * Decimal::from(units.high);
    }
    estimate.seconds = seconds(calls);
    estimate
}

/// Returns how long the calls take: those that are asked of a bucket side by side take as long as the slowest of them.
fn seconds(calls: &[Calls]) -> Between<u64> {
    let (mut one_by_one, mut beside) = (Between::default(), Between::default());
    for call in calls {
        let pace = default_pace(call.operation);
        let took = Between { low: pace.seconds(call.requests.low), high: pace.seconds(call.requests.high) };
        if s3::each_bucket().any(|operation| operation == call.operation) {
            beside = Between { low: took.low.max(beside.low), high: took.high.max(beside.high) };
        } else {
            one_by_one = sum(one_by_one, took);
        }
    }
    sum(one_by_one, beside)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::aws::collect::{Allowance, Collector, Heard, Options};
    use crate::aws::connector::{Allowlist, Connector, Role};
    use crate::aws::stand_in::{answer, sdk, setup};
    use crate::model::{Coverage, CoverageState};

    fn scope(connector: &Connector, earlier: Vec<Coverage>) -> Scope {
        Scope {
            account_id: "1".into(),
            region: "eu-west-1".into(),
            as_of: "2026-11-24T10:00:00Z".parse().unwrap(),
            sdk: sdk(connector),
            cancel: CancellationToken::new(),
            options: Options::default(),
            left: Allowance::of(&Options::default()),
            heard: Heard::default(),
            earlier,
        }
    }

    fn reads(calls: &[Calls]) -> (Between<u64>, Option<Between<u64>>) {
        let call = calls.iter().find(|call| call.operation == "cloudwatch:GetMetricData").unwrap();
        (call.requests, call.units)
    }

    #[test]
    fn a_first_scan_asks_for_few_series_at_once_and_pays_for_each() {
        let scope = scope(&Connector::new(setup(Allowlist::default())), Vec::new());
        let (calls, _) = metrics(&scope, Some(300));
        let (requests, series) = reads(&calls);
        assert_eq!(series, Some(Between { low: 600, high: 1800 }));
        assert_eq!(requests.low, 36, "600 series, 17 a request");
        assert!(requests.high >= 106, "1800 series, 17 a request: {requests:?}");
    }

    #[test]
    fn a_later_scan_pays_for_the_series_that_were_listed_last_whatever_the_requests() {
        let day = |text: &str| text.parse().unwrap();
        let of = |read, region, seen| {
            let seen = Coverage::new("storage", read, CoverageState::Seen).counted(seen, None);
            seen.at("1", Some(region)).days(day("2025-08-26"), day("2026-11-22"))
        };
        let mut earlier = Vec::new();
        for (region, series) in [("eu-west-1", 700), ("us-east-1", 40)] {
            earlier.push(of("cloudwatch:ListMetrics", region, series));
            earlier.push(of("cloudwatch:GetMetricData", region, 1));
        }
        let scope = scope(&Connector::new(setup(Allowlist::default())), earlier);
        let (calls, basis) = metrics(&scope, None);
        assert_eq!(reads(&calls), (exactly(3), Some(exactly(740))), "{basis}");
    }

    #[test]
    fn ten_thousand_buckets_are_minutes_and_less_than_a_dollar() {
        let scope = scope(&Connector::new(setup(Allowlist::default())), Vec::new());
        let (calls, _) = buckets(&scope, Some(10_000));
        let requests: u64 = calls.iter().map(|call| call.requests.low).sum();
        assert_eq!(requests, 10 + 13 * 10_000 + 1);
        assert!(seconds(&calls).high < 5 * 60, "{:?}", seconds(&calls));
        let tariff = crate::aws::connector::Tariff::list(&crate::prices::PriceBook::embedded().unwrap()).unwrap();
        let of_s3 = calls.iter().filter(|call| call.operation.starts_with("s3:"));
        let usd = of_s3.map(|call| {
            let price = tariff.price(call.operation, "us-east-1").expect("no request to S3 is free").usd;
            price * Decimal::from(call.requests.high)
        });
        let usd: Money = usd.sum();
        assert!(usd < Money::new(Decimal::ONE) && usd.is_positive(), "{usd}");
    }

    #[tokio::test]
    async fn buckets_are_counted_page_by_page() {
        let mut setup =
            setup(Allowlist::default().and(Role::Reading, Collector::S3.reads().iter().map(|r| r.operation)));
        setup.faults = Some(Arc::new(|_, request| {
            assert!(request.uri().contains("max-buckets=1000"), "large accounts refuse a list without it");
            let more = !request.uri().contains("continuation-token");
            let next = if more { "<ContinuationToken>t</ContinuationToken>" } else { "" };
            let buckets = "<Buckets><Bucket><Name>lake</Name></Bucket></Buckets>";
            Some(answer(200, &format!("<ListAllMyBucketsResult>{buckets}{next}</ListAllMyBucketsResult>")))
        }));
        assert_eq!(count(&scope(&Connector::new(setup), Vec::new())).await, Some(2));
    }
}
