//! The demo lake from outside: its verb, and that its tables agree with each other and with the truth beside them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use leanlake::demo::{DemoOptions, Lake, Since, Tables, Without, fill};
use leanlake::model::{CoverageState, Row};
use leanlake::prices::region_of_usage_type;
use rust_decimal::Decimal;

use crate::support::World;

#[test]
fn the_demo_fills_a_store_once_and_touches_none_that_is_in_use() {
    let world = World::new();
    let made = world.run(&["demo", "--days", "60"]).ends_with(0);
    assert_eq!(made.stdout.lines().count(), 2, "last week's and this week's snapshot: {made:?}");
    let again = world.run(&["demo"]).ends_with(6).says("already holds");
    assert_eq!(again.stdout, "");
}

#[test]
fn the_demo_needs_a_store_of_its_own() {
    World::new().without("LEANLAKE_STORE").run(&["demo"]).ends_with(64).says("--store");
}

#[test]
fn the_same_seed_is_the_same_lake_and_another_seed_another() {
    let rows = |seed| seen(&lake(seed, &[])).rows;
    assert_eq!(rows(1), rows(1));
    assert_ne!(rows(1), rows(2));
}

#[test]
fn the_tables_of_the_bill_agree_to_the_last_digit() {
    let seen = seen(&lake(3, &[]));
    let sum = |table: &str, keep: fn(&&Row) -> bool| -> BTreeMap<String, Decimal> {
        let mut by_service = BTreeMap::new();
        for row in seen.rows[table].iter().filter(keep) {
            *by_service.entry(row.key("service").to_owned()).or_default() += row.decimal("net_amortized").unwrap();
        }
        by_service
    };
    let costs = sum("costs", |_| true);
    assert_eq!(costs, sum("costs_by_account", |_| true));
    assert_eq!(costs, sum("charges", |row| matches!(row.key("record_type"), "Usage" | "SavingsPlanCoveredUsage")));
}

#[test]
fn a_usage_type_of_the_demo_is_in_the_region_that_the_price_book_says() {
    let seen = seen(&lake(42, &[]));
    for row in &seen.rows["costs"] {
        if let Some(region) = region_of_usage_type(row.key("usage_type")) {
            assert_eq!(row.key("region"), region, "{}", row.key("usage_type"));
        }
    }
}

#[test]
fn the_bill_of_stored_bytes_is_what_the_buckets_hold() {
    let lake = lake(42, &[]);
    let day = lake.calendar.today - 10;
    let at = usize::try_from(day).unwrap();
    let frankfurt = lake.buckets.iter().filter(|(bucket, _)| bucket.plot.region == "eu-central-1");
    let held: i64 = frankfurt.filter_map(|(_, daily)| daily.get("StandardStorage")).map(|bytes| bytes[at]).sum();
    let line = |row: &&Row| {
        row.key("usage_type") == "EUC1-TimedStorage-ByteHrs" && row.date("day") == Some(lake.calendar.date(day))
    };
    let billed = seen(&lake).rows["costs"].iter().find(line).and_then(|row| row.decimal("usage")).unwrap();
    let month = Decimal::from(30);
    let off = (billed * month * Decimal::from(1 << 30) - Decimal::from(held)).abs();
    assert!(off < Decimal::from(1 << 20), "billed {billed} GB-months a day for {held} bytes");
}

