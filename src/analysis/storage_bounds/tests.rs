//! Bounds of buckets whose every byte and day is known, against what the bounds say.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::analysis::{declare, provide, rate_card};
use crate::engine::Engine;
use crate::model::Row;
use crate::prices::PriceBook;
use crate::store::tables::{bill::BILL, lens::STORAGE_ACTIVITY, storage::STORAGE};

const GB: i64 = 1 << 30;

fn as_of() -> DateTime<Utc> {
    "2026-11-23T06:00:00Z".parse().unwrap()
}

/// What happened to a bucket on one day, in GB and requests.
#[derive(Clone, Copy, Debug, Default)]
struct Day {
    uploaded: i64,
    /// Written by requests whose bytes no line of transfer shows.
    silent: i64,
    /// Objects of 5 GB made by copying.
    copied: i64,
    deleted: i64,
    read: i64,
    restored: bool,
    unbilled: bool,
}

/// A bucket with 1,000 GB that are older than all its days; the last day is that before as-of.
struct Life(Vec<Day>);

impl Life {
    fn quiet(days: usize) -> Self {
        Life(vec![Day::default(); days])
    }

    fn on(mut self, back: usize, day: Day) -> Self {
        let at = self.0.len() - back;
        self.0[at] = day;
        self
    }

    fn date(&self, at: usize) -> NaiveDate {
        as_of().date_naive() - TimeDelta::days(i64::try_from(self.0.len() - at).unwrap())
    }

    /// GB that are left at the end of each day, by the day on which they were written; what is deleted first is old.
    fn cohorts(&self) -> Vec<Vec<(Option<NaiveDate>, i64)>> {
        let mut left: Vec<(Option<NaiveDate>, i64)> = vec![(None, 1000)];
        let mut days = Vec::new();
        for (at, day) in self.0.iter().enumerate() {
            left.push((Some(self.date(at)), day.uploaded + day.silent + 5 * day.copied));
            let mut gone = day.deleted;
            for (_, gb) in &mut left {
                let now = gone.min(*gb);
                *gb -= now;
                gone -= now;
            }
            days.push(left.clone());
        }
        days
    }

    /// GB on `day` that were written more than `age` days before it.
    fn older(&self, day: NaiveDate, age: i64) -> i64 {
        let at = (0..self.0.len()).find(|at| self.date(*at) == day).unwrap();
        let old = |written: &Option<NaiveDate>| written.is_none_or(|written| (day - written).num_days() > age);
        self.cohorts()[at].iter().filter(|(written, _)| old(written)).map(|(_, gb)| gb).sum()
    }

    fn sizes(&self) -> Vec<Row> {
        let size = |(at, left): (usize, Vec<(Option<NaiveDate>, i64)>)| {
            let gb: i64 = left.iter().map(|(_, gb)| gb).sum();
            self.row(at, "bucket").with("storage_type", "StandardStorage").with("bytes", gb * GB)
        };
        self.cohorts().into_iter().enumerate().map(size).collect()
    }

    fn row(&self, at: usize, bucket: &'static str) -> Row {
        Row::new().with("account_id", "1").with("region", "us-east-1").with(bucket, "lake").with("day", self.date(at))
    }

    fn bill(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for (at, day) in self.0.iter().enumerate().filter(|(_, day)| !day.unbilled) {
            let line = |usage_type: &str, operation: &str, usage: i64, unit: &str| {
                let row = self.row(at, "resource").with("linked_account_id", "1").with("service", "AmazonS3");
                let row = row.with("record_type", "usage").with("source", "cur").with("operation", operation);
                row.with("usage_type", usage_type).with("usage", Decimal::from(usage)).with("unit", unit)
            };
            let writes = i64::from(day.uploaded > 0) + i64::from(day.silent > 0);
            rows.extend([
                line("TimedStorage-ByteHrs", "StandardStorage", 1, "GB-Mo"),
                line("Requests-Tier1", "ListBucket", 9, "Requests"),
                line("Requests-Tier1", "PutObject", writes, "Requests"),
                line("Requests-Tier1", "CopyObject", day.copied, "Requests"),
                line("Requests-Tier2", "GetObject", day.read, "Requests"),
                line("C3DataTransfer-In-Bytes", "PutObject", day.uploaded, "GB"),
            ]);
            rows.extend(day.restored.then(|| line("Requests-Tier3", "RestoreObject", 1, "Requests")));
        }
        rows
    }

    fn activity(&self) -> Vec<Row> {
        let row = |(at, day): (usize, &Day)| {
            let puts = day.copied + i64::from(day.uploaded > 0) + i64::from(day.silent > 0);
            let row = self.row(at, "bucket").with("storage_class", "STANDARD").with("put_requests", puts);
            let row = row.with("post_requests", 0_i64).with("bytes_uploaded", (day.uploaded + day.silent) * GB);
            row.with("get_requests", day.read).with("bytes_downloaded", 0_i64)
        };
        self.0.iter().enumerate().filter(|(_, day)| !day.unbilled).map(row).collect()
    }

    async fn bounds(&self, bill: bool) -> Vec<Row> {
        let engine = Engine::new().unwrap();
        engine.register(&STORAGE, &self.sizes()).unwrap();
        if bill {
            engine.register(&BILL, &self.bill()).unwrap();
        } else {
            engine.register(&STORAGE_ACTIVITY, &self.activity()).unwrap();
        }
        let card = rate_card(&engine, PriceBook::embedded().unwrap(), as_of()).await.unwrap();
        declare(&engine).unwrap();
        provide(&engine, &card, as_of(), &["storage_bounds".to_owned()].into()).await.unwrap();
        engine.rows("select * from storage_bounds order by older_than_days").await.unwrap()
    }

