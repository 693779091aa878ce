//! The store as a user meets it: `query`, `snapshots`, and snapshots that an older leanlake wrote.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDate, Utc};
use leanlake::engine::Engine;
use leanlake::model::{Coverage, CoverageState, Origin, Row};
use leanlake::store::tables::athena::ATHENA_QUERIES;
use leanlake::store::tables::bill::COSTS;
use leanlake::store::tables::storage::BUCKETS;
use leanlake::store::{Filter, Head, Receipt, Snapshot, Store};
use rust_decimal::Decimal;

use crate::support::World;

const ACCOUNT: &str = "111122223333";

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A snapshot of two buckets, three days of cost and a query.
async fn small(store: &Store, account: &str, as_of: &str) -> Snapshot {
    let as_of: DateTime<Utc> = as_of.parse().unwrap();
    let origin = Origin::Aws { partition: "aws".to_owned() };
    let head = Head { origin, payer: None, account_id: Some(account.to_owned()), as_of };
    let mut writer = store.write(head, None);
    let row = || Row::new().with("account_id", account);
    let bucket = |name: &str| row().with("region", "eu-west-1").with("bucket", name);
    writer
        .append(&BUCKETS, vec![bucket("lake").with("lifecycle_rule_count", 0_i64), bucket("=evil\u{1b}[2J")])
        .unwrap();
    let cost = |day: &str, cents| {
        let day: NaiveDate = day.parse().unwrap();
        let row = row().with("day", day).with("service", "Amazon Simple Storage Service");
        row.with("usage_type", "EU-TimedStorage-ByteHrs").with("unblended", Decimal::new(cents, 2))
    };
    writer.append(&COSTS, vec![cost("2026-07-31", 100), cost("2026-10-31", 200), cost("2026-11-01", 300)]).unwrap();
    let query = row().with("region", "eu-west-1").with("workgroup", "primary").with("query_id", "q-1");
    writer.append(&ATHENA_QUERIES, vec![query.with("submitted", as_of).with("state", "SUCCEEDED")]).unwrap();
    writer.cover(Coverage::new("buckets", "s3:ListBuckets", CoverageState::Seen).at(account, None));
    writer.cover(Coverage::new("storage", "cloudwatch:GetMetricData", CoverageState::Missing).because("AccessDenied"));
    let receipt = Receipt { requests: [("s3:ListBuckets".to_owned(), 1)].into(), seconds: 2, ..Receipt::default() };
    writer.finish(receipt, false).await.unwrap()
}

fn world() -> (World, Snapshot) {
    let world = World::new();
    let store = Store::open_folder(world.path("store")).unwrap();
    let snapshot = wait(small(&store, ACCOUNT, "2026-11-20T00:00:00Z"));
    (world, snapshot)
}

fn part(world: &World, snapshot: &Snapshot, table: &str) -> PathBuf {
    world.path("store").join(&snapshot.parts(table)[0].path)
}

#[test]
fn a_query_answers_as_a_table_csv_or_json() {
    let (world, snapshot) = world();
    let sql = "select bucket, lifecycle_rule_count as rules, cast(1 as double) / 4 as share from buckets order by bucket desc";
    let table =
        world.run(&["query", sql]).ends_with(0).prints("lake").prints("NULL").prints("\\u{1b}[2J").prints("0.25");
    assert!(!table.stdout.contains('\u{1b}'));
    let csv = world.run(&["query", sql, "--format", "csv"]).ends_with(0);
    assert_eq!(csv.stdout, "bucket,rules,share\nlake,0,0.25\n'=evil\u{1b}[2J,,0.25\n");
    let json = world.run(&[
        "query",
        "select day, sum(unblended) as usd from costs group by day order by day",
        "--format",
        "json",
    ]);
    let json = json.ends_with(0).json();
    assert_eq!((json["schema"].as_str(), json["snapshot"].as_str()), (Some("leanlake.query"), Some(snapshot.id())));
    assert_eq!(json["rows"][1], serde_json::json!({"day": "2026-10-31", "usd": "2.00"}));
}

#[test]
fn a_wrong_query_says_what_is_wrong_and_changes_nothing() {
    let (world, _) = world();
    world.run(&["query", "select buckt from buckets"]).ends_with(1).says("buckt").says("docs/tables.md");
    world.run(&["query", "drop table buckets"]).ends_with(1).says("only a query is allowed here");
    world.run(&["query", "select * from '/etc/passwd'"]).ends_with(1).says("/etc/passwd");
}

#[test]
fn an_empty_store_says_how_to_fill_it() {
    let world = World::new();
    world.run(&["query", "select 1"]).ends_with(1).says("no snapshot").says("leanlake scan");
    world.run(&["snapshots", "list"]).ends_with(0);
    assert!(!world.path("store").exists(), "reading must not make a store");
}

