//! One series of the S3 namespace: how it is asked for and how its points become rows. Pure.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery};
use aws_smithy_types::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::data::{self, Question};
use crate::aws::collect::instant;
use crate::model::{Cell, Row, storage_type};

/// Where S3's metrics are.
pub const NAMESPACE: &str = "AWS/S3";
/// S3 publishes one point a day.
const PERIOD: i32 = 86_400;
/// The statistic that S3 publishes.
const STATISTIC: &str = "Average";

/// What a series measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Bytes of one storage type.
    Bytes,
    /// Objects of all storage types.
    Objects,
}

/// The metrics to list.
pub const METRICS: [Measure; 2] = [Measure::Bytes, Measure::Objects];

impl Measure {
    /// Returns CloudWatch's name.
    pub const fn name(self) -> &'static str {
        match self {
            Measure::Bytes => "BucketSizeBytes",
            Measure::Objects => "NumberOfObjects",
        }
    }

    const fn column(self) -> &'static str {
        match self {
            Measure::Bytes => "bytes",
            Measure::Objects => "objects",
        }
    }
}

/// One series: a bucket, a storage type, a measure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Series {
    /// Name of the bucket.
    pub bucket: String,
    /// CloudWatch's StorageType.
    pub storage_type: String,
    /// What it measures.
    pub measure: Measure,
}

impl Series {
    /// Returns the series that a listed metric is; `None` when it has other dimensions (request metrics have).
    pub fn of(measure: Measure, metric: &Metric) -> Option<Self> {
        let dimensions = metric.dimensions();
        let value = |name| dimensions.iter().find(|d| d.name() == Some(name)).and_then(Dimension::value);
        let (bucket, storage_type) = (value("BucketName")?, value("StorageType")?);
        (dimensions.len() == 2).then(|| Series {
            bucket: bucket.to_owned(),
            storage_type: storage_type.to_owned(),
            measure,
        })
    }

    /// Returns a row for each point. Two lists of different length are cut to the shorter.
    pub fn rows(&self, account_id: &str, region: &str, days: &[DateTime], values: &[f64]) -> Vec<Row> {
        let class = storage_type::find(&self.storage_type).map(|known| known.class);
        let named = Row::new()
            .with("account_id", account_id)
            .with("region", region)
            .with("bucket", self.bucket.as_str())
            .with("storage_type", self.storage_type.as_str())
            .with("storage_class", class);
        let points = days.iter().zip(values);
        let row = |(at, value): (&DateTime, &f64)| {
            Some(named.clone().with("day", instant::day(at)?).with(self.measure.column(), whole(*value)?))
        };
        points.filter_map(row).collect()
    }

    fn question(&self) -> Question {
        let dimensions = [("BucketName", &self.bucket), ("StorageType", &self.storage_type)];
        Question {
            namespace: NAMESPACE,
            metric: self.measure.name(),
            dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.clone())).to_vec(),
            statistic: STATISTIC,
            period: PERIOD,
        }
    }
}

/// Returns the series in order, each once.
pub fn ordered(mut all: Vec<Series>) -> Vec<Series> {
    all.sort();
    all.dedup();
    all
}

/// Returns the queries of one call.
pub fn queries(chunk: &[Series]) -> Vec<MetricDataQuery> {
    data::queries(&chunk.iter().map(Series::question).collect::<Vec<_>>())
}

/// Returns the series of `chunk` that an answer's id names.
pub fn find<'a>(chunk: &'a [Series], id: Option<&str>) -> Option<&'a Series> {
    chunk.get(data::place(id)?)
}

/// Returns a measured value as a whole number; `None` for what is no size.
fn whole(value: f64) -> Option<Cell> {
    Decimal::from_f64_retain(value)?.round().to_i64().filter(|whole| *whole >= 0).map(Cell::Int)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(storage_type: &str, measure: Measure) -> Series {
        Series { bucket: "lake".into(), storage_type: storage_type.into(), measure }
    }

    #[test]
    fn a_point_is_a_row_of_its_day_and_a_day_without_one_is_no_row() {
        let day = DateTime::from_secs(1_790_000_000);
        let rows = series("StandardIAStorage", Measure::Bytes).rows("1", "eu-west-1", &[day], &[5e15]);
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].int("bytes"), rows[0].key("storage_class")), (Some(5_000_000_000_000_000), "STANDARD_IA"));
        assert_eq!(rows[0].date("day").unwrap().to_string(), "2026-09-21");
        assert_eq!(rows[0].int("objects"), None);
        assert!(series("StandardStorage", Measure::Bytes).rows("1", "eu-west-1", &[], &[]).is_empty());
    }

    #[test]
    fn a_storage_type_that_is_not_known_is_kept_without_a_class() {
        let day = DateTime::from_secs(0);
        let rows = series("AllStorageTypes", Measure::Objects).rows("1", "r", &[day], &[7.0]);
        assert_eq!((rows[0].int("objects"), rows[0].text("storage_class")), (Some(7), None));
    }

    #[test]
    fn a_value_that_is_no_size_makes_no_row() {
        let day = DateTime::from_secs(0);
        for value in [f64::NAN, -1.0, f64::INFINITY] {
            assert!(series("StandardStorage", Measure::Bytes).rows("1", "r", &[day], &[value]).is_empty());
        }
    }

    #[test]
    fn an_answer_finds_its_series_by_the_id_that_was_sent() {
        let chunk = [series("A", Measure::Bytes), series("B", Measure::Bytes)];
        let ids: Vec<_> = queries(&chunk).iter().map(|q| q.id().unwrap_or_default().to_owned()).collect();
        assert_eq!(find(&chunk, Some(&ids[1])).unwrap().storage_type, "B");
        assert_eq!(find(&chunk, Some("s2")), None);
    }

    #[test]
    fn request_metrics_are_not_taken_for_sizes() {
        let dimension = |name: &str| Dimension::builder().name(name).value("x").build();
        let metric = Metric::builder().dimensions(dimension("BucketName")).dimensions(dimension("FilterId")).build();
        assert_eq!(Series::of(Measure::Bytes, &metric), None);
    }
}
