//! GetMetricData: how a metric is asked for, and what answers, page by page. Knows no table.
//!
//! A time without a point stays without one: it is not zero.

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StatusCode};
use aws_smithy_types::DateTime;

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Scope, Trouble};

/// Most queries of one GetMetricData (CloudWatch API reference).
const QUERIES: usize = 500;
/// Most points of one call. CloudWatch allows 100,800 a page; smaller calls cost the same, since each series is priced
/// and not each call, and none of them takes longer than an answer may.
const POINTS: u32 = 8_000;

/// One metric and how its points are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Namespace: `AWS/Redshift`.
    pub namespace: &'static str,
    /// CloudWatch's name.
    pub metric: &'static str,
    /// Names and values of all its dimensions.
    pub dimensions: Vec<(String, String)>,
    /// `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount`.
    pub statistic: &'static str,
    /// Seconds that one point is over.
    pub period: i32,
}

impl Question {
    fn query(&self, place: usize) -> MetricDataQuery {
        let dimension = |(name, value): &(String, String)| Dimension::builder().name(name).value(value).build();
        let metric = Metric::builder()
            .namespace(self.namespace)
            .metric_name(self.metric)
            .set_dimensions(Some(self.dimensions.iter().map(dimension).collect()))
            .build();
        let stat = MetricStat::builder().metric(metric).period(self.period).stat(self.statistic).build();
        MetricDataQuery::builder().id(id(place)).metric_stat(stat).return_data(true).build()
    }
}

/// Returns the queries of one call, in the order of `questions`.
pub fn queries<'a>(questions: impl IntoIterator<Item = &'a Question>) -> Vec<MetricDataQuery> {
    questions.into_iter().enumerate().map(|(place, question)| question.query(place)).collect()
}

/// Returns which of the queries of its call an answer is to.
pub fn place(id: Option<&str>) -> Option<usize> {
    id?.strip_prefix('s')?.parse().ok()
}

/// An id must begin with a lower-case letter.
fn id(place: usize) -> String {
    format!("s{place}")
}

/// Returns how many series of so many points each go into one call.
pub fn series_per_call(points: u32) -> usize {
    usize::try_from(POINTS / points.max(1)).unwrap_or(QUERIES).clamp(1, QUERIES)
}

/// The pages that answer the queries of one call, newest points first.
#[derive(Debug)]
pub struct Pages<'a> {
    scope: &'a Scope,
    client: &'a Client,
    queries: Vec<MetricDataQuery>,
    from: DateTime,
    to: DateTime,
    next: Next,
}

#[derive(Debug)]
enum Next {
    First,
    Page(String),
    None,
}

impl<'a> Pages<'a> {
    /// Returns the pages of the points from `from` to `to`, the latter excluded.
    pub fn new(
        scope: &'a Scope,
        client: &'a Client,
        queries: Vec<MetricDataQuery>,
        from: DateTime,
        to: DateTime,
    ) -> Self {
        Pages { scope, client, queries, from, to, next: Next::First }
    }

    /// Returns the next page; after a failure there is none.
    pub async fn next(&mut self) -> Option<Result<Vec<MetricDataResult>, Failed>> {
        let token = match std::mem::replace(&mut self.next, Next::None) {
            Next::First => None,
            Next::Page(token) => Some(token),
            Next::None => return None,
        };
        let call = self.client.get_metric_data().set_metric_data_queries(Some(self.queries.clone()));
        let call = call.set_start_time(Some(self.from)).end_time(self.to).scan_by(ScanBy::TimestampDescending);
        let page = match ask(self.scope, call.set_next_token(token).send()).await {
            Ok(page) => page,
            Err(failed) => return Some(Err(failed)),
        };
        if let Some(token) = page.next_token.filter(|token| !token.is_empty()) {
            self.next = Next::Page(token);
        }
        Some(Ok(page.metric_data_results.unwrap_or_default()))
    }
}

/// Returns why an answer is not whole so far, where CloudWatch says that it is not; `what` is the metric.
pub fn trouble(result: &MetricDataResult, what: &str) -> Option<Failed> {
    let code = result.status_code().filter(|code| **code != StatusCode::Complete)?;
    let trouble = if *code == StatusCode::Forbidden { Trouble::Denied } else { Trouble::Broken };
    let reason = format!("CloudWatch answered `{}` for {what}", code.as_str());
    Some(Failed { trouble, code: Some(code.as_str().to_owned()), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_finds_its_question_by_the_id_that_was_sent() {
        let question = |value: &str| Question {
            namespace: "AWS/Redshift",
            metric: "CPUUtilization",
            dimensions: vec![("ClusterIdentifier".to_owned(), value.to_owned())],
            statistic: "Average",
            period: 3_600,
        };
        let sent = queries(&[question("a"), question("b")]);
        let places: Vec<_> = sent.iter().map(|query| place(query.id())).collect();
        assert_eq!(places, [Some(0), Some(1)]);
        assert_eq!((place(Some("x1")), place(None)), (None, None));
    }

    #[test]
    fn one_call_asks_for_few_enough_points_to_be_answered_in_time_and_for_500_series_at_most() {
        assert_eq!((series_per_call(456), series_per_call(336)), (17, 23));
        assert_eq!((series_per_call(1), series_per_call(0), series_per_call(u32::MAX)), (500, 500, 1));
    }

    #[test]
    fn only_an_answer_that_cloudwatch_calls_complete_is_whole() {
        let with = |code| MetricDataResult::builder().status_code(code).build();
        assert_eq!(trouble(&with(StatusCode::Complete), "x"), None);
        assert_eq!(trouble(&MetricDataResult::builder().build(), "x"), None);
        assert_eq!(trouble(&with(StatusCode::Forbidden), "x").unwrap().trouble, Trouble::Denied);
        assert_eq!(trouble(&with(StatusCode::PartialData), "x").unwrap().trouble, Trouble::Broken);
    }
}
