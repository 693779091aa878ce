//! The demo's Data Catalog: databases, tables over its buckets, and the crawlers that look for new ones.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::bucket::Bucket;
use super::calendar::{Calendar, Day};
use super::catalog::{Layer, PLATFORM, Plot, VIRGINIA};
use super::metered::{Metered, parts};
use super::random::{Random, share};
use super::storage::Daily;
use crate::model::Row;

/// The line of the bill that crawls are on.
const LINE: &str = "USE1-Crawler-DPU-Hour";
/// Buckets whose crawler runs all day; the others' run once.
const BUSY: [&str; 2] = ["nw-raw-events", "nw-raw-telemetry"];
/// Crawls a day of those.
const OFTEN: i64 = 4;

/// Tables of a bucket: name, and share of its bytes in thousandths.
fn shelves(layer: Layer) -> &'static [(&'static str, i64)] {
    match layer {
        Layer::Raw => &[("landing", 900), ("rejects", 40)],
        Layer::Curated => &[("facts", 700), ("dims", 60), ("daily", 200)],
        Layer::Mart => &[("summary", 600), ("kpi", 300)],
        _ => &[],
    }
}

fn database(layer: Layer) -> &'static str {
    match layer {
        Layer::Raw => "raw",
        Layer::Curated => "curated",
        _ => "mart",
    }
}

/// What a table is made of.
struct Form {
    format: &'static str,
    compression: Option<&'static str>,
    open: Option<&'static str>,
    serde: &'static str,
}

impl Form {
    /// What arrives is text, mostly; what is kept is Parquet or Iceberg, but for a few that nobody converted.
    fn of(plot: &Plot, random: &mut Random) -> Form {
        let parquet = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
        let json = "org.openx.data.jsonserde.JsonSerDe";
        let csv = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
        let columnar = Form { format: "parquet", compression: Some("snappy"), open: None, serde: parquet };
        match plot.layer {
            Layer::Raw if random.chance(600) => {
                Form { format: "json", compression: Some("gzip"), serde: json, ..columnar }
            }
            Layer::Raw => Form { format: "csv", compression: Some("none"), serde: csv, ..columnar },
            _ if plot.name.contains("iceberg") => Form { open: Some("iceberg"), compression: None, ..columnar },
            _ if plot.name.contains("delta") => Form { open: Some("delta"), ..columnar },
            _ if random.chance(120) => Form { format: "csv", compression: Some("none"), serde: csv, ..columnar },
            _ => columnar,
        }
    }
}

/// Returns the rows of `glue_databases` and `glue_tables` on the morning of `today`.
pub fn tables(calendar: Calendar, today: Day, buckets: &[&(Bucket, Daily)]) -> (Vec<Row>, Vec<Row>) {
    let mut counts: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    let mut rows = Vec::new();
    for (bucket, daily) in buckets {
        let plot = &bucket.plot;
        for &(word, part) in shelves(plot.layer) {
            *counts.entry((plot.account, plot.region, database(plot.layer))).or_default() += 1;
            rows.push(table(calendar, today, bucket, daily, (word, part)));
        }
    }
    let made = calendar.at(0, 0) - TimeDelta::days(700);
    let database = |((account, region, name), count): ((&str, &str, &str), i64)| {
        let row = Row::new().with("account_id", account).with("region", region).with("database", name);
        row.with("created", made).with("table_count", count)
    };
    (counts.into_iter().map(database).collect(), rows)
}

fn table(calendar: Calendar, today: Day, bucket: &Bucket, daily: &Daily, (word, part): (&str, i64)) -> Row {
    let plot = &bucket.plot;
    let mut random = Random::new(0, &format!("table {} {word}", plot.name));
    let form = Form::of(plot, &mut random);
    let held: i64 =
        daily.iter().filter(|(kind, _)| **kind != "AllStorageTypes").map(|(_, days)| at(days, today - 1)).sum();
    let crawled = has_crawler(plot);
    let keys = if random.chance(850) { "[\"dt\"]" } else { "[]" };
    let iceberg = form.open == Some("iceberg");
    let made = calendar.at(bucket.created.min(today - 1), 43_200);
    Row::new()
        .with("account_id", plot.account)
        .with("region", plot.region)
        .with("database", database(plot.layer))
        .with("table", format!("{}_{word}", domain(plot)))
        .with("table_type", "EXTERNAL_TABLE")
        .with("open_format", form.open)
        .with("format", form.format)
        .with("compression", form.compression)
        .with("classification", crawled.then_some(form.format))
        .with("serde", form.serde)
        .with("location", format!("s3://{}/{word}/", plot.name))
        .with("partition_keys", if iceberg { "[]" } else { keys })
        .with("partition_key_count", i64::from(!iceberg && keys != "[]"))
        .with("partition_projection", random.chance(150))
        .with("column_count", random.between(8, 90))
        .with("size_bytes", crawled.then(|| share(held, part)))
        .with("crawler", crawled.then(|| crawler_name(plot)))
        .with("reads_restored_objects", false)
        .with("created", made)
        .with("updated", calendar.at(today - 1, 7_200).max(made))
        .with("lake_formation", false)
        .with("column_statistics", random.chance(200))
        .with("compaction", iceberg.then(|| random.chance(500)))
        .with("snapshot_retention", iceberg.then_some(false))
        .with("orphan_file_deletion", iceberg.then_some(false))
        .with("location_registered", false)
}

