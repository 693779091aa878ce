//! The same objects in any files give the same rows; the newest list counts, once; what cannot be read is a gap.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use chrono::{DateTime, Utc};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::prelude::*;

use super::*;
use crate::model::{Coverage, CoverageState, Row};
use crate::rollup::Runner;
use crate::rollup::import::{Import, Order};
use crate::store::{Place, batch};

const COLUMNS: [&str; 8] = [
    "Bucket",
    "Key",
    "IsLatest",
    "IsDeleteMarker",
    "Size",
    "LastModifiedDate",
    "StorageClass",
    "IntelligentTieringAccessTier",
];
const NEW: &str = "2026-11-22T01-00Z";

/// Key in plain text, latest, delete marker, size, last change, class, tier.
type Object = (&'static str, bool, bool, i64, &'static str, &'static str, &'static str);

const OBJECTS: &[Object] = &[
    ("raw/year=2026/a b.parquet", true, false, 200_000, "2026-11-20T00:00:00.000Z", "STANDARD", ""),
    ("raw/year=2026/c.parquet", true, false, 200_001, "2026-11-21T00:00:00.000Z", "STANDARD", ""),
    ("raw/year=2026/c.parquet", false, false, 100, "2024-01-01T00:00:00.000Z", "STANDARD", ""),
    ("raw/gone", true, true, -1, "2026-09-01T00:00:00.000Z", "", ""),
    ("a/b/c/d/e/f.csv", true, false, 2_000_000_000, "2026-10-23T01:00:00.000Z", "INTELLIGENT_TIERING", "INFREQUENT"),
    ("top", true, false, 0, "2026-10-23T01:00:01.000Z", "GLACIER_IR", ""),
];

fn encoded(key: &str) -> String {
    key.replace('=', "%3D").replace(' ', "+")
}

