//! What a scan hands over is what the next reader gets, whatever happens in between.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::tables::athena::ATHENA_QUERIES;
use super::tables::bill::COSTS;
use super::tables::storage::BUCKETS;
use super::*;
use crate::model::{Coverage, CoverageState, Row};

pub(super) fn memory() -> Store {
    Store::on(Arc::new(InMemory::new()), Path::from("lake/history"), "memory")
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(super) fn head(as_of: &str) -> Head {
    let account = Some("111122223333".to_owned());
    let origin = Origin::Aws { partition: "aws".to_owned() };
    Head { origin, payer: account.clone(), account_id: account, as_of: at(as_of) }
}

pub(super) fn cost(day: NaiveDate, usage_type: &str, cents: i64) -> Row {
    Row::new()
        .with("account_id", "111122223333")
        .with("day", day)
        .with("service", "Amazon Simple Storage Service")
        .with("usage_type", usage_type)
        .with("unblended", Decimal::new(cents, 2).normalize())
}

pub(super) fn bucket(name: &str) -> Row {
    Row::new().with("account_id", "111122223333").with("region", "eu-west-1").with("bucket", name)
}

/// A snapshot of `costs` over the days `from` to `to`, a cent more each day.
async fn costs(store: &Store, as_of: &str, from: &str, to: &str) -> Snapshot {
    let mut writer = store.write(head(as_of), None);
    let days = day(from).iter_days().take_while(|d| *d <= day(to));
    writer
        .append(&COSTS, (0..).zip(days).map(|(cents, day)| cost(day, "TimedStorage-ByteHrs", cents)).collect())
        .unwrap();
    writer.cover(Coverage::new("costs", "ce:GetCostAndUsage", CoverageState::Seen).days(day(from), day(to)));
    writer.finish(Receipt::default(), false).await.unwrap()
}

/// The cells that were set, sorted: what a reader compares.
fn content(rows: &[Row]) -> Vec<String> {
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            let set = row.cells().filter(|(_, cell)| **cell != crate::model::Cell::Null);
            set.map(|(name, cell)| format!("{name}={cell:?}")).collect::<Vec<_>>().join(" ")
        })
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_snapshot_on_disk_is_read_back_by_its_id_with_its_rows_and_receipt() {
    let store = Store::temporary().unwrap();
    let mut writer = store.write(head("2026-11-24T07:00:00Z"), None);
    writer.append(&BUCKETS, vec![bucket("lake"), bucket("archive")]).unwrap();
    writer.cover(Coverage::new("buckets", "s3:ListBuckets", CoverageState::Seen).at("111122223333", None));
    let receipt = Receipt { requests: [("s3:ListBuckets".to_owned(), 1)].into(), ..Receipt::default() };
    let written = writer.finish(receipt, true).await.unwrap();
    let read = store.snapshot(written.id()).await.unwrap();
    assert_eq!(read.manifest, written.manifest);
    assert!(read.manifest.interrupted && read.id().starts_with("20261124T070000Z-"), "{}", read.id());
    let names: Vec<_> = read.rows(&BUCKETS).await.unwrap().iter().map(|row| row.key("bucket").to_owned()).collect();
    assert_eq!(names, ["archive", "lake"]);
    assert_eq!(read.coverage().await.unwrap()[0].read, "s3:ListBuckets");
    assert_eq!(read.manifest.coverage["seen"], 1);
    assert!(read.check().await.is_empty());
}

#[tokio::test]
async fn closed_months_are_one_part_and_younger_days_are_parts_of_their_own() {
    let snapshot = costs(&memory(), "2026-11-03T00:00:00Z", "2026-08-15", "2026-11-02").await;
    let periods: Vec<_> = snapshot.parts("costs").iter().filter_map(|part| part.period).collect();
    assert_eq!(periods.len(), 2 + 31 + 2);
    assert_eq!(periods[0], Days { from: day("2026-08-01"), to: day("2026-08-31") });
    assert_eq!(periods[34], Days { from: day("2026-11-02"), to: day("2026-11-02") });
}

