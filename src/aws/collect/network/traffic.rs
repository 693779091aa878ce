//! The traffic of NAT gateways by day, from CloudWatch. A few metrics a gateway, each a hundredth of a thousandth dollar.
//!
//! A day without a point makes no row: it is not zero.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::MetricDataResult;
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

use super::gateways::is_alive;
use super::gather::Network;
use super::reads::{GATEWAYS, TRAFFIC};
use crate::aws::collect::cloudwatch::data::{Pages, Question, place, queries, trouble};
use crate::aws::collect::cloudwatch::plan::Window;
use crate::aws::collect::outcome::{End, Outcome, coverage};
use crate::aws::collect::{Failed, Scope, Sink, instant};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::network::NAT_TRAFFIC;

/// Days that the first scan asks for: a month says what a month costs.
const DAYS: u64 = 30;
/// One point a day.
const PERIOD: i32 = 86_400;

/// Metric, statistic and column. Bytes are added up; connections are counted at their most.
const METRICS: [(&str, &str, &str); 5] = [
    ("BytesInFromSource", "Sum", "bytes"),
    ("BytesOutToDestination", "Sum", "bytes"),
    ("BytesInFromDestination", "Sum", "bytes"),
    ("BytesOutToSource", "Sum", "bytes"),
    ("ActiveConnectionCount", "Maximum", "connections"),
];

/// One metric of one gateway.
struct Series<'a> {
    gateway: &'a str,
    metric: &'static str,
    statistic: &'static str,
    column: &'static str,
}

impl Series<'_> {
    fn question(&self) -> Question {
        Question {
            namespace: "AWS/NATGateway",
            metric: self.metric,
            dimensions: vec![("NatGatewayId".to_owned(), self.gateway.to_owned())],
            statistic: self.statistic,
            period: PERIOD,
        }
    }

    /// Returns a row for each point. Two lists of different length are cut to the shorter.
    fn rows(&self, scope: &Scope, result: &MetricDataResult) -> Vec<Row> {
        let named = scope.row().with("nat_gateway_id", self.gateway).with("metric", self.metric);
        let row = |(at, value): (&aws_smithy_types::DateTime, &f64)| {
            let whole = Decimal::from_f64(*value)?.round().to_i64().filter(|whole| *whole >= 0)?;
            Some(named.clone().with("day", instant::day(at)?).with(self.column, whole))
        };
        result.timestamps().iter().zip(result.values()).filter_map(row).collect()
    }
}

/// Reads the traffic of the gateways that were listed.
pub async fn collect(scope: &Scope, sink: &Sink, network: &Network) {
    let mut window = Window::over(scope, NAT_TRAFFIC.name, TRAFFIC.operation, DAYS);
    // A sum over the day that is running would be too small.
    window.last = window.last.pred_opt().unwrap_or(window.last);
    let mut gateways: Vec<&str> =
        network.gateways.found.iter().filter(|gateway| is_alive(gateway)).filter_map(|g| g.nat_gateway_id()).collect();
    gateways.sort_unstable();
    let of_gateway = |gateway| METRICS.map(|(metric, statistic, column)| Series { gateway, metric, statistic, column });
    let series: Vec<Series<'_>> = gateways.iter().flat_map(|gateway| of_gateway(*gateway)).collect();
    let mut failed = BTreeMap::new();
    for chunk in series.chunks(window.series_per_call()) {
        failed.extend(read(scope, sink, window, chunk).await);
    }
    for row in covered(scope, network, window, &gateways, &failed) {
        sink.cover(row).await;
    }
}

/// Hands over the points of one call; returns the gateways that were not read to the end, and why.
async fn read(scope: &Scope, sink: &Sink, window: Window, chunk: &[Series<'_>]) -> BTreeMap<String, Failed> {
    let client = scope.cloudwatch();
    let questions: Vec<Question> = chunk.iter().map(Series::question).collect();
    let mut pages = Pages::new(scope, &client, queries(&questions), window.start(), window.end());
    let mut unfinished: Vec<Option<Failed>> = vec![None; chunk.len()];
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(failed) => {
                unfinished.fill(Some(failed));
                break;
            }
        };
        let mut rows = Vec::new();
        for result in &page {
            let Some(at) = place(result.id()).filter(|at| *at < chunk.len()) else { continue };
            rows.extend(chunk[at].rows(scope, result));
            // The last word on a metric counts.
            unfinished[at] = trouble(result, chunk[at].metric);
        }
        sink.rows(&NAT_TRAFFIC, rows).await;
    }
    let ended = chunk.iter().zip(unfinished);
    ended.filter_map(|(series, failed)| Some((series.gateway.to_owned(), failed?))).collect()
}

/// Returns what was seen. Gateways that were never listed are a gap here too.
fn covered(
    scope: &Scope,
    network: &Network,
    window: Window,
    gateways: &[&str],
    failed: &BTreeMap<String, Failed>,
) -> Vec<Coverage> {
    let here = |row: Coverage| row.at(&scope.account_id, Some(&scope.region));
    let mut rows = Vec::new();
    if let Some(unlisted) = &network.gateways.failed {
        // Which action is missing is the list's affair.
        let missing_action = unlisted.gap(&GATEWAYS).missing_action;
        rows.push(here(Coverage { missing_action, ..network.gateways.coverage(&TRAFFIC) }));
    } else if gateways.is_empty() {
        rows.push(here(Coverage::new(TRAFFIC.table, TRAFFIC.operation, CoverageState::Seen).counted(0, Some(0))));
    }
    let outcome = |gateway: &&str| Outcome {
        resource: (*gateway).to_owned(),
        region: Some(scope.region.clone()),
        end: failed.get(*gateway).map_or(End::Whole, |failed| End::Failed(failed.clone())),
    };
    let read = coverage(&scope.account_id, &TRAFFIC, &gateways.iter().map(outcome).collect::<Vec<_>>());
    // Behind a list that was cut, what was read is not all that there is.
    let cut = network.gateways.failed.is_some();
    rows.extend(read.into_iter().filter(|row| !cut || row.resource.is_some()));
    let from = |row: &Coverage| if row.is_gap() { window.first } else { window.covered_from() };
    rows.into_iter().map(|row| row.clone().days(from(&row), window.last)).collect()
}
