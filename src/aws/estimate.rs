//! What a scan would cost before it is made: requests, dollars and minutes, by account, Region and service, from the last
//! receipt or as a range.
//!
//! Asks which accounts there are, and for a listing of the buckets of few of them; nothing else.

mod services;
mod storage;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::aws::collect::{Collector, Reach, Scope, s3};
use crate::aws::connector::limits::default_pace;
use crate::aws::rank::Run;
use crate::aws::scan::accounts::Closed;
use crate::aws::scan::{Order, ScanError, prepare};
use crate::aws::session::Session;
use crate::model::Money;
use crate::store::{Receipt, Store};
use services::{Share, again, calls};
use visit::Visit;

/// Runs of one collector that a scan makes side by side: those over buckets, the fewest.
const SIDE_BY_SIDE: u64 = 16;

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
    /// True where accounts, Regions or buckets are not known yet: it is at least this much, and may be more.
    pub at_least: bool,
    /// What the figures rest on.
    pub basis: String,
}

/// What one service would cost in an account, and in a Region of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Part {
    /// The account; `null` for all of them, where the last scan did not tell them apart.
    pub account_id: Option<String>,
    /// The Region; `null` for what has one endpoint for the whole account, or where the last scan did not tell.
    pub region: Option<String>,
    /// What it would cost there.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// The roles of other accounts, as far as they were tried.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// Accounts that a scan would enter with a role.
    pub wanted: usize,
    /// Those whose role was assumed, in order of their ids.
    pub open: Vec<Scope>,
    /// Those that could not be entered.
    pub closed: Vec<(String, Closed)>,
}

/// What a scan would cost.
#[derive(Clone, Debug, Default)]
pub struct Estimates {
    /// By service.
    pub services: Vec<Estimate>,
    /// By account, Region and service.
    pub parts: Vec<Part>,
    /// Accounts that would be read.
    pub accounts: BTreeSet<String>,
    /// Regions that would be visited.
    pub regions: BTreeSet<String>,
    /// What is not known yet, in sentences.
    pub unknown: Vec<String>,
    /// The roles of other accounts.
    pub roles: Roles,
}

impl Estimate {
    fn nothing(service: &'static str) -> Self {
        let usd = Between { low: Money::ZERO, high: Money::ZERO };
        let (requests, seconds) = (Between::default(), Between::default());
        Estimate { service, requests, usd, seconds, at_least: false, basis: String::new() }
    }

    /// Returns requests, dollars and minutes for people.
    pub fn human(&self) -> [String; 3] {
        let minutes = Between { low: self.seconds.low.div_ceil(60), high: self.seconds.high.div_ceil(60) };
        let dollars = Between { low: self.usd.low.human(), high: self.usd.high.human() };
        [shown(&self.requests, self.at_least), shown(&dollars, self.at_least), shown(&minutes, self.at_least)]
    }

    /// Adds what is asked elsewhere, or of another service, after it.
    fn and(&mut self, other: &Estimate) {
        self.requests = sum(self.requests, other.requests);
        self.seconds = sum(self.seconds, other.seconds);
        self.usd = Between { low: self.usd.low + other.usd.low, high: self.usd.high + other.usd.high };
        self.at_least |= other.at_least;
    }
}

fn shown<T: std::fmt::Display + PartialEq>(between: &Between<T>, at_least: bool) -> String {
    match between {
        Between { low, .. } if at_least => format!("at least {low}"),
        Between { low, high } if low == high => low.to_string(),
        Between { low, high } => format!("{low} … {high}"),
    }
}

/// Requests of one operation, and priced units where they are not the requests.
struct Calls {
    operation: &'static str,
    requests: Between<u64>,
    units: Option<Between<u64>>,
}

/// Estimates what `order` would cost, in every account and Region that it would visit.
pub async fn estimate(session: &Session, store: &Store, order: &Order) -> Result<Estimates, ScanError> {
    let (scope, base) = prepare(session, store, order).await?;
    let mut visit = visit::foresee(&scope, base.as_ref(), order, &session.identity.partition).await;
    let last = base.as_ref().map(|base| &base.manifest.receipt);
    let mut estimates = Estimates {
        accounts: visit.accounts(),
        regions: visit.regions(),
        unknown: std::mem::take(&mut visit.unknown),
        roles: std::mem::take(&mut visit.roles),
        ..Estimates::default()
    };
    estimates.parts = parts(session, &visit, last);
    for &collector in &order.collectors {
        let own: Vec<&Part> = estimates.parts.iter().filter(|part| part.estimate.service == collector.name()).collect();
        estimates.services.push(of_service(collector, &own));
    }
    Ok(estimates)
}

