//! Dollars from end to end: two policies on one bucket, a lake that has nothing, and names that stay.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use leanlake::analysis;
use leanlake::engine::Engine;
use leanlake::model::{Money, Pool, Range, Row, Verdict};
use leanlake::policy::{Library, evaluate};
use leanlake::portfolio::{Portfolio, decide};
use leanlake::prices::PriceBook;
use leanlake::store::tables;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::support::World;

const GB: i64 = 1 << 30;

fn as_of() -> DateTime<Utc> {
    "2026-11-15T12:00:00Z".parse().unwrap()
}

fn lake() -> Row {
    Row::new().with("account_id", "1").with("region", "us-east-1").with("bucket", "lake")
}

/// October's bill: 1,000 GB of Standard for 23 dollars.
fn bill() -> Vec<Row> {
    let of_31 = |all: i64| (Decimal::from(all) / Decimal::from(31)).round_dp(12);
    let row = |at: i64| {
        Row::new()
            .with("day", NaiveDate::from_ymd_opt(2026, 10, 1).unwrap() + TimeDelta::days(at))
            .with("service", "Amazon Simple Storage Service")
            .with("usage_type", "TimedStorage-ByteHrs")
            .with("region", "us-east-1")
            .with("net_amortized", of_31(23))
            .with("usage", of_31(1000))
    };
    (0..31).map(row).collect()
}

/// A bucket of `gb` since October, of which 400 GB are old versions, with two old uploads.
async fn decided(gb: i64, uploads: [Option<i64>; 2]) -> (Portfolio, Vec<Pool>) {
    let sizes = (1..=45).map(|back| {
        let day = as_of().date_naive() - TimeDelta::days(back);
        lake().with("day", day).with("storage_type", "StandardStorage").with("bytes", gb * GB)
    });
    let bucket = lake().with("versioning", "Enabled").with("abort_rule", false).with("noncurrent_rule", false);
    let bucket = bucket.with("tiering_rule", false).with("object_lock", false).with("mfa_delete", false);
    let upload = |(id, bytes): (&str, Option<i64>)| {
        let row = lake().with("key", "k").with("upload_id", id).with("initiated", as_of() - TimeDelta::days(40));
        row.with("bytes", bytes.map(|gb| gb * GB))
    };
    let engine = Engine::new().unwrap();
    for (name, rows) in [
        ("storage", sizes.collect()),
        ("buckets", vec![bucket.with("noncurrent_bytes", 400 * GB)]),
        ("multipart_uploads", ["a", "b"].into_iter().zip(uploads).map(upload).collect()),
        ("costs", bill()),
    ] {
        engine.register(tables::find(name).unwrap(), &rows).unwrap();
    }
    let card = analysis::rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
    let said = evaluate(&Library::built_in().unwrap(), &engine, &card, as_of(), &[]).await.unwrap();
    let pools = analysis::pools(&engine).await.unwrap();
    (decide(said.findings, &pools), pools)
}

fn counted(portfolio: &Portfolio, policy: &str) -> Range {
    let finding = portfolio.findings.iter().find(|finding| finding.policy == policy).unwrap();
    match &finding.verdict {
        Verdict::Recommended { counted, .. } => {
            let cents = |usd: Money| Money::new(usd.usd().round_dp(6));
            counted.map(cents)
        }
        other => panic!("{policy}: {other:?}"),
    }
}

fn usd(text: &str) -> Money {
    Money::new(text.parse().unwrap())
}

#[tokio::test]
async fn uploads_and_old_versions_of_one_bucket_both_count_and_never_more_than_the_bucket() {
    let (portfolio, pools) = decided(1000, [Some(60), Some(40)]).await;
    assert_eq!(counted(&portfolio, "s3-abandoned-uploads"), Range::exact(usd("2.30")));
    assert_eq!(counted(&portfolio, "s3-noncurrent-kept"), Range::exact(usd("9.20")));
    let held: Money = pools.iter().filter_map(Pool::cost).sum();
    assert_eq!(portfolio.totals.headline_low.usd().round_dp(6), usd("11.50").usd());
    assert!(portfolio.totals.headline_low <= held && held <= usd("23.000001"), "{held}");
    let unwatched = portfolio.findings.iter().find(|finding| finding.policy == "s3-standard-unwatched").unwrap();
    assert_eq!(unwatched.verdict, Verdict::Possible, "what only a look can settle takes nothing from them");
}

