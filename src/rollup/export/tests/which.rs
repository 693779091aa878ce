//! Which files are a month, and which of several exports is its bill.

use std::collections::BTreeSet;

use super::*;

fn cost(cells: &[(&'static str, &str)], usd: &str) -> Line {
    line(&[&[("line_item_unblended_cost", usd), ("line_item_net_unblended_cost", usd)], cells].concat())
}

/// A manifest with a definition in it.
fn defined(files: &[&str], query: &str, properties: &serde_json::Value) -> String {
    let files: Vec<String> = files.iter().map(|file| format!("s3://b/{file}")).collect();
    let export = json!({"queryStatement": query, "tableConfigurations": {"COST_AND_USAGE_REPORT": properties}});
    json!({"executionId": "e", "dataFiles": files, "export": export}).to_string()
}

async fn deliver_defined(bucket: &Bucket, export: &str, lines: &[Line], query: &str, properties: serde_json::Value) {
    bucket.deliver(export, "2026-10", lines, Written::Gzip).await;
    let data = format!("p/{export}/data/BILLING_PERIOD=2026-10/{export}-00001.csv.gz");
    let at = format!("p/{export}/metadata/BILLING_PERIOD=2026-10/{export}-Manifest.json");
    bucket.put(&at, defined(&[&data], query, &properties)).await;
}

fn held(bill: &Read) -> Known {
    let seen = bill.coverage.iter().filter(|row| row.state == CoverageState::Seen);
    let seen: Vec<_> =
        seen.map(|row| (row.account_id.clone(), Days { from: row.from.unwrap(), to: row.to.unwrap() })).collect();
    let read = seen.iter().map(|(of, days)| (of.clone(), *days, DateTime::<Utc>::MAX_UTC)).collect();
    Known { seen, read, months: bill.months.iter().filter_map(Held::of).collect() }
}

#[tokio::test]
async fn a_whole_daily_export_with_resources_is_taken_before_every_other_and_the_chosen_one_says_what_it_lacks() {
    let cases = [
        ("select a from COST_AND_USAGE_REPORT where b = 'x'", json!({}), "it is a part of the bill", "whole"),
        ("select a from COST_AND_USAGE_REPORT", json!({"TIME_GRANULARITY": "MONTHLY"}), "it is by the month", "daily"),
        (
            "select a from COST_AND_USAGE_REPORT",
            json!({"INCLUDE_RESOURCES": "FALSE"}),
            "it has no resources",
            "by_resource",
        ),
    ];
    for (query, properties, said, column) in cases {
        // `a` would come first by its name and by its age.
        let bucket = Bucket::new();
        bucket.put("whole/all.csv", file(&october(), &all(), Written::Csv)).await;
        deliver_defined(&bucket, "a", &october()[..3], query, properties).await;
        let both = read(&[bucket.place("p"), bucket.place("whole")], Vec::new(), None).await;
        assert_eq!(both.sum("unblended"), usd("4"), "{said}: the whole one counts");
        let alone = bucket.read("p").await;
        assert_eq!(alone.sum("unblended"), usd("0.3"));
        assert!(alone.gaps().iter().any(|gap| gap.starts_with(said)), "{said}: {:?}", alone.gaps());
        assert_eq!((alone.months[0].flag(column), both.months[0].flag(column)), (Some(false), Some(true)));
        // What an earlier scan has from the whole one stays.
        let later = read_over(&[bucket.place("p")], held(&both), None).await;
        assert!(later.rows.is_empty() && later.gaps()[0].contains("leaves out less: they are kept"), "{later:?}");
        // And the whole one replaces the other, closed or not.
        let later = read_over(&[bucket.place("whole")], held(&alone), None).await;
        assert_eq!(later.sum("unblended"), usd("4"));
    }
}

#[tokio::test]
async fn usage_that_lasts_a_month_is_by_the_month_and_a_members_own_export_is_a_part() {
    let lasting = |end: &str| {
        cost(&[("line_item_usage_start_date", "2026-10-01T00:00:00Z"), ("line_item_usage_end_date", end)], "1")
    };
    for (end, gaps) in [("2026-10-02T00:00:00Z", 0), ("2026-11-01T00:00:00Z", 1)] {
        let bucket = Bucket::new();
        let bill = bucket.deliver("x", "2026-10", &[lasting(end)], Written::Gzip).await.read("p").await;
        assert_eq!(bill.gaps().len(), gaps, "{end}: {:?}", bill.gaps());
    }
    let bucket = Bucket::new();
    let key = "p/r/20261001-20261101/a/r-1.csv.gz";
    bucket.put(key, file(&october(), &all(), Written::LegacyCsv)).await;
    let manifest = json!({"assemblyId": "a", "account": MEMBER, "reportKeys": [key]}).to_string();
    bucket.put("p/r/20261001-20261101/r-Manifest.json", manifest).await;
    let bill = bucket.read("p").await;
    assert!(bill.gaps()[0].contains("its owner, leaves rows out"), "{:?}", bill.gaps());
    let seen = bill.coverage.iter().find(|row| row.state == CoverageState::Seen).unwrap();
    assert_eq!(seen.account_id.as_deref(), Some(PAYER), "who pays is in the rows");
}

#[tokio::test]
async fn a_manifest_never_finds_the_file_of_another_export() {
    let bucket = Bucket::new();
    bucket.deliver("x", "2026-10", &october(), Written::Gzip).await;
    // A copy of another account's export of the same name, whose file was not copied.
    let text = json!({"dataFiles": ["s3://c/q/x/data/BILLING_PERIOD=2026-10/x-00001.csv.gz"]}).to_string();
    bucket.put("p/copy/x/metadata/BILLING_PERIOD=2026-10/x-Manifest.json", text).await;
    let bill = bucket.read("p").await;
    assert_eq!(bill.sum("unblended"), usd("4"));
    assert!(bill.gaps().len() == 1 && bill.gaps()[0].contains("which is not there"), "{:?}", bill.gaps());
}

#[tokio::test]
async fn a_folder_of_the_user_decides_neither_the_export_nor_its_month() {
    for root in ["home/metadata/handed", "home/year=2020/month=1/handed", "home/20200101-20200201/handed"] {
        let bucket = Bucket::new();
        for (export, hours) in [("x", 30), ("y", 40)] {
            let data = format!("{root}/{export}/data/BILLING_PERIOD=2026-10/{export}-1.csv.gz");
            bucket.put(&data, file(&october()[..hours], &all(), Written::Gzip)).await;
            let at = format!("{root}/{export}/metadata/BILLING_PERIOD=2026-10/{export}-Manifest.json");
            bucket.put(&at, defined(&[&data], "", &json!({}))).await;
        }
        bucket.put(&format!("{root}/z/all.csv"), file(&october()[..1], &all(), Written::Csv)).await;
        let found = survey(&[bucket.place(root)]).await;
        let exports: BTreeSet<String> = found.units.iter().map(|unit| unit.export.replace(root, "")).collect();
        assert_eq!(exports, BTreeSet::from(["s3://b//x".into(), "s3://b//y".into()]), "{root}");
        let bare = survey(&[bucket.place(&format!("{root}/z"))]).await;
        assert_eq!(bare.units[0].month, None, "{root}");
    }
}

#[tokio::test]
async fn files_that_no_manifest_names_are_said_and_older_deliveries_are_not() {
    let bucket = Bucket::new();
    bucket.deliver("x", "2026-10", &october(), Written::Gzip).await;
    bucket.put("p/x/data/BILLING_PERIOD=2026-10/old/x-00001.csv.gz", "an older delivery").await;
    assert_eq!(bucket.read("p").await.gaps(), Vec::<String>::new());
    bucket.put("p/x/data/BILLING_PERIOD=2026-09/x-00001.csv.gz", "no manifest yet").await;
    bucket.put("p/notes/extra.csv", "a,b").await.put("p/notes/README.txt", "not data").await;
    let bill = bucket.read("p").await;
    let gaps = bill.gaps();
    assert!(gaps.iter().any(|gap| gap.contains("no manifest names its 1 files")), "{gaps:?}");
    assert!(gaps.iter().any(|gap| gap.contains("1 data files beside") && gap.contains("extra.csv")), "{gaps:?}");
    assert_eq!((gaps.len(), bill.sum("unblended")), (2, usd("4")));
    let missing = bill.coverage.iter().find(|row| row.state == CoverageState::Missing).unwrap();
    assert_eq!(missing.from.unwrap().to_string(), "2026-09-01");
}

#[tokio::test]
async fn exports_of_other_kinds_beside_a_bill_leave_no_gap() {
    let bucket = Bucket::new();
    bucket.deliver("x", "2026-10", &october(), Written::Gzip).await;
    bucket.put("p/c/data/BILLING_PERIOD=2026-10/c-1.csv", "usage_account_id,total_mbm_emissions_value\n1,2\n").await;
    bucket.manifest("c", "2026-10", &["p/c/data/BILLING_PERIOD=2026-10/c-1.csv"]).await;
    let text = json!({"dataFiles": ["s3://b/p/h/data/date=2026-10-05/h-1.csv"]}).to_string();
    bucket.put("p/h/data/date=2026-10-05/h-1.csv", "recommendation_id\n1\n").await;
    bucket.put("p/h/metadata/date=2026-10-05/h-Manifest.json", text).await;
    let bill = bucket.read("p").await;
    assert_eq!((bill.gaps(), bill.sum("unblended")), (vec![], usd("4")));
    let alone = bucket.read("p/c").await;
    assert!(alone.gaps()[0].contains("no export of a bill: what lies there is of carbon emissions"), "{alone:?}");
}

#[tokio::test]
async fn a_zip_says_how_to_be_read_and_is_read_once_it_was_unpacked_in_its_place() {
    let bucket = Bucket::new();
    let folder = "p/r/20261001-20261101/a";
    let manifest = json!({"assemblyId": "a", "account": PAYER, "reportKeys": [format!("{folder}/r-1.csv.zip")]});
    bucket.put("p/r/20261001-20261101/r-Manifest.json", manifest.to_string()).await;
    let packed = bucket.put(&format!("{folder}/r-1.csv.zip"), "PK").await.read("p").await;
    assert!(packed.rows.is_empty() && packed.gaps()[0].contains("unpack ZIP first, in its place"), "{packed:?}");
    let plain = file(&october(), &all(), Written::Csv);
    assert_eq!(bucket.put(&format!("{folder}/r-1.csv"), plain).await.read("p").await.sum("unblended"), usd("4"));
}

#[tokio::test]
async fn focus_never_takes_the_month_of_a_report_and_never_replaces_one() {
    let focus = "BilledCost,BillingAccountId,BillingCurrency,BillingPeriodStart,BillingPeriodEnd,ChargeCategory,\
                 ChargePeriodStart,EffectiveCost,ProviderName,ServiceName\n\
                 9,111122223333,USD,2026-08-01,2026-09-01,Usage,2026-08-05,9,AWS,Amazon Simple Storage Service\n";
    let bucket = Bucket::new();
    bucket.put("f/data/BILLING_PERIOD=2026-08/f-1.csv", focus).await;
    let august = [("line_item_usage_start_date", "2026-08-05T00:00:00Z")];
    let bare = |line: Line| line.into_iter().filter(|(name, _)| !name.starts_with("bill_billing_period")).collect();
    bucket.put("cur/all.csv", file(&[bare(cost(&august, "4"))], &all(), Written::Csv)).await;
    let both = read(&[bucket.place("f"), bucket.place("cur")], Vec::new(), None).await;
    assert_eq!((both.sum("unblended"), both.sum("net_unblended")), (usd("4"), usd("4")), "{both:?}");
    let later = read_over(&[bucket.place("f")], held(&both), None).await;
    assert!(later.rows.is_empty(), "{later:?}");
    let seen = bucket.read("f").await;
    assert_eq!((seen.sum("net_unblended"), seen.months[0].key("source")), (usd("9"), "focus"));
}

#[tokio::test]
async fn of_a_file_with_one_month_that_is_taken_the_other_months_count() {
    let bucket = Bucket::new();
    bucket.deliver("x", "2026-10", &october(), Written::Gzip).await;
    let bare = |line: Line| line.into_iter().filter(|(name, _)| !name.starts_with("bill_billing_period")).collect();
    let at = |start: &str| bare(cost(&[("line_item_usage_start_date", start)], "1"));
    let lines: Vec<Line> = vec![at("2026-09-05T00:00:00Z"), at("2026-10-05T00:00:00Z")];
    bucket.put("old/all.csv", file(&lines, &all(), Written::Csv)).await;
    let bill = read(&[bucket.place("p"), bucket.place("old")], Vec::new(), None).await;
    assert_eq!(bill.sum("unblended"), usd("5"), "October once, and September");
    let left = bill.coverage.iter().find(|row| row.state == CoverageState::NotAsked).unwrap();
    assert_eq!(
        (left.from.unwrap().to_string(), left.to.unwrap().to_string()),
        ("2026-10-01".into(), "2026-10-31".into())
    );
}

/// The import of what lies at `p`, for a store that holds nothing yet.
async fn import(bucket: &Bucket) -> Import {
    let as_of = "2026-11-20T00:00:00Z".parse().unwrap();
    let order = Order { as_of, known: Known::default(), account_id: None, runner: Runner::Here };
    Import::new(survey(&[bucket.place("p")]).await.units, order)
}

#[tokio::test]
async fn a_payers_month_replaces_the_same_payers_alone() {
    let other = "999900009999";
    let bucket = Bucket::new();
    let of = |payer: &str, usd: &str| cost(&[("bill_payer_account_id", payer)], usd);
    bucket.deliver("x", "2026-10", &[of(PAYER, "1"), of(other, "2")], Written::Gzip).await;
    let mut import = import(&bucket).await;
    let mut replaced = Vec::new();
    while let Some(step) = import.next().await {
        match step {
            Step::Replace { table, account_id, .. } if table.name == BILL.name => replaced.push(account_id.unwrap()),
            Step::Cover(row) => assert!([PAYER, other].contains(&row.account_id.as_deref().unwrap()), "{row:?}"),
            _ => {}
        }
    }
    assert_eq!(replaced, [PAYER, other]);
    // Another payer's better export of an earlier scan keeps nobody's month from being read.
    let bill = bucket.read("p").await;
    let mut known = held(&bill);
    known.months.iter_mut().for_each(|held| held.account_id = Some("123412341234".to_owned()));
    assert_eq!(read_over(&[bucket.place("p")], known, None).await.sum("unblended"), usd("3"));
}

#[tokio::test]
async fn the_payer_of_a_focus_file_is_who_pays_aws() {
    let bucket = Bucket::new();
    let (head, rows) = FOCUS.split_once('\n').unwrap();
    let mut rows: Vec<&str> = rows.lines().collect();
    rows.rotate_right(1);
    assert!(rows[0].contains("Oracle"));
    bucket.put("f.csv", format!("{head}\n{}\n", rows.join("\n"))).await;
    assert_eq!(survey(&[bucket.place("f.csv")]).await.units[0].payer.as_deref(), Some("1234567890123"));
}

#[tokio::test]
async fn net_columns_of_nothing_but_zero_are_taken_for_none_and_said() {
    let zero = |cells: &[(&'static str, &str)]| line(&[&[("line_item_net_unblended_cost", "0.0")], cells].concat());
    for (lines, metric, gaps) in [
        (vec![zero(&[("line_item_unblended_cost", "4")]), zero(&[("line_item_unblended_cost", "0")])], "amortized", 1),
        (vec![zero(&[("line_item_unblended_cost", "0")])], "net_amortized", 0),
        (vec![cost(&[], "4"), zero(&[("line_item_unblended_cost", "1")])], "net_amortized", 0),
        (vec![line(&[("line_item_unblended_cost", "4"), ("line_item_net_unblended_cost", "")])], "amortized", 0),
    ] {
        let bucket = Bucket::new();
        let bill = bucket.deliver("x", "2026-10", &lines, Written::Parquet).await.read("p").await;
        assert_eq!((bill.months[0].key("metric"), bill.gaps().len()), (metric, gaps), "{bill:?}");
        let known = bill.rows.iter().filter(|row| row.decimal("net_amortized").is_some()).count();
        assert_eq!(known > 0, metric == "net_amortized", "{bill:?}");
    }
}

#[tokio::test]
async fn one_month_is_read_and_handed_over_before_the_next() {
    let bucket = Bucket::new();
    bucket.deliver("x", "2026-10", &october(), Written::Gzip).await;
    let september = [cost(&[("line_item_usage_start_date", "2026-09-05T00:00:00Z")], "1")].map(|mut line| {
        line.insert("bill_billing_period_start_date", "2026-09-01T00:00:00Z".to_owned());
        line.insert("bill_billing_period_end_date", "2026-10-01T00:00:00Z".to_owned());
        line
    });
    bucket.deliver("x", "2026-09", &september, Written::Gzip).await;
    let mut import = import(&bucket).await;
    let mut rows = 0;
    while let Some(step) = import.next().await {
        match step {
            Step::Rows(draft) if draft.table().name == BILL.name => {
                rows += 1;
                // Had September been read by now, this would come too late.
                bucket.put("p/x/data/BILLING_PERIOD=2026-09/x-00001.csv.gz", "gone").await;
            }
            _ => {}
        }
    }
    assert_eq!(rows, 1);
}

#[tokio::test]
async fn a_quote_that_is_never_closed_leaves_the_month_out() {
    let mut text = String::from_utf8(file(&october(), &all(), Written::Csv)).unwrap();
    text.push_str("\n\"2026-10-01T00:00:00Z,and no end\n");
    let bill = {
        let bucket = Bucket::new();
        bucket.put("x.csv", text).await.read("x.csv").await
    };
    assert!(bill.rows.is_empty() && bill.gaps()[0].contains("opens on line 42"), "{:?}", bill.gaps());
}