/// Returns what each collector costs in each place.
fn parts(session: &Session, visit: &Visit, last: Option<&Receipt>) -> Vec<Part> {
    let mut by_collector: BTreeMap<Collector, Vec<&Run>> = BTreeMap::new();
    for run in &visit.runs {
        by_collector.entry(run.collector).or_default().push(run);
    }
    let (mut parts, mut rest) = (Vec::new(), Vec::new());
    for (collector, runs) in &by_collector {
        match last.filter(|_| visit.as_before).and_then(|last| again(*collector, &visit.scope, last)) {
            Some(calls) => parts.push(as_before(session, *collector, &calls, runs)),
            None => rest.extend(runs.iter().copied()),
        }
    }
    let mut of_account: BTreeMap<(Collector, &str), u64> = BTreeMap::new();
    for run in &rest {
        *of_account.entry((run.collector, &run.account_id)).or_default() += 1;
    }
    // A scope is made once for each place, whatever is asked there.
    let place = |run: &Run| (run.account_id.clone(), run.region.clone(), run.collector.reach() == Reach::Bill);
    rest.sort_by_key(|run| place(run));
    for there in rest.chunk_by(|a, b| place(a) == place(b)) {
        let scope = visit.scope_of(there[0]);
        for run in there {
            let places = by_collector[&run.collector].len() as u64;
            let share = Share { places, regions: of_account[&(run.collector, run.account_id.as_str())] };
            let (calls, basis) = calls(run.collector, &scope, last, visit.counted(run), share);
            let mut estimate = priced(session, run.collector.name(), &calls, basis);
            estimate.at_least = visit.is_open(run, &scope);
            parts.push(Part { account_id: Some(run.account_id.clone()), region: run.region.clone(), estimate });
        }
    }
    parts
}

/// Returns what the last scan's receipt says of a collector, which does not tell accounts and Regions apart.
fn as_before(session: &Session, collector: Collector, calls: &[Calls], runs: &[&Run]) -> Part {
    let (mut accounts, mut regions) = (runs.iter().map(|run| &run.account_id), runs.iter().map(|run| &run.region));
    let account_id = accounts.next().filter(|first| accounts.all(|account| account == *first)).cloned();
    let region = regions.next().filter(|first| regions.all(|region| region == *first)).cloned().flatten();
    let estimate = priced(session, collector.name(), calls, "the last scan".to_owned());
    Part { account_id, region, estimate }
}

/// Returns the sum of the places of a service: they are asked side by side.
fn of_service(collector: Collector, parts: &[&Part]) -> Estimate {
    let mut all = Estimate::nothing(collector.name());
    for part in parts {
        all.and(&part.estimate);
    }
    let longest = |of: fn(&Between<u64>) -> u64| parts.iter().map(|part| of(&part.estimate.seconds)).max();
    all.seconds = Between {
        low: (all.seconds.low / SIDE_BY_SIDE).max(longest(|seconds| seconds.low).unwrap_or_default()),
        high: (all.seconds.high.div_ceil(SIDE_BY_SIDE)).max(longest(|seconds| seconds.high).unwrap_or_default()),
    };
    all.basis = match parts {
        [] => "nothing to visit".to_owned(),
        [one] => one.estimate.basis.clone(),
        [first, ..] if collector.reach() == Reach::Regional => {
            format!("{} accounts and Regions; {} there", parts.len(), first.estimate.basis)
        }
        [first, ..] => format!("{} accounts; {} in the first", parts.len(), first.estimate.basis),
    };
    all
}

/// Returns the sum of all services.
pub fn total(estimates: &[Estimate]) -> Estimate {
    let mut total = Estimate::nothing("total");
    for estimate in estimates {
        total.and(estimate);
    }
    total
}

fn sum(a: Between<u64>, b: Between<u64>) -> Between<u64> {
    Between { low: a.low + b.low, high: a.high + b.high }
}

fn exactly(n: u64) -> Between<u64> {
    Between { low: n, high: n }
}

fn priced(session: &Session, service: &'static str, calls: &[Calls], basis: String) -> Estimate {
    let mut estimate = Estimate { basis, ..Estimate::nothing(service) };
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

    use super::storage::{buckets, count, metrics};
    use super::*;
    use crate::aws::collect::{Allowance, Heard, Options};
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
        let (calls, _) = buckets(&scope, Some(10_000), Share { places: 1, regions: 1 });
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
        let counted = count(&scope(&Connector::new(setup), Vec::new()), &mut 200).await;
        assert_eq!(counted.map(|counted| counted.total), Some(2));
    }
}
