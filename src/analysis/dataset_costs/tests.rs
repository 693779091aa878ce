//! What tables cost, over a lake whose answers a reader can check by hand.

use chrono::{DateTime, TimeDelta, Utc};

use crate::analysis::{declare, provide, rate_card};
use crate::engine::Engine;
use crate::model::{Money, Row};
use crate::prices::PriceBook;
use crate::store::tables::{athena::ATHENA_QUERIES, catalog::GLUE_TABLES, inventory::STORAGE_AGES, storage::STORAGE};

const GB: i64 = 1 << 30;

fn as_of() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

fn at() -> Row {
    Row::new().with("account_id", "1").with("region", "us-east-1")
}

fn table(name: &'static str, location: &'static str) -> Row {
    at().with("database", "db").with("table", name).with("location", location)
}

fn folder(prefix: &'static str, gb: i64) -> Row {
    at().with("bucket", "lake").with("prefix", prefix).with("storage_class", "STANDARD").with("bytes", gb * GB)
}

fn query(id: &'static str, text: Option<&'static str>, gb: i64) -> Row {
    at().with("workgroup", "bi")
        .with("query_id", id)
        .with("submitted", as_of() - TimeDelta::days(2))
        .with("state", "SUCCEEDED")
        .with("statement_type", "DML")
        .with("database", "db")
        .with("catalog", "AwsDataCatalog")
        .with("text_redacted", text)
        .with("bytes_scanned", gb * GB)
}

async fn costs() -> Vec<Row> {
    let engine = Engine::new().unwrap();
    let day = as_of().date_naive() - TimeDelta::days(1);
    let size = at().with("bucket", "lake").with("storage_type", "StandardStorage").with("day", day);
    engine.register(&STORAGE, &[size.with("bytes", 1000 * GB)]).unwrap();
    let tables = [
        table("sales", "s3://lake/sales/"),
        table("sales_2024", "s3://lake/sales"),
        table("hot", "s3://lake/sales/hot"),
        table("web", "s3://lake/web"),
        table("deep", "s3://lake/raw/a/b/c/d/e"),
    ];
    engine.register(&GLUE_TABLES, &tables).unwrap();
    let folders = [
        folder("sales/", 100),
        folder("sales/y=2024/", 200),
        folder("sales/hot/", 50),
        folder("web/", 150),
        folder("raw/a/b/c/", 90),
    ];
    engine.register(&STORAGE_AGES, &folders).unwrap();
    let queries = [
        query("1", Some("select * from sales where x = ?"), 400),
        query("2", Some("with w as (select * from db.web) select count(*) from w"), 100),
        query("3", Some("select * from sales join web on sales.a = web.a"), 200),
        query("4", Some("select * from elsewhere"), 200),
        query("5", None, 100),
    ];
    engine.register(&ATHENA_QUERIES, &queries).unwrap();
    let card = rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
    declare(&engine).unwrap();
    provide(&engine, &card, as_of(), &["dataset_costs".to_owned(), "pools".to_owned()].into()).await.unwrap();
    let whole = engine.rows("select sum(coalesce(billed_usd, list_usd)) as usd from pools").await.unwrap();
    let rows = engine.rows("select * from dataset_costs order by kind, dataset").await.unwrap();
    let sum: Money = rows.iter().filter_map(|row| row.money("usd")).sum();
    let lost = whole[0].money("usd").unwrap() - sum;
    assert!(lost >= Money::ZERO && lost < Money::new("0.001".parse().unwrap()), "the rows add up to the pools: {lost}");
    rows
}

#[tokio::test]
async fn a_table_costs_its_bytes_and_the_queries_that_name_it_alone() {
    let rows = costs().await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.key("kind"),
                row.key("dataset"),
                row.int("bytes").map(|b| b / GB),
                row.int("scanned_bytes").map(|b| b / GB),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("shared", "queries", None, Some(200)),
            ("table", "db.hot", Some(50), None),
            ("table", "db.sales", Some(300), Some(400)),
            ("table", "db.web", Some(150), Some(100)),
            ("unattributed", "queries", None, Some(300)),
            ("unattributed", "storage", None, None),
        ]
    );
    let storage = |at: usize| rows[at].decimal("storage_usd").unwrap().round_dp(2).to_string();
    // 1,000 GB at list 0.023: 300 of them are 6.90; what no table holds is 500.
    assert_eq!([storage(2), storage(5)], ["6.9", "11.5"]);
    assert_eq!((rows[2].int("tables"), rows[2].key("location")), (Some(2), "s3://lake/sales/"));
}

#[tokio::test]
async fn a_table_deeper_than_the_list_looks_is_not_given_what_lies_above_it() {
    assert!(costs().await.iter().all(|row| row.key("dataset") != "db.deep"));
}
