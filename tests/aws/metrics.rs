//! CloudWatch as the Rust SDK speaks to it: ListMetrics and GetMetricData over rpc-v2-cbor.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use ciborium::Value;

use super::{Answer, Request};

/// Daily series by Region, and readings of any namespace.
pub struct Metrics {
    pub series: Vec<Series>,
    pub readings: Vec<Reading>,
    /// Metrics on a page of ListMetrics.
    pub metric_page: usize,
    /// Points on a page of GetMetricData.
    pub point_page: usize,
    /// Series without a point for so many days are not listed.
    pub hidden_after: u64,
    /// Points of a bucket's storage type where they are too many to hold; a series is then listed by its last point.
    pub by_formula: Option<Formula>,
}

/// What says which points a bucket's storage type has.
pub type Formula = Box<dyn Fn(&str, &str) -> Vec<(NaiveDate, f64)> + Send>;

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            series: Vec::new(),
            readings: Vec::new(),
            metric_page: 500,
            point_page: 100_800,
            hidden_after: 14,
            by_formula: None,
        }
    }
}

/// One daily metric of one thing.
pub struct Series {
    pub region: String,
    pub namespace: String,
    pub metric: String,
    /// Names and values, by name.
    pub dimensions: Vec<(String, String)>,
    /// The only statistic that answers with its points; any of CloudWatch's own when there is none.
    pub statistic: Option<&'static str>,
    pub points: BTreeMap<NaiveDate, f64>,
}

impl Series {
    /// Returns `BucketSizeBytes` (or `NumberOfObjects` for `AllStorageTypes`) with a point for each of these days.
    pub fn new(region: &str, bucket: &str, storage_type: &str, points: &[(NaiveDate, u32)]) -> Self {
        let metric = if storage_type == "AllStorageTypes" { "NumberOfObjects" } else { "BucketSizeBytes" };
        let dimensions = [("BucketName", bucket), ("StorageType", storage_type)];
        Series::of(region, "AWS/S3", metric, &dimensions, points)
    }

    /// Returns any metric with a point for each of these days; `dimensions` by name.
    pub fn of(
        region: &str,
        namespace: &str,
        metric: &str,
        dimensions: &[(&str, &str)],
        points: &[(NaiveDate, u32)],
    ) -> Self {
        Series {
            region: region.into(),
            namespace: namespace.into(),
            metric: metric.into(),
            dimensions: dimensions.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            statistic: None,
            points: points.iter().map(|(day, value)| (*day, f64::from(*value))).collect(),
        }
    }

    /// The same series, which only this statistic shows.
    pub fn by(mut self, statistic: &'static str) -> Self {
        self.statistic = Some(statistic);
        self
    }

    fn dimensions(&self) -> Vec<(&str, &str)> {
        self.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    fn is(&self, metric: &Value) -> bool {
        let mut asked: Vec<(&str, &str)> =
            list(metric, "Dimensions").iter().map(|d| (text(d, "Name"), text(d, "Value"))).collect();
        asked.sort_unstable();
        text(metric, "Namespace") == self.namespace
            && text(metric, "MetricName") == self.metric
            && asked == self.dimensions()
    }
}

/// One metric as its service publishes it, point by point; periods and statistics are worked out when it is asked for.
pub struct Reading {
    pub region: String,
    pub namespace: String,
    pub metric: String,
    pub dimensions: Vec<(String, String)>,
    pub points: BTreeMap<DateTime<Utc>, f64>,
}

impl Reading {
    /// Returns a metric of us-east-1 with one dimension.
    pub fn new(
        metric: (&str, &str),
        dimension: (&str, &str),
        points: impl IntoIterator<Item = (DateTime<Utc>, f64)>,
    ) -> Self {
        Reading {
            region: "us-east-1".into(),
            namespace: metric.0.into(),
            metric: metric.1.into(),
            dimensions: vec![(dimension.0.into(), dimension.1.into())],
            points: points.into_iter().collect(),
        }
    }

    fn is(&self, metric: &Value) -> bool {
        let asked =
            list(metric, "Dimensions").iter().map(|d| (text(d, "Name").to_owned(), text(d, "Value").to_owned()));
        text(metric, "Namespace") == self.namespace
            && text(metric, "MetricName") == self.metric
            && asked.collect::<Vec<_>>() == self.dimensions
    }