fn cell(object: &Object, bucket: &str, column: &str) -> String {
    let (key, latest, marker, size, changed, class, tier) = object;
    match column {
        "Bucket" => bucket.to_owned(),
        "Key" => encoded(key),
        "IsLatest" => latest.to_string(),
        "IsDeleteMarker" => marker.to_string(),
        "Size" if *size < 0 => String::new(),
        "Size" => size.to_string(),
        "LastModifiedDate" => (*changed).to_owned(),
        "StorageClass" => (*class).to_owned(),
        _ => (*tier).to_owned(),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn csv(objects: &[Object], columns: &[&str]) -> Vec<u8> {
    let line = |object: &Object| {
        columns.iter().map(|column| format!("\"{}\"", cell(object, "lake", column))).collect::<Vec<_>>().join(",")
    };
    gzip(objects.iter().map(|object| line(object) + "\n").collect::<String>().as_bytes())
}

fn parquet(objects: &[Object], columns: &[&str]) -> Vec<u8> {
    let array = |column: &&str| -> (String, ArrayRef) {
        let texts =
            || Arc::new(objects.iter().map(|object| Some(cell(object, "lake", column))).collect::<StringArray>());
        let changed = |object: &Object| Some(object.4.parse::<DateTime<Utc>>().unwrap().timestamp_millis());
        match *column {
            "Bucket" => ("bucket".to_owned(), texts()),
            "Key" => ("key".to_owned(), Arc::new(objects.iter().map(|object| Some(object.0)).collect::<StringArray>())),
            "IsLatest" => {
                ("is_latest".to_owned(), Arc::new(objects.iter().map(|o| Some(o.1)).collect::<BooleanArray>()))
            }
            "IsDeleteMarker" => {
                ("is_delete_marker".to_owned(), Arc::new(objects.iter().map(|o| Some(o.2)).collect::<BooleanArray>()))
            }
            "Size" => {
                let sizes = objects.iter().map(|object| Some(object.3).filter(|size| *size >= 0));
                ("size".to_owned(), Arc::new(sizes.collect::<Int64Array>()))
            }
            "LastModifiedDate" => {
                let times = objects.iter().map(changed).collect::<TimestampMillisecondArray>();
                ("last_modified_date".to_owned(), Arc::new(times.with_timezone("UTC")))
            }
            "StorageClass" => ("storage_class".to_owned(), texts()),
            _ => ("intelligent_tiering_access_tier".to_owned(), texts()),
        }
    };
    let batch = RecordBatch::try_from_iter(columns.iter().map(array)).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// A list of `lake` with its manifest.
fn list(
    configuration: &str,
    time: &str,
    format: &str,
    columns: &[&str],
    files: &[(&str, Vec<u8>)],
) -> Vec<(String, Vec<u8>)> {
    let home = format!("p/lake/{configuration}");
    let schema = if format == "CSV" {
        columns.join(", ")
    } else {
        let snake = columns.iter().map(|column| match *column {
            "IsLatest" => "is_latest",
            other => other,
        });
        format!("message s3.inventory {{ {} }}", snake.collect::<Vec<_>>().join("; "))
    };
    let named: Vec<_> = files
        .iter()
        .map(|(name, bytes)| serde_json::json!({"key": format!("{home}/data/{name}"), "size": bytes.len(), "MD5checksum": "x"}))
        .collect();
    let manifest = serde_json::json!({
        "sourceBucket": "lake", "destinationBucket": "arn:aws:s3:::lists", "version": "2016-11-30",
        "fileFormat": format, "fileSchema": schema, "files": named,
    });
    let files = files.iter().map(|(name, bytes)| (format!("{home}/data/{name}"), bytes.clone()));
    files.chain([(format!("{home}/{time}/manifest.json"), manifest.to_string().into_bytes())]).collect()
}

fn whole() -> Vec<(String, Vec<u8>)> {
    list("daily", NEW, "CSV", &COLUMNS, &[("1.csv.gz", csv(OBJECTS, &COLUMNS))])
}

async fn read(files: &[(String, Vec<u8>)], account: Option<&str>, homes: &Homes) -> Import {
    let objects = InMemory::new();
    for (path, bytes) in files {
        objects.put(&Path::from(path.as_str()), bytes.clone().into()).await.unwrap();
    }
    let place = Place::on(Arc::new(objects) as Arc<dyn ObjectStore>, Path::from("p"), "s3://lists/p");
    let survey = survey(&[place]).await;
    let order = Order {
        as_of: "2026-11-24T06:00:00Z".parse().unwrap(),
        account_id: account.map(str::to_owned),
        runner: Runner::Here,
    };
    let mut import = import(survey.units, &order, homes).await;
    import.coverage.extend(survey.gaps);
    import
}

fn rows(import: &Import) -> Vec<Row> {
    let batches = import.drafts.iter().flat_map(|draft| draft.batches().unwrap());
    let mut rows: Vec<Row> = batches.flat_map(|rows| batch::from_batch(&rows).unwrap()).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

fn gaps(import: &Import) -> Vec<&Coverage> {
    import.coverage.iter().filter(|seen| seen.state == CoverageState::Missing).collect()
}

#[tokio::test]
async fn objects_are_told_apart_by_folder_class_tier_state_age_and_size() {
    let homes = Homes::from([("lake".to_owned(), ("111122223333".to_owned(), Some("us-east-1".to_owned())))]);
    let import = read(&whole(), Some("111122223333"), &homes).await;
    assert_eq!(gaps(&import), Vec::<&Coverage>::new());
    let mut told: Vec<String> = rows(&import)
        .iter()
        .map(|row| {
            let number = |column| row.int(column).map_or("?".to_owned(), |number| number.to_string());
            let numbers = ["older_than_days", "larger_than_bytes", "objects", "bytes"].map(number).join(" ");
            format!(
                "{} {} {} {} {numbers}",
                row.key("prefix"),
                row.key("storage_class"),
                row.key("tier"),
                row.key("state")
            )
        })
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            " GLACIER_IR  current 0 0 1 0",
            "a/b/c/d/ INTELLIGENT_TIERING INFREQUENT current 30 1073741824 1 2000000000",
            "raw/   delete_marker 60 0 1 0",
            "raw/year=2026/ STANDARD  current 0 131072 2 400001",
            "raw/year=2026/ STANDARD  noncurrent 730 0 1 100",
        ]
    );
    let row = rows(&import).into_iter().next().unwrap();
    assert_eq!(
        (row.key("account_id"), row.key("region"), row.key("configuration_id")),
        ("111122223333", "us-east-1", "daily")
    );
    assert_eq!(
        (row.time("listed_at").unwrap().to_rfc3339().as_str(), row.flag("all_versions")),
        ("2026-11-22T01:00:00+00:00", Some(true))
    );
}

#[tokio::test]
async fn the_newest_list_of_a_bucket_counts_and_no_other() {
    let other = &OBJECTS[..1];
    let mut files = list("daily", "2026-11-21T01-00Z", "CSV", &COLUMNS, &[("0.csv.gz", csv(other, &COLUMNS))]);
    files.extend(whole());
    let current = [&COLUMNS[..2], &COLUMNS[4..]].concat();
    files.extend(list("current", "2026-11-23T01-00Z", "CSV", &current, &[("2.csv.gz", csv(other, &current))]));
    let import = read(&files, None, &Homes::new()).await;
    assert_eq!(rows(&import), rows(&read(&whole(), None, &Homes::new()).await));
    let left = import.coverage.iter().find(|seen| seen.state == CoverageState::NotAsked).unwrap();
    assert_eq!(left.resource.as_ref().unwrap().raw(), "s3://lists/p/lake/current");
}

#[tokio::test]
async fn columns_that_a_list_lacks_are_unknown_and_said() {
    let few = ["Bucket", "Key"];
    let import = read(&list("daily", NEW, "CSV", &few, &[("1.csv.gz", csv(OBJECTS, &few))]), None, &Homes::new()).await;
    let rows = rows(&import);
    assert!(rows.iter().all(|row| row.int("bytes").is_none() && row.int("older_than_days").is_none()), "{rows:?}");
    assert_eq!(rows.iter().filter_map(|row| row.int("objects")).sum::<i64>(), 6);
    let partial = import.coverage.iter().find(|seen| seen.state == CoverageState::Partial).unwrap();
    assert!(
        partial.reason.as_ref().unwrap().raw().contains("lacks size, last_modified_date, storage_class"),
        "{partial:?}"
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_a_gap_and_nothing_of_it_counts() {
    let good = csv(OBJECTS, &COLUMNS);
    let of = |files: &[(&str, Vec<u8>)]| list("daily", NEW, "CSV", &COLUMNS, files);
    let mut lost = of(&[("1.csv.gz", good.clone()), ("2.csv.gz", good.clone())]);
    lost.remove(1);
    let wrong = gzip(b"\"lake\",\"k\",\"true\",\"false\",\"big\",\"2026-11-20T00:00:00.000Z\",\"STANDARD\",\"\"\n");
    let foreign = gzip(b"\"sea\",\"k\",\"true\",\"false\",\"1\",\"2026-11-20T00:00:00.000Z\",\"STANDARD\",\"\"\n");
    for (files, reason) in [
        (lost, "2.csv.gz`, which is not there"),
        (of(&[("1.csv.gz", good.clone()), ("2.csv.gz", good[..good.len() - 5].to_vec())]), "cut short"),
        (of(&[("1.csv.gz", wrong)]), "`big` is not a whole number"),
        (of(&[("1.csv.gz", foreign)]), "it lists objects of `sea`"),
        (of(&[("1.csv.gz", gzip(b"a,b\n"))]), "2 columns, its manifest names 8"),
        (list("daily", NEW, "ORC", &COLUMNS, &[("1.orc", Vec::new())]), "let the inventory write Parquet or CSV"),
        (list("daily", NEW, "Parquet", &COLUMNS, &[("1.parquet", good.clone())]), "arquet"),
        (vec![("p/x.txt".to_owned(), Vec::new())], "there is no inventory list"),
    ] {
        let import = read(&files, None, &Homes::new()).await;
        let gaps = gaps(&import);
        assert_eq!(gaps.len(), 1, "{reason}: {gaps:?}");
        assert!(gaps[0].reason.as_ref().unwrap().raw().contains(reason), "{reason}: {gaps:?}");
        assert_eq!(rows(&import), Vec::new(), "{reason}");
    }
}

#[tokio::test]
async fn the_list_of_another_accounts_bucket_is_refused() {
    let import = read(&whole(), Some("111122223333"), &Homes::new()).await;
    assert!(gaps(&import)[0].reason.as_ref().unwrap().raw().contains("not among those of account 111122223333"));
    assert_eq!(rows(&import), Vec::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_files_and_any_order_of_columns_give_the_same_rows(
        cut in 0..=OBJECTS.len(), order in Just(COLUMNS.to_vec()).prop_shuffle(), columnar in any::<bool>()
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (first, second) = OBJECTS.split_at(cut);
        let files = if columnar {
            let files = [("1.parquet", parquet(second, &order)), ("2.parquet", parquet(first, &order))];
            list("daily", NEW, "Parquet", &order, &files)
        } else {
            list("daily", NEW, "CSV", &order, &[("1.csv.gz", csv(second, &order)), ("2.csv.gz", csv(first, &order))])
        };
        let import = runtime.block_on(read(&files, None, &Homes::new()));
        prop_assert_eq!(gaps(&import), Vec::<&Coverage>::new());
        prop_assert_eq!(rows(&import), rows(&runtime.block_on(read(&whole(), None, &Homes::new()))));
    }
}
