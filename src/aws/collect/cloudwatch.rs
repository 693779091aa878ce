//! CloudWatch: daily bucket sizes and object counts of one Region, as far back as CloudWatch keeps them.
//!
//! Lists the series first, since each one asked for costs money. A day without a point makes no row: it is not zero.

pub mod data;
pub mod hours;
pub mod plan;
mod series;

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::MetricDataResult;
use chrono::{Days, NaiveDate};
use futures::StreamExt;

use self::data::Pages;
use self::plan::Window;
use self::series::Series;
use super::ask::ask;
use super::outcome::{End, Outcome, coverage};
use super::{Failed, Read, Scope, Sink};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::storage::STORAGE;

/// The list of series.
const LIST: Read = Read::columns("cloudwatch:ListMetrics", "cloudwatch:ListMetrics", "storage", &[]);
/// Their points.
const DATA: Read = Read::rows("cloudwatch:GetMetricData", "cloudwatch:GetMetricData", "storage");

/// Requests for points under way. An answer is thousands of points.
const AT_ONCE: usize = 4;

/// The calls of this collector.
pub const READS: &[Read] = &[LIST, DATA];

/// Days after which ListMetrics no longer names a series that got no point (CloudWatch API reference, ListMetrics).
const LISTED_DAYS: u64 = 14;
/// What that hides.
const SILENT: &str = "ListMetrics does not name series without a point in the last two weeks: buckets deleted and storage classes emptied before that are not in the history";

/// Returns how many series each Region had when it was last listed.
pub fn listed_before(scope: &Scope) -> BTreeMap<String, u64> {
    let own = |c: &Coverage| c.table == LIST.table && c.read == LIST.operation && c.resource.is_none();
    let whole = |c: &&Coverage| own(c) && c.state == CoverageState::Seen;
    let counted = scope.earlier.iter().filter(whole).filter_map(|c| Some((c.region.clone()?, c.seen?)));
    counted.filter_map(|(region, seen)| Some((region, u64::try_from(seen).ok()?))).collect()
}

/// Returns how many series one GetMetricData request of the scope's Region would ask for.
pub fn series_a_request(scope: &Scope) -> u64 {
    Window::of(scope, DATA.operation).series_per_call() as u64
}

/// Reads the storage metrics of the scope's Region.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let (series, failed) = list(scope).await;
    if let Some(failed) = &failed {
        let gap = failed.gap(&LIST).at(&scope.account_id, Some(&scope.region)).counted(series.len(), None);
        sink.cover(if series.is_empty() { gap } else { Coverage { state: CoverageState::Partial, ..gap } }).await;
        if series.is_empty() {
            return;
        }
    }
    let window = Window::of(scope, DATA.operation);
    if failed.is_none() {
        for row in of_list(scope, series.len(), window) {
            sink.cover(row).await;
        }
    }
    let mut read = Reading::default();
    let client = scope.cloudwatch();
    let total = u64::try_from(series.len()).ok();
    let chunks = series.chunks(window.series_per_call());
    let reading: Vec<_> = chunks.map(|chunk| Reading::of(scope, sink, &client, window, chunk)).collect();
    // In order: of several failures of a bucket always the same one is told.
    let mut reading = futures::stream::iter(reading).buffered(AT_ONCE);
    while let Some(more) = reading.next().await {
        read.add(more);
        sink.progress(u64::try_from(read.done).unwrap_or(u64::MAX), total);
    }
    drop(reading);
    read.cover(scope, sink, window, failed.as_ref()).await;
}

/// Returns the series of the Region and why the list ends early if it does.
async fn list(scope: &Scope) -> (Vec<Series>, Option<Failed>) {
    let client = scope.cloudwatch();
    let mut found = Vec::new();
    for metric in series::METRICS {
        let mut token = None;
        loop {
            let call = client.list_metrics().namespace(series::NAMESPACE).metric_name(metric.name());
            let page = match ask(scope, call.set_next_token(token.take()).send()).await {
                Ok(page) => page,
                Err(failed) => return (series::ordered(found), Some(failed)),
            };
            found.extend(page.metrics().iter().filter_map(|m| Series::of(metric, m)));
            match page.next_token {
                Some(next) if !next.is_empty() => token = Some(next),
                _ => break,
            }
        }
    }
    (series::ordered(found), None)
}