    /// Returns one point for each period that has any, newest first.
    fn over(&self, period: i64, statistic: &str, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<(i64, f64)> {
        let mut periods: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
        for (at, value) in self.points.range(start..end) {
            periods.entry(at.timestamp().div_euclid(period) * period).or_default().push(*value);
        }
        periods.into_iter().rev().filter_map(|(at, values)| Some((at, combined(statistic, &values)?))).collect()
    }
}

#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "CloudWatch answers in floats")]
fn combined(statistic: &str, values: &[f64]) -> Option<f64> {
    let count = values.len() as f64;
    match statistic {
        "Sum" => Some(values.iter().sum()),
        "Average" => Some(values.iter().sum::<f64>() / count),
        "Minimum" => values.iter().copied().reduce(f64::min),
        "Maximum" => values.iter().copied().reduce(f64::max),
        "SampleCount" => Some(count),
        _ => None,
    }
}

impl Metrics {
    pub(super) fn answer(&mut self, request: &Request, today: NaiveDate) -> Answer {
        let Ok(body) = ciborium::from_reader::<Value, _>(request.body.as_slice()) else {
            return request.refuse(400, "SerializationException", "the body is not CBOR");
        };
        match request.operation.as_str() {
            "cloudwatch:ListMetrics" => self.list(request, &body, today),
            "cloudwatch:GetMetricData" => self.data(request, &body, today),
            _ => request.refuse(404, "UnknownOperationException", "the tests' server does not play this operation"),
        }
    }

    fn list(&self, request: &Request, body: &Value, today: NaiveDate) -> Answer {
        let oldest = today.checked_sub_days(Days::new(self.hidden_after)).unwrap();
        let matches = |series: &&Series| {
            let asked = list(body, "Dimensions");
            let dimension = |asked: &Value| {
                let known = series.dimensions().into_iter().find(|(name, _)| *name == text(asked, "Name"));
                known.is_some_and(|(_, value)| field(asked, "Value").is_none() || text(asked, "Value") == value)
            };
            series.region == request.region
                && ["", series.namespace.as_str()].contains(&text(body, "Namespace"))
                && ["", series.metric.as_str()].contains(&text(body, "MetricName"))
                && asked.iter().all(dimension)
                && series.points.keys().next_back().is_some_and(|last| *last >= oldest)
        };
        let named = |reading: &&Reading| {
            reading.region == request.region
                && ["", reading.namespace.as_str()].contains(&text(body, "Namespace"))
                && ["", reading.metric.as_str()].contains(&text(body, "MetricName"))
                && list(body, "Dimensions").is_empty()
                && reading.points.keys().next_back().is_some_and(|last| last.date_naive() >= oldest)
        };
        let of_s3 = self.series.iter().filter(matches).map(Listed::Series);
        let metrics: Vec<Listed> = of_s3.chain(self.readings.iter().filter(named).map(Listed::Reading)).collect();
        let Ok((page, next)) = page(&metrics, body, self.metric_page) else {
            return request.refuse(400, "InvalidParameterValue", "the token is not known");
        };
        Answer::cbor(&map([("Metrics", Value::Array(page.iter().map(Listed::cbor).collect()))], next))
    }

    fn data(&self, request: &Request, body: &Value, today: NaiveDate) -> Answer {
        let queries = list(body, "MetricDataQueries");
        let (Some(start), Some(end)) = (instant(body, "StartTime"), instant(body, "EndTime")) else {
            return request.refuse(400, "ValidationError", "StartTime and EndTime are required");
        };
        if queries.is_empty() || queries.len() > 500 || start >= end {
            return request.refuse(400, "ValidationError", "1 to 500 queries over a time that is not empty");
        }
        let start = start.max(midnight(today.checked_sub_days(Days::new(455)).unwrap()));
        let mut points = Vec::new();
        for query in queries {
            points.extend(self.points(request, query, start, end).into_iter().map(|point| (text(query, "Id"), point)));
        }
        let Ok((shown, next)) = page(&points, body, self.point_page) else {
            return request.refuse(400, "InvalidNextToken", "the token is not known");
        };
        let results = queries.iter().map(|query| result(text(query, "Id"), shown)).collect();
        Answer::cbor(&map([("MetricDataResults", Value::Array(results))], next))
    }

