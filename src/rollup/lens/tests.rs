//! The same records in any files give the same tables; a bucket counts once; what cannot be read is a gap.

use std::io::Write;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use proptest::prelude::*;

use super::*;
use crate::model::{Coverage, CoverageState, Row, Untrusted};
use crate::rollup::Runner;
use crate::rollup::import::Order;
use crate::store::{Place, batch};

/// Account, class, record type, record value, bucket, metric, value.
type Record = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str, i64);

const OWN: &str = "111122223333";
const DAY: &str = "2026-11-20";

/// Two buckets of two accounts, with the account's and the prefixes' records that repeat their bytes.
const RECORDS: &[Record] = &[
    (OWN, "STANDARD", "ACCOUNT", "", "", "StorageBytes", 1000),
    (OWN, "STANDARD", "BUCKET", "", "lake", "StorageBytes", 700),
    (OWN, "STANDARD_IA", "BUCKET", "", "lake", "StorageBytes", 300),
    (OWN, "STANDARD", "BUCKET", "", "lake", "NonCurrentVersionStorageBytes", 200),
    (OWN, "STANDARD_IA", "BUCKET", "", "lake", "NonCurrentVersionStorageBytes", 50),
    (OWN, "STANDARD", "BUCKET", "", "lake", "IncompleteMultipartUploadStorageBytes", 70),
    (OWN, "STANDARD", "BUCKET", "", "lake", "CurrentVersionObjectCount", 9),
    (OWN, "", "BUCKET", "", "lake", "StorageBytes", 1000),
    (OWN, "STANDARD", "PREFIX", "raw%2Fyear%3D2026%2F", "lake", "StorageBytes", 600),
    (OWN, "", "BUCKET", "", "lake", "AllRequests", 40),
    (OWN, "", "BUCKET", "", "lake", "BytesUploaded", 4000),
    (OWN, "", "PREFIX", "raw%2Fyear%3D2026%2F", "lake", "GetRequests", 12),
    (OWN, "STANDARD", "BUCKET", "", "lake", "Object0KBTo128KBCount", 5),
    (OWN, "STANDARD", "BUCKET", "", "lake", "ObjectLargerThan4GBCount", 1),
    (OWN, "STANDARD", "BUCKET", "", "lake", "ObjectLockEnabledObjectCount", 3),
    ("444455556666", "STANDARD", "BUCKET", "", "other", "StorageBytes", 5),
];

fn cell(record: &Record, day: &str, column: &str) -> String {
    let (account, class, kind, value, bucket, metric, number) = record;
    match column {
        "version_number" => "V_1",
        "configuration_id" => "dash",
        "report_date" => day,
        "aws_account_number" => account,
        "aws_region" => "us-east-1",
        "storage_class" => class,
        "record_type" => kind,
        "record_value" => value,
        "bucket_name" => bucket,
        "metric_name" => metric,
        _ => return number.to_string(),
    }
    .to_owned()
}

fn csv(records: &[Record], day: &str, columns: &[&str], header: bool) -> Vec<u8> {
    let line = |record: &Record| columns.iter().map(|column| cell(record, day, column)).collect::<Vec<_>>().join(",");
    let lines = header.then(|| columns.join(",")).into_iter().chain(records.iter().map(line));
    lines.map(|line| line + "\n").collect::<String>().into_bytes()
}