/// Of each thing that a policy looks for: some to find, some whose size nobody can tell, some to leave alone.
#[test]
fn every_lake_has_something_true_something_unknown_and_something_to_leave_alone() {
    for seed in [42, 1, 2] {
        let lake = lake(seed, &[]);
        let (seen, truth) = (seen(&lake), lake.truth());
        let buckets = &seen.rows["buckets"];
        let some = |what: &str, found: &dyn Fn(&Row) -> bool| {
            assert!(buckets.iter().any(found), "seed {seed}: no bucket {what}");
        };
        let abandoned = |row: &Row| truth[row.key("bucket")].abandoned_bytes(lake.as_of(), 7) > 0;
        let listed: BTreeMap<&str, BTreeSet<bool>> =
            seen.rows["multipart_uploads"].iter().fold(BTreeMap::new(), |mut known, row| {
                known.entry(row.key("bucket")).or_default().insert(row.int("bytes").is_some());
                known
            });
        let unruled = |row: &Row| row.flag("abort_rule") == Some(false) && abandoned(row);
        let parts = |row: &Row| listed.get(row.key("bucket")).cloned().unwrap_or_default();
        some("with abandoned uploads, all listed", &|row| unruled(row) && parts(row) == BTreeSet::from([true]));
        some("with abandoned uploads, some listed", &|row| unruled(row) && parts(row).len() == 2);
        some("with abandoned uploads, none listed", &|row| unruled(row) && parts(row) == BTreeSet::from([false]));
        some("that aborts uploads", &|row| row.flag("abort_rule") == Some(true));
        some("with abandoned uploads and unknown rules", &|row| row.flag("abort_rule").is_none() && abandoned(row));
        let old = |row: &Row| truth[row.key("bucket")].noncurrent_bytes(0).values().sum::<i64>() > 1 << 40;
        let kept = |row: &Row| row.key("versioning") != "Never" && row.flag("noncurrent_rule") == Some(false);
        some("with noncurrent bytes that Lens tells", &|row| {
            kept(row) && old(row) && row.int("noncurrent_bytes").is_some()
        });
        some("with noncurrent bytes that nobody tells", &|row| kept(row) && row.int("noncurrent_bytes").is_none());
        some("that lets old versions go", &|row| row.flag("noncurrent_rule") == Some(true));
        some("with idle Standard bytes", &|row| truth[row.key("bucket")].idle_bytes(90) > 1 << 40);
        some("that moves objects by a rule", &|row| row.flag("tiering_rule") == Some(true));
        let reuse = lake.avoidable_bytes(lake.as_of() - chrono::TimeDelta::days(30), 60);
        assert!(reuse.values().any(|bytes| *bytes > 1 << 40), "seed {seed}: {reuse:?}");
    }
}

/// Returns what the bill has of a usage type of one account's lines, by day; yesterday's is not whole yet.
fn billed(seen: &Tables, lake: &Lake, usage_type: &str) -> BTreeMap<NaiveDate, Decimal> {
    let last = lake.calendar.date(lake.calendar.today - 2);
    let mut days = BTreeMap::new();
    for row in seen.rows["costs"].iter().filter(|row| row.key("usage_type") == usage_type) {
        let day = row.date("day").unwrap();
        if day <= last {
            *days.entry(day).or_default() += row.decimal("usage").unwrap();
        }
    }
    days
}

/// Expects that what ran on each day that is seen whole is what was billed, but for a hundredth.
fn agree(what: &str, ran: &BTreeMap<NaiveDate, Decimal>, billed: &BTreeMap<NaiveDate, Decimal>) {
    let mut days = 0;
    // The first day that is read may have begun before.
    for (day, ran) in ran.iter().skip(1) {
        let Some(billed) = billed.get(day) else { continue };
        days += 1;
        assert!((ran - billed).abs() * Decimal::ONE_HUNDRED <= *billed, "{what} on {day}: {ran} ran, {billed} billed");
    }
    assert!(days > 20, "{what}: {days} days");
}

fn by_day<'a>(
    rows: impl Iterator<Item = &'a Row>,
    column: &str,
    amount: impl Fn(&Row) -> Decimal,
) -> BTreeMap<NaiveDate, Decimal> {
    let day = |row: &Row| row.date(column).or_else(|| Some(row.time(column)?.date_naive())).unwrap();
    rows.fold(BTreeMap::new(), |mut days, row| {
        *days.entry(day(row)).or_default() += amount(row);
        days
    })
}

#[test]
fn what_ran_in_the_demo_is_what_its_bill_says() {
    let lake = lake(42, &[]);
    let seen = seen(&lake);
    let hours = |row: &Row| row.decimal("dpu_seconds").unwrap() / Decimal::from(3_600);
    let runs = |region: &'static str, class: &'static str| {
        let own = move |row: &&Row| row.key("region") == region && row.key("execution_class") == class;
        by_day(seen.rows["glue_job_runs"].iter().filter(own), "started", hours)
    };
    for (region, class, usage_type) in [
        ("us-east-1", "STANDARD", "USE1-ETL-DPU-Hour"),
        ("us-east-1", "FLEX", "USE1-ETL-Flex-DPU-Hour"),
        ("eu-west-1", "STANDARD", "EU-ETL-DPU-Hour"),
        ("ap-northeast-1", "STANDARD", "APN1-ETL-DPU-Hour"),
    ] {
        agree(usage_type, &runs(region, class), &billed(&seen, &lake, usage_type));
    }
    let crawls = by_day(seen.rows["glue_crawls"].iter(), "started", |row| row.decimal("dpu_hours").unwrap());
    agree("crawls", &crawls, &billed(&seen, &lake, "USE1-Crawler-DPU-Hour"));
    let through = |row: &&Row| row.key("region") == "eu-west-1" && row.key("metric").starts_with("BytesIn");
    let gib = |row: &Row| Decimal::from(row.int("bytes").unwrap()) / Decimal::from(1_i64 << 30);
    let bytes = by_day(seen.rows["nat_traffic"].iter().filter(through), "day", gib);
    agree("NAT bytes", &bytes, &billed(&seen, &lake, "EU-NatGateway-Bytes"));
}

