//! The leaves of whole bills: what they hold of each line, and that no dollar is in two of them.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::analysis::{declare, lines, pools, provide, rate_card};
use crate::engine::Engine;
use crate::model::{Money, Row};
use crate::prices::PriceBook;
use crate::store::table::Table;
use crate::store::tables::bill::{BILL, COSTS};
use crate::store::tables::glue::GLUE_JOB_RUNS;
use crate::store::tables::network::NAT_TRAFFIC;
use crate::store::tables::storage::STORAGE;

const GB: i64 = 1 << 30;

fn as_of() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

fn first() -> NaiveDate {
    "2026-10-01".parse().unwrap()
}

/// One line of an export, on one day.
fn line(service: &str, usage_type: &str, operation: &str, resource: Option<&str>, usd: i64) -> Row {
    Row::new()
        .with("account_id", "1")
        .with("linked_account_id", "1")
        .with("region", "us-east-1")
        .with("day", first())
        .with("service", service)
        .with("usage_type", usage_type)
        .with("operation", operation)
        .with("resource", resource)
        .with("record_type", "usage")
        .with("source", "cur")
        .with("currency", "USD")
        .with("unit", "u")
        .with("usage", Decimal::from(usd.abs() + 1))
        .with("net_amortized", Decimal::from(usd))
}

/// A month is whole when each of its days is on the bill.
fn whole(mut rows: Vec<Row>) -> Vec<Row> {
    let day = |at| line("AmazonSQS", "Requests", "", None, 1).with("day", first() + TimeDelta::days(at));
    rows.extend((0..31).map(day));
    rows
}

fn size(bucket: &str, gb: i64) -> Row {
    let day = as_of().date_naive() - TimeDelta::days(1);
    let row = Row::new().with("account_id", "1").with("region", "us-east-1").with("bucket", bucket);
    row.with("storage_type", "StandardStorage").with("day", day).with("bytes", gb * GB)
}

async fn computed(tables: &[(&Table, Vec<Row>)]) -> Engine {
    let engine = Engine::new().unwrap();
    for (table, rows) in tables {
        engine.register(table, rows).unwrap();
    }
    let card = rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
    declare(&engine).unwrap();
    provide(&engine, &card, as_of(), &["pools".to_owned()].into()).await.unwrap();
    engine
}

async fn shown(engine: &Engine) -> Vec<String> {
    let rows = engine.rows("select * from pools order by pool_id").await.unwrap();
    let line = |row: &Row| {
        let usd = row.decimal("billed_usd").map_or("unknown".to_owned(), |usd| usd.round_dp(2).normalize().to_string());
        format!("{} {usd} {}", row.key("pool_id"), row.key("source"))
    };
    rows.iter().map(line).collect()
}

#[tokio::test]
async fn every_charge_that_the_bill_names_is_a_leaf_of_its_resource_and_operation() {
    let glue = "arn:aws:glue:us-east-1:1:job/etl/daily";
    let nat = "arn:aws:ec2:us-east-1:1:natgateway/nat-1";
    let bill = whole(vec![
        line("AmazonS3", "TimedStorage-ByteHrs", "StandardStorage", Some("seen"), 10),
        line("AmazonS3", "TimedStorage-ByteHrs", "StandardStorage", Some("unseen"), 4),
        line("AmazonS3", "Requests-Tier1", "PutObject", Some("seen"), 3),
        line("AmazonS3", "Requests-Tier1", "CopyObject", Some("arn:aws:s3:::seen"), 2),
        line("AmazonS3", "DataTransfer-Out-Bytes", "GetObject", Some("seen"), 1),
        line("AWSGlue", "USE1-ETL-Flex-DPU-Hour", "FlexJobrun", Some(glue), 20),
        line("AWSGlue", "USE1-Catalog-Request", "Request", None, 7),
        line("AmazonEC2", "NatGateway-Bytes", "NatGateway", Some(nat), 30),
        line("AmazonEC2", "EBS:VolumeUsage.gp3", "CreateVolume", Some("vol-1"), 99),
    ]);
    let run = Row::new().with("account_id", "1").with("region", "us-east-1").with("job", "etl/daily");
    let run = run.with("dpu_unit", "DPU").with("dpu_seconds", Decimal::from(3600)).with("execution_class", "FLEX");
    let run = run.with("started", as_of() - TimeDelta::days(3));
    let engine = computed(&[(&BILL, bill), (&STORAGE, vec![size("seen", 9)]), (&GLUE_JOB_RUNS, vec![run])]).await;
    assert_eq!(
        shown(&engine).await,
        [
            "1/us-east-1/glue/etl%2Fdaily/USE1-ETL-Flex-DPU-Hour/FlexJobrun 20 bill",
            "1/us-east-1/nat/nat-1/NatGateway-Bytes/NatGateway 30 bill",
            "1/us-east-1/s3-requests/seen/Requests-Tier1/CopyObject 2 bill",
            "1/us-east-1/s3-requests/seen/Requests-Tier1/PutObject 3 bill",
            "1/us-east-1/s3-transfer/seen/DataTransfer-Out-Bytes/GetObject 1 bill",
            "1/us-east-1/s3/seen/unsplit 8.18 bill",
            "1/us-east-1/s3/unseen/unsplit/TimedStorage-ByteHrs/StandardStorage 4 bill",
        ]
    );
    let class = engine.rows("select class from pools where service = 'AWS Glue'").await.unwrap();
    assert_eq!(class[0].key("class"), "FLEX");
}

