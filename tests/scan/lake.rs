//! The lake: buckets, rules, sizes, uploads, queries, each as the account has it.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveTime, Utc};

use crate::aws::Call;
use crate::aws::athena::{Query, Workgroup};
use crate::aws::metrics::Series;
use crate::aws::s3::{Bucket, Upload};
use crate::support::skip::figure;
use crate::support::{TODAY, World, day};

const RULES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
<Rule><ID>all</ID><Filter/><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>
<Rule><ID>prefix</ID><Filter><Prefix>raw/</Prefix></Filter><Status>Disabled</Status><Expiration><Days>30</Days></Expiration></Rule>
<Rule><ID>tag</ID><Filter><Tag><Key>team</Key><Value>bi</Value></Tag></Filter><Status>Enabled</Status><Transition><Days>60</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>
<Rule><ID>large</ID><Filter><ObjectSizeGreaterThan>1048576</ObjectSizeGreaterThan></Filter><Status>Enabled</Status><Expiration><Days>400</Days></Expiration></Rule>
<Rule><ID>small</ID><Filter><ObjectSizeLessThan>512</ObjectSizeLessThan></Filter><Status>Enabled</Status><Expiration><Days>400</Days></Expiration></Rule>
<Rule><ID>both</ID><Filter><And><Prefix>tmp/</Prefix><Tag><Key>a</Key><Value>b</Value></Tag><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays><NewerNoncurrentVersions>3</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>
<Rule><ID>old</ID><Prefix>legacy/</Prefix><Status>Enabled</Status><Expiration><Days>9</Days></Expiration></Rule>
</LifecycleConfiguration>"#;

fn world() -> World {
    let world = World::new();
    let mut lake = Bucket::in_region("us-east-1").versioned().tagged("team", "data & bi").with_lifecycle(RULES);
    lake.minimum_size = Some("varies_by_storage_class".into());
    world.aws.account().s3.add("lake", lake);
    world.aws.account().s3.add("lake-eu", Bucket::in_region("eu-west-1"));
    world
}

#[test]
fn buckets_of_several_regions_keep_their_settings_and_pages_lose_none() {
    let world = world();
    for n in 0..7 {
        world.aws.account().s3.add(&format!("more-{n}"), Bucket::in_region("ap-northeast-1"));
    }
    world.aws.account().s3.bucket_page = 2;
    world.scan();
    let found = world.lines("select bucket, region from buckets where bucket like 'lake%' order by bucket");
    assert_eq!(found, ["bucket=lake region=us-east-1", "bucket=lake-eu region=eu-west-1"]);
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=9"]);
    let lake = world.lines("select tags, versioning from buckets where bucket = 'lake'");
    assert!(lake[0].contains("data & bi") && lake[0].to_lowercase().contains("enabled"), "{lake:?}");
    let redirected = world.aws.calls().iter().filter(|call| call.status == 301).count();
    assert_eq!(redirected, 0, "each bucket is asked in its own Region");
}

#[test]
fn every_form_of_a_lifecycle_filter_is_told_apart() {
    let world = world();
    world.scan();
    let forms = world.lines("select rule_id, filter_form from lifecycle_rules where bucket = 'lake' order by position");
    let wanted =
        ["all all", "prefix prefix", "tag tag", "large size_greater", "small size_less", "both and", "old legacy"];
    assert_eq!(forms, wanted.map(|line| line.split_once(' ').unwrap()).map(|(id, form)| sorted("rule_id", id, form)));
    let both = "select prefix, tags, object_size_greater_than as size, noncurrent_expiration_days as days, newer_noncurrent_versions as newer from lifecycle_rules where rule_id = 'both'";
    let both = &world.rows(both)[0];
    assert_eq!((both["prefix"].as_str(), both["size"].as_i64()), (Some("tmp/"), Some(10)));
    assert_eq!((both["days"].as_i64(), both["newer"].as_i64()), (Some(90), Some(3)));
    assert!(both["tags"].as_str().unwrap().contains("\"a\""));
    let disabled = world.lines("select rule_id from lifecycle_rules where not enabled");
    assert_eq!(disabled, ["rule_id=prefix"]);
}

fn sorted(column: &str, id: &str, form: &str) -> String {
    let mut cells = [format!("{column}={id}"), format!("filter_form={form}")];
    cells.sort();
    cells.join(" ")
}