fn parquet(records: &[Record], day: &str, columns: &[&str]) -> Vec<u8> {
    let array = |column: &&str| -> (String, ArrayRef) {
        let texts = records.iter().map(|record| cell(record, day, column));
        let array: ArrayRef = match *column {
            "metric_value" => Arc::new(records.iter().map(|record| Some(record.6)).collect::<Int64Array>()),
            _ => Arc::new(texts.map(Some).collect::<StringArray>()),
        };
        ((*column).to_owned(), array)
    };
    let batch = RecordBatch::try_from_iter(columns.iter().map(array)).unwrap();
    let mut writer = parquet::arrow::ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn folder(account: &str, dashboard: &str, day: &str, kind: &str) -> String {
    format!("p/StorageLens/{account}/{dashboard}/V_1/{kind}/dt={day}")
}

/// An export of one day with its manifest.
fn export(account: &str, dashboard: &str, day: &str, files: &[(&str, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let reports = folder(account, dashboard, day, "reports");
    let format = if files.iter().any(|(name, _)| name.rsplit('.').next() == Some("par")) { "Parquet" } else { "CSV" };
    let named: Vec<_> = files
        .iter()
        .map(|(name, bytes)| serde_json::json!({"key": format!("{reports}/{name}"), "size": bytes.len(), "md5Checksum": "x"}))
        .collect();
    let manifest = serde_json::json!({
        "sourceAccountId": account, "configId": dashboard, "destinationBucket": "arn:aws:s3:::exports",
        "reportVersion": "V_1", "reportDate": day, "reportFormat": format, "reportSchema": COLUMNS.join(","),
        "reportFiles": named,
    });
    let at = format!("{}/manifest.json", folder(account, dashboard, day, "manifests"));
    let files = files.iter().map(|(name, bytes)| (format!("{reports}/{name}"), bytes.clone()));
    files.chain([(at, manifest.to_string().into_bytes())]).collect()
}

async fn read(files: &[(String, Vec<u8>)], account: Option<&str>) -> Lens {
    let objects = InMemory::new();
    for (path, bytes) in files {
        objects.put(&Path::from(path.as_str()), bytes.clone().into()).await.unwrap();
    }
    let place = Place::on(Arc::new(objects) as Arc<dyn ObjectStore>, Path::from("p"), "s3://exports/p");
    let survey = survey(&[place]).await;
    let order = Order {
        as_of: "2026-11-24T06:00:00Z".parse().unwrap(),
        account_id: account.map(str::to_owned),
        runner: Runner::Here,
    };
    let mut lens = import(survey.units, &order).await;
    lens.import.coverage.extend(survey.gaps);
    lens
}

fn rows(lens: &Lens, table: &str) -> Vec<Row> {
    let drafts = lens.import.drafts.iter().filter(|draft| draft.table().name == table);
    let batches = drafts.flat_map(|draft| draft.batches().unwrap());
    let mut rows: Vec<Row> = batches.flat_map(|rows| batch::from_batch(&rows).unwrap()).collect();
    rows.sort_by_key(|row| format!("{row:?}"));
    rows
}

fn tables(lens: &Lens) -> [Vec<Row>; 3] {
    ["storage_lens", "storage_activity", "storage_sizes"].map(|table| rows(lens, table))
}

fn gaps(lens: &Lens) -> Vec<&Coverage> {
    lens.import.coverage.iter().filter(|seen| seen.state == CoverageState::Missing).collect()
}

fn whole() -> Vec<(String, Vec<u8>)> {
    export(OWN, "dash", DAY, &[("a.csv", csv(RECORDS, DAY, &COLUMNS, true))])
}

#[tokio::test]
async fn a_bucket_counts_once_whatever_repeats_its_bytes() {
    let lens = read(&whole(), Some(OWN)).await;
    assert_eq!(gaps(&lens), Vec::<&Coverage>::new());
    let sizes = rows(&lens, "storage_lens");
    let of = |bucket: &str, prefix: Option<&str>| -> i64 {
        let those = sizes.iter().filter(|row| row.key("bucket") == bucket);
        let those = those.filter(|row| row.text("prefix").map(Untrusted::raw) == prefix);
        those.filter_map(|row| row.int("bytes")).sum()
    };
    assert_eq!((of("lake", None), of("other", None)), (1000, 5));
    assert_eq!(of("lake", Some("raw/year=2026/")), 600);
    let facts = &lens.buckets[&(OWN.to_owned(), "lake".to_owned())];
    assert_eq!((facts.noncurrent_bytes, facts.incomplete_bytes, facts.objects), (Some(250), Some(70), Some(9)));
    let other = &lens.buckets[&("444455556666".to_owned(), "other".to_owned())];
    assert_eq!((other.noncurrent_bytes, other.objects), (None, None), "not measured is not none");
}

#[tokio::test]
async fn activity_and_size_bands_are_tables_of_their_own() {
    let lens = read(&whole(), None).await;
    let activity = rows(&lens, "storage_activity");
    let lake = activity.iter().find(|row| row.text("prefix").is_none()).unwrap();
    assert_eq!((lake.int("all_requests"), lake.int("bytes_uploaded")), (Some(40), Some(4000)));
    assert_eq!(lake.int("get_requests"), None);
    let bands = rows(&lens, "storage_sizes");
    let mut bands: Vec<_> = bands.iter().map(|row| (row.key("size_band"), row.int("objects").unwrap())).collect();
    bands.sort_unstable();
    assert_eq!(bands, [("0KBTo128KB", 5), ("LargerThan4GB", 1)]);
    let free: Vec<Record> = RECORDS.iter().copied().filter(|record| record.5 == "StorageBytes").collect();
    let lens = read(&export(OWN, "dash", DAY, &[("a.csv", csv(&free, DAY, &COLUMNS, true))]), None).await;
    let said = |table: &str| lens.import.coverage.iter().find(|seen| seen.table == table).unwrap().state;
    assert_eq!((said("storage_lens"), said("storage_activity")), (CoverageState::Seen, CoverageState::NotAsked));
}

#[tokio::test]
async fn two_dashboards_over_the_same_buckets_count_once() {
    let mut files = whole();
    let few: Vec<Record> = RECORDS.iter().copied().filter(|record| record.5 == "StorageBytes").collect();
    files.extend(export(OWN, "default-account-dashboard", DAY, &[("a.csv", csv(&few, DAY, &COLUMNS, true))]));
    let both = read(&files, Some(OWN)).await;
    assert_eq!(tables(&both), tables(&read(&whole(), Some(OWN)).await));
    let left = both.import.coverage.iter().find(|seen| seen.state == CoverageState::NotAsked).unwrap();
    assert!(left.reason.as_ref().unwrap().raw().contains("a bucket counts once"), "{left:?}");
}

#[tokio::test]
async fn what_cannot_be_read_is_a_gap_and_nothing_of_it_counts() {
    let good = csv(RECORDS, DAY, &COLUMNS, true);
    let long = gzip(&csv(&RECORDS.repeat(500), DAY, &COLUMNS, true));
    let bad_number = String::from_utf8(good.clone()).unwrap().replace(",700\n", ",much\n").into_bytes();
    let lost = |mut files: Vec<(String, Vec<u8>)>| {
        files.remove(1);
        files
    };
    let two = export(OWN, "dash", DAY, &[("a.csv", good.clone()), ("b.csv", good.clone())]);
    for (files, reason) in [
        (lost(two), "b.csv`, which is not there"),
        (
            export(OWN, "dash", DAY, &[("a.csv", good.clone()), ("b.csv.gz", long[..long.len() - 9].to_vec())]),
            "cut short",
        ),
        (export(OWN, "dash", DAY, &[("a.csv", bad_number)]), "much"),
        (export(OWN, "dash", DAY, &[("a.csv", b"a,b\n1,2\n".to_vec())]), "columns"),
        (export(OWN, "dash", DAY, &[("a.par", good.clone())]), "arquet"),
        (export(OWN, "dash", DAY, &[]), "names no file"),
        (
            export(OWN, "dash", DAY, &[("a.csv", csv(RECORDS, "2026-11-19", &COLUMNS, true))]),
            "its manifest of 2026-11-20",
        ),
        (vec![("p/x/manifests/dt=2026-11-20/manifest.json".to_owned(), b"{".to_vec())], "no manifest"),
        (vec![("p/readme.txt".to_owned(), b"hello".to_vec())], "no Storage Lens export"),
    ] {
        let lens = read(&files, None).await;
        let gaps = gaps(&lens);
        assert_eq!(gaps.len(), 1, "{reason}: {gaps:?}");
        assert!(gaps[0].reason.as_ref().unwrap().raw().contains(reason), "{reason}: {gaps:?}");
        assert_eq!((tables(&lens).concat(), lens.buckets.len()), (Vec::new(), 0), "{reason}");
    }
}

#[tokio::test]
async fn the_export_of_another_account_is_refused() {
    let lens = read(&whole(), Some("999999999999")).await;
    assert!(gaps(&lens)[0].reason.as_ref().unwrap().raw().contains("account 999999999999 is not in it"));
    assert_eq!((tables(&lens).concat(), lens.buckets.len()), (Vec::new(), 0));
}

#[tokio::test]
async fn a_report_too_old_to_speak_of_today_says_nothing_of_the_buckets() {
    let day = "2026-11-01";
    let old = read(&export(OWN, "dash", day, &[("a.csv", csv(RECORDS, day, &COLUMNS, true))]), None).await;
    assert_eq!((old.buckets.len(), rows(&old, "storage_lens").len()), (0, 4));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_files_and_any_order_of_columns_give_the_same_tables(
        cut in 0..=RECORDS.len(), order in Just(COLUMNS.to_vec()).prop_shuffle(), kind in 0..4_usize
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (first, second) = RECORDS.split_at(cut);
        let write = |records: &[Record]| match kind {
            0 => csv(records, DAY, &order, true),
            1 => gzip(&csv(records, DAY, &order, true)),
            2 => parquet(records, DAY, &order),
            _ => csv(records, DAY, &COLUMNS, false),
        };
        let name = |at: usize| format!("{at}.{}", ["csv", "csv.gz", "par", "csv"][kind]);
        let halves = [(name(0), write(first)), (name(1), write(second))];
        // Without a header an empty file has no line at all, which is a gap.
        let halves: Vec<_> = halves.iter().filter(|(_, bytes)| !bytes.is_empty()).map(|(n, b)| (n.as_str(), b.clone())).collect();
        let lens = runtime.block_on(read(&export(OWN, "dash", DAY, &halves), None));
        prop_assert_eq!(gaps(&lens), Vec::<&Coverage>::new());
        prop_assert_eq!(tables(&lens), tables(&runtime.block_on(read(&whole(), None))));
    }
}
