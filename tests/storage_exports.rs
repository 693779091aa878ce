//! Storage Lens exports and inventory lists by the real binary, handed over as files.

use std::io::Write;

use serde_json::{Value, json};

use crate::support::World;

const GIB: u64 = 1 << 30;
const HEAD: &str = "version_number,configuration_id,report_date,aws_account_number,aws_region,storage_class,\
    record_type,record_value,bucket_name,metric_name,metric_value";

/// What one bucket holds, and that no rule ever cleans it up.
const METRICS: &[(&str, &str, u64)] = &[
    ("STANDARD", "StorageBytes", 1000 * GIB),
    ("STANDARD", "CurrentVersionObjectCount", 5000),
    ("STANDARD", "NonCurrentVersionStorageBytes", 400 * GIB),
    ("STANDARD", "IncompleteMultipartUploadStorageBytes", 60 * GIB),
    ("STANDARD", "IncompleteMPUStorageBytesOlderThan7Days", 40 * GIB),
    ("", "VersioningEnabledBucketCount", 1),
    ("", "NoncurrentVersionExpirationLifecycleRuleCount", 0),
    ("", "AbortIncompleteMPULifecycleRuleCount", 0),
    ("", "TransitionLifecycleRuleCount", 0),
    ("", "BytesUploaded", GIB),
];

/// Reports of one dashboard, a day each.
fn lens(world: &World, account: &str) {
    let days: Vec<String> =
        (15..=31).map(|day| format!("2026-10-{day}")).chain((1..=23).map(|day| format!("2026-11-{day:02}"))).collect();
    for day in days {
        let folder = |kind: &str| format!("lens/StorageLens/{account}/lake/V_1/{kind}/dt={day}");
        let line = |(class, metric, value): &(&str, &str, u64)| {
            let at = |kind: &str, bucket: &str| {
                format!("V_1,lake,{day},{account},us-east-1,{class},{kind},,{bucket},{metric},{value}\n")
            };
            at("ACCOUNT", "") + &at("BUCKET", "lake")
        };
        let text = format!("{HEAD}\n{}", METRICS.iter().map(line).collect::<String>());
        let key = format!("{}/1.csv", folder("reports"));
        world.write(&key, &text);
        let manifest = json!({
            "sourceAccountId": account, "configId": "lake", "destinationBucket": "arn:aws:s3:::exports",
            "reportVersion": "V_1", "reportDate": day, "reportFormat": "CSV", "reportSchema": HEAD,
            "reportFiles": [{"key": key.trim_start_matches("lens/"), "size": text.len(), "md5Checksum": "x"}],
        });
        world.write(&format!("{}/manifest.json", folder("manifests")), &manifest.to_string());
    }
}

fn inventory(world: &World) {
    let text = "\"lake\",\"raw/year%3D2026/a.parquet\",\"1073741824\",\"2026-01-01T00:00:00.000Z\",\"STANDARD\"\n\
        \"lake\",\"raw/year%3D2026/b.parquet\",\"10\",\"2026-11-20T00:00:00.000Z\",\"STANDARD\"\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    let file = world.write("inventory/lake/daily/data/1.csv.gz", "");
    std::fs::write(file, encoder.finish().unwrap()).unwrap();
    let manifest = json!({
        "sourceBucket": "lake", "destinationBucket": "arn:aws:s3:::lists", "version": "2016-11-30",
        "creationTimestamp": "1795309200000", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, Size, LastModifiedDate, StorageClass",
        "files": [{"key": "lake/daily/data/1.csv.gz", "size": 1, "MD5checksum": "x"}],
    });
    world.write("inventory/lake/daily/2026-11-22T01-00Z/manifest.json", &manifest.to_string());
}

/// A world without credentials.
fn alone() -> World {
    World::new().on("2026-11-24").without("AWS_ACCESS_KEY_ID").without("AWS_SECRET_ACCESS_KEY")
}

fn findings(world: &World) -> Vec<Value> {
    world.run(&["findings", "--format", "json"]).ends_with(0).json()["findings"].as_array().unwrap().clone()
}

#[test]
fn files_alone_price_old_versions_and_abandoned_uploads() {
    let world = alone();
    lens(&world, "111122223333");
    inventory(&world);
    world.run(&["scan", "--lens", "lens", "--inventory", "inventory"]).ends_with(0).says("only the files are read");
    assert!(world.aws.account().calls.is_empty(), "nobody was asked");
    let sizes = "select count(*) as days, sum(bytes) / 1073741824 as gib from storage_lens where prefix is null and bytes is not null";
    assert_eq!(world.lines(sizes), ["days=40 gib=40000"]);
    let ages = "select account_id, prefix, older_than_days, objects, bytes from storage_ages order by older_than_days";
    let ages = world.lines(ages);
    assert!(ages[0].contains("raw/year=2026/") && ages[0].contains("older_than_days=0"), "{ages:?}");
    assert!(ages[1].contains("111122223333") && ages[1].contains("bytes=1073741824"), "{ages:?}");
    let findings = findings(&world);
    let of = |policy: &str| {
        findings.iter().find(|finding| finding["policy"] == policy).unwrap_or_else(|| panic!("no {policy}"))
    };
    // 400 GiB of versions that were there before this month at 0.021 to 0.023; nothing certain: a lock may hold them.
    let versions = of("s3-noncurrent-kept");
    assert_eq!(
        (&versions["saving"]["low"], &versions["saving"]["high"]),
        (&json!("0.00"), &json!("9.20")),
        "{versions}"
    );
    let uploads = of("s3-abandoned-uploads-unlisted");
    assert_eq!((&uploads["saving"]["low"], &uploads["saving"]["high"]), (&json!("0.84"), &json!("0.92")), "{uploads}");
    world.run(&["report"]).ends_with(0).prints("export files only");
}

#[test]
fn an_export_of_another_account_changes_nothing_and_is_said() {
    let world = World::new().on("2026-11-24");
    lens(&world, "999988887777");
    world.run(&["scan", "--only", "s3", "--lens", "lens"]).ends_with(0);
    assert_eq!(world.lines("select count(*) as n from storage_lens"), ["n=0"]);
    let why =
        world.lines("select distinct reason from coverage where table_name = 'storage_lens' and state = 'missing'");
    assert!(why.len() == 1 && why[0].contains("is not in it"), "{why:?}");
}

#[test]
fn what_lens_knows_stands_beside_what_s3_says_of_a_bucket() {
    let world = World::new().on("2026-11-24");
    world.aws.account().s3.add("lake", crate::aws::s3::Bucket::in_region("us-east-1"));
    let account = world.aws.account().id.clone();
    lens(&world, &account);
    inventory(&world);
    world.run(&["scan", "--only", "s3", "--lens", "lens", "--inventory", "inventory"]).ends_with(0);
    let known =
        "select noncurrent_bytes / 1073741824 as gib, versioning, upload_count from buckets where bucket = 'lake'";
    let known = world.lines(known);
    assert!(known.len() == 1 && known[0].contains("gib=400") && known[0].contains("upload_count=0"), "{known:?}");
    assert_eq!(world.lines("select count(*) as n from storage_ages"), ["n=2"]);
}

#[test]
fn a_folder_without_any_export_is_a_failure_that_says_so() {
    let world = alone();
    world.write("empty/notes.txt", "nothing");
    world.run(&["scan", "--lens", "empty"]).ends_with(1).says("there is no Storage Lens export");
    world.run(&["scan", "--inventory", "empty"]).ends_with(1).says("there is no inventory list");
}
