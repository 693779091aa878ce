//! `scan --engine athena`: the bill and inventory lists rolled up there, on the terms of the command line.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use serde_json::{Value, json};

use crate::aws::athena::Reply;
use crate::aws::exports::Export;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::World;

/// A line of a report in Parquet.
fn report() -> Vec<u8> {
    let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("bill_payer_account_id", text("111122223333")),
        ("line_item_usage_start_date", Arc::new(TimestampMillisecondArray::from(vec![1_791_162_000_000]))),
        ("line_item_line_item_type", text("Usage")),
        ("line_item_currency_code", text("USD")),
        ("line_item_unblended_cost", Arc::new(Float64Array::from(vec![0.25]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// An account that delivers one month in Parquet into a bucket of its own, and what Athena answers about it.
fn delivering(reply: Reply) -> World {
    let world = World::new();
    let mut account = world.aws.account();
    let mut bucket = Bucket::in_region("eu-west-1");
    let data = "cur/daily/data/BILLING_PERIOD=2026-10/daily-00001.snappy.parquet";
    let manifest = json!({"executionId": "e", "columns": [], "dataFiles": [format!("s3://bills/{data}")]}).to_string();
    bucket.objects.0.insert(data.to_owned(), report());
    let key = "cur/daily/metadata/BILLING_PERIOD=2026-10/daily-Manifest.json";
    bucket.objects.0.insert(key.to_owned(), manifest.into_bytes());
    account.s3.add("bills", bucket);
    let table = "COST_AND_USAGE_REPORT";
    account.exports = vec![Export { name: "daily".into(), bucket: "bills".into(), prefix: "cur".into(), table }];
    account.athena.replies = vec![reply];
    account.athena.page = 7;
    drop(account);
    world
}

/// What Athena answers: a dollar a day, more days than fit on a page.
fn month() -> Reply {
    let some = |text: &str| Some(text.to_owned());
    let row = |day: u32| {
        vec![some(&format!("2026-10-{day:02}")), some("111122223333"), None, some("USD"), some("1.000000000000")]
    };
    Reply {
        scanned: 20_000_000,
        columns: vec![
            ("day", "date"),
            ("account_id", "varchar"),
            ("region", "varchar"),
            ("currency", "varchar"),
            ("unblended", "decimal"),
        ],
        rows: (1..=31).map(row).collect(),
        ..Reply::default()
    }
}

const ON_ATHENA: [&str; 7] = ["scan", "--only", "exports", "--engine", "athena", "--athena-database", "scratch"];

fn gap(world: &World) -> String {
    let rows = world.rows("select reason from coverage where table_name = 'bill' and state = 'missing'");
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0]["reason"].as_str().unwrap().to_owned()
}

#[test]
fn a_bill_is_rolled_up_on_athena_with_a_receipt_and_nothing_is_left_there() {
    let world = delivering(month());
    let run = world.run(&ON_ATHENA).ends_with(0);
    run.says("tables `leanlake_20261120_")
        .says("are made in database `scratch` and dropped again")
        .prints("Athena: 1 query scanned 20,971,520 bytes for $0.000095");
    assert_eq!(world.lines("select count(*) as n, sum(unblended) as usd from bill"), ["n=31 usd=31.00"]);
    let account = world.aws.account();
    assert!(account.athena.tables.is_empty(), "{:?}", account.athena.tables);
    let texts: Vec<&str> = account.athena.statements.iter().map(|statement| statement.text.as_str()).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts[0].contains("LOCATION 's3://bills/cur/daily/data/BILLING_PERIOD=2026-10/'"), "{}", texts[0]);
    assert!(texts[1].contains("IN ('s3://bills/cur/daily/data/BILLING_PERIOD=2026-10/daily-00001.snappy.parquet')"));
    assert!(account.athena.statements.iter().all(|statement| statement.workgroup == "primary"));
    assert!(account.calls.iter().all(|call| !call.operation.starts_with("s3:Put")), "nothing is written to S3");
}

#[test]
fn the_receipt_is_in_the_json_too_and_its_dollars_in_the_scans() {
    let world = delivering(month());
    let json: Value = world.run(&[&ON_ATHENA[..], &["--format", "json"]].concat()).ends_with(0).json();
    assert_eq!((&json["athena"]["queries"], &json["athena"]["scanned_bytes"]), (&json!(1), &json!(20 << 20)));
    assert_eq!(json["athena"]["tables_left"], json!([]));
    let plain = world.run(&["scan", "--only", "exports", "--format", "json"]).ends_with(0).json();
    assert!(plain.get("athena").is_none());
}

#[test]
fn what_athena_refuses_is_a_gap_that_says_why_and_what_to_do_instead() {
    let world =
        delivering(Reply { fails: Some("HIVE_CANNOT_OPEN_SPLIT: no"), scanned: 11_000_000, ..Reply::default() });
    world.run(&ON_ATHENA).prints("Athena: 1 query scanned 11,534,336 bytes");
    let said = gap(&world);
    assert!(said.contains("its query failed on Athena: HIVE_CANNOT_OPEN_SPLIT: no"), "{said}");
    assert!(said.contains("`--engine datafusion` reads it here"), "{said}");
    assert!(world.aws.account().athena.tables.is_empty(), "what was made is dropped");
    // As it says.
    world.run(&["scan", "--only", "exports"]).ends_with(0);
    assert_eq!(world.lines("select sum(unblended) as usd from bill"), ["usd=0.25"]);
}

#[test]
fn a_role_that_may_not_use_athena_leaves_a_gap_and_a_cap_is_kept_before_anything_is_asked() {
    let world = delivering(month());
    world.aws.account().faults = vec![Fault::on("athena:StartQueryExecution", Trouble::Denied)];
    world.run(&ON_ATHENA);
    assert!(gap(&world).contains("making its table was refused by Athena"), "{}", gap(&world));
    let world = delivering(month());
    world.run(&[&ON_ATHENA[..], &["--max-scan", "1MB"]].concat());
    assert!(gap(&world).contains("`--max-scan` allows 1,000,000;"), "{}", gap(&world));
    assert!(world.aws.account().athena.statements.is_empty());
}

#[test]
fn a_scan_without_the_option_never_starts_a_query() {
    let world = delivering(month());
    world.run(&["scan", "--all"]).ends_with(0);
    assert!(world.aws.account().athena.statements.is_empty());
    let none = world.aws.account().calls.iter().filter(|call| call.operation == "athena:StartQueryExecution").count();
    assert_eq!(none, 0);
}

#[test]
fn options_of_athena_need_athena_and_athena_needs_a_database_and_credentials() {
    let world = World::new();
    world.run(&["scan", "--engine", "athena"]).ends_with(64).says("--athena-database");
    world.run(&["scan", "--max-scan", "1GB"]).ends_with(64).says("`--engine athena`");
    world.run(&["scan", "--engine", "athena", "--athena-database", "a`b"]).ends_with(64).says("lower-case letters");
    let alone = World::new().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    alone.write("bill/a.csv", "x\n");
    let scan = ["scan", "--bill", "bill", "--engine", "athena", "--athena-database", "scratch"];
    alone.run(&scan).ends_with(4).says("needs credentials");
}

#[test]
fn the_policy_of_a_scan_holds_what_athena_needs_only_when_it_is_asked_for() {
    let world = World::new();
    let plain = world.run(&["iam", "scan"]).ends_with(0).json();
    assert!(!plain.to_string().contains("StartQueryExecution"));
    let args = ["iam", "scan", "--athena-database", "scratch", "--athena-results", "s3://answers/lake"];
    world.run(&args).ends_with(0).prints("arn:aws:glue:*:*:table/scratch/leanlake_*").prints("glue:DeleteTable");
    world.run(&args[..4]).ends_with(64).says("--athena-results");
}
