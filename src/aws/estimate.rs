//! What a scan would cost before it is made: requests, dollars and minutes, from the last receipt or as a range.
//!
//! Spends at most one listing of buckets.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::aws::collect::cost_explorer::{self, QUESTIONS_A_MONTH};
use crate::aws::collect::{Collector, Scope};
use crate::aws::connector::limits::default_pace;
use crate::aws::scan::{Order, ScanError, prepare};
use crate::aws::session::Session;
use crate::model::Money;
use crate::store::{Receipt, Store};

/// Pages that a Cost Explorer answer for a month may have: one for a small account, some for a large one.
const PAGES: (u64, u64) = (1, 4);
/// Storage types that a bucket may have metrics of, its object count included.
const SERIES: (u64, u64) = (2, 6);
/// Metrics that one GetMetricData request may ask for.
const METRICS_A_REQUEST: u64 = 500;
/// Queries that one BatchGetQueryExecution request may ask for.
const QUERIES_A_REQUEST: u64 = 50;

/// From so many to so many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Between<T> {
    /// At least.
    pub low: T,
    /// At most.
    pub high: T,
}

/// What one service would cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    let counted = if last.is_none() { count(&scope).await } else { None };
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
    if let (Some(last), false) = (last, collector == Collector::Bill) {
        let calls: Vec<Calls> =
            collector.reads().iter().filter_map(|read| from_receipt(read.operation, last)).collect();
        if !calls.is_empty() {
            return (once(calls), "the last scan".to_owned());
        }
    }
    match collector {
        Collector::Bill => bill(scope),
        Collector::S3 => buckets(scope, counted),
        Collector::Storage => metrics(counted),
        Collector::Athena => queries(scope),
    }
}

fn from_receipt(operation: &'static str, last: &Receipt) -> Option<Calls> {
    let requests = exactly(*last.requests.get(operation)?);
    // A receipt counts requests, and a metric request asks for up to 500 metrics.
    let units = (operation == "cloudwatch:GetMetricData")
        .then(|| Between { low: requests.low, high: requests.high * METRICS_A_REQUEST });
    Some(Calls { operation, requests, units })
}

/// Several reads may share an operation: it is counted once.
fn once(calls: Vec<Calls>) -> Vec<Calls> {
    let by_operation: BTreeMap<&str, Calls> = calls.into_iter().map(|call| (call.operation, call)).collect();
    by_operation.into_values().collect()
}

fn bill(scope: &Scope) -> (Vec<Calls>, String) {
    let months = cost_explorer::months_to_read(scope) as u64;
    let questions = months * QUESTIONS_A_MONTH;
    let requests = Between { low: questions * PAGES.0, high: questions * PAGES.1 };
    let basis = format!("{months} months, {} to {} pages an answer", PAGES.0, PAGES.1);
    (vec![Calls { operation: "ce:GetCostAndUsage", requests, units: None }], basis)
}

fn buckets(scope: &Scope, counted: Option<u64>) -> (Vec<Calls>, String) {
    let Some(count) = counted else {
        return (Vec::new(), "unknown: the buckets were not counted".to_owned());
    };
    let each = |operation| Calls { operation, requests: exactly(count), units: None };
    let parts = Between { low: 0, high: u64::from(scope.options.list_parts) };
    let calls = vec![
        Calls { operation: "s3:ListBuckets", requests: exactly(1), units: None },
        each("s3:GetBucketLifecycleConfiguration"),
        each("s3:GetBucketVersioning"),
        each("s3:GetBucketTagging"),
        each("s3:ListMultipartUploads"),
        Calls { operation: "s3:ListParts", requests: parts, units: None },
    ];
    (calls, format!("{count} buckets"))
}

fn metrics(counted: Option<u64>) -> (Vec<Calls>, String) {
    let Some(count) = counted else {
        return (Vec::new(), "unknown: the buckets were not counted".to_owned());
    };
    let series = Between { low: count * SERIES.0, high: count * SERIES.1 };
    let requests =
        Between { low: series.low.div_ceil(METRICS_A_REQUEST), high: series.high.div_ceil(METRICS_A_REQUEST) * 2 };
    let calls = vec![
        Calls { operation: "cloudwatch:ListMetrics", requests, units: None },
        Calls { operation: "cloudwatch:GetMetricData", requests, units: Some(series) },
    ];
    (calls, format!("{count} buckets with {} to {} series", SERIES.0, SERIES.1))
}

/// Counts the buckets: one request, half a thousandth of a cent.
async fn count(scope: &Scope) -> Option<u64> {
    let listed = scope.s3().list_buckets().send().await.ok()?;
    u64::try_from(listed.buckets().len()).ok()
}

/// Athena's own calls are free; nobody knows how long a history is before it is read.
fn queries(scope: &Scope) -> (Vec<Calls>, String) {
    let pages = Between { low: 1, high: u64::from(scope.options.queries) / QUERIES_A_REQUEST };
    let calls = vec![
        Calls { operation: "athena:ListQueryExecutions", requests: pages, units: None },
        Calls { operation: "athena:BatchGetQueryExecution", requests: pages, units: None },
    ];
    (calls, format!("up to {} queries; free", scope.options.queries))
}

fn priced(session: &Session, service: &'static str, calls: &[Calls], basis: String) -> Estimate {
    let mut estimate = Estimate { service, basis, ..total(&[]) };
    for call in calls {
        let price = session.connector.price(call.operation, session.region());
        let units = call.units.unwrap_or(call.requests);
        estimate.requests = sum(estimate.requests, call.requests);
        let pace = u64::from(default_pace(call.operation).per_second);
        let seconds = Between { low: call.requests.low.div_ceil(pace), high: call.requests.high.div_ceil(pace) };
        estimate.seconds = sum(estimate.seconds, seconds);
        estimate.usd.low += price * Decimal::from(units.low);
        estimate.usd.high += price * Decimal::from(units.high);
    }
    estimate
}
