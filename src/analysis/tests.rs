//! Analyses over small snapshots whose answers a reader can check by hand.

use super::*;
use crate::model::{Cell, Money};
use crate::prices::PriceBook;
use crate::store::tables::{athena, bill, storage as tables};
use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;

const GB: i64 = 1 << 30;
const TB: i64 = 1 << 40;

fn as_of() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

fn day(back: i64) -> NaiveDate {
    as_of().date_naive() - TimeDelta::days(back)
}

fn usd(text: &str) -> Money {
    Money::new(text.parse().unwrap())
}

fn bucket(name: &str) -> Row {
    Row::new().with("account_id", "1").with("region", "us-east-1").with("bucket", name)
}

fn size(name: &str, storage_type: &str, back: i64, bytes: i64) -> Row {
    bucket(name).with("storage_type", storage_type).with("day", day(back)).with("bytes", bytes)
}

async fn run(tables: &[(&Table, Vec<Row>)], names: &[&str]) -> Engine {
    let engine = Engine::new().unwrap();
    for (table, rows) in tables {
        engine.register(table, rows).unwrap();
    }
    let card = rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
    declare(&engine).unwrap();
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    provide(&engine, &card, as_of(), &names).await.unwrap();
    engine
}

/// October 2026 with `net` dollars in all for `quantity` of a usage type.
fn october(usage_type: &str, net: i64, quantity: i64) -> Vec<Row> {
    let days = (0..31).map(|at| NaiveDate::from_ymd_opt(2026, 10, 1).unwrap() + TimeDelta::days(at));
    let share = |all: i64| Decimal::from(all) / Decimal::from(31);
    let row = |day: NaiveDate| {
        Row::new()
            .with("day", day)
            .with("service", "Amazon Simple Storage Service")
            .with("usage_type", usage_type)
            .with("region", "us-east-1")
            .with("net_amortized", share(net).round_dp(12))
            .with("usage", share(quantity).round_dp(12))
    };
    days.map(row).collect()
}

#[tokio::test]
async fn a_bucket_is_split_by_what_is_known_and_priced_at_list() {
    let known = bucket("lake").with("noncurrent_bytes", 40 * GB).with("upload_count", 0_i64);
    let sizes = vec![size("lake", "StandardStorage", 2, 999 * GB), size("lake", "StandardStorage", 1, 100 * GB)];
    let engine = run(&[(&tables::BUCKETS, vec![known]), (&tables::STORAGE, sizes)], &["pools"]).await;
    let rows = engine.rows("select state, pool_id, list_usd, source from pools order by state").await.unwrap();
    assert_eq!(rows[0].key("pool_id"), "1/us-east-1/s3/lake/current");
    assert_eq!([rows[0].money("list_usd"), rows[1].money("list_usd")], [Some(usd("1.38")), Some(usd("0.92"))]);
    assert_eq!((rows.len(), rows[1].key("state"), rows[1].key("source")), (2, "noncurrent", "list"));
}

#[tokio::test]
async fn a_line_of_the_bill_is_shared_by_quantity_and_keeps_what_was_not_measured() {
    let sizes = vec![size("a", "StandardStorage", 1, 30 * GB), size("b", "StandardStorage", 1, 20 * GB)];
    let bill = october("TimedStorage-ByteHrs", 200, 100);
    let engine = run(&[(&tables::STORAGE, sizes), (&bill::COSTS, bill)], &["pools"]).await;
    let rows = engine.rows("select bucket, state, billed_usd, source from pools order by bucket").await.unwrap();
    let billed = |row: &Row| row.decimal("billed_usd").map(|usd| usd.round_dp(6));
    assert_eq!([billed(&rows[0]), billed(&rows[1])], [Some(Decimal::from(60)), Some(Decimal::from(40))]);
    assert!(rows.iter().all(|row| row.key("source") == "allocated" && row.key("state") == "unsplit"));
}

#[tokio::test]
async fn more_measured_than_billed_never_takes_more_than_the_line() {
    let sizes = vec![size("a", "StandardStorage", 1, 300 * GB), size("b", "StandardStorage", 1, 100 * GB)];
    let bill = october("TimedStorage-ByteHrs", 200, 100);
    let engine = run(&[(&tables::STORAGE, sizes), (&bill::COSTS, bill)], &["pools"]).await;
    let rows = engine.rows("select sum(billed_usd) as all_of_it from pools").await.unwrap();
    let all = rows[0].money("all_of_it").unwrap();
    let line = lines(&engine, as_of()).await.unwrap()[0].net;
    assert!(all <= line && all > Money::new(Decimal::new(19999, 2)), "{all} of {line}");
}