#[test]
fn a_bucket_without_rules_has_none_which_is_not_unknown() {
    let world = world();
    world.scan();
    assert_eq!(world.lines("select lifecycle_rule_count as n from buckets where bucket = 'lake-eu'"), ["n=0"]);
    assert_eq!(world.lines("select lifecycle_rule_count as n from buckets where bucket = 'lake'"), ["n=7"]);
}

#[test]
fn unfinished_uploads_come_with_age_and_size_from_both_markers() {
    let world = world();
    let upload = |key: &str, id: &str| Upload::new(key, id, "2026-01-15", &[5_242_880, 5_242_880, 100]);
    let bucket = Bucket::in_region("us-east-1").with_upload(upload("a key/ü", "1")).with_upload(upload("a key/ü", "2"));
    world.aws.account().s3.add("lake", bucket.with_upload(upload("z", "3")));
    (world.aws.account().s3.upload_page, world.aws.account().s3.part_page) = (1, 2);
    world.scan();
    let sql = "select key, upload_id, bytes, parts, cast(initiated as varchar) as at from multipart_uploads order by upload_id";
    let rows = world.rows(sql);
    let keys: Vec<_> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["a key/ü", "a key/ü", "z"]);
    assert!(rows.iter().all(|row| row["bytes"] == 10_485_860 && row["parts"] == 3), "{rows:?}");
    assert!(rows.iter().all(|row| row["at"].as_str().unwrap().starts_with("2026-01-15")), "{rows:?}");
}

#[test]
fn sizes_come_by_class_and_day_and_a_day_without_a_point_has_no_row() {
    let world = world();
    let points = |from: u32| [(day("2026-11-15"), from), (day("2026-11-17"), from + 1), (day("2026-11-18"), from + 2)];
    let mut series = vec![Series::new("us-east-1", "lake", "StandardStorage", &points(1_000))];
    series.push(Series::new("us-east-1", "lake", "AllStorageTypes", &points(10)));
    series.push(Series::new("eu-west-1", "lake-eu", "GlacierStorage", &points(50)));
    world.aws.account().metrics.series = series;
    (world.aws.account().metrics.metric_page, world.aws.account().metrics.point_page) = (1, 2);
    world.scan();
    let sql = "select bucket || ' ' || storage_type || ' ' || coalesce(bytes, objects) || ' ' || cast(day as varchar) as row from storage order by row";
    let rows = world.lines(sql);
    let row = |bucket: &str, kind: &str, n: u32, on: &str| format!("row={bucket} {kind} {n} 2026-11-{on}");
    let mut wanted = Vec::new();
    for (bucket, kind, from) in
        [("lake", "AllStorageTypes", 10), ("lake", "StandardStorage", 1_000), ("lake-eu", "GlacierStorage", 50)]
    {
        wanted.extend([
            row(bucket, kind, from, "15"),
            row(bucket, kind, from + 1, "17"),
            row(bucket, kind, from + 2, "18"),
        ]);
    }
    assert_eq!(rows, wanted);
}

fn at(days_ago: u64, hour: u32) -> DateTime<Utc> {
    let on = day(TODAY).checked_sub_days(Days::new(days_ago)).unwrap();
    on.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap()).and_utc()
}

#[test]
fn queries_of_every_workgroup_come_with_their_figures_and_without_their_literals() {
    let world = world();
    let secret = "secret-customer-4711";
    let text = format!("select * from orders where customer = '{secret}' -- for {secret}");
    let mut account = world.aws.account();
    account.athena.page = 2;
    let configuration =
        serde_json::json!({"EnforceWorkGroupConfiguration": true, "BytesScannedCutoffPerQuery": 1_000_000_000_i64});
    account.athena.workgroups.push(Workgroup { region: "us-east-1".into(), name: "bi".into(), configuration });
    for n in 1..=5 {
        account.athena.queries.push(Query::new(&format!("q{n}"), &text, at(n, 9), 1_000 * n));
    }
    let mut parameterised = Query { workgroup: "bi".into(), ..Query::new("p1", "select ? from t", at(1, 10), 7) };
    parameterised.parameters = vec![secret.into()];
    account.athena.queries.push(parameterised);
    drop(account);
    world.scan();
    let rows = world.lines("select query_id, bytes_scanned from athena_queries order by query_id");
    let row = |id: &str, bytes: u32| sorted_cells([format!("query_id={id}"), format!("bytes_scanned={bytes}")]);
    assert_eq!(
        rows,
        [row("p1", 7), row("q1", 1_000), row("q2", 2_000), row("q3", 3_000), row("q4", 4_000), row("q5", 5_000)]
    );
    assert_eq!(world.lines("select count(distinct text_hash) as n from athena_queries"), ["n=2"]);
    assert_eq!(
        world.lines("select bytes_scanned_cutoff as n from athena_workgroups where workgroup = 'bi'"),
        ["n=1000000000"]
    );
    let texts = world.lines("select text_redacted from athena_queries order by query_id");
    assert!(texts.iter().all(|text| !text.contains(secret)) && texts[1].contains("orders"), "{texts:?}");
    nowhere_in_the_store(&world, secret);
}

