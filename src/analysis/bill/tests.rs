//! The export of the bill against Cost Explorer, over small bills whose answers a reader can check by hand.

use chrono::TimeDelta;

use super::*;
use crate::analysis::{declare, provide};
use crate::store::table::Table;
use crate::store::tables::bill::{BILL, COSTS};
use crate::store::tables::storage::STORAGE;

const GB: i64 = 1 << 30;

fn as_of() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

/// A row for each day of October with a thirty-first of `net` and `quantity`, and what `with` adds.
fn october(net: i64, quantity: i64, with: impl Fn(Row) -> Row) -> Vec<Row> {
    let share = |all: i64| (Decimal::from(all) / Decimal::from(31)).round_dp(12);
    let first = NaiveDate::from_ymd_opt(2026, 10, 1).unwrap();
    let days = (0..31).map(|at| first + TimeDelta::days(at));
    let row = |day| {
        let row = Row::new().with("day", day).with("usage_type", "TimedStorage-ByteHrs").with("region", "us-east-1");
        with(row.with("net_amortized", share(net)).with("usage", share(quantity)))
    };
    days.map(row).collect()
}

fn exported(resource: Option<&'static str>, net: i64, quantity: i64) -> Vec<Row> {
    october(net, quantity, |row| {
        let row = row.with("service", "AmazonS3").with("account_id", "1").with("linked_account_id", "1");
        let row = row.with("record_type", "usage").with("source", "cur").with("currency", "USD").with("unit", "GB-Mo");
        row.with("resource", resource)
    })
}

fn told(net: i64, quantity: i64) -> Vec<Row> {
    october(net, quantity, |row| row.with("service", "Amazon Simple Storage Service"))
}

fn sizes(buckets: &[(&str, i64)]) -> Vec<Row> {
    let day = as_of().date_naive() - TimeDelta::days(2);
    let row = |(name, gb): &(&str, i64)| {
        let row = Row::new().with("account_id", "1").with("region", "us-east-1").with("bucket", *name);
        row.with("storage_type", "StandardStorage").with("day", day).with("bytes", gb * GB)
    };
    buckets.iter().map(row).collect()
}

async fn pools(tables: &[(&Table, Vec<Row>)]) -> (Engine, Vec<String>) {
    let engine = Engine::new().unwrap();
    for (table, rows) in tables {
        engine.register(table, rows).unwrap();
    }
    let card = rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
    declare(&engine).unwrap();
    provide(&engine, &card, as_of(), &["pools".to_owned()].into()).await.unwrap();
    let sql =
        "select bucket, round(billed_usd, 2) as billed, round(today_usd, 2) as today, source from pools order by 1";
    let shown = |row: &Row| {
        let usd = |column| row.decimal(column).map_or("unknown".to_owned(), |usd| usd.normalize().to_string());
        format!("{} {} {} {}", row.key("bucket"), usd("billed"), usd("today"), row.key("source"))
    };
    let rows = engine.rows(sql).await.unwrap();
    (engine, rows.iter().map(shown).collect())
}

#[tokio::test]
async fn a_bucket_costs_what_the_export_charged_it_and_not_its_share_of_the_line() {
    let bill = [exported(Some("dear"), 90, 100), exported(Some("arn:aws:s3:::cheap"), 10, 100)].concat();
    let sizes = sizes(&[("cheap", 100), ("dear", 100), ("new", 50)]);
    let (engine, shown) = pools(&[(&BILL, bill), (&COSTS, told(500, 1000)), (&STORAGE, sizes)]).await;
    // What was not there in October was not billed then; today it costs what the line paid for a unit.
    assert_eq!(shown, ["cheap 10 10 bill", "dear 90 90 bill", "new unknown 25 list"]);
    let lines = lines(&engine, as_of()).await.unwrap();
    let told: Vec<_> = lines.iter().map(|line| (line.line.service.as_str(), line.net.usd().round_dp(2))).collect();
    assert_eq!(told, [("Amazon Simple Storage Service", Decimal::from(100))], "the export, in Cost Explorer's words");
}

#[tokio::test]
async fn the_line_of_us_east_1_with_and_without_its_code_gives_no_leaf_more_than_the_larger_one() {
    let coded = |row: Row| row.with("usage_type", "USE1-TimedStorage-ByteHrs");
    let bill = [exported(Some("a"), 90, 100), exported(Some("a"), 5, 5).into_iter().map(coded).collect()].concat();
    let (_, shown) = pools(&[(&BILL, bill), (&STORAGE, sizes(&[("a", 100)]))]).await;
    assert_eq!(shown, ["a 90 90 bill"]);
}

#[tokio::test]
async fn a_members_own_export_does_not_know_the_tiers_of_the_payer() {
    let of = |accounts: &[&'static str]| -> Vec<Row> {
        let rows = |account: &'static str| {
            let rows = exported(Some("a"), 90, 100).into_iter();
            rows.map(move |row| row.with("account_id", "9").with("linked_account_id", account)).collect::<Vec<_>>()
        };
        accounts.iter().flat_map(|account| rows(account)).collect()
    };
    for (accounts, payer) in [(&["1"][..], Payer::Unknown), (&["1", "9"], Payer::Known), (&["9"], Payer::Unknown)] {
        let engine = Engine::new().unwrap();
        engine.register(&BILL, &of(accounts)).unwrap();
        assert_eq!(find_payer(&engine, as_of()).await.unwrap(), payer, "{accounts:?}");
    }
}