#[tokio::test]
async fn what_grew_since_the_bill_costs_more_today_than_its_share_of_the_line() {
    let sizes = vec![size("a", "StandardStorage", 1, 300 * GB), size("b", "StandardStorage", 1, 100 * GB)];
    let bill = october("TimedStorage-ByteHrs", 200, 100);
    let engine = run(&[(&tables::STORAGE, sizes), (&bill::COSTS, bill)], &["pools"]).await;
    let held = pools(&engine).await.unwrap();
    let cents = |usd: Option<Money>| usd.unwrap().usd().round_dp(2);
    // 200 dollars for 100 GB: 300 GB would be 600 at that rate, and hold three quarters of the line.
    assert_eq!((cents(held[0].cost()), cents(held[0].most())), (Decimal::from(150), Decimal::from(600)));
}

fn upload(name: &str, id: &str, bytes: Option<i64>) -> Row {
    bucket(name).with("key", "k").with("upload_id", id).with("bytes", bytes)
}

#[tokio::test]
async fn a_sample_of_the_uploads_bounds_nothing_so_it_is_not_split_off() {
    let cut = Row::new()
        .with("table_name", "multipart_uploads")
        .with("account_id", "1")
        .with("region", "us-east-1")
        .with("read", "s3:ListMultipartUploads");
    let gap = cut.clone().with("resource", "cut").with("state", "over_budget");
    let region = cut.with("state", "partial");
    let names = ["cut", "gone", "lens", "sampled", "whole"];
    let sizes = names.map(|name| size(name, "StandardStorage", 1, 100 * GB)).to_vec();
    let there = names.map(|name| bucket(name).with("versioning", "Never").with("upload_count", 2_i64));
    let there = there.map(|row| if row.key("bucket") == "lens" { row.with("incomplete_bytes", 7 * GB) } else { row });
    let uploads = vec![
        upload("cut", "1", Some(GB)),
        upload("gone", "1", Some(GB)), // the other was completed since it was listed
        upload("lens", "1", Some(GB)),
        upload("lens", "2", None),
        upload("sampled", "1", Some(GB)),
        upload("sampled", "2", None),
        upload("whole", "1", Some(GB)),
        upload("whole", "2", Some(GB)),
    ];
    let tables: [(&Table, Vec<Row>); 4] = [
        (&tables::STORAGE, sizes),
        (&tables::BUCKETS, there.to_vec()),
        (&tables::MULTIPART_UPLOADS, uploads),
        (&crate::store::tables::scan::COVERAGE, vec![gap, region]),
    ];
    let engine = run(&tables, &["pools"]).await;
    let rows = engine.rows("select bucket, state, quantity from pools order by 1, 2").await.unwrap();
    let seen: Vec<_> = rows.iter().map(|r| (r.key("bucket"), r.key("state"), r.decimal("quantity").unwrap())).collect();
    let gb = |amount: i64| Decimal::from(amount);
    assert_eq!(
        seen,
        [
            ("cut", "unsplit", gb(100)),
            ("gone", "current", gb(99)),
            ("gone", "incomplete", gb(1)),
            ("lens", "current", gb(93)),
            ("lens", "incomplete", gb(7)),
            ("sampled", "unsplit", gb(100)),
            ("whole", "current", gb(98)),
            ("whole", "incomplete", gb(2)),
        ]
    );
}

#[tokio::test]
async fn the_vaults_of_glacier_say_nothing_about_the_price_of_s3() {
    let service = |name: &'static str| move |row: Row| row.with("service", name);
    let mut bill = october("EU-TimedStorage-ByteHrs", 200, 100);
    bill.extend(october("TimedStorage-ByteHrs", 36, 10_000).into_iter().map(service("Amazon Glacier")));
    bill.extend(october("EU-TimedStorage-ByteHrs", 36, 10_000).into_iter().map(service("Amazon Glacier")));
    let deep = service("Amazon S3 Glacier Deep Archive");
    bill.extend(october("TimedStorage-GDA-ByteHrs", 1, 1000).into_iter().map(deep));
    let engine = run(&[(&bill::COSTS, bill)], &[]).await;
    let billed = billed(&engine, as_of()).await.unwrap();
    let usage: Vec<_> = billed.iter().map(|usage| (usage.usage_type.as_str(), usage.net.usd().round_dp(2))).collect();
    let expected = [("EU-TimedStorage-ByteHrs", Decimal::from(200)), ("TimedStorage-GDA-ByteHrs", Decimal::ONE)];
    assert_eq!(usage, expected);
}