fn sorted_cells(mut cells: [String; 2]) -> String {
    cells.sort();
    cells.join(" ")
}

/// Parquet may hide text in compressed pages: rows were looked at above, this looks at every byte of every file.
fn nowhere_in_the_store(world: &World, secret: &str) {
    for path in world.files("store") {
        let bytes = std::fs::read(&path).unwrap();
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{} holds a literal of a query", path.display());
    }
}

#[test]
fn queries_that_athena_has_forgotten_stay_in_the_store() {
    let world = world();
    world.aws.account().athena.queries.push(Query::new("old", "select 1", at(40, 9), 1));
    world.scan();
    let world = world.on("2026-12-20");
    world.aws.account().athena.queries.push(Query::new("new", "select 1", at(0, 9), 1));
    world.scan();
    assert_eq!(world.lines("select query_id from athena_queries order by query_id"), ["query_id=new", "query_id=old"]);
}

#[test]
fn three_hundred_buckets_take_a_bounded_number_of_requests() {
    let world = World::new();
    for n in 0..300 {
        let region = if n % 3 == 0 { "eu-west-1" } else { "us-east-1" };
        let name = format!("bucket-{n:03}");
        let points = [(day("2026-11-17"), 1_000), (day("2026-11-18"), 1_001)];
        world.aws.account().metrics.series.push(Series::new(region, &name, "StandardStorage", &points));
        world.aws.account().s3.add(&name, Bucket::in_region(region).with_lifecycle(RULES));
    }
    world.scan();
    let (all, of_s3) =
        (world.aws.calls().len(), world.aws.calls().iter().filter(|c| c.operation.starts_with("s3:")).count());
    figure(&format!("a scan of 300 buckets made {all} requests, {of_s3} of them to S3"));
    assert_eq!(world.lines("select count(*) as n from buckets"), ["n=300"]);
    assert!(of_s3 <= 13 * 300 + 10, "{of_s3} requests to S3");
    let of_metrics = world.aws.count("cloudwatch:GetMetricData") + world.aws.count("cloudwatch:ListMetrics");
    assert!(of_metrics <= 30, "{of_metrics} requests to CloudWatch: many series go into one");
}

#[test]
fn requests_say_whose_bucket_they_expect_and_who_asks() {
    let world = world();
    world.scan();
    let calls = world.aws.calls();
    let header = |call: &Call, name: &str| call.headers.get(name).cloned().unwrap_or_default();
    for call in calls.iter().filter(|call| call.operation.starts_with("s3:") && call.resource.is_some()) {
        assert_eq!(header(call, "x-amz-expected-bucket-owner"), "111122223333", "{}", call.operation);
    }
    for call in &calls {
        assert!(header(call, "user-agent").contains("leanlake"), "{}: {}", call.operation, header(call, "user-agent"));
    }
}

#[test]
fn each_service_is_asked_where_it_is() {
    let world = world();
    world.scan();
    let regions = |operation: &str| -> BTreeSet<String> {
        let calls = world.aws.calls().into_iter().filter(|call| call.operation == operation);
        calls.map(|call| call.region).collect()
    };
    let of = |regions: &[&str]| regions.iter().map(|&region| region.to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(regions("ce:GetCostAndUsage"), of(&["us-east-1"]), "Cost Explorer has one endpoint");
    assert_eq!(regions("cloudwatch:ListMetrics"), of(&["eu-west-1", "us-east-1"]), "where buckets are");
    let pages: Vec<_> = world.aws.calls().into_iter().filter(|call| call.operation == "s3:ListBuckets").collect();
    assert!(pages.iter().all(|call| call.query.contains_key("max-buckets")), "large accounts refuse a list without it");
}