#[tokio::test]
async fn where_no_bill_names_them_jobs_and_gateways_get_their_share_of_the_line() {
    let day = |at| {
        let costs = |service: &'static str, usage_type: &'static str, usd: i64, usage: i64| {
            let share = |all: i64| (Decimal::from(all) / Decimal::from(31)).round_dp(12);
            let row = Row::new().with("day", first() + TimeDelta::days(at)).with("service", service);
            let row = row.with("usage_type", usage_type).with("region", "us-east-1");
            row.with("net_amortized", share(usd)).with("usage", share(usage))
        };
        [costs("AWS Glue", "USE1-ETL-DPU-Hour", 44, 100), costs("EC2 - Other", "NatGateway-Bytes", 45, 1000)]
    };
    let bill = (0..31).flat_map(day).collect();
    let at = |name: &'static str, value: &'static str| {
        Row::new().with("account_id", "1").with("region", "us-east-1").with(name, value)
    };
    let run = |job, back: i64, hours: i64| {
        let row = at("job", job).with("dpu_unit", "DPU").with("dpu_seconds", Decimal::from(3600 * hours));
        row.with("execution_class", "STANDARD").with("started", as_of() - TimeDelta::days(back))
    };
    let runs = vec![run("a", 3, 30), run("a", 4, 20), run("b", 5, 25), run("old", 40, 999)];
    let traffic = |metric: &'static str, gb: i64| {
        let day = as_of().date_naive() - TimeDelta::days(2);
        at("nat_gateway_id", "nat-1").with("metric", metric).with("day", day).with("bytes", gb * GB)
    };
    let traffic = vec![
        traffic("BytesInFromSource", 300),
        traffic("BytesInFromDestination", 100),
        traffic("BytesOutToSource", 999),
    ];
    let engine = computed(&[(&COSTS, bill), (&GLUE_JOB_RUNS, runs), (&NAT_TRAFFIC, traffic)]).await;
    assert_eq!(
        shown(&engine).await,
        [
            "1/us-east-1/glue/a/ETL-DPU-Hour 22 allocated",
            "1/us-east-1/glue/b/ETL-DPU-Hour 11 allocated",
            "1/us-east-1/nat/nat-1/NatGateway-Bytes 18 allocated",
        ]
    );
}

#[tokio::test]
async fn a_line_with_a_correction_of_one_resource_stays_unexplained() {
    let put = |resource: &'static str, usd| line("AmazonS3", "Requests-Tier1", "PutObject", Some(resource), usd);
    let engine = computed(&[(&BILL, whole(vec![put("a", 10), put("b", -3)]))]).await;
    assert!(shown(&engine).await.is_empty());
}

/// Lines of a few services, resources and operations, some without a resource, some negative.
fn bill() -> impl Strategy<Value = Vec<Row>> {
    let kinds = [
        ("AmazonS3", "TimedStorage-ByteHrs", ["StandardStorage", "Other"]),
        ("AmazonS3", "USE1-TimedStorage-ByteHrs", ["StandardStorage", "Other"]),
        ("AmazonS3", "TimedStorage-SIA-ByteHrs", ["StandardIAStorage", "Other"]),
        ("AmazonS3", "Requests-Tier1", ["PutObject", "CopyObject"]),
        ("AmazonAthena", "DataScannedInTB", ["RunQuery", "Other"]),
        ("AWSGlue", "USE1-ETL-DPU-Hour", ["Jobrun", "Other"]),
        ("AmazonEC2", "NatGateway-Bytes", ["NatGateway", "Other"]),
    ];
    let resources = [None, Some("a"), Some("arn:aws:s3:::b"), Some("arn:aws:glue:us-east-1:1:job/j")];
    let one = (0..kinds.len(), 0..2_usize, 0..resources.len(), prop_oneof![9 => 0..90_i64, 1 => -9..0_i64]);
    let row = move |(kind, operation, resource, usd): (usize, usize, usize, i64)| {
        let (service, usage_type, operations) = kinds[kind];
        line(service, usage_type, operations[operation], resources[resource], usd)
    };
    proptest::collection::vec(one.prop_map(row), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn the_leaves_of_a_line_never_hold_more_than_the_line_and_none_twice(bill in bill(), a in 0..90_i64, b in 0..90_i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let sizes = [("a", a), ("b", b)].into_iter().filter(|(_, gb)| *gb > 0).map(|(name, gb)| size(name, gb)).collect();
        let (pools, lines, ids) = runtime.block_on(async {
            let engine = computed(&[(&BILL, whole(bill)), (&STORAGE, sizes)]).await;
            let ids = engine.rows("select pool_id, storage_type, count(*) as n from pools group by 1, 2").await.unwrap();
            (pools(&engine).await.unwrap(), lines(&engine, as_of()).await.unwrap(), ids)
        });
        prop_assert!(ids.iter().all(|row| row.int("n") == Some(1)), "{ids:?}");
        let mut held: BTreeMap<&str, Money> = BTreeMap::new();
        for pool in &pools {
            *held.entry(pool.line.usage_type.as_str()).or_default() += pool.billed.unwrap_or_default();
        }
        for line in &lines {
            let held = held.remove(line.line.usage_type.as_str()).unwrap_or_default();
            prop_assert!(held <= line.net.max(Money::ZERO), "{held} of {line:?}");
        }
        prop_assert!(held.values().all(|usd| *usd == Money::ZERO), "on no line: {held:?}");
    }
}
