//! Metrics of single resources by the hour over the last two weeks, for any collector that asks.
//!
//! Asks for what it is told without listing it first: a metric that does not exist answers with no point.

use aws_sdk_cloudwatch::types::MetricDataResult;
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive;

use super::data::{Pages, Question, place, queries, series_per_call, trouble};
use crate::aws::collect::{Failed, Scope, instant};

/// Days that are asked for.
pub const DAYS: i64 = 14;
/// Seconds of one point.
const HOUR: i32 = 3_600;
/// Points of one series.
const HOURS: u32 = 14 * 24;
/// Series that one request asks for, at most.
pub const SERIES_A_REQUEST: u64 = 23;

/// The hours that a scan asks for: whole ones, the running one left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Start of the first hour.
    pub from: DateTime<Utc>,
    /// End of the last hour.
    pub to: DateTime<Utc>,
}

impl Span {
    /// Returns the last two weeks before `as_of`.
    pub fn before(as_of: DateTime<Utc>) -> Self {
        let to = as_of.duration_trunc(TimeDelta::hours(1)).unwrap_or(as_of);
        Span { from: to - TimeDelta::days(DAYS), to }
    }
}

/// The points of one metric, one an hour at most, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hours(pub Vec<(DateTime<Utc>, Decimal)>);

impl Hours {
    /// Returns how many hours have a point.
    pub fn count(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }

    /// Returns how many of them have a point that `is` so.
    pub fn count_if(&self, is: impl Fn(Decimal) -> bool) -> i64 {
        i64::try_from(self.0.iter().filter(|(_, value)| is(*value)).count()).unwrap_or(i64::MAX)
    }

    /// Returns the most hours in a row whose points are all so; an hour without a point ends the row.
    pub fn longest(&self, is: impl Fn(Decimal) -> bool) -> i64 {
        let (mut longest, mut run, mut last) = (0, 0, None);
        for (at, value) in &self.0 {
            let follows = last == Some(*at - TimeDelta::hours(1));
            run = if is(*value) { if follows { run + 1 } else { 1 } } else { 0 };
            longest = longest.max(run);
            last = Some(*at);
        }
        longest
    }

    /// Returns the sum; `None` where there is no point.
    pub fn sum(&self) -> Option<Decimal> {
        self.0.iter().map(|(_, value)| *value).reduce(Decimal::saturating_add)
    }

    /// Returns the average of the hours that have a point.
    pub fn average(&self) -> Option<Decimal> {
        self.sum()?.checked_div(Decimal::from(self.0.len()))
    }

    /// Returns the largest point.
    pub fn largest(&self) -> Option<Decimal> {
        self.0.iter().map(|(_, value)| *value).max()
    }

    /// Returns the newest point.
    pub fn newest(&self) -> Option<Decimal> {
        self.0.last().map(|(_, value)| *value)
    }
}

/// Returns the question for one metric by the hour.
pub fn question(
    namespace: &'static str,
    metric: &'static str,
    statistic: &'static str,
    dimensions: &[(&str, &str)],
) -> Question {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Question { namespace, metric, dimensions: dimensions.iter().map(owned).collect(), statistic, period: HOUR }
}

/// Returns the answer to each question, in their order.
pub async fn read(scope: &Scope, questions: &[Question]) -> Vec<Result<Hours, Failed>> {
    let mut answers = Vec::with_capacity(questions.len());
    for chunk in questions.chunks(series_per_call(HOURS)) {
        answers.extend(of_call(scope, chunk).await);
    }
    answers
}

/// Returns the answers to several questions about each resource. One that fails leaves none of the resource's known.
pub async fn read_each<const N: usize>(scope: &Scope, questions: &[[Question; N]]) -> Vec<Result<[Hours; N], Failed>> {
    let all: Vec<Question> = questions.iter().flatten().cloned().collect();
    grouped(&read(scope, &all).await)
}

fn grouped<const N: usize>(answers: &[Result<Hours, Failed>]) -> Vec<Result<[Hours; N], Failed>> {
    let group = |own: &[Result<Hours, Failed>]| {
        let known: Vec<Hours> = own.iter().cloned().collect::<Result<_, _>>()?;
        Ok(std::array::from_fn(|at| known.get(at).cloned().unwrap_or_default()))
    };
    answers.chunks(N.max(1)).map(group).collect()
}