    /// The floor of 30 days in GB, and who says so.
    async fn floor(&self, bill: bool) -> (i64, Option<String>) {
        let rows = self.bounds(bill).await;
        let source = rows[0].text("floor_source").map(|text| text.raw().to_owned());
        (rows[0].int("floor_bytes").unwrap() / GB, source)
    }
}

fn bill() -> String {
    "bill".to_owned()
}

#[tokio::test]
async fn a_bucket_that_nobody_wrote_is_old_as_a_whole() {
    let life = Life::quiet(100);
    let rows = life.bounds(true).await;
    let told: Vec<_> = rows.iter().map(|row| (row.int("older_than_days"), row.int("floor_bytes"))).collect();
    let all = Some(1000 * GB);
    assert_eq!(told, [(Some(30), all), (Some(60), all), (Some(90), all), (Some(180), Some(0))]);
    assert_eq!((rows[0].decimal("reads"), rows[3].text("floor_source")), (Some(Decimal::ZERO), None));
    assert_eq!(rows[0].date("floor_day"), Some("2026-11-20".parse().unwrap()));
    assert_eq!(life.floor(false).await, (1000, Some("storage_lens".to_owned())));
}

#[tokio::test]
async fn what_was_uploaded_in_those_days_is_taken_off() {
    let upload = Day { uploaded: 7, ..Day::default() };
    let life = Life::quiet(60).on(40, upload).on(20, upload).on(10, upload);
    assert_eq!(life.floor(true).await, (1007, Some(bill())));
    let copy = Day { copied: 2, ..Day::default() };
    assert_eq!(life.on(15, copy).floor(true).await, (1007, Some(bill())), "a copy makes 5 GB at most");
}

#[tokio::test]
async fn storage_lens_does_not_tell_copies_so_each_put_may_be_the_largest() {
    let upload = Day { uploaded: 7, ..Day::default() };
    assert_eq!(Life::quiet(60).on(20, upload).floor(false).await.0, 1000 - 5);
}

#[tokio::test]
async fn a_day_that_contradicts_itself_or_was_not_billed_leaves_nothing_certain() {
    let silent = Day { silent: 1, ..Day::default() };
    let beyond = Day { silent: 50, uploaded: 1, ..Day::default() };
    let restored = Day { restored: true, ..Day::default() };
    let unbilled = Day { unbilled: true, ..Day::default() };
    for day in [silent, beyond, restored, unbilled] {
        assert_eq!(Life::quiet(60).on(20, day).floor(true).await, (0, None), "{day:?}");
        assert_eq!(Life::quiet(60).on(45, day).floor(true).await.1, Some(bill()), "{day:?} is older than the window");
    }
}

#[tokio::test]
async fn what_was_deleted_since_the_floor_was_certain_is_not_promised() {
    let gone = Day { deleted: 400, ..Day::default() };
    assert_eq!(Life::quiet(60).on(1, gone).floor(true).await.0, 600);
}

#[tokio::test]
async fn reads_are_counted_and_never_guessed() {
    let read = Day { read: 3, ..Day::default() };
    let rows = Life::quiet(60).on(20, read).bounds(true).await;
    assert_eq!(rows[0].decimal("reads"), Some(Decimal::from(3)));
}

/// A day of a bucket whose writes are either all in lines of transfer, or none is.
fn day(metered: bool) -> impl Strategy<Value = Day> {
    let busy = (0..40_i64, 0..3_i64, 0..60_i64, 0..2_i64).prop_map(move |(gb, copied, deleted, read)| {
        let (uploaded, silent) = if metered { (gb, 0) } else { (0, gb) };
        Day { uploaded, silent, copied, deleted, read, ..Day::default() }
    });
    let fault =
        prop_oneof![Just(Day { restored: true, ..Day::default() }), Just(Day { unbilled: true, ..Day::default() }),];
    prop_oneof![300 => Just(Day::default()), 40 => busy, 1 => fault]
}

fn life() -> impl Strategy<Value = Life> {
    any::<bool>().prop_flat_map(|metered| proptest::collection::vec(day(metered), 95..96)).prop_map(Life)
}

impl std::fmt::Debug for Life {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, day)| format!("{day:?}") != format!("{:?}", Day::default()))
            .try_for_each(|(at, day)| writeln!(f, "{}: {day:?}", self.date(at)))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn what_is_old_lies_between_the_floor_and_the_ceiling(life in life(), bill in any::<bool>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let yesterday = as_of().date_naive() - TimeDelta::days(1);
        for row in runtime.block_on(life.bounds(bill)) {
            let (age, floor) = (row.int("older_than_days").unwrap(), row.int("floor_bytes").unwrap());
            let ceiling = row.int("ceiling_bytes").unwrap();
            prop_assert!(floor <= ceiling);
            prop_assert!(life.older(yesterday, age) * GB <= ceiling, "{age}: {ceiling}");
            if let Some(day) = row.date("floor_day") {
                prop_assert!(floor <= life.older(day, age) * GB, "{age}: {floor} on {day}");
            }
        }
    }
}