#[tokio::test]
async fn a_second_scan_reuses_the_parts_of_days_that_it_does_not_read_again() {
    let store = memory();
    let first = costs(&store, "2026-11-20T00:00:00Z", "2026-09-01", "2026-11-19").await;
    let mut writer = store.write(head("2026-11-21T00:00:00Z"), Some(&first));
    writer.append(&COSTS, vec![cost(day("2026-11-19"), "x", 7), cost(day("2026-11-20"), "x", 8)]).unwrap();
    writer.replace_period(&COSTS, "111122223333", day("2026-11-19"), day("2026-11-20"));
    let fresh = Coverage::new("costs", "ce:GetCostAndUsage", CoverageState::Seen);
    writer.cover(fresh.days(day("2026-11-19"), day("2026-11-20")));
    let second = writer.finish(Receipt::default(), false).await.unwrap();
    let shared = second.parts("costs").iter().filter(|part| first.parts("costs").contains(part)).count();
    assert_eq!((shared, second.parts("costs").len()), (first.parts("costs").len() - 1, first.parts("costs").len() + 1));
    let rows = second.rows(&COSTS).await.unwrap();
    assert_eq!(rows.len(), 81);
    assert_eq!(rows.iter().filter(|row| row.date("day") == Some(day("2026-11-19"))).count(), 1);
    let days: Vec<_> = second.coverage().await.unwrap().iter().filter_map(|seen| seen.from.zip(seen.to)).collect();
    assert_eq!(days, [(day("2026-09-01"), day("2026-11-18")), (day("2026-11-19"), day("2026-11-20"))]);
}

#[tokio::test]
async fn rows_of_regions_that_were_left_out_come_over_and_those_of_visited_ones_do_not() {
    let store = memory();
    let row = |region: &str, name: &str| bucket(name).with("region", region);
    let seen = |region: &str, state| Coverage::new("buckets", "s3:ListBuckets", state).at("111122223333", Some(region));
    let mut writer = store.write(head("2026-11-20T00:00:00Z"), None);
    writer.append(&BUCKETS, vec![row("eu-west-1", "gone"), row("us-east-1", "far")]).unwrap();
    writer.cover(seen("eu-west-1", CoverageState::Seen));
    writer.cover(seen("us-east-1", CoverageState::Seen));
    let first = writer.finish(Receipt::default(), false).await.unwrap();
    let mut writer = store.write(head("2026-11-21T00:00:00Z"), Some(&first));
    writer.visit_only("buckets", &["eu-west-1".to_owned()]);
    writer.append(&BUCKETS, vec![row("eu-west-1", "new")]).unwrap();
    writer.cover(seen("eu-west-1", CoverageState::Seen));
    for region in ["us-east-1", "sa-east-1"] {
        writer.cover(seen(region, CoverageState::NotAsked));
    }
    let second = writer.finish(Receipt::default(), false).await.unwrap();
    let names: Vec<_> = second.rows(&BUCKETS).await.unwrap().iter().map(|row| row.key("bucket").to_owned()).collect();
    assert_eq!(names, ["new", "far"]);
    assert_eq!(second.parts("buckets")[0].read_at, at("2026-11-20T00:00:00Z"), "the oldest of its rows");
    let told = second.coverage().await.unwrap();
    let mut told: Vec<_> = told.iter().map(|c| (c.region.clone().unwrap(), c.state)).collect();
    told.sort();
    let wanted = [
        ("eu-west-1", CoverageState::Seen),
        ("sa-east-1", CoverageState::NotAsked),
        ("us-east-1", CoverageState::Seen),
    ];
    assert_eq!(told, wanted.map(|(region, state)| (region.to_owned(), state)));
}