#[tokio::test]
async fn a_bill_without_resources_is_shared_out_by_quantity() {
    let sizes = sizes(&[("a", 75), ("b", 25)]);
    let (_, shown) = pools(&[(&BILL, exported(None, 100, 100)), (&STORAGE, sizes)]).await;
    assert_eq!(shown, ["a 75 75 allocated", "b 25 25 allocated"]);
}

#[tokio::test]
async fn a_bucket_that_grew_or_shrank_since_the_bill_never_takes_more_than_its_line() {
    let bill = [exported(Some("grew"), 90, 100), exported(Some("shrank"), 10, 100)].concat();
    let (_, shown) = pools(&[(&BILL, bill), (&STORAGE, sizes(&[("grew", 200), ("shrank", 50)]))]).await;
    assert_eq!(shown, ["grew 90 180 bill", "shrank 5 5 bill"]);
}

#[tokio::test]
async fn a_month_that_the_export_lacks_a_day_of_is_cost_explorers_and_focus_is_never_a_basis() {
    let mut torn = exported(Some("a"), 90, 100);
    torn.remove(11);
    let focus = exported(Some("a"), 90, 100).into_iter().map(|row| row.with("source", "focus")).collect();
    for bill in [torn, focus] {
        let (_, shown) = pools(&[(&BILL, bill), (&COSTS, told(50, 100)), (&STORAGE, sizes(&[("a", 100)]))]).await;
        assert_eq!(shown, ["a 50 50 allocated"]);
    }
}

#[tokio::test]
async fn an_export_and_cost_explorer_are_compared_over_the_days_that_both_have() {
    let mut bill = exported(Some("a"), 310, 100);
    bill.truncate(10);
    let (engine, _) = pools(&[(&BILL, bill), (&COSTS, told(311, 100))]).await;
    let compared = compared(&engine).await.unwrap();
    assert_eq!(compared.len(), 1);
    let (export, explorer) = (compared[0].export.usd(), compared[0].cost_explorer.usd());
    assert_eq!((export.round_dp(2), explorer.round_dp(2)), (Decimal::from(100), Decimal::new(10032, 2)));
    assert_eq!((compared[0].days, compared[0].month.to_string().as_str()), (10, "2026-10-01"));
}

/// The same rows with another net and another gross cost; `None` is NULL.
fn costing(rows: Vec<Row>, net: Option<i64>, gross: i64) -> Vec<Row> {
    let share = |all: i64| Decimal::from(all) / Decimal::from(31);
    let net = net.map(|net| share(net).round_dp(12));
    let gross = share(gross).round_dp(12);
    let with = |row: Row| row.with("net_amortized", net).with("amortized", gross).with("unblended", gross);
    rows.into_iter().map(with).collect()
}

#[tokio::test]
async fn a_month_rests_on_one_cost_that_all_its_rows_have_and_says_which() {
    let net = || costing(exported(Some("a"), 0, 100), Some(80), 100);
    let gross = || costing(exported(Some("b"), 0, 100), None, 100);
    for (bill, metric, a) in [
        (net(), Metric::NetAmortized, "a 80 80 bill"),
        (gross(), Metric::Amortized, "b 100 100 bill"),
        ([net(), gross()].concat(), Metric::Amortized, "a 100 100 bill"),
    ] {
        let (engine, shown) = pools(&[(&BILL, bill), (&STORAGE, sizes(&[("a", 100), ("b", 100)]))]).await;
        assert_eq!(full_month(&engine, as_of()).await.unwrap().map(|month| month.metric), Some(metric));
        assert!(shown.contains(&a.to_owned()), "{metric:?}: {shown:?}");
        let billed = billed(&engine, as_of()).await.unwrap();
        assert!(billed.iter().all(|usage| usage.metric == metric), "{billed:?}");
    }
}

#[tokio::test]
async fn gross_and_net_cost_are_never_held_against_each_other() {
    let bill = costing(exported(Some("a"), 0, 100), None, 310);
    let explorer = costing(told(0, 100), Some(200), 310);
    let (engine, _) = pools(&[(&BILL, bill), (&COSTS, explorer)]).await;
    let compared = compared(&engine).await.unwrap();
    assert_eq!((compared[0].metric, compared[0].difference.usd().normalize()), (Metric::Amortized, Decimal::ZERO));
}

#[tokio::test]
async fn what_focus_says_in_place_of_cost_explorer_is_seen_and_caps_no_pool() {
    let focus = exported(Some("a"), 90, 100).into_iter().map(|row| row.with("source", "focus")).collect::<Vec<_>>();
    let engine = Engine::new().unwrap();
    engine.register(&BILL, &focus).unwrap();
    engine.register(&STORAGE, &sizes(&[("a", 100)])).unwrap();
    assert!(crate::analysis::stand_in(&engine).await.unwrap());
    let seen = engine.rows("select count(*) as n from costs where net_amortized > 0").await.unwrap();
    assert_eq!(seen[0].int("n"), Some(31), "the spend is there to be seen");
    assert_eq!(full_month(&engine, as_of()).await.unwrap(), None);
    assert!(billed(&engine, as_of()).await.unwrap().is_empty() && lines(&engine, as_of()).await.unwrap().is_empty());
    assert!(by_account(&engine, as_of()).await.unwrap().is_empty());
    let card = rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
    declare(&engine).unwrap();
    provide(&engine, &card, as_of(), &["pools".to_owned()].into()).await.unwrap();
    let pool = engine.rows("select billed_usd, today_usd, source from pools").await.unwrap();
    assert_eq!(
        (pool[0].decimal("billed_usd"), pool[0].decimal("today_usd"), pool[0].key("source")),
        (None, None, "list")
    );
}
