//! The demo lake from outside: its verb, and that its tables agree with each other and with the truth beside them.

use std::collections::{BTreeMap, BTreeSet};

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