/// Returns the coverage of the list: of days longer ago than two weeks it cannot name the series that fell silent.
fn of_list(scope: &Scope, seen: usize, window: Window) -> Vec<Coverage> {
    let row = |state| Coverage::new(LIST.table, LIST.operation, state).at(&scope.account_id, Some(&scope.region));
    let silent = window.last.checked_sub_days(Days::new(LISTED_DAYS + 1)).filter(|silent| window.first <= *silent);
    let recent = silent.and_then(|silent| silent.succ_opt()).unwrap_or(window.first);
    let seen = row(CoverageState::Seen).days(recent, window.last).counted(seen, None);
    let gap = silent.map(|silent| row(CoverageState::Partial).days(window.first, silent).because(SILENT));
    std::iter::once(seen).chain(gap).collect()
}

/// What has been read so far.
#[derive(Default)]
struct Reading {
    done: usize,
    newest: Option<NaiveDate>,
    failed: BTreeMap<String, Failed>,
    buckets: Vec<String>,
}

impl Reading {
    /// Reads the points of some series, page by page, and hands their rows over.
    async fn of(scope: &Scope, sink: &Sink, client: &Client, window: Window, chunk: &[Series]) -> Reading {
        let mut read = Reading::default();
        let mut pages = Pages::new(scope, client, series::queries(chunk), window.start(), window.end());
        let mut unfinished = BTreeMap::new();
        while let Some(page) = pages.next().await {
            let page = match page {
                Ok(page) => page,
                Err(failed) => {
                    read.fail(chunk, &failed);
                    break;
                }
            };
            let mut rows = Vec::new();
            for result in &page {
                let Some(series) = series::find(chunk, result.id()) else { continue };
                rows.extend(read.points(scope, series, result));
                note(&mut unfinished, series, result);
            }
            sink.rows(&STORAGE, rows).await;
        }
        read.failed.extend(unfinished.into_iter().map(|(series, failed)| (series.bucket, failed)));
        read.done = chunk.len();
        read.buckets = chunk.iter().map(|series| series.bucket.clone()).collect();
        read
    }

    fn add(&mut self, more: Reading) {
        self.done += more.done;
        self.newest = self.newest.max(more.newest);
        self.failed.extend(more.failed);
        self.buckets.extend(more.buckets);
    }

    fn points(&mut self, scope: &Scope, series: &Series, result: &MetricDataResult) -> Vec<Row> {
        let rows = series.rows(&scope.account_id, &scope.region, result.timestamps(), result.values());
        self.newest = rows.iter().filter_map(|row| row.date("day")).chain(self.newest).max();
        rows
    }

    fn fail(&mut self, chunk: &[Series], failed: &Failed) {
        self.failed.extend(chunk.iter().map(|series| (series.bucket.clone(), failed.clone())));
    }

    /// Hands over the coverage: the days asked for, up to the newest that was published. Of a list that was cut nobody
    /// knows which series were left out: the Region is then partly seen, and the next scan reads its days again.
    async fn cover(mut self, scope: &Scope, sink: &Sink, window: Window, cut: Option<&Failed>) {
        self.buckets.sort();
        self.buckets.dedup();
        let outcome = |bucket: &String| Outcome {
            resource: bucket.clone(),
            region: Some(scope.region.clone()),
            end: self.failed.get(bucket).map_or(End::Whole, |failed| End::Failed(failed.clone())),
        };
        let outcomes: Vec<_> = self.buckets.iter().map(outcome).collect();
        let to = self.newest.unwrap_or_else(|| window.covered_to());
        let mut rows = coverage(&scope.account_id, &DATA, &outcomes);
        if rows.is_empty() {
            let none = Coverage::new(DATA.table, DATA.operation, CoverageState::Seen).counted(0, Some(0));
            rows.push(none.at(&scope.account_id, Some(&scope.region)));
        }
        for row in rows {
            let row = match cut {
                Some(failed) if !row.is_gap() => {
                    let gap = Coverage { state: CoverageState::Partial, ..row }.because(failed.reason.as_str());
                    Coverage { missing_action: failed.gap(&LIST).missing_action, ..gap }
                }
                _ => row,
            };
            // A gap is one of the days that were asked for; what earlier scans hold stays as it was told.
            let from = if row.is_gap() { window.first } else { window.covered_from() };
            sink.cover(row.days(from.min(to), to)).await;
        }
    }
}

/// Keeps in mind the series whose last word was not "complete".
fn note(unfinished: &mut BTreeMap<Series, Failed>, series: &Series, result: &MetricDataResult) {
    match data::trouble(result, &series.storage_type) {
        None => unfinished.remove(series),
        Some(failed) => unfinished.insert(series.clone(), failed),
    };
}