#[test]
fn what_stands_in_the_demo_is_billed_by_the_hour() {
    let lake = lake(42, &[]);
    let seen = seen(&lake);
    let of = |usage_type: &str| *billed(&seen, &lake, usage_type).values().next_back().unwrap();
    let hours = |count: i64| Decimal::from(count * 24);
    let count = |table: &str, region: &str| {
        i64::try_from(seen.rows[table].iter().filter(|row| row.key("region") == region).count()).unwrap()
    };
    assert_eq!(of("NatGateway-Hours"), hours(count("nat_gateways", "us-east-1")));
    assert_eq!(of("EU-NatGateway-Hours"), hours(count("nat_gateways", "eu-west-1")));
    let zones = |region: &str| {
        let own = seen.rows["vpc_endpoints"].iter().filter(|row| row.key("region") == region);
        own.filter_map(|row| row.int("availability_zone_count")).sum()
    };
    assert_eq!(of("VpcEndpoint-Hours"), hours(zones("us-east-1")));
    assert_eq!(of("EU-VpcEndpoint-Hours"), hours(zones("eu-west-1")));
    assert_eq!(of("Node:ra3.4xlarge"), hours(seen.rows["redshift_clusters"][0].int("nodes").unwrap()));
}

/// The bytes that go astray have a cause that can be seen: gateways whose route tables lack the endpoint.
#[test]
fn of_pipelines_too_there_is_something_to_find_and_something_to_leave_alone() {
    let seen = seen(&lake(7, &[]));
    let both = |table: &str, found: &dyn Fn(&Row) -> bool| {
        let count = seen.rows[table].iter().filter(|row| found(row)).count();
        assert!(count > 0 && count < seen.rows[table].len(), "{table}: {count} of {}", seen.rows[table].len());
    };
    both("glue_job_runs", &|row| row.key("state") == "FAILED");
    both("glue_jobs", &|row| row.text("timeout_minutes").is_none() && row.int("timeout_minutes").is_none());
    both("glue_jobs", &|row| row.flag("auto_scaling") == Some(true));
    both("glue_tables", &|row| row.key("format") == "csv");
    both("glue_crawlers", &|row| row.key("recrawl_behavior") == "CRAWL_EVERYTHING");
    both("emr_clusters", &|row| row.int("idle_hours") > Some(200));
    both("nat_gateways", &|row| row.int("route_tables_without_s3_endpoint") == Some(1));
    both("lifecycle_changes", &|row| row.key("tool") == "terraform");
    both("budgets", &|row| row.flag("filtered") == Some(true));
}

#[test]
fn what_is_left_out_is_a_gap_and_not_a_zero() {
    let seen = seen(&lake(42, &[Without::Bill, Without::Lens]));
    assert!(!seen.rows.contains_key("costs"));
    assert!(seen.rows["buckets"].iter().all(|row| row.int("noncurrent_bytes").is_none()));
    for read in ["ce:GetCostAndUsage", "lens:export"] {
        let mut of_it = seen.coverage.iter().filter(|coverage| coverage.read == read);
        assert!(of_it.all(|coverage| coverage.state == CoverageState::Missing), "{read}");
    }
}

fn lake(seed: u64, without: &[Without]) -> Lake {
    let days = 120;
    fill(&DemoOptions { seed, days, without: without.iter().copied().collect(), ..DemoOptions::default() })
}

fn seen(lake: &Lake) -> Tables {
    lake.tables(lake.as_of(), Since::default())
}
