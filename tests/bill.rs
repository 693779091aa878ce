//! The bill from its exports, by the real binary: handed over as files, or found in the account.

use serde_json::json;

use crate::aws::exports::Export;
use crate::aws::s3::Bucket;
use crate::aws::{Fault, Trouble};
use crate::support::World;

/// The head of a report with the columns that these tests need.
const HEAD: &str = "bill_payer_account_id,line_item_usage_account_id,line_item_usage_start_date,line_item_line_item_type,\
    line_item_product_code,line_item_usage_type,line_item_operation,line_item_resource_id,line_item_currency_code,\
    line_item_usage_amount,line_item_unblended_cost,pricing_unit,pricing_rate_id,pricing_public_on_demand_cost,\
    product_region_code";

/// A month of one bucket's storage, a dollar a day.
fn report(month: &str, days: u32, payer: &str) -> String {
    let line = |day| {
        format!(
            "{payer},{payer},{month}-{day:02}T00:00:00Z,Usage,AmazonS3,TimedStorage-ByteHrs,StandardStorage,lake,USD,\
             43.478,1,GB-Mo,r1,1,us-east-1"
        )
    };
    let lines: Vec<String> = (1..=days).map(line).collect();
    format!("{HEAD}\n{}\n", lines.join("\n"))
}

/// Files of a Data Export: paths below its prefix, with their text.
fn delivery(month: &str, text: String) -> [(String, String); 2] {
    let data = format!("cur/daily/data/BILLING_PERIOD={month}/daily-00001.csv");
    let manifest = json!({"executionId": "e", "columns": [], "dataFiles": [format!("s3://bills/{data}")]}).to_string();
    [(data, text), (format!("cur/daily/metadata/BILLING_PERIOD={month}/daily-Manifest.json"), manifest)]
}

fn october_and_november(payer: &str) -> Vec<(String, String)> {
    [delivery("2026-10", report("2026-10", 31, payer)), delivery("2026-11", report("2026-11", 19, payer))].concat()
}

/// A world without credentials, with an export on its disk.
fn alone() -> World {
    let world = World::new().without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY");
    for (path, text) in october_and_november("111122223333") {
        world.write(&format!("handed/{path}"), &text);
    }
    world
}

/// An account that delivers an export into a bucket of its own.
fn delivering() -> World {
    let world = World::new();
    let mut account = world.aws.account();
    let mut bucket = Bucket::in_region("eu-west-1");
    bucket
        .objects
        .0
        .extend(october_and_november("111122223333").into_iter().map(|(key, text)| (key, text.into_bytes())));
    account.s3.add("bills", bucket);
    let export = |name: &str, table| Export { name: name.into(), bucket: "bills".into(), prefix: "cur".into(), table };
    account.exports = vec![export("daily", "COST_AND_USAGE_REPORT"), export("carbon", "CARBON_EMISSIONS")];
    drop(account);
    world
}

const MONTHS: &str = "select date_trunc('month', day) as month, count(*) as days, sum(unblended) as usd from bill
    group by 1 order by 1";

#[test]
fn files_alone_make_a_snapshot_that_every_verb_can_read() {
    let world = alone();
    let run = world.run(&["scan", "--bill", "handed"]).ends_with(0).prints("bill");
    run.says("no AWS credentials were found").says("From export files only");
    assert!(world.aws.account().calls.is_empty(), "nobody was asked");
    let months = world.lines(MONTHS);
    assert!(months[0].contains("days=31") && months[1].contains("days=19"), "{months:?}");
    let left = world.lines("select count(*) as n from coverage where table_name = 'buckets' and state = 'not_asked'");
    assert_ne!(left, ["n=0"], "everything else is a gap");
    world.run(&["findings"]).ends_with(0);
    world.run(&["report"]).ends_with(0).prints("export files only").prints("Amazon Simple Storage Service");
    world.run(&["snapshots", "list"]).ends_with(0).prints("files");
}

#[test]
fn a_file_in_place_of_a_folder_will_do_and_nothing_at_all_is_a_failure() {
    let world = alone();
    let file = world.write("one.csv", &report("2026-10", 3, "111122223333"));
    world.run(&["scan", "--bill", &file.display().to_string()]).ends_with(0);
    assert_eq!(world.lines("select sum(unblended) as usd from bill").len(), 1);
    world.run(&["scan", "--bill", "nowhere"]).ends_with(1).says("cannot look at `nowhere`");
    world.write("empty/notes.txt", "nothing");
    world.run(&["scan", "--bill", "empty"]).ends_with(1).says("no export of a bill");
    world.run(&["scan"]).ends_with(4).says("credentials");
}

#[test]
fn a_second_scan_reads_what_can_change_and_keeps_the_rest() {
    let world = alone().on("2026-12-05");
    world.run(&["scan", "--bill", "handed"]).ends_with(0);
    // October is closed by now: its file is gone, November was restated.
    std::fs::remove_dir_all(world.path("handed/cur/daily/data/BILLING_PERIOD=2026-10")).unwrap();
    for (path, text) in delivery("2026-11", report("2026-11", 30, "111122223333")) {
        world.write(&format!("handed/{path}"), &text);
    }
    world.run(&["scan", "--bill", "handed"]).ends_with(0);
    let months = world.lines(MONTHS);
    assert!(months.len() == 2 && months[0].contains("days=31") && months[1].contains("days=30"), "{months:?}");
}