/// Returns the answers to the questions of one call. A call that fails leaves none of them answered.
async fn of_call(scope: &Scope, chunk: &[Question]) -> Vec<Result<Hours, Failed>> {
    let client = scope.cloudwatch();
    let span = Span::before(scope.as_of);
    let at = |time: DateTime<Utc>| aws_smithy_types::DateTime::from_secs(time.timestamp());
    let mut pages = Pages::new(scope, &client, queries(chunk), at(span.from), at(span.to));
    let mut points = vec![Hours::default(); chunk.len()];
    // CloudWatch names each question, also one without a point: silence says nothing.
    let left_out = |question: &Question| Some(Failed::left_out(&format!("the metric {}", question.metric)));
    let mut unfinished: Vec<Option<Failed>> = chunk.iter().map(left_out).collect();
    while let Some(page) = pages.next().await {
        let page = match page {
            Ok(page) => page,
            Err(failed) => return vec![Err(failed); chunk.len()],
        };
        for result in &page {
            let Some(at) = place(result.id()).filter(|at| *at < chunk.len()) else { continue };
            points[at].0.extend(of_result(result));
            // The last word on a metric counts.
            unfinished[at] = trouble(result, chunk[at].metric);
        }
    }
    let answer = |(mut hours, failed): (Hours, Option<Failed>)| {
        hours.0.sort_unstable();
        failed.map_or(Ok(hours), Err)
    };
    points.into_iter().zip(unfinished).map(answer).collect()
}

/// Returns the points of a result. Two lists of different length are cut to the shorter; what is no number is no point.
fn of_result(result: &MetricDataResult) -> impl Iterator<Item = (DateTime<Utc>, Decimal)> {
    let points = result.timestamps().iter().zip(result.values());
    points.filter_map(|(at, value)| Some((instant::utc(at)?, Decimal::from_f64(*value)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::collect::Trouble;

    fn hours(points: &[(i64, i64)]) -> Hours {
        let at = |hour: i64| DateTime::UNIX_EPOCH + TimeDelta::hours(hour);
        Hours(points.iter().map(|(hour, value)| (at(*hour), Decimal::from(*value))).collect())
    }

    #[test]
    fn a_row_of_idle_hours_ends_where_a_point_is_missing() {
        let idle = |value: Decimal| value == Decimal::ONE;
        assert_eq!(hours(&[(0, 1), (1, 1), (2, 1), (3, 0), (4, 1)]).longest(idle), 3);
        assert_eq!(hours(&[(0, 1), (2, 1), (3, 1)]).longest(idle), 2);
        assert_eq!(hours(&[]).longest(idle), 0);
    }

    #[test]
    fn without_a_point_nothing_is_known() {
        let none = hours(&[]);
        assert_eq!((none.sum(), none.average(), none.largest(), none.newest()), (None, None, None, None));
        let some = hours(&[(0, 3), (1, 0), (7, 6)]);
        assert_eq!((some.sum(), some.average()), (Some(Decimal::from(9)), Some(Decimal::from(3))));
        assert_eq!((some.largest(), some.newest()), (Some(Decimal::from(6)), Some(Decimal::from(6))));
        assert_eq!((some.count(), some.count_if(|value| value.is_zero())), (3, 1));
    }

    #[test]
    fn a_metric_that_failed_leaves_its_own_resource_unknown_and_no_other() {
        let failed = Failed { trouble: Trouble::Broken, code: None, reason: "no".into() };
        let answers = [Err(failed.clone()), Ok(hours(&[(0, 1)])), Ok(hours(&[(0, 2)])), Ok(hours(&[(0, 3)]))];
        assert_eq!(grouped::<2>(&answers), [Err(failed), Ok([hours(&[(0, 2)]), hours(&[(0, 3)])])]);
    }

    #[test]
    fn an_estimate_knows_how_many_series_a_request_asks_for() {
        assert_eq!(u64::try_from(series_per_call(HOURS)), Ok(SERIES_A_REQUEST));
    }

    #[test]
    fn the_running_hour_is_left_out() {
        let span = Span::before("2026-11-24T10:59:59Z".parse().unwrap());
        assert_eq!(span.to.to_rfc3339(), "2026-11-24T10:00:00+00:00");
        assert_eq!(span.from.to_rfc3339(), "2026-11-10T10:00:00+00:00");
    }

    #[test]
    fn what_is_no_number_is_no_point() {
        let at = aws_smithy_types::DateTime::from_secs(0);
        let result = MetricDataResult::builder().timestamps(at).timestamps(at).values(f64::NAN).values(0.5).build();
        assert_eq!(of_result(&result).count(), 1);
    }
}