#[tokio::test]
async fn a_sample_of_uploads_counts_its_extrapolation_beside_the_old_versions() {
    let (portfolio, _) = decided(1000, [Some(60), None]).await;
    let uploads = counted(&portfolio, "s3-abandoned-uploads");
    // 60 GB were seen, 120 are likely, and nothing but the 600 GB that are no old versions bounds them.
    assert_eq!((uploads.low, uploads.expected), (usd("1.38"), usd("2.76")));
    assert_eq!(uploads.high, Some(usd("13.80")));
    assert_eq!(counted(&portfolio, "s3-noncurrent-kept"), Range::exact(usd("9.20")));
}

#[tokio::test]
async fn a_lake_that_grew_since_the_bill_counts_at_the_low_end_what_the_bill_held() {
    let (portfolio, pools) = decided(2000, [Some(60), Some(40)]).await;
    let uploads = counted(&portfolio, "s3-abandoned-uploads");
    assert_eq!((uploads.low, uploads.expected, uploads.high), (usd("1.15"), usd("2.30"), Some(usd("2.30"))));
    let finding = portfolio.findings.iter().find(|finding| finding.policy == "s3-abandoned-uploads").unwrap();
    let Verdict::Recommended { limit: Some(why), .. } = &finding.verdict else { panic!("{:?}", finding.verdict) };
    assert_eq!(why, "the low end counts no more than its part of the last full month's bill, $1.15");
    let held: Money = pools.iter().filter_map(Pool::cost).sum();
    assert!(portfolio.totals.headline_low <= held && held <= usd("23.000001"), "{held}");
}

#[test]
fn an_account_without_buckets_and_bill_is_told_so_and_nothing_fails() {
    let world = World::new();
    world.scan();
    let report = world.run(&["report", "weekly"]).ends_with(0);
    let report = report.prints("The bill shows no cost.").prints("Nothing was found in what could be seen");
    for wrong in ["NaN", "undefined", "Some(", "-$", "can be saved"] {
        assert!(!report.stdout.contains(wrong), "{wrong} in\n{}", report.stdout);
    }
    let findings = world.run(&["findings"]).ends_with(0).prints("Nothing is recommended.");
    assert!(!findings.stdout.contains("$0.00"), "{}", findings.stdout);
    let document = world.run(&["findings", "--format", "json"]).ends_with(0).json();
    assert_eq!(document["findings"].as_array().unwrap().len(), 0);
    world.run(&["plan"]).ends_with(0).prints("Plan: nothing to change");
}

/// Policy, account, Region and resource to the id and the saving of a finding.
fn by_resource(document: &Value) -> BTreeMap<[String; 4], (String, String)> {
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let named = |finding: &Value| {
        let key = ["policy", "account_id", "region", "resource"].map(|key| text(finding, key));
        (key, (text(finding, "id"), finding["saving"].to_string()))
    };
    document["findings"].as_array().unwrap().iter().map(named).collect()
}

#[test]
fn a_finding_keeps_its_id_when_newer_data_changes_its_dollars() {
    let world = World::new();
    world.run(&["demo", "--days", "90"]).ends_with(0);
    let listed = world.run(&["snapshots", "list", "--format", "json"]).ends_with(0).json();
    let mut ids: Vec<&str> = listed["snapshots"].as_array().unwrap().iter().filter_map(|s| s["id"].as_str()).collect();
    ids.sort_unstable();
    let said =
        |id: &str| by_resource(&world.run(&["findings", "--format", "json", "--snapshot", id]).ends_with(0).json());
    let (before, after) = (said(ids[0]), said(ids[ids.len() - 1]));
    let both = || before.iter().filter_map(|(key, was)| Some((key, was, after.get(key)?)));
    assert!(both().count() > 20, "{} and {} findings", before.len(), after.len());
    assert!(both().all(|(_, was, is)| was.0 == is.0));
    assert!(both().any(|(_, was, is)| was.1 != is.1), "a week changes some dollars");
    let unique: std::collections::BTreeSet<&String> = after.values().map(|(id, _)| id).collect();
    assert_eq!(unique.len(), after.len());
}
