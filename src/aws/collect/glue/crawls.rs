//! What each crawl used, by Glue's own figure.
//!
//! Glue filters by start time, so a later scan asks only for what is new or had not ended.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_glue::Client;
use aws_sdk_glue::types::{CrawlerHistory, CrawlerHistoryState, CrawlsFilter, FieldName, FilterOperator};
use chrono::NaiveTime;
use futures::StreamExt;
use serde_json::Value;

use super::capacity::exact;
use super::cause::category;
use super::past::{Known, Past, Told};
use crate::aws::collect::ask::ask;
use crate::aws::collect::instant::{day, utc};
use crate::aws::collect::pages::{Listed, list_most};
use crate::aws::collect::refusals::Refusals;
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, Row};
use crate::store::tables::glue::GLUE_CRAWLS;

/// Crawls on a page (Glue API reference: 20 without it, at most 100).
const PAGE: i32 = 100;
/// Crawlers read at the same time.
const AT_ONCE: usize = 4;

/// The crawls of one crawler.
pub const CRAWLS: Read = Read::rows("glue:ListCrawls", "glue:ListCrawls", "glue_crawls");

/// Reads the crawls of `crawlers`.
pub async fn read(scope: &Scope, sink: &Sink, client: &Client, crawlers: &[String]) {
    let left = AtomicUsize::new(scope.options.glue.crawls as usize);
    let reader = Reader { scope, sink, client, left, refusals: Refusals::default() };
    let known = Known::of(scope, CRAWLS);
    let reads: Vec<_> = crawlers.iter().map(|crawler| reader.one(crawler, known.past(Some(crawler)))).collect();
    let ends: Vec<End> = futures::stream::iter(reads).buffered(AT_ONCE).collect().await;
    for row in coverage(ends) {
        sink.cover(row.at(&scope.account_id, Some(&scope.region))).await;
    }
}

/// How the history of one crawler was read.
struct End {
    coverage: Vec<Coverage>,
    denied: Option<Failed>,
}

/// Returns what was seen of all. An action that is denied for every crawler is one gap.
fn coverage(ends: Vec<End>) -> Vec<Coverage> {
    let denied: Vec<&Failed> = ends.iter().filter_map(|end| end.denied.as_ref()).collect();
    match denied.first() {
        Some(first) if denied.len() == ends.len() => vec![first.gap(&CRAWLS).counted(0, Some(ends.len()))],
        _ => ends.into_iter().flat_map(|end| end.coverage).collect(),
    }
}

/// What all crawlers share.
struct Reader<'a> {
    scope: &'a Scope,
    sink: &'a Sink,
    client: &'a Client,
    left: AtomicUsize,
    refusals: Refusals,
}

impl Reader<'_> {
    async fn one(&self, crawler: &str, past: Past) -> End {
        let listed = match self.refusals.standing() {
            Some(refusal) => Listed { found: Vec::new(), failed: Some(refusal) },
            None => self.list(crawler, &past).await,
        };
        let mut told = Told::default();
        let mut rows = Vec::new();
        for crawl in &listed.found {
            // A crawl without a start cannot be placed in the history.
            let Some(day) = crawl.start_time().and_then(day) else { continue };
            told.add(day, has_ended(crawl));
            rows.push(row(self.scope, crawler, crawl));
        }
        self.sink.rows(&GLUE_CRAWLS, rows).await;
        let coverage = match &listed.failed {
            None => past.whole(told),
            Some(failed) => past.cut(failed, None, told),
        };
        let denied = listed.failed.filter(|failed| failed.trouble == Trouble::Denied && told.all == 0);
        End { coverage: coverage.into_iter().map(|row| row.of(crawler)).collect(), denied }
    }

    async fn list(&self, crawler: &str, past: &Past) -> Listed<CrawlerHistory> {
        let since = past.first.and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        let since = CrawlsFilter::builder()
            .field_name(FieldName::StartTime)
            .filter_operator(FilterOperator::Ge)
            .field_value(since.to_string())
            .build();
        let cut = format!("the budget of {} crawls was spent", self.scope.options.glue.crawls);
        let listed = list_most(self.left.load(Ordering::Relaxed), &cut, |token| {
            let call = self.client.list_crawls().crawler_name(crawler).filters(since.clone()).max_results(PAGE);
            let call = call.set_next_token(token);
            async {
                let answer = ask(self.scope, call.send()).await;
                self.refusals.note(&answer);
                let page = answer?;
                Ok((page.crawls.unwrap_or_default(), page.next_token))
            }
        });
        let listed = listed.await;
        let take = |left: usize| Some(left.saturating_sub(listed.found.len()));
        let _ = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        listed
    }
}

fn has_ended(crawl: &CrawlerHistory) -> bool {
    crawl.state().is_some_and(|state| matches!(state.as_str(), "COMPLETED" | "FAILED" | "STOPPED"))
}

fn row(scope: &Scope, crawler: &str, crawl: &CrawlerHistory) -> Row {
    super::place(Row::new(), scope)
        .with("crawler", crawler)
        .with("crawl_id", crawl.crawl_id())
        .with("started", crawl.start_time().and_then(utc))
        .with("completed", crawl.end_time().and_then(utc))
        .with("state", crawl.state().map(CrawlerHistoryState::as_str))
        .with("dpu_hours", has_ended(crawl).then(|| exact(crawl.dpu_hour())).flatten())
        .with("changes", crawl.summary().and_then(changes))
        .with("error_category", crawl.error_message().and_then(category))
}

/// Returns the tables and partitions that a summary counts, by kind and kind of change; NULL for another form.
fn changes(summary: &str) -> Option<i64> {
    let summary: Value = serde_json::from_str(summary).ok()?;
    let kinds = summary.as_object()?.values();
    let count =
        |kind: &Value| Some(kind.as_object()?.values().filter_map(|change| change["Count"].as_i64()).sum::<i64>());
    kinds.map(count).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_counted_and_anything_else_is_not_known() {
        let summary =
            r#"{"TABLE":{"ADD":{"Count":2,"Details":{"names":["a","b"]}}},"PARTITION":{"UPDATE":{"Count":5}}}"#;
        assert_eq!(changes(summary), Some(7));
        assert_eq!(changes("{}"), Some(0));
        assert_eq!((changes("none"), changes(r#"{"TABLE":3}"#)), (None, None));
    }

    #[test]
    fn a_crawl_that_still_runs_has_no_cost_yet() {
        let crawl = CrawlerHistory::builder().crawl_id("c").state(aws_sdk_glue::types::CrawlerHistoryState::Running);
        let row = row(&crate::aws::collect::glue::tests::scope(vec![]), "daily", &crawl.dpu_hour(0.2).build());
        assert_eq!(row.decimal("dpu_hours"), None);
    }
}