#[tokio::test]
async fn the_tiers_are_the_payers_only_where_the_bill_holds_other_accounts_too() {
    use crate::prices::End;
    let ends = async |accounts: &[&str]| {
        let by_account = |account: &&str| {
            let row = Row::new().with("day", NaiveDate::from_ymd_opt(2026, 10, 5).unwrap()).with("service", "S3");
            row.with("account_id", "1").with("linked_account_id", *account)
        };
        let costs = october("TimedStorage-ByteHrs", 21, 1000);
        let by_account = accounts.iter().map(by_account).collect();
        let engine = run(&[(&bill::COSTS, costs), (&bill::COSTS_BY_ACCOUNT, by_account)], &[]).await;
        let card = rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
        let at = |end| card.rate_for("s3.storage.standard", "us-east-1", None, end).unwrap().value.round_dp(4);
        (at(End::Low), at(End::High))
    };
    let usd = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(ends(&["1", "2"]).await, (usd("0.0210"), usd("0.0210")), "a discount of the payer");
    assert_eq!(ends(&["1"]).await, (usd("0.0192"), usd("0.0210")), "a discount, or tiers that others filled");
}

#[tokio::test]
async fn the_logs_of_cloudwatch_say_nothing_about_the_price_of_s3() {
    let mut bill = october("TimedStorage-ByteHrs", 200, 100);
    let logs = |row: Row| row.with("service", "AmazonCloudWatch").with("usage_type", "USE1-TimedStorage-ByteHrs");
    bill.extend(october("TimedStorage-ByteHrs", 900, 100).into_iter().map(logs));
    let engine = run(&[(&bill::COSTS, bill)], &[]).await;
    let billed = billed(&engine, as_of()).await.unwrap();
    assert_eq!(billed.iter().map(|usage| usage.usage_type.as_str()).collect::<Vec<_>>(), ["TimedStorage-ByteHrs"]);
}