#[tokio::test]
async fn a_region_that_a_scan_says_it_left_out_keeps_its_rows_and_their_coverage() {
    let store = memory();
    let row = |region: &str, name: &str| bucket(name).with("region", region);
    let seen = |region: &str, state| Coverage::new("buckets", "s3:ListBuckets", state).at("111122223333", Some(region));
    let mut writer = store.write(head("2026-11-20T00:00:00Z"), None);
    writer.append(&BUCKETS, vec![row("eu-west-1", "gone"), row("us-east-1", "cheap")]).unwrap();
    writer.cover(seen("us-east-1", CoverageState::Seen));
    let first = writer.finish(Receipt::default(), false).await.unwrap();
    let mut writer = store.write(head("2026-11-21T00:00:00Z"), Some(&first));
    writer.cover(seen("eu-west-1", CoverageState::Missing));
    writer.cover(seen("us-east-1", CoverageState::NotAsked));
    let second = writer.finish(Receipt::default(), false).await.unwrap();
    assert_eq!(second.rows(&BUCKETS).await.unwrap()[0].key("bucket"), "cheap", "and what failed is a gap");
    let told = second.coverage().await.unwrap();
    let told: Vec<_> = told.iter().map(|c| (c.region.clone().unwrap(), c.state)).collect();
    let wanted = [("eu-west-1", CoverageState::Missing), ("us-east-1", CoverageState::Seen)];
    assert_eq!(told, wanted.map(|(region, state)| (region.to_owned(), state)));
}

#[tokio::test]
async fn a_month_that_closes_becomes_one_part_and_keeps_when_it_was_read() {
    let store = memory();
    let first = costs(&store, "2026-11-20T00:00:00Z", "2026-10-01", "2026-11-19").await;
    let second =
        store.write(head("2026-12-01T00:00:00Z"), Some(&first)).finish(Receipt::default(), false).await.unwrap();
    assert_eq!(second.parts("costs").len(), 1 + 19);
    assert_eq!(second.parts("costs")[0].read_at, at("2026-11-20T00:00:00Z"));
    assert_eq!(second.rows(&COSTS).await.unwrap(), first.rows(&COSTS).await.unwrap());
}

#[tokio::test]
async fn a_replaced_week_inside_a_closed_month_leaves_the_rest_of_the_month() {
    let store = memory();
    let first = costs(&store, "2026-11-20T00:00:00Z", "2026-08-01", "2026-08-31").await;
    let mut writer = store.write(head("2026-11-21T00:00:00Z"), Some(&first));
    writer.append(&COSTS, vec![cost(day("2026-08-12"), "again", 1)]).unwrap();
    writer.replace_period(&COSTS, "111122223333", day("2026-08-10"), day("2026-08-16"));
    let second = writer.finish(Receipt::default(), false).await.unwrap();
    assert_eq!(second.parts("costs").len(), 1);
    assert_eq!(second.rows(&COSTS).await.unwrap().len(), 31 - 7 + 1);
}

#[tokio::test]
async fn an_event_that_is_read_again_without_replacing_its_day_wins_over_its_old_form() {
    let store = memory();
    let query = |id: &str, state: &str| {
        let row = Row::new().with("account_id", "1").with("region", "r").with("workgroup", "w").with("query_id", id);
        row.with("submitted", at("2026-11-19T10:00:00Z")).with("state", state)
    };
    let mut writer = store.write(head("2026-11-20T00:00:00Z"), None);
    writer.append(&ATHENA_QUERIES, vec![query("a", "RUNNING"), query("b", "SUCCEEDED")]).unwrap();
    let first = writer.finish(Receipt::default(), false).await.unwrap();
    let mut writer = store.write(head("2026-11-21T00:00:00Z"), Some(&first));
    writer.append(&ATHENA_QUERIES, vec![query("a", "SUCCEEDED")]).unwrap();
    let second = writer.finish(Receipt::default(), false).await.unwrap();
    let rows = second.rows(&ATHENA_QUERIES).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.key("query_id"), row.key("state"))).collect::<Vec<_>>(),
        [("a", "SUCCEEDED"), ("b", "SUCCEEDED")]
    );
}