#[test]
fn several_payers_in_one_store_ask_for_a_snapshot() {
    let (world, first) = world();
    let store = Store::open_folder(world.path("store")).unwrap();
    let second = wait(small(&store, "444455556666", "2026-11-19T00:00:00Z"));
    world.run(&["query", "select 1 as one"]).ends_with(1).says("several payers").says(second.id()).says("--snapshot");
    world.run(&["query", "select 1 as one", "--snapshot", second.id()]).ends_with(0);
    world.run(&["query", "select 1 as one", "--snapshot", "../../etc"]).ends_with(1).says("snapshots list");
    world.run(&["snapshots", "list"]).ends_with(0).prints(first.id()).prints("444455556666");
}

#[test]
fn damage_is_named_with_the_file_and_what_to_do() {
    let (world, snapshot) = world();
    world.run(&["snapshots", "show", "--check"]).ends_with(0).says("every part is whole").prints("buckets");
    let file = part(&world, &snapshot, "buckets");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    std::fs::write(&file, bytes).unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    world.run(&["snapshots", "show", "--check"]).ends_with(1).says(name).says("SHA-256").says("backup");
    std::fs::write(&file, b"PAR1").unwrap();
    world.run(&["query", "select * from buckets"]).ends_with(1).says(name).says("snapshots show --check");
}

#[test]
fn a_manifest_of_a_newer_version_or_without_sense_is_refused_by_name() {
    let (world, snapshot) = world();
    let file = world.path("store/snapshots").join(format!("{}.json", snapshot.id()));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"version\": \"1.0\"", "\"version\": \"2.0\"")).unwrap();
    world.run(&["query", "select 1"]).ends_with(1).says(snapshot.id()).says("newer leanlake").says("update leanlake");
    std::fs::write(&file, &text[..text.len() / 2]).unwrap();
    world.run(&["query", "select 1"]).ends_with(1).says(snapshot.id()).says("damaged");
    world.run(&["snapshots", "prune"]).ends_with(1).says("damaged");
}

#[test]
fn prune_keeps_what_snapshots_name_and_what_is_young() {
    let (world, first) = world();
    let store = Store::open_folder(world.path("store")).unwrap();
    let second = wait(small(&store, ACCOUNT, "2026-11-21T00:00:00Z"));
    world.write("store/tables/costs/stray.parquet", "left by a crash");
    world.run(&["snapshots", "prune", "--keep", "1", "--as-of", "2127-01-01"]).ends_with(0).says(first.id());
    let stray = world.path("store/tables/costs/stray.parquet");
    assert!(stray.exists(), "a young file may be a scan's, whatever day `--as-of` says");
    let old = SystemTime::now() - Duration::from_hours(25);
    std::fs::File::options().write(true).open(&stray).unwrap().set_modified(old).unwrap();
    world.run(&["snapshots", "prune", "--as-of", "2020-01-01"]).ends_with(0);
    assert!(!stray.exists());
    assert!(world.files("store/drafts").is_empty());
    world.run(&["snapshots", "show", "--check"]).ends_with(0).prints(second.id()).says("every part is whole");
}

#[test]
fn an_export_has_a_folder_for_each_table_and_never_the_key() {
    let (world, snapshot) = world();
    wait(Store::open_folder(world.path("store")).unwrap().hash_key()).unwrap();
    world.run(&["snapshots", "export", snapshot.id(), "--to", "out"]).ends_with(0).says("8 rows");
    let tables = leanlake::store::tables::TABLES.len();
    assert_eq!(std::fs::read_dir(world.path("out")).unwrap().count(), tables);
    assert!(world.files("out").iter().all(|file| file.extension().is_some_and(|end| end == "parquet")));
    world.run(&["snapshots", "export", snapshot.id(), "--to", "out"]).ends_with(1).says("not empty");
}

#[cfg(unix)]
#[test]
fn what_is_written_is_for_the_owner_only_and_the_key_stays_the_same() {
    use std::os::unix::fs::PermissionsExt;
    let (world, _) = world();
    let store = Store::open_folder(world.path("store")).unwrap();
    let key = wait(store.hash_key()).unwrap();
    assert_eq!(wait(Store::open_folder(world.path("store")).unwrap().hash_key()).unwrap(), key);
    for file in world.files("store") {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{}", file.display());
        assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    }
}

/// Written once by the version that introduced format 1, and never again.
#[test]
fn a_snapshot_of_format_1_reads_as_it_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store-format-1");
    let store = Store::open_folder(&folder).unwrap();
    if !folder.exists() && std::env::var_os("LEANLAKE_UPDATE").is_some() {
        wait(small(&store, ACCOUNT, "2026-11-20T00:00:00Z"));
    }
    wait(async {
        let snapshot = store.newest(&Filter::default()).await.unwrap();
        assert!(snapshot.check().await.is_empty());
        let engine = Engine::over(&snapshot).unwrap();
        let rows = engine.rows("select sum(unblended) as usd, count(*) as n from costs where day < '2026-11-01'").await;
        assert_eq!(rows.unwrap(), [Row::new().with("usd", Decimal::from(3)).with("n", 2_i64)]);
        for table in leanlake::store::tables::TABLES {
            engine.rows(&format!("select * from {}", table.name)).await.unwrap();
        }
        assert_eq!(snapshot.coverage().await.unwrap().iter().filter(|seen| seen.is_gap()).count(), 1);
    });
}
