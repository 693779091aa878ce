//! Days of Storage Lens exports as rows of a snapshot, and what the newest of them says of each bucket.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDate, TimeDelta};

use super::day::{Day, Place, read, runs};
use super::{READ, Unit, gap};
use crate::model::{Coverage, CoverageState, Row};
use crate::rollup::import::{Import, Order};
use crate::store::tables::lens::{STORAGE_ACTIVITY, STORAGE_LENS, STORAGE_SIZES};
use crate::store::tables::storage::BUCKETS;
use crate::store::{Days, Draft, Table};

/// Days after which a report says nothing about today: as many as a size from CloudWatch.
const FRESH_DAYS: i64 = 14;

/// What the newest report says of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Region of the bucket.
    pub region: Option<String>,
    /// Day of the report.
    pub day: NaiveDate,
    /// Bytes of noncurrent versions.
    pub noncurrent_bytes: Option<i64>,
    /// Bytes of incomplete uploads.
    pub incomplete_bytes: Option<i64>,
    /// Current objects.
    pub objects: Option<i64>,
    /// Settings of the bucket.
    pub settings: Settings,
}

/// Settings of a bucket, as Storage Lens counts them. `None` where the dashboard does not measure them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    versioning_enabled: Option<i64>,
    mfa_delete_enabled: Option<i64>,
    rules: Option<i64>,
    transition_rules: Option<i64>,
    noncurrent_expiration_rules: Option<i64>,
    abort_rules: Option<i64>,
}

impl Settings {
    fn of(row: &Row) -> Self {
        Settings {
            versioning_enabled: row.int("versioning_enabled"),
            mfa_delete_enabled: row.int("mfa_delete_enabled"),
            rules: row.int("rules"),
            transition_rules: row.int("transition_rules"),
            noncurrent_expiration_rules: row.int("noncurrent_expiration_rules"),
            abort_rules: row.int("abort_rules"),
        }
    }

    /// Sets what the counts say for certain: that there is no rule, never that one covers the whole bucket.
    fn fill(&self, row: &mut Row, noncurrent_bytes: Option<i64>) {
        let none = |count: Option<i64>| (count == Some(0)).then_some(false);
        let versioning = match self.versioning_enabled {
            Some(0) if noncurrent_bytes.is_some_and(|bytes| bytes > 0) => Some("Suspended"),
            Some(0) | None => None,
            Some(_) => Some("Enabled"),
        };
        row.set("versioning", versioning);
        row.set("mfa_delete", self.mfa_delete_enabled.map(|count| count > 0));
        row.set("lifecycle_rule_count", self.rules);
        row.set("tiering_rule", none(self.transition_rules));
        row.set("noncurrent_rule", none(self.noncurrent_expiration_rules));
        row.set("abort_rule", none(self.abort_rules));
    }
}

/// What came of the exports.
#[derive(Debug, Default)]
pub struct Lens {
    /// Rows and coverage.
    pub import: Import,
    /// By account and bucket what the newest report says, where it is fresh enough to speak of today.
    pub buckets: BTreeMap<(String, String), Facts>,
}

impl Lens {
    /// Returns by name of a bucket whose it is and where.
    pub fn homes(&self) -> BTreeMap<String, (String, Option<String>)> {
        let home = |((account, bucket), facts): (&(String, String), &Facts)| {
            (bucket.clone(), (account.clone(), facts.region.clone()))
        };
        self.buckets.iter().map(home).collect()
    }

    /// Completes a row of `buckets` with what the export says of it.
    pub fn fill(&self, row: &mut Row) {
        let key = (row.key("account_id").to_owned(), row.key("bucket").to_owned());
        if let Some(facts) = self.buckets.get(&key) {
            facts.fill(row);
        }
    }

    /// Returns rows of `buckets` for those of accounts that `listed` does not name: nobody listed theirs.
    pub fn unlisted(&self, listed: &BTreeSet<String>) -> Vec<Row> {
        let others = self.buckets.iter().filter(|((account, _), _)| !listed.contains(account));
        others
            .map(|((account, bucket), facts)| {
                let mut row = Row::new().with("account_id", account.as_str()).with("bucket", bucket.as_str());
                row.set("region", facts.region.as_deref());
                facts.fill(&mut row);
                facts.settings.fill(&mut row, facts.noncurrent_bytes);
                row
            })
            .collect()
    }
}

impl Facts {
    fn fill(&self, row: &mut Row) {
        row.set("noncurrent_bytes", self.noncurrent_bytes);
        row.set("incomplete_bytes", self.incomplete_bytes);
        row.set("object_count", self.objects);
    }

    /// Takes in the row of one class. A class that does not say it has none of it.
    fn add(&mut self, row: &Row) {
        let add = |sum: &mut Option<i64>, column: &str| {
            if let Some(more) = row.int(column) {
                *sum = Some(sum.unwrap_or(0).saturating_add(more));
            }
        };
        add(&mut self.noncurrent_bytes, "noncurrent_bytes");
        add(&mut self.incomplete_bytes, "incomplete_bytes");
        add(&mut self.objects, "current_objects");
    }
}

/// What there is to say of one export at the end.
#[derive(Default)]
struct Told {
    days: BTreeMap<String, BTreeSet<NaiveDate>>,
    rows: u64,
    activity: u64,
    sizes: u64,
    /// Buckets that another export said already, and the first and last of those days.
    beaten: BTreeSet<String>,
    beaten_days: Option<Days>,
}