#[tokio::test]
async fn a_table_nobody_asked_for_comes_over_and_one_that_failed_is_a_gap() {
    let store = memory();
    let mut writer = store.write(head("2026-11-20T00:00:00Z"), None);
    writer.append(&BUCKETS, vec![bucket("lake")]).unwrap();
    writer.cover(Coverage::new("buckets", "s3:ListBuckets", CoverageState::Seen).at("111122223333", None));
    let first = writer.finish(Receipt::default(), false).await.unwrap();

    let mut only_athena = store.write(head("2026-11-21T00:00:00Z"), Some(&first));
    only_athena.cover(Coverage::new("buckets", "s3:ListBuckets", CoverageState::NotAsked));
    let second = only_athena.finish(Receipt::default(), false).await.unwrap();
    assert_eq!(second.parts("buckets"), first.parts("buckets"));
    assert_eq!(second.coverage().await.unwrap(), first.coverage().await.unwrap());

    let mut denied = store.write(head("2026-11-22T00:00:00Z"), Some(&second));
    let gap = Coverage::new("buckets", "s3:ListBuckets", CoverageState::Missing).at("111122223333", None);
    denied.cover(gap.because("AccessDenied"));
    let third = denied.finish(Receipt::default(), false).await.unwrap();
    assert!(third.parts("buckets").is_empty());
    assert_eq!(third.manifest.coverage, [("missing".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_crash_before_the_manifest_leaves_the_last_snapshot() {
    let store = Store::temporary().unwrap();
    let first = costs(&store, "2026-11-20T00:00:00Z", "2026-11-01", "2026-11-19").await;
    let full = Store::on(Arc::new(NoManifest(store.objects())), store.path(""), store.url());
    let mut writer = full.write(head("2026-11-21T00:00:00Z"), Some(&first));
    writer.append(&BUCKETS, vec![bucket("lake")]).unwrap();
    let error = writer.finish(Receipt::default(), false).await.unwrap_err();
    assert!(error.to_string().contains("snapshots/20261121T000000Z-"), "{error}");
    assert!(error.hints()[0].contains("the disk is full"), "{error}");
    let newest = store.newest(&Filter::default()).await.unwrap();
    assert_eq!(newest.manifest, first.manifest);
    assert!(newest.check().await.is_empty());
}

#[tokio::test]
async fn a_scan_that_was_paid_for_is_kept_even_when_the_store_lost_older_parts() {
    let store = Store::temporary().unwrap();
    let first = costs(&store, "2026-11-20T00:00:00Z", "2026-08-01", "2026-11-19").await;
    let lose = |part: &Part| std::fs::remove_file(FilePath::new(store.url()).join(&part.path)).unwrap();
    lose(&first.parts("costs")[0]);
    lose(&first.parts("costs")[2]);
    let mut writer = store.write(head("2026-12-01T00:00:00Z"), Some(&first));
    writer.append(&COSTS, vec![cost(day("2026-11-30"), "x", 8)]).unwrap();
    let second = writer.finish(Receipt::default(), false).await.unwrap();
    assert!(second.check().await.is_empty());
    let gaps: Vec<_> = second.coverage().await.unwrap().into_iter().filter(Coverage::is_gap).collect();
    assert_eq!(gaps.len(), 2);
    assert_eq!(gaps[0].from, Some(day("2026-08-01")));
    assert_eq!(second.rows(&COSTS).await.unwrap().len(), 111 - 31 - 1 + 1);
}

#[tokio::test]
async fn a_store_may_live_in_a_folder_of_any_name() {
    let home = tempfile::tempdir().unwrap();
    let store = Store::open_folder(home.path().join("our lake %20 #1 \u{fc}")).unwrap();
    let written = costs(&store, "2026-11-20T00:00:00Z", "2026-08-01", "2026-11-19").await;
    let read = store.newest(&Filter::default()).await.unwrap();
    assert_eq!(read.rows(&COSTS).await.unwrap(), written.rows(&COSTS).await.unwrap());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_split_and_order_of_the_same_rows_gives_the_same_snapshot(
        days in prop::collection::vec(0_i64..120, 1..40),
        cut in 1_usize..9,
        turn in 0_usize..40,
    ) {
        let rows: Vec<Row> = (0_i64..)
            .zip(&days)
            .map(|(n, d)| cost(day("2026-11-20") - TimeDelta::days(*d), &format!("type-{}", n % 3), n))
            .collect();
        let mut turned = rows.clone();
        turned.rotate_left(turn % rows.len());
        let run = |pieces: Vec<Vec<Row>>| futures::executor::block_on(async {
            let store = memory();
            let mut writer = store.write(head("2026-11-21T00:00:00Z"), None);
            for piece in pieces {
                writer.append(&COSTS, piece).unwrap();
            }
            let snapshot = writer.finish(Receipt::default(), false).await.unwrap();
            let read = snapshot.rows(&COSTS).await.unwrap();
            (snapshot.manifest, read)
        });
        let (whole, read) = run(vec![rows.clone()]);
        let (pieces, _) = run(turned.chunks(cut).map(<[Row]>::to_vec).collect());
        prop_assert_eq!(whole, pieces);
        prop_assert_eq!(content(&read), content(&rows));
    }

    #[test]
    fn reading_some_days_again_leaves_all_others_unchanged(
        first in prop::collection::vec(0_i64..150, 1..60),
        again in prop::collection::vec(0_i64..150, 0..20),
        from in 0_i64..150,
        length in 0_i64..60,
        wait in 0_i64..80,
    ) {
        let origin = day("2026-06-01");
        let (from, to) = (origin + TimeDelta::days(from), origin + TimeDelta::days(from + length));
        let inside = |row: &Row| row.date("day").is_some_and(|day| from <= day && day <= to);
        let rows = |days: &[i64], kind: &str| -> Vec<Row> {
            (0_i64..).zip(days).map(|(n, d)| cost(origin + TimeDelta::days(*d), &format!("{kind}-{n}"), n)).collect()
        };
        let (old, new) = (rows(&first, "old"), rows(&again, "new"));
        let new: Vec<Row> = new.into_iter().filter(inside).collect();
        let read = futures::executor::block_on(async {
            let store = memory();
            let mut writer = store.write(head("2026-11-01T00:00:00Z"), None);
            writer.append(&COSTS, old.clone()).unwrap();
            let base = writer.finish(Receipt::default(), false).await.unwrap();
            let later = at("2026-11-01T00:00:00Z") + TimeDelta::days(wait);
            let mut writer = store.write(Head { as_of: later, ..base.manifest.head() }, Some(&base));
            writer.append(&COSTS, new.clone()).unwrap();
            writer.replace_period(&COSTS, "111122223333", from, to);
            writer.finish(Receipt::default(), false).await.unwrap().rows(&COSTS).await.unwrap()
        });
        let expected: Vec<Row> = old.into_iter().filter(|row| !inside(row)).chain(new).collect();
        prop_assert_eq!(content(&read), content(&expected));
    }
}

/// An object store on which everything can be written but a manifest.
#[derive(Debug)]
struct NoManifest(Arc<dyn ObjectStore>);

impl std::fmt::Display for NoManifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a disk that fills up")
    }
}

#[async_trait::async_trait]
impl ObjectStore for NoManifest {
    async fn put_opts(
        &self,
        location: &Path,
        payload: object_store::PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<object_store::PutResult> {
        if location.as_ref().contains("/snapshots/") {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(object_store::Error::Generic { store: "full", source: full.into() });
        }
        self.0.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: object_store::PutMultipartOptions,
    ) -> object_store::Result<Box<dyn object_store::MultipartUpload>> {
        self.0.put_multipart_opts(location, opts).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: object_store::GetOptions,
    ) -> object_store::Result<object_store::GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: futures::stream::BoxStream<'static, object_store::Result<Path>>,
    ) -> futures::stream::BoxStream<'static, object_store::Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> futures::stream::BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<object_store::ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: object_store::CopyOptions) -> object_store::Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}
