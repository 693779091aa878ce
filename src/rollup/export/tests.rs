//! Exports as AWS delivers them, and as they are when something went wrong on the way.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use chrono::{DateTime, Utc};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::json;

use super::*;
use crate::engine::files::{Type, Wanted};
use crate::model::{Origin, Row};
use crate::rollup::Runner;
use crate::rollup::bill::CUR_FILES;
use crate::store::tables::bill::BILL_MONTHS;
use crate::store::{Head, Place, Receipt, Store};

mod which;

const PAYER: &str = "111122223333";
const MEMBER: &str = "444455556666";

/// One line of a report by column; what is not there is empty.
type Line = BTreeMap<&'static str, String>;

fn line(cells: &[(&'static str, &str)]) -> Line {
    let always = [
        ("bill_billing_period_start_date", "2026-10-01T00:00:00Z"),
        ("bill_billing_period_end_date", "2026-11-01T00:00:00Z"),
        ("bill_payer_account_id", PAYER),
        ("line_item_usage_account_id", MEMBER),
        ("line_item_usage_start_date", "2026-10-05T07:00:00Z"),
        ("line_item_line_item_type", "Usage"),
        ("line_item_product_code", "AmazonS3"),
        ("line_item_currency_code", "USD"),
        ("line_item_unblended_cost", "0"),
        ("line_item_net_unblended_cost", "0"),
    ];
    always.iter().chain(cells).map(|(name, text)| (*name, (*text).to_owned())).collect()
}

/// An hour of storage in a bucket.
fn storage(bucket: &str, hour: usize, cost: &str) -> Line {
    let start = format!("2026-10-{:02}T{:02}:00:00Z", 1 + hour / 24 % 31, hour % 24);
    line(&[
        ("line_item_usage_start_date", &start),
        ("line_item_usage_type", "APN1-TimedStorage-ByteHrs"),
        ("line_item_operation", "StandardStorage"),
        ("line_item_resource_id", bucket),
        ("product_region_code", "ap-northeast-1"),
        ("pricing_unit", "GB-Mo"),
        ("pricing_rate_id", "r-1"),
        ("line_item_usage_amount", "2.5"),
        ("line_item_unblended_cost", cost),
        ("line_item_net_unblended_cost", cost),
        ("pricing_public_on_demand_cost", cost),
    ])
}

#[derive(Clone, Copy, Debug)]
enum Written {
    Csv,
    LegacyCsv,
    Gzip,
    Parquet,
}

/// Writes lines as a file, with `columns` in their order.
fn file(lines: &[Line], columns: &[&Wanted], written: Written) -> Vec<u8> {
    let legacy = |column: &Wanted| column.also.first().copied().unwrap_or(column.name);
    let cell = |line: &Line, column: &Wanted| line.get(column.name).cloned().unwrap_or_default();
    let csv = |name: &dyn Fn(&Wanted) -> &'static str| {
        let head = columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(",");
        let body = lines.iter().map(|line| columns.iter().map(|of| cell(line, of)).collect::<Vec<_>>().join(","));
        [head].into_iter().chain(body).collect::<Vec<_>>().join("\n").into_bytes()
    };
    match written {
        Written::Csv => csv(&|column| column.name),
        Written::LegacyCsv => gzip(&csv(&legacy)),
        Written::Gzip => gzip(&csv(&|column| column.name)),
        Written::Parquet => {
            let arrays = columns.iter().map(|column| {
                let texts: Vec<Option<String>> =
                    lines.iter().map(|line| line.get(column.name).filter(|text| !text.is_empty()).cloned()).collect();
                let millis =
                    |text: &Option<String>| Some(text.as_ref()?.parse::<DateTime<Utc>>().unwrap().timestamp_millis());
                let array: ArrayRef = match column.kind {
                    Type::Decimal => Arc::new(
                        texts
                            .iter()
                            .map(|text| text.as_ref().map(|text| text.parse().unwrap()))
                            .collect::<Float64Array>(),
                    ),
                    Type::Instant => Arc::new(texts.iter().map(millis).collect::<TimestampMillisecondArray>()),
                    _ => Arc::new(texts.into_iter().collect::<StringArray>()),
                };
                (column.name, array)
            });
            let batch =
                RecordBatch::try_from_iter_with_nullable(arrays.map(|(name, array)| (name, array, true))).unwrap();
            let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.into_inner().unwrap()
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn all() -> Vec<&'static Wanted> {
    CUR_FILES.columns.iter().collect()
}

/// A bucket with exports in it.
struct Bucket(Arc<InMemory>);

impl Bucket {
    fn new() -> Self {
        Bucket(Arc::new(InMemory::new()))
    }

    async fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) -> &Self {
        self.0.put(&Path::from(path), PutPayload::from(bytes.into())).await.unwrap();
        self
    }

    /// Delivers a month of a Data Export in one file.
    async fn deliver(&self, export: &str, month: &str, lines: &[Line], written: Written) -> &Self {
        let extension = if matches!(written, Written::Parquet) { "snappy.parquet" } else { "csv.gz" };
        let data = format!("p/{export}/data/BILLING_PERIOD={month}/{export}-00001.{extension}");
        self.put(&data, file(lines, &all(), written)).await;
        self.manifest(export, month, &[&data]).await
    }

    async fn manifest(&self, export: &str, month: &str, files: &[&str]) -> &Self {
        let files: Vec<String> = files.iter().map(|file| format!("s3://b/{file}")).collect();
        let text = json!({"executionId": "e", "columns": [], "dataFiles": files}).to_string();
        self.put(&format!("p/{export}/metadata/BILLING_PERIOD={month}/{export}-Manifest.json"), text).await
    }

    fn place(&self, root: &str) -> Place {
        Place::on(self.0.clone(), Path::from(root), &format!("s3://b/{root}"))
    }

    async fn read(&self, root: &str) -> Read {
        read(&[self.place(root)], Vec::new(), None).await
    }
}

/// What came of an import.
#[derive(Debug)]
struct Read {
    rows: Vec<Row>,
    months: Vec<Row>,
    coverage: Vec<Coverage>,
}

impl Read {
    fn gaps(&self) -> Vec<String> {
        let gaps = self.coverage.iter().filter(|row| row.is_gap());
        gaps.map(|row| row.reason.as_ref().map(|why| why.raw().to_owned()).unwrap_or_default()).collect()
    }

    fn sum(&self, column: &str) -> Decimal {
        self.rows.iter().filter_map(|row| row.decimal(column)).sum()
    }
}

async fn read(places: &[Place], known: Vec<Days>, account: Option<&str>) -> Read {
    let later = DateTime::<Utc>::MAX_UTC;
    read_after(places, known.iter().map(|days| (*days, later)).collect(), account).await
}

/// The same, where what is known was read at a time.
async fn read_after(places: &[Place], read: Vec<(Days, DateTime<Utc>)>, account: Option<&str>) -> Read {
    let seen = read.iter().map(|(days, _)| (None, *days)).collect();
    let read = read.into_iter().map(|(days, at)| (None, days, at)).collect();
    read_over(places, Known { seen, read, months: Vec::new() }, account).await
}

/// The same over what an earlier snapshot holds.
async fn read_over(places: &[Place], known: Known, account: Option<&str>) -> Read {
    let as_of = "2026-11-20T00:00:00Z".parse().unwrap();
    let found = survey(places).await;
    let store = Store::temporary().unwrap();
    let mut writer = store.write(Head { origin: Origin::Files, payer: None, account_id: None, as_of }, None);
    let mut coverage = found.gaps;
    let order = Order { as_of, known, account_id: account.map(str::to_owned), runner: Runner::Here };
    let mut import = Import::new(found.units, order);
    while let Some(step) = import.next().await {
        match step {
            Step::Replace { table, account_id, days } => {
                writer.replace_period(table, account_id.as_deref(), days.from, days.to);
            }
            Step::Rows(draft) => writer.settle(draft).await.unwrap(),
            Step::Cover(row) => coverage.push(row),
        }
    }
    let snapshot = writer.finish(Receipt::default(), false).await.unwrap();
    let months = snapshot.rows(&BILL_MONTHS).await.unwrap();
    Read { rows: snapshot.rows(&BILL).await.unwrap(), months, coverage }
}

fn usd(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn october() -> Vec<Line> {
    (0..40).map(|hour| storage(if hour % 3 == 0 { "lake" } else { "logs" }, hour, "0.1")).collect()
}

#[tokio::test]
async fn every_layout_of_the_same_month_is_the_same_bill() {
    let (lines, columns) = (october(), all());
    let mut bills = Vec::new();
    for written in [Written::Gzip, Written::Parquet] {
        let bucket = Bucket::new();
        bills.push(bucket.deliver("x", "2026-10", &lines, written).await.read("p/x").await);
    }
    // Legacy, versions kept: the manifest above the deliveries is the newest.
    let legacy = Bucket::new();
    let key = "p/r/20261001-20261101/0a-b/r-00001.csv.gz";
    let old = "p/r/20261001-20261101/9c-d/r-00001.csv.gz";
    let manifest = |key: &str| {
        let period = json!({"start": "20261001T000000.000Z", "end": "20261101T000000.000Z"});
        json!({"assemblyId": "a", "account": PAYER, "billingPeriod": period, "reportKeys": [key]}).to_string()
    };
    legacy.put(key, file(&lines, &columns, Written::LegacyCsv)).await;
    legacy.put(old, file(&lines[..3], &columns, Written::LegacyCsv)).await;
    legacy.put("p/r/20261001-20261101/9c-d/r-Manifest.json", manifest(old)).await;
    legacy.put("p/r/20261001-20261101/r-Manifest.json", manifest(key)).await;
    bills.push(legacy.read("p").await);
    let athena = Bucket::new();
    let key = "p/r/r/year=2026/month=10/r-00001.snappy.parquet";
    athena.put(key, file(&lines, &columns, Written::Parquet)).await;
    athena.put("p/r/20261001-20261101/r-Manifest.json", manifest(key)).await;
    bills.push(athena.read("p/r").await);
    // Handed over without a manifest: a folder, and a file.
    let bare = Bucket::new();
    bare.put("x/a.csv", file(&lines[..7], &columns, Written::Csv)).await;
    bare.put("x/b.csv.gz", file(&lines[7..], &columns, Written::LegacyCsv)).await.put("x/README.txt", "hello").await;
    bills.push(bare.read("x").await);
    let single = Bucket::new();
    bills.push(single.put("x.csv", file(&lines, &columns, Written::Csv)).await.read("x.csv").await);
    for bill in &bills {
        assert_eq!((bill.sum("unblended"), bill.gaps()), (usd("4"), vec![]), "{bill:?}");
        assert_eq!(bill.rows, bills[0].rows);
    }
    assert_eq!(bills[0].rows.len(), 4, "two buckets on two days");
    let first = &bills[0].rows[0];
    assert_eq!((first.decimal("usage"), first.key("source")), (Some(usd("20")), "cur"));
    assert_eq!((first.key("account_id"), first.key("linked_account_id")), (PAYER, MEMBER));
}

#[tokio::test]
async fn plans_reservations_credits_and_tax_are_amortised_as_aws_does_it() {
    let of =
        |kind: &str, cells: &[(&'static str, &str)]| line(&[&[("line_item_line_item_type", kind)], cells].concat());
    let lines = [
        of(
            "SavingsPlanCoveredUsage",
            &[("line_item_unblended_cost", "10"), ("savings_plan_savings_plan_effective_cost", "7")],
        ),
        of("SavingsPlanNegation", &[("line_item_unblended_cost", "-10")]),
        of(
            "SavingsPlanRecurringFee",
            &[
                ("line_item_unblended_cost", "9"),
                ("savings_plan_total_commitment_to_date", "9"),
                ("savings_plan_used_commitment", "7"),
            ],
        ),
        of("DiscountedUsage", &[("line_item_unblended_cost", "0"), ("reservation_effective_cost", "3")]),
        of(
            "RIFee",
            &[
                ("line_item_unblended_cost", "5"),
                ("reservation_unused_amortized_upfront_fee_for_billing_period", "1"),
                ("reservation_unused_recurring_fee", "0.5"),
            ],
        ),
        of("Fee", &[("line_item_unblended_cost", "100"), ("reservation_reservation_a_r_n", "arn:aws:ec2:x")]),
        of("Fee", &[("line_item_unblended_cost", "15")]),
        of("Credit", &[("line_item_unblended_cost", "-2")]),
        of("Refund", &[("line_item_unblended_cost", "-1")]),
        of("Tax", &[("line_item_unblended_cost", "4")]),
        of("EdpDiscount", &[("line_item_unblended_cost", "-0.3")]),
    ];
    let bucket = Bucket::new();
    let bill = bucket.deliver("x", "2026-10", &lines, Written::Gzip).await.read("p").await;
    let told = |row: &Row| {
        let amortized = row.decimal("amortized").unwrap().normalize();
        format!("{} {} {amortized}", row.key("line_type"), row.key("record_type"))
    };
    let expected = [
        "SavingsPlanCoveredUsage usage 7",
        "SavingsPlanNegation commitment 0",
        "SavingsPlanRecurringFee commitment 2",
        "DiscountedUsage usage 3",
        "RIFee commitment 1.5",
        "Fee commitment 0",
        "Fee fee 15",
        "Credit credit -2",
        "Refund refund -1",
        "Tax tax 4",
        "EdpDiscount discount -0.3",
    ];
    let sorted = |mut lines: Vec<String>| {
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(bill.rows.iter().map(told).collect()), sorted(expected.map(str::to_owned).into()));
    assert_eq!(bill.sum("unblended"), usd("129.7"));
    let recurring = bill.rows.iter().find(|row| row.key("line_type") == "SavingsPlanRecurringFee").unwrap();
    assert_eq!(recurring.decimal("net_amortized"), None, "no export says what of the discount was unused");
}

#[tokio::test]
async fn what_lies_outside_the_period_is_dated_inside_it() {
    let at = |start: &str| line(&[("line_item_usage_start_date", start), ("line_item_unblended_cost", "1")]);
    let lines = [at("2026-09-30T23:00:00Z"), at("2026-11-01T00:00:00Z"), at("2026-10-31T23:00:00Z"), at("")];
    let bucket = Bucket::new();
    let bill = bucket.deliver("x", "2026-10", &lines, Written::Parquet).await.read("p").await;
    let days: Vec<String> = bill.rows.iter().map(|row| row.date("day").unwrap().to_string()).collect();
    assert_eq!((days, bill.sum("unblended")), (vec!["2026-10-01".into(), "2026-10-31".into()], usd("4")));
    // Where the export leaves the columns of the period out, its manifest says the same.
    let columns: Vec<_> = all().into_iter().filter(|column| !column.name.starts_with("bill_billing")).collect();
    let bucket = Bucket::new();
    let key = "p/x/data/BILLING_PERIOD=2026-10/x-00001.csv.gz";
    bucket.put(key, file(&lines, &columns, Written::Gzip)).await.manifest("x", "2026-10", &[key]).await;
    assert_eq!(bucket.read("p").await.rows, bill.rows);
}

#[tokio::test]
async fn of_deliveries_that_are_kept_only_the_newest_counts() {
    let bucket = Bucket::new();
    for (delivery, hours) in [("20261106T010203Z-e1", 10), ("20261119T010203Z-e2", 40)] {
        let key = format!("p/x/data/BILLING_PERIOD=2026-10/{delivery}/x-00001.csv.gz");
        bucket.put(&key, file(&october()[..hours], &all(), Written::Gzip)).await;
        let text = json!({"dataFiles": [format!("s3://b/{key}")]}).to_string();
        bucket.put(&format!("p/x/metadata/BILLING_PERIOD=2026-10/{delivery}/x-Manifest.json"), text).await;
    }
    assert_eq!(bucket.read("p/x").await.sum("unblended"), usd("4"));
}

#[tokio::test]
async fn a_month_that_cannot_be_read_whole_is_a_gap_and_the_others_count() {
    let good = file(&october(), &all(), Written::Gzip);
    let cut = good[..good.len() - 9].to_vec();
    let dear = vec![line(&[("line_item_unblended_cost", "dear")])];
    let euros = vec![line(&[("line_item_currency_code", "EUR"), ("line_item_unblended_cost", "1")])];
    for (second, why) in [
        (None, "which is not there"),
        (Some(cut), "cut short"),
        (Some(file(&dear, &all(), Written::Gzip)), "`dear` is not a decimal"),
        (Some(file(&euros, &all(), Written::Gzip)), "EUR"),
    ] {
        let bucket = Bucket::new();
        let september = [storage("lake", 3, "7")].map(|mut line| {
            for cell in line.values_mut() {
                *cell = cell.replace("2026-10-", "2026-09-").replace("2026-11-01", "2026-10-01");
            }
            line
        });
        bucket.deliver("x", "2026-09", &september, Written::Parquet).await;
        let keys = ["p/x/data/BILLING_PERIOD=2026-10/x-00001.csv.gz", "p/x/data/BILLING_PERIOD=2026-10/x-00002.csv.gz"];
        bucket.put(keys[0], good.clone()).await;
        if let Some(second) = second {
            bucket.put(keys[1], second).await;
        }
        let bill = bucket.manifest("x", "2026-10", &keys).await.read("p").await;
        assert_eq!(bill.sum("unblended"), usd("7"), "{why}: nothing of October is counted");
        assert!(bill.gaps().len() == 1 && bill.gaps()[0].contains(why), "{why}: {:?}", bill.gaps());
        let gap = bill.coverage.iter().find(|row| row.is_gap()).unwrap();
        assert_eq!(gap.from.map(|day| day.to_string()).as_deref(), Some("2026-10-01"));
    }
}

#[tokio::test]
async fn an_empty_month_an_archive_and_a_folder_without_exports_say_so() {
    let bucket = Bucket::new();
    assert!(bucket.deliver("x", "2026-10", &[], Written::Gzip).await.read("p").await.gaps()[0].contains("empty"));
    assert!(bucket.manifest("y", "2026-10", &[]).await.read("p/y").await.gaps()[0].contains("names no file"));
    let zip = bucket.put("z/x-1.csv.zip", "PK").await.read("z").await;
    assert!(zip.gaps()[0].contains("unpack ZIP"), "{:?}", zip.gaps());
    assert!(bucket.put("n/notes.txt", "x").await.read("n").await.gaps()[0].contains("no export of a bill"));
    assert!(bucket.put("l/lens.csv", "a,b\n1,2").await.read("l").await.gaps()[0].contains("is no Cost and Usage"));
    assert!(bucket.put("m/x-Manifest.json", "{").await.read("m").await.gaps()[0].contains("no manifest of a bill"));
}

#[tokio::test]
async fn one_month_in_two_exports_counts_once_and_the_other_stands_in_for_a_broken_one() {
    let bucket = Bucket::new();
    bucket.deliver("new", "2026-10", &october(), Written::Gzip).await;
    bucket.put("old/all.csv", file(&october(), &all(), Written::Csv)).await;
    let places = [bucket.place("old"), bucket.place("p")];
    let bill = read(&places, Vec::new(), None).await;
    assert_eq!(bill.sum("unblended"), usd("4"));
    assert!(bill.gaps()[0].contains("`s3://b/p/new` is about the same months"), "{:?}", bill.gaps());
    bucket.put("p/new/data/BILLING_PERIOD=2026-10/new-00001.csv.gz", "broken").await;
    let bill = read(&places, Vec::new(), None).await;
    assert_eq!(bill.sum("unblended"), usd("4"));
    assert!(bill.gaps().iter().any(|gap| gap.contains("gzip")), "{:?}", bill.gaps());
}

#[tokio::test]
async fn a_bill_that_never_names_the_account_is_another_ones() {
    let bucket = Bucket::new();
    bucket.deliver("x", "2026-10", &october(), Written::Gzip).await;
    let places = [bucket.place("p")];
    for own in [PAYER, MEMBER] {
        assert_eq!(read(&places, Vec::new(), Some(own)).await.gaps(), Vec::<String>::new());
    }
    let other = read(&places, Vec::new(), Some("999999999999")).await;
    assert!(other.rows.is_empty() && other.gaps()[0].contains("999999999999 is not on it"), "{other:?}");
}

#[tokio::test]
async fn a_month_that_no_longer_changes_is_not_read_again() {
    let bucket = Bucket::new();
    for (month, next) in [("2026-08", "2026-09"), ("2026-09", "2026-10"), ("2026-10", "2026-11")] {
        let (start, end) = (format!("{month}-01T00:00:00Z"), format!("{next}-01T00:00:00Z"));
        let of = [("bill_billing_period_start_date", start.as_str()), ("bill_billing_period_end_date", &end)];
        bucket
            .deliver("x", month, &[line(&[&of[..], &[("line_item_usage_start_date", &start)]].concat())], Written::Gzip)
            .await;
    }
    let known = Days { from: "2026-08-01".parse().unwrap(), to: "2026-10-31".parse().unwrap() };
    let months = |read: &Read| {
        let seen = read.coverage.iter().filter(|row| row.state == CoverageState::Seen);
        seen.map(|row| row.from.unwrap().format("%m").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(months(&bucket.read("p").await), ["10", "09", "08"]);
    assert_eq!(months(&read(&[bucket.place("p")], vec![known], None).await), ["10"]);
    let long_ago = "2026-10-02T00:00:00Z".parse().unwrap();
    let restated = read_after(&[bucket.place("p")], vec![(known, long_ago)], None).await;
    assert_eq!(months(&restated), ["10", "09", "08"], "files that were written since are read");
}

#[tokio::test]
async fn two_deliveries_without_a_manifest_are_never_added_up() {
    let bucket = Bucket::new();
    let columns = all();
    let delivered = file(&october(), &columns, Written::Csv);
    for folder in ["p/BILLING_PERIOD=2026-10/1", "p/BILLING_PERIOD=2026-10/2"] {
        bucket.put(&format!("{folder}/a.csv"), delivered.clone()).await;
    }
    let bill = bucket.read("p").await;
    assert_eq!(bill.sum("unblended"), usd("4"), "forty hours, once");
    assert!(bill.coverage.iter().any(|row| row.reason.as_ref().is_some_and(|why| why.raw().contains("counts once"))));
}

#[tokio::test]
async fn a_file_of_two_far_months_replaces_these_alone() {
    let bucket = Bucket::new();
    let columns = all();
    let at = |start: &str| line(&[("line_item_usage_start_date", start), ("line_item_unblended_cost", "1")]);
    let bare = |line: Line| line.into_iter().filter(|(name, _)| !name.starts_with("bill_billing_period")).collect();
    let lines: Vec<Line> = [at("2026-01-05T00:00:00Z"), at("2026-10-05T00:00:00Z")].map(bare).into();
    bucket.put("p/all.csv", file(&lines, &columns, Written::Csv)).await;
    let as_of = "2026-11-20T00:00:00Z".parse().unwrap();
    let order = Order { as_of, known: Known::default(), account_id: None, runner: Runner::Here };
    let mut import = Import::new(survey(&[bucket.place("p")]).await.units, order);
    let mut replaced = Vec::new();
    while let Some(step) = import.next().await {
        match step {
            Step::Replace { table, days, .. } if table.name == BILL.name => replaced.push(days.from.to_string()),
            _ => {}
        }
    }
    assert_eq!(replaced, ["2026-01-01", "2026-10-01"]);
}

#[tokio::test]
async fn columns_that_an_export_lacks_are_null_and_told_once() {
    let columns: Vec<_> = all().into_iter().filter(|of| of.name != "line_item_resource_id").collect();
    let bucket = Bucket::new();
    let key = "p/x/data/BILLING_PERIOD=2026-10/x-00001.csv.gz";
    bucket.put(key, file(&october(), &columns, Written::Gzip)).await.manifest("x", "2026-10", &[key]).await;
    let bill = bucket.read("p").await;
    assert!(bill.rows.iter().all(|row| row.text("resource").is_none()));
    assert_eq!(bill.gaps(), ["the export lacks line_item_resource_id: what comes from them is NULL"]);
}

const FOCUS: &str = "\
AvailabilityZone,BilledCost,BillingAccountId,BillingCurrency,BillingPeriodEnd,BillingPeriodStart,ChargeCategory,ChargePeriodStart,ConsumedQuantity,ConsumedUnit,EffectiveCost,Id,ListCost,PricingQuantity,PricingUnit,ProviderName,RegionId,ResourceId,ServiceName,SkuPriceId,SubAccountId,Tags
NULL,0.00000080000,1234567890123,USD,2024-10-01 00:00:00,2024-09-01 00:00:00,Usage,2024-09-18 22:00:00,2.000000000000000,Requests,0.00000000000,1,0.00000080000,2.00000000000,Requests,AWS,us-west-2,NULL,Amazon Simple Queue Service,A.B,51738928782,NULL
us-east-1,1.5,1234567890123,USD,2024-10-01 00:00:00,2024-09-01 00:00:00,Usage,2024-09-18 23:00:00,3,GB,1.2,2,2,3,GB,AWS,us-east-1,lake,Amazon Simple Storage Service,A.C,51738928782,\"{\"\"team\"\": \"\"a, b\"\"}\"
NULL,-0.5,1234567890123,USD,2024-10-01 00:00:00,2024-09-01 00:00:00,Credit,2024-09-01 00:00:00,NULL,NULL,-0.5,3,0,NULL,NULL,AWS,NULL,NULL,Amazon Simple Storage Service,NULL,51738928782,NULL
,9,20209880,USD,2024-10-01 00:00:00,2024-09-01 00:00:00,Usage,2024-09-02 00:00:00,1,Hours,,4,9,1,Hours,Oracle,,ocid1,Compute,,,
";

#[tokio::test]
async fn a_focus_file_with_its_quirks_shows_spend_and_is_marked() {
    let bucket = Bucket::new();
    let bill = bucket.put("focus.csv", FOCUS).await.read("focus.csv").await;
    assert_eq!(
        (bill.rows.len(), bill.sum("net_unblended"), bill.sum("net_amortized")),
        (3, usd("1.0000008"), usd("0.7"))
    );
    assert!(bill.rows.iter().all(|row| row.key("source") == "focus" && row.decimal("unblended").is_none()));
    let storage = bill.rows.iter().find(|row| row.key("resource") == "lake").unwrap();
    assert_eq!(
        (storage.decimal("usage"), storage.key("unit"), storage.decimal("list")),
        (Some(usd("3")), "GB", Some(usd("2")))
    );
    let seen = bill.coverage.iter().find(|row| row.state == CoverageState::Seen).unwrap();
    assert_eq!(
        (seen.from.unwrap().to_string(), seen.to.unwrap().to_string()),
        ("2024-09-01".into(), "2024-09-18".into())
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_split_into_files_and_any_order_of_columns_is_the_same_bill(
        order in Just(all()).prop_shuffle(),
        cuts in prop::collection::vec(0_usize..=40, 0..4),
        formats in prop::collection::vec(0_usize..4, 5),
        shuffled in Just(october()).prop_shuffle(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let whole = Bucket::new();
            let expected = whole.deliver("x", "2026-10", &october(), Written::Parquet).await.read("p").await;
            let mut ends = cuts.clone();
            ends.extend([0, 40]);
            ends.sort_unstable();
            let bucket = Bucket::new();
            let mut keys = Vec::new();
            for (at, pair) in ends.windows(2).enumerate() {
                let (written, extension) = [
                    (Written::Csv, "csv"), (Written::Gzip, "csv.gz"), (Written::LegacyCsv, "csv.gz"), (Written::Parquet, "parquet"),
                ][formats[at]];
                let key = format!("p/x/data/BILLING_PERIOD=2026-10/x-{at}.{extension}");
                bucket.put(&key, file(&shuffled[pair[0]..pair[1]], &order, written)).await;
                keys.push(key);
            }
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let read = bucket.manifest("x", "2026-10", &keys).await.read("p").await;
            assert_eq!((read.gaps(), read.rows), (Vec::new(), expected.rows));
        });
    }
}