fn at(days: &[i64], day: Day) -> i64 {
    usize::try_from(day).ok().and_then(|day| days.get(day)).copied().unwrap_or(0)
}

/// `nw-raw-events` → `events`.
fn domain(plot: &Plot) -> String {
    let name = plot.name.trim_start_matches("nw-");
    let name = ["raw-", "curated-", "mart-"].iter().find_map(|layer| name.strip_prefix(layer)).unwrap_or(name);
    name.to_lowercase().replace(['-', '.'], "_")
}

/// Crawlers look at what arrives in the platform's home Region.
fn has_crawler(plot: &Plot) -> bool {
    plot.layer == Layer::Raw && (plot.account, plot.region) == (PLATFORM, VIRGINIA)
}

fn crawler_name(plot: &Plot) -> String {
    format!("raw-{}", domain(plot))
}

/// One crawl.
#[derive(Clone, Debug)]
pub struct Crawl {
    crawler: String,
    /// When it started.
    pub started: DateTime<Utc>,
    /// What it used, in ten-thousandths of a DPU-hour.
    used: i64,
    changes: i64,
}

/// Returns the crawls of one day: the bill's DPU-hours, shared out evenly.
pub fn crawls(seed: u64, calendar: Calendar, day: Day, plots: &[&Plot], metered: &Metered<'_>) -> Vec<Crawl> {
    let runs = |plot: &Plot| if BUSY.contains(&plot.name.as_str()) { OFTEN } else { 1 };
    let crawled: Vec<&Plot> = plots.iter().copied().filter(|plot| has_crawler(plot)).collect();
    let mut random = Random::new(seed, &format!("crawls {}", calendar.date(day)));
    let count = crawled.iter().map(|plot| runs(plot)).sum();
    let whole = metered.whole(PLATFORM, LINE, day, 10_000);
    let mut used = parts(whole, count, |even| random.around(even, 150)).into_iter();
    let one = |(plot, run): (&Plot, i64)| {
        let second = 5_400 + run * 86_400 / runs(plot) + Random::new(0, &plot.name).between(0, 1_800);
        // Most crawls find nothing: partitions come once a day.
        let changes = i64::from(run == 0) * 2;
        Some(Crawl { crawler: crawler_name(plot), started: calendar.at(day, second), used: used.next()?, changes })
    };
    let all: Vec<(&Plot, i64)> = crawled.iter().flat_map(|plot| (0..runs(plot)).map(|run| (*plot, run))).collect();
    all.into_iter().filter_map(one).collect()
}

impl Crawl {
    /// Returns when it ended: two DPUs work at a time.
    pub fn completed(&self) -> DateTime<Utc> {
        self.started + TimeDelta::seconds(self.used * 3_600 / 20_000)
    }

    /// Returns the row of `glue_crawls`.
    pub fn row(&self) -> Row {
        Row::new()
            .with("account_id", PLATFORM)
            .with("region", VIRGINIA)
            .with("crawler", self.crawler.as_str())
            .with("crawl_id", format!("{}-{}", self.crawler, self.started.timestamp()))
            .with("started", self.started)
            .with("completed", self.completed())
            .with("state", "COMPLETED")
            .with("dpu_hours", Decimal::new(self.used, 4))
            .with("changes", self.changes)
    }
}

/// Returns the rows of `glue_crawlers`, with their last crawl before `as_of`.
pub fn crawlers(calendar: Calendar, plots: &[&Plot], crawls: &[Crawl]) -> Vec<Row> {
    let row = |plot: &&Plot| {
        let name = crawler_name(plot);
        let last = crawls.iter().filter(|crawl| crawl.crawler == name).map(|crawl| crawl.started).max();
        let hours = if BUSY.contains(&plot.name.as_str()) { "1/6" } else { "1" };
        let all = plot.name.as_str() != BUSY[0];
        Row::new()
            .with("account_id", plot.account)
            .with("region", plot.region)
            .with("crawler", name)
            .with("state", "READY")
            .with("schedule", format!("cron(30 {hours} * * ? *)"))
            .with("schedule_state", "SCHEDULED")
            .with("database", database(plot.layer))
            .with("recrawl_behavior", if all { "CRAWL_EVERYTHING" } else { "CRAWL_NEW_FOLDERS_ONLY" })
            .with("s3_targets", format!("[\"s3://{}/\"]", plot.name))
            .with("other_targets", 0)
            .with("sampled", false)
            .with("last_crawl_status", last.map(|_| "SUCCEEDED"))
            .with("last_crawl_started", last)
            .with("role", "arn:aws:iam::222233334444:role/glue-crawlers")
            .with("created", calendar.at(0, 0) - TimeDelta::days(400))
            .with("last_updated", calendar.at(0, 0) - TimeDelta::days(90))
    };
    plots.iter().filter(|plot| has_crawler(plot)).map(row).collect()
}