/// Reads the units, in their order.
pub async fn import(units: Vec<Unit>, order: &Order) -> Lens {
    let (mut lens, mut told) = (Lens::default(), BTreeMap::<String, Told>::new());
    let (mut taken, dated) = (BTreeSet::<Place>::new(), units.iter().all(|unit| unit.day.is_some()));
    for unit in units {
        // Where every unit says its day, only those of one day can be about the same.
        taken.retain(|(_, _, day)| !dated || Some(*day) == unit.day);
        let day = read(&unit, order.as_of, &taken).await.and_then(|day| own(day, &unit, order));
        match day {
            Ok(day) => {
                lens.note(&day.buckets, order);
                lens.note_settings(&day.settings);
                told.entry(unit.export.clone()).or_default().note(&day);
                taken.extend(day.places);
                lens.import.drafts.extend(day.drafts);
            }
            Err(why) => {
                let gap = gap(&unit.export, why);
                let gap = unit.day.map_or(gap.clone(), |day| gap.days(day, day));
                lens.import.coverage.push(Coverage { account_id: unit.account, ..gap });
            }
        }
    }
    for (export, told) in told {
        lens.replace(&told.days);
        lens.import.coverage.extend(told.coverage(&export));
    }
    lens
}

fn rows(day: &Day, table: &Table) -> u64 {
    day.drafts.iter().filter(|draft| draft.table().name == table.name).map(Draft::rows).sum()
}

/// Refuses the export of another account.
fn own(day: Day, unit: &Unit, order: &Order) -> Result<Day, String> {
    let Some(own) = &order.account_id else { return Ok(day) };
    let accounts: BTreeSet<&str> = day.places.iter().chain(&day.beaten).map(|(account, ..)| account.as_str()).collect();
    if unit.account.as_ref() == Some(own) || accounts.contains(own.as_str()) {
        return Ok(day);
    }
    let whose: Vec<&str> = accounts.into_iter().take(5).collect();
    Err(format!("it is the export of {}: account {own} is not in it", whose.join(", ")))
}

impl Lens {
    /// Keeps what the newest fresh day says of each bucket.
    fn note(&mut self, rows: &[Row], order: &Order) {
        let today = order.as_of.date_naive();
        let fresh = |day: &NaiveDate| *day <= today && *day >= today - TimeDelta::days(FRESH_DAYS);
        for row in rows {
            let Some(day) = row.date("day").filter(fresh) else { continue };
            let new = Facts {
                region: row.text("region").map(|region| region.raw().to_owned()),
                day,
                noncurrent_bytes: None,
                incomplete_bytes: None,
                objects: None,
                settings: Settings::default(),
            };
            let key = (row.key("account_id").to_owned(), row.key("bucket").to_owned());
            let known = self.buckets.entry(key).or_insert_with(|| new.clone());
            if known.day < day {
                *known = new;
            }
            if known.day == day {
                known.add(row);
            }
        }
    }

    /// Keeps the settings of the same days.
    fn note_settings(&mut self, rows: &[Row]) {
        for row in rows {
            let key = (row.key("account_id").to_owned(), row.key("bucket").to_owned());
            if let Some(facts) = self.buckets.get_mut(&key).filter(|facts| Some(facts.day) == row.date("day")) {
                facts.settings = Settings::of(row);
            }
        }
    }

    fn replace(&mut self, days: &BTreeMap<String, BTreeSet<NaiveDate>>) {
        for (account, days) in days {
            for run in runs(days) {
                let of = |table| (table, Some(account.to_owned()), run);
                self.import.replaced.extend([&STORAGE_LENS, &STORAGE_ACTIVITY, &STORAGE_SIZES].map(of));
            }
        }
    }

    /// Says of how many buckets old versions and uploads are known: for whoever writes rows of `buckets`.
    pub fn bucket_coverage(&self) -> Vec<Coverage> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (account, _) in self.buckets.keys() {
            *counts.entry(account).or_default() += 1;
        }
        let seen = |(account, count): (&str, usize)| {
            Coverage::new(BUCKETS.name, READ, CoverageState::Seen).at(account, None).counted(count, None)
        };
        counts.into_iter().map(seen).collect()
    }
}

impl Told {
    fn note(&mut self, day: &Day) {
        for (account, days) in day.days() {
            self.days.entry(account.to_owned()).or_default().extend(days);
        }
        self.rows += rows(day, &STORAGE_LENS);
        self.activity += rows(day, &STORAGE_ACTIVITY);
        self.sizes += rows(day, &STORAGE_SIZES);
        for (_, bucket, day) in &day.beaten {
            self.beaten.insert(bucket.clone());
            let so_far = self.beaten_days.unwrap_or(Days { from: *day, to: *day });
            self.beaten_days = Some(Days { from: so_far.from.min(*day), to: so_far.to.max(*day) });
        }
    }

    fn coverage(self, export: &str) -> Vec<Coverage> {
        let mut coverage = Vec::new();
        let free = "the export has free metrics only";
        for (table, rows) in [(STORAGE_LENS, self.rows), (STORAGE_ACTIVITY, self.activity), (STORAGE_SIZES, self.sizes)]
        {
            for (account, days) in &self.days {
                let state = if rows > 0 { CoverageState::Seen } else { CoverageState::NotAsked };
                coverage.extend(runs(days).into_iter().map(|run| {
                    let seen = Coverage::new(table.name, READ, state).at(account, None).of(export);
                    let seen = seen.days(run.from, run.to);
                    if rows > 0 { seen } else { seen.because(format!("{free}: nothing of this table")) }
                }));
            }
        }
        if let Some(days) = self.beaten_days {
            let why = "a larger export is about";
            let why = format!("{why} {} of its buckets too and was taken: a bucket counts once", self.beaten.len());
            let left = Coverage::new(STORAGE_LENS.name, READ, CoverageState::NotAsked).of(export).because(why);
            coverage.push(left.days(days.from, days.to));
        }
        coverage
    }
}