    /// Returns the points that one query asks for, newest first; a period under a day finds no daily metric.
    fn points(&self, request: &Request, query: &Value, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<(i64, f64)> {
        let wanted = field(query, "MetricStat").unwrap_or(&Value::Null);
        let metric = field(wanted, "Metric").unwrap_or(&Value::Null);
        let read = self.readings.iter().find(|reading| reading.region == request.region && reading.is(metric));
        if let Some(reading) = read {
            let period = field(wanted, "Period").and_then(Value::as_integer).and_then(|n| i64::try_from(n).ok());
            return reading.over(period.unwrap_or(60), text(wanted, "Stat"), start, end);
        }
        if let Some(formula) = self.by_formula.as_ref().filter(|_| text(metric, "Namespace") == "AWS/S3") {
            return between(&formula(dimension(metric, "BucketName"), dimension(metric, "StorageType")), start, end);
        }
        let daily = field(wanted, "Period").and_then(Value::as_integer) == Some(86_400.into());
        let plain = ["Average", "Sum", "Maximum", "Minimum"].contains(&text(wanted, "Stat"));
        let found = self.series.iter().find(|series| series.region == request.region && series.is(metric));
        let found = found.filter(|series| series.statistic.is_none_or(|only| only == text(wanted, "Stat")));
        let within = |day: &NaiveDate| midnight(*day) >= start && midnight(*day) < end;
        let points = found.filter(|_| daily && plain).into_iter().flat_map(|series| &series.points);
        let mut points: Vec<_> =
            points.filter(|(d, _)| within(d)).map(|(d, v)| (midnight(*d).timestamp(), *v)).collect();
        points.reverse();
        points
    }
}

fn result(id: &str, points: &[(&str, (i64, f64))]) -> Value {
    let own: Vec<_> = points.iter().filter(|(owner, _)| *owner == id).map(|(_, point)| *point).collect();
    let times = own.iter().map(|(at, _)| Value::Tag(1, Box::new(Value::Integer((*at).into()))));
    let values = own.iter().map(|(_, value)| Value::Float(*value));
    map(
        [
            ("Id", Value::Text(id.into())),
            ("Label", Value::Text(id.into())),
            ("Timestamps", Value::Array(times.collect())),
            ("Values", Value::Array(values.collect())),
            ("StatusCode", Value::Text("Complete".into())),
        ],
        None,
    )
}

/// Returns the points of a time, newest first.
fn between(points: &[(NaiveDate, f64)], start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<(i64, f64)> {
    let within = points.iter().filter(|(day, _)| midnight(*day) >= start && midnight(*day) < end);
    within.rev().map(|(day, value)| (midnight(*day).timestamp(), *value)).collect()
}

fn dimension<'a>(metric: &'a Value, name: &str) -> &'a str {
    let found = list(metric, "Dimensions").iter().find(|dimension| text(dimension, "Name") == name);
    found.map_or("", |dimension| text(dimension, "Value"))
}

/// A metric of either kind; its answer is made only for the page that it stands on.
enum Listed<'a> {
    Series(&'a Series),
    Reading(&'a Reading),
}

impl Listed<'_> {
    fn cbor(&self) -> Value {
        match self {
            Listed::Series(series) => named(&series.namespace, &series.metric, &series.dimensions()),
            Listed::Reading(known) => reading(known),
        }
    }
}

fn reading(reading: &Reading) -> Value {
    let dimensions: Vec<_> = reading.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    named(&reading.namespace, &reading.metric, &dimensions)
}

fn named(namespace: &str, metric: &str, dimensions: &[(&str, &str)]) -> Value {
    let pair = |(name, value): &(&str, &str)| {
        map([("Name", Value::Text((*name).into())), ("Value", Value::Text((*value).into()))], None)
    };
    map(
        [
            ("Namespace", Value::Text(namespace.into())),
            ("MetricName", Value::Text(metric.into())),
            ("Dimensions", Value::Array(dimensions.iter().map(pair).collect())),
        ],
        None,
    )
}

fn map<const N: usize>(fields: [(&str, Value); N], next: Option<String>) -> Value {
    let next = next.map(|token| ("NextToken", Value::Text(token)));
    Value::Map(fields.into_iter().chain(next).map(|(name, value)| (Value::Text(name.into()), value)).collect())
}

/// Returns the items of the page that the token of `body` names, and the token of the next; an unknown token is an error.
fn page<'a, T>(items: &'a [T], body: &Value, size: usize) -> Result<(&'a [T], Option<String>), ()> {
    let from = match text(body, "NextToken") {
        "" => 0,
        token => token.strip_prefix("from:").and_then(|at| at.parse().ok()).filter(|at| *at < items.len()).ok_or(())?,
    };
    let end = (from + size).min(items.len());
    Ok((&items[from..end], (end < items.len()).then(|| format!("from:{end}"))))
}

fn field<'a>(body: &'a Value, name: &str) -> Option<&'a Value> {
    body.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    field(body, name).and_then(Value::as_text).unwrap_or_default()
}

fn list<'a>(body: &'a Value, name: &str) -> &'a [Value] {
    field(body, name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn instant(body: &Value, name: &str) -> Option<DateTime<Utc>> {
    let (_, seconds) = field(body, name)?.as_tag()?;
    let whole = seconds.as_integer().and_then(|number| i64::try_from(number).ok());
    #[expect(clippy::cast_possible_truncation, reason = "a time in seconds, of a test")]
    DateTime::from_timestamp(whole.or_else(|| seconds.as_float().map(|float| float as i64))?, 0)
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