#[test]
fn an_export_of_the_account_is_found_and_read_under_its_prefix_only() {
    let world = delivering();
    world.run(&["scan", "--only", "exports"]).ends_with(0);
    assert_eq!(world.lines(MONTHS).len(), 2);
    let touched: Vec<String> = world.aws.account().calls.iter().map(|call| call.operation.clone()).collect();
    assert!(touched.iter().all(|operation| !operation.starts_with("s3:Put")), "{touched:?}");
    let seen =
        "select count(*) as n from coverage where table_name = 'bill' and read = 'export:Bill' and state = 'seen'";
    assert_eq!(world.lines(seen), ["n=2"]);
    world.run(&["iam", "scan"]).ends_with(0).prints("bcm-data-exports:ListExports");
}

#[test]
fn a_named_bucket_is_read_like_a_folder() {
    let world = delivering();
    world.aws.account().exports.clear();
    world.run(&["scan", "--only", "exports", "--bill", "s3://bills/cur/daily"]).ends_with(0);
    assert_eq!(world.lines(MONTHS).len(), 2);
}

#[test]
fn an_export_that_may_not_be_read_is_a_gap_with_its_reason() {
    let world = delivering();
    world.aws.account().faults.push(Fault::on("s3:GetObject", Trouble::Denied));
    world.run(&["scan", "--only", "exports"]).ends_with(0);
    assert!(world.lines(MONTHS).is_empty());
    let gaps = world.lines("select reason from coverage where table_name = 'bill' and state = 'missing'");
    assert!(gaps.iter().any(|gap| gap.contains("AccessDenied")), "{gaps:?}");
}

#[test]
fn an_estimate_of_files_alone_says_how_large_they_are_and_writes_nothing() {
    let world = alone();
    let run = world.run(&["scan", "--bill", "handed", "--estimate"]).ends_with(0).prints("handed/cur/daily");
    run.prints("nothing was written");
    let sizes = world.run(&["scan", "--bill", "handed", "--estimate", "--format", "json"]).ends_with(0).json();
    assert_eq!((&sizes["total"]["files"], &sizes["files"][0]["what"]), (&json!(2), &json!("bill")));
    assert!(sizes["total"]["bytes"].as_u64().unwrap() > 1000, "{sizes}");
    assert!(!world.path("store").join("snapshots").exists() && world.aws.account().calls.is_empty());
    world.write("empty/notes.txt", "nothing");
    world.run(&["scan", "--bill", "empty", "--estimate"]).ends_with(1).says("no export of a bill");
}

#[test]
fn files_only_asks_no_service_though_there_are_credentials() {
    let world = delivering();
    for (path, text) in october_and_november("111122223333") {
        world.write(&format!("handed/{path}"), &text);
    }
    world.run(&["scan", "--files-only"]).ends_with(64).says("none are named");
    world.run(&["scan", "--files-only", "--bill", "handed"]).ends_with(0).says("From export files only");
    assert!(world.aws.account().calls.is_empty(), "nobody was asked");
    world.run(&["scan", "--files-only", "--bill", "s3://bills/cur/daily"]).ends_with(0);
    let asked: Vec<String> = world.aws.account().calls.iter().map(|call| call.operation.clone()).collect();
    assert!(
        !asked.is_empty() && !asked.iter().any(|call| call.starts_with("ce:") || call.contains("Export")),
        "{asked:?}"
    );
    assert_eq!(world.lines(MONTHS).len(), 2);
}

#[test]
fn a_report_and_findings_say_which_month_and_which_cost_they_rest_on() {
    let world = alone();
    world.run(&["scan", "--bill", "handed"]).ends_with(0);
    let gross = "amortized cost, before discounts";
    world.run(&["report"]).ends_with(0).prints("of 2026-10 (by an export of the bill").prints(gross);
    world.run(&["findings"]).ends_with(0).prints("2026-10 by an export of the bill").prints(gross);
    let findings = world.run(&["findings", "--format", "json"]).ends_with(0).json();
    assert_eq!(findings["bill_month"]["metric"], "amortized");
    assert_eq!(world.lines("select metric, source, whole, daily, by_resource from bill_months").len(), 2);
}

#[test]
fn an_export_whose_query_has_a_condition_is_a_part_of_the_bill_and_says_so() {
    let world = delivering();
    world.aws.account().exports[0].table = "COST_AND_USAGE_REPORT WHERE line_item_product_code = 'AmazonS3'";
    world.run(&["scan", "--only", "exports"]).ends_with(0);
    assert_eq!(world.lines("select distinct whole from bill_months"), ["whole=false"]);
    let gaps = world.lines("select reason from coverage where read = 'export:Definition'");
    assert!(gaps.len() == 1 && gaps[0].contains("a part of the bill"), "{gaps:?}");
}