#[tokio::test]
async fn a_month_with_a_missing_day_is_no_full_month() {
    let mut bill = october("TimedStorage-ByteHrs", 200, 100);
    let engine = run(&[(&bill::COSTS, bill.clone())], &[]).await;
    let month = full_month(&engine, as_of()).await.unwrap();
    assert_eq!(month.map(|month| month.first), NaiveDate::from_ymd_opt(2026, 10, 1));
    bill.remove(7);
    let engine = run(&[(&bill::COSTS, bill)], &[]).await;
    assert_eq!(full_month(&engine, as_of()).await.unwrap(), None);
    assert!(billed(&engine, as_of()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_size_older_than_two_weeks_is_not_used_and_that_is_said() {
    let sizes = vec![size("old", "StandardStorage", 15, GB), size("new", "StandardStorage", 14, GB)];
    let there = vec![bucket("old"), bucket("new")];
    let engine = run(&[(&tables::STORAGE, sizes), (&tables::BUCKETS, there)], &["pools", "storage_bounds"]).await;
    let rows = engine.rows("select bucket from pools").await.unwrap();
    assert_eq!(rows.iter().map(|row| row.key("bucket")).collect::<Vec<_>>(), ["new"]);
    let said = stale(&engine, as_of()).await.unwrap();
    assert_eq!(said.len(), 1);
    assert!(said[0].reason.as_ref().unwrap().raw().starts_with("sizes of 1 buckets are older than 14 days"));
}

#[tokio::test]
async fn storage_types_that_nobody_knows_stay_on_the_list_without_a_price() {
    let sizes = vec![size("a", "BrandNewStorage", 1, GB)];
    let engine = run(&[(&tables::STORAGE, sizes)], &["pools"]).await;
    let rows = engine.rows("select storage_type, list_usd, source from pools").await.unwrap();
    assert_eq!(rows[0].key("storage_type"), "BrandNewStorage");
    assert_eq!((rows[0].cell("list_usd"), rows[0].cell("source")), (&Cell::Null, &Cell::Null));
    assert_eq!(pools(&engine).await.unwrap()[0].cost(), None);
}

fn query(id: &str, back: i64, minute: i64, gb: i64) -> Row {
    let began = day(back).and_hms_opt(8, 0, 0).unwrap().and_utc() + TimeDelta::minutes(minute);
    Row::new()
        .with("account_id", "1")
        .with("region", "us-east-1")
        .with("workgroup", "bi/team")
        .with("query_id", id)
        .with("submitted", began)
        .with("completed", began + TimeDelta::seconds(30))
        .with("state", "SUCCEEDED")
        .with("statement_type", "DML")
        .with("bytes_scanned", gb * GB)
        .with("text_hash", "h")
        .with("key_id", "k")
        .with("reuse_eligible", true)
}

#[tokio::test]
async fn a_workgroup_is_billed_for_what_was_paid_by_the_byte_and_nothing_else() {
    let queries = vec![
        query("1", 30, 0, 1024),
        query("2", 1, 0, 512).with("state", "CANCELLED"),
        query("3", 1, 0, 4096).with("state", "FAILED"),
        query("4", 1, 0, 4096).with("reused", true),
        query("5", 1, 0, 4096).with("dpu_count", Decimal::from(8)),
        query("6", 1, 0, 4096).with("statement_type", "DDL"),
        query("7", 0, 0, 4096),
        query("8", 31, 0, 4096),
    ];
    let engine = run(&[(&athena::ATHENA_QUERIES, queries)], &["pools"]).await;
    let rows = engine.rows("select pool_id, quantity, list_usd from pools").await.unwrap();
    assert_eq!(rows[0].key("pool_id"), "1/us-east-1/athena/bi%2Fteam");
    assert_eq!(
        (rows[0].decimal("quantity"), rows[0].money("list_usd")),
        (Some(Decimal::new(15, 1)), Some(usd("7.50")))
    );
}

/// The coverage of a workgroup's history.
fn history(from: i64, to: i64, state: &str) -> Row {
    Row::new()
        .with("table_name", "athena_queries")
        .with("account_id", "1")
        .with("region", "us-east-1")
        .with("resource", "bi/team")
        .with("read", "athena:BatchGetQueryExecution")
        .with("state", state)
        .with("from_day", day(from))
        .with("to_day", day(to))
}

#[tokio::test]
async fn days_that_were_read_without_a_query_are_days_of_nothing_and_others_are_unknown() {
    let terabytes = async |coverage: Vec<Row>, others: Vec<Row>| {
        let mut queries: Vec<Row> = (1..=10).map(|back| query(&format!("{back}"), back, 0, 1024)).collect();
        queries.extend(others);
        let coverage = (&crate::store::tables::scan::COVERAGE, coverage);
        let engine = run(&[(&athena::ATHENA_QUERIES, queries), coverage], &["pools"]).await;
        engine.rows("select quantity from pools").await.unwrap()[0].decimal("quantity").unwrap()
    };
    let tb = |amount: i64| Decimal::from(amount);
    assert_eq!(terabytes(vec![history(45, 0, "seen")], vec![]).await, tb(10), "the first 20 days had no query");
    assert_eq!(terabytes(vec![history(10, 0, "seen")], vec![]).await, tb(30), "nobody read the first 20 days");
    let cut = vec![history(45, 11, "partial"), history(10, 0, "seen")];
    assert_eq!(terabytes(cut, vec![query("x", 11, 0, 1024)]).await, tb(30), "a day that was cut is not counted");
    let left_out = vec![history(45, 0, "partial").with("seen", 10_i64).with("expected", 11_i64)];
    assert_eq!(terabytes(left_out, vec![]).await, tb(10), "a query was left out, the days were read");
    let earlier = vec![query("ddl", 40, 0, 0).with("statement_type", "DDL")];
    assert_eq!(terabytes(vec![], earlier).await, tb(10), "the history goes further back than the window's first query");
}

#[tokio::test]
async fn runs_that_may_be_reusable_are_in_the_high_end_or_leave_it_open() {
    let avoided = async |eligible: [Option<bool>; 3]| {
        let at = |n: i64| query(&format!("{n}"), 1, n * 10, 1024);
        let runs = (0..).zip(eligible).map(|(n, eligible)| at(n).with("reuse_eligible", eligible)).collect();
        let engine = run(&[(&athena::ATHENA_QUERIES, runs)], &["athena_reuse"]).await;
        let sql = "select hits, doubtful_hits, bytes_avoided from athena_reuse where max_age_minutes = 60";
        let row = &engine.rows(sql).await.unwrap()[0];
        (row.int("hits"), row.int("doubtful_hits"), row.int("bytes_avoided"))
    };
    assert_eq!(avoided([Some(true); 3]).await, (Some(2), Some(0), Some(2 * TB)));
    assert_eq!(avoided([None; 3]).await, (Some(2), Some(2), Some(2 * TB)));
    assert_eq!(avoided([Some(true), None, Some(true)]).await, (Some(2), Some(1), None));
    assert_eq!(avoided([Some(true), Some(true), Some(false)]).await, (Some(1), Some(0), Some(TB)));
}

#[tokio::test]
async fn reuse_is_replayed_for_each_age_and_counts_only_this_month() {
    let queries = vec![
        query("0", 31, 0, 1024),
        query("1", 30, 0, 1024),
        query("2", 1, 0, 1024),
        query("3", 1, 30, 512),
        query("4", 1, 50, 256).with("database", "other"),
        query("5", 1, 55, 256).with("reuse_eligible", false),
        query("6", 1, 57, 256).with("reused", true),
        query("7", 1, 58, 256).with("reused", false).with("state", "FAILED"),
    ];
    let engine = run(&[(&athena::ATHENA_QUERIES, queries)], &["athena_reuse"]).await;
    let sql = "select max_age_minutes, runs, hits, certain_hits, bytes_avoided_month from athena_reuse order by 1";
    let rows = engine.rows(sql).await.unwrap();
    let seen: Vec<_> = rows.iter().map(|r| (r.int("runs"), r.int("hits"), r.int("bytes_avoided_month"))).collect();
    let none = (Some(3), Some(0), Some(0));
    let hour = (Some(3), Some(1), Some(TB / 2));
    assert_eq!(seen, [none, hour, (Some(3), Some(2), Some(TB / 2 + TB)), (Some(3), Some(2), Some(TB / 2 + TB))]);
    assert!(rows.iter().all(|row| row.int("certain_hits") == Some(0)));
}

#[tokio::test]
async fn no_more_bytes_can_be_old_than_the_smallest_day_held() {
    let mut sizes: Vec<Row> = (1..=40).map(|back| size("lake", "StandardStorage", back, 100 * GB - back)).collect();
    sizes[19] = size("lake", "StandardStorage", 20, 60 * GB);
    sizes[34] = size("lake", "StandardStorage", 35, 10 * GB);
    sizes.remove(10);
    sizes.push(bucket("lake").with("storage_type", "AllStorageTypes").with("day", day(1)).with("objects", 1000_i64));
    let engine = run(&[(&tables::STORAGE, sizes)], &["storage_bounds"]).await;
    let sql = "select * from storage_bounds order by older_than_days";
    let rows = engine.rows(sql).await.unwrap();
    let seen: Vec<_> =
        rows.iter().map(|r| [r.int("older_than_days"), r.int("days_seen"), r.int("ceiling_bytes")]).collect();
    assert_eq!(seen, [[Some(30), Some(28), Some(60 * GB)], [Some(60), Some(39), Some(10 * GB)]]);
    assert_eq!((rows[0].int("floor_bytes"), rows[0].int("standard_bytes")), (Some(0), Some(100 * GB - 1)));
    assert_eq!(rows[0].int("mean_object_bytes"), Some((100 * GB - 1) / 1000));
}

#[tokio::test]
async fn transfer_adds_up_by_day_way_and_region_and_leaves_other_bytes_alone() {
    let line = |usage_type: &str, region: &str, cost: i64, quantity: i64| {
        Row::new()
            .with("account_id", "1")
            .with("day", day(3))
            .with("service", "EC2 - Other")
            .with("usage_type", usage_type)
            .with("region", region)
            .with("net_amortized", Decimal::from(cost))
            .with("usage", Decimal::from(quantity))
            .with("unit", "GB")
    };
    let bill = vec![
        line("NatGateway-Bytes", "us-east-1", 9, 200),
        line("RegionalNatGateway-Bytes", "us-east-1", 1, 20),
        line("EUC1-USE1-AWS-Out-Bytes", "eu-central-1", 4, 200),
        line("VendedLog-Bytes", "us-east-1", 50, 100),
    ];
    let engine = run(&[(&bill::COSTS, bill)], &["transfer"]).await;
    let sql = "select kind, region, to_region, gigabytes, cost from transfer order by kind";
    let rows = engine.rows(sql).await.unwrap();
    let told: Vec<_> = rows
        .iter()
        .map(|row| (row.key("kind"), row.key("to_region"), row.decimal("gigabytes"), row.money("cost")))
        .collect();
    assert_eq!(
        told,
        [
            ("cross_region", "us-east-1", Some(Decimal::from(200)), Some(usd("4"))),
            ("nat_processing", "", Some(Decimal::from(220)), Some(usd("10")))
        ]
    );
}
