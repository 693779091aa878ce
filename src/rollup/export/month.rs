//! Months of exports as steps towards a snapshot: the best export of each month, whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use chrono::{DateTime, NaiveTime, Utc};
use futures::StreamExt;

use super::manifest::month_of_day;
use super::{READ, Step, Unit, gap, is_closed};
use crate::engine::files::Files;
use crate::model::{Coverage, CoverageState};
use crate::rollup::{Runner, bill};
use crate::store::tables::bill::BILL;
use crate::store::{Days, Draft};

/// What to read.
#[derive(Clone, Debug)]
pub struct Order {
    /// The clock.
    pub as_of: DateTime<Utc>,
    /// Days that an earlier snapshot holds: months among them that no longer change are not read again.
    pub known: Vec<Days>,
    /// When its days were read. AWS restates a month for weeks after its end: files that are younger are read.
    pub read: Vec<(Days, DateTime<Utc>)>,
    /// The account whose lake this is, payer or not: an export that never names it is another's. `None` for any.
    pub account_id: Option<String>,
    /// Where roll-ups run.
    pub runner: Runner,
}

/// What one unit came to.
struct Month {
    draft: Draft,
    payers: BTreeSet<Option<String>>,
    /// The months that its rows are in.
    months: BTreeSet<Days>,
    missing: BTreeMap<&'static str, usize>,
}

/// What there is to say of one export at the end.
#[derive(Default)]
struct Told {
    missing: BTreeSet<&'static str>,
    beaten: BTreeMap<String, Days>,
}

/// Reads the units: the newest month first, of each month the best export that can be read.
pub async fn import(units: Vec<Unit>, order: &Order) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut taken: Vec<(Days, String)> = Vec::new();
    let mut told: BTreeMap<String, Told> = BTreeMap::new();
    for unit in units {
        if unit.month.is_some_and(|month| order.holds(month, unit.written)) {
            continue;
        }
        let beaten = |days: Days| taken.iter().find(|(month, _)| month.touches(days)).map(|(_, by)| by.clone());
        if let Some((days, by)) = unit.month.and_then(|month| Some((month, beaten(month)?))) {
            told.entry(unit.export).or_default().beat(by, days);
            continue;
        }
        let month = match read(&unit, order).await {
            Ok(month) => month,
            Err(why) => {
                let gap = gap(&unit.export, why);
                let gap = unit.month.map_or(gap.clone(), |month| gap.days(month.from, month.to));
                steps.push(Step::Cover(Coverage { account_id: unit.payer, ..gap }));
                continue;
            }
        };
        // Of bare files nobody said which months they are about: their rows do.
        if let Some((days, by)) = month.months.iter().find_map(|days| Some((*days, beaten(*days)?))) {
            told.entry(unit.export).or_default().beat(by, days);
            continue;
        }
        taken.extend(month.months.iter().map(|days| (*days, unit.export.clone())));
        told.entry(unit.export.clone()).or_default().missing.extend(month.missing.keys());
        steps.extend(month.steps(&unit, order));
    }
    steps.extend(told.into_iter().flat_map(|(export, told)| told.coverage(&export)).map(Step::Cover));
    steps
}

impl Order {
    /// True where the earlier snapshot holds the month as it is: closed, whole, and read after its files were written.
    fn holds(&self, month: Days, written: DateTime<Utc>) -> bool {
        let mut parts = self.read.iter().filter(|(days, _)| days.touches(month));
        is_closed(month, self.as_of) && month.without(&self.known).is_empty() && parts.all(|(_, read)| written <= *read)
    }
}

impl Month {
    /// The draft in place of what was known of the month.
    fn steps(self, unit: &Unit, order: &Order) -> Vec<Step> {
        let count = usize::try_from(self.draft.rows()).ok();
        let seen = self.draft.days();
        let mut steps = Vec::new();
        for &days in &self.months {
            let replace = |account_id: &Option<String>| Step::Replace { account_id: account_id.clone(), days };
            steps.extend(self.payers.iter().map(replace));
        }
        steps.push(Step::Rows(self.draft));
        for &days in &self.months {
            // A closed month is covered to its end; an open one, and bare files, from the first row to the last.
            let whole = unit.month.is_some_and(|month| month.to < order.as_of.date_naive());
            let seen = seen.filter(|_| !whole).unwrap_or(days);
            let from = if unit.month.is_some() { days.from } else { seen.from.max(days.from) };
            let cover = Coverage::new(BILL.name, READ, CoverageState::Seen).days(from, seen.to.min(days.to));
            let cover = Coverage { account_id: unit.payer.clone(), ..cover }.of(unit.export.as_str());
            // Rows are counted of the whole unit, so only where it is one month.
            let count = count.filter(|_| self.months.len() == 1);
            steps.push(Step::Cover(count.map_or(cover.clone(), |count| cover.counted(count, None))));
        }
        steps
    }
}

impl Told {
    fn beat(&mut self, by: String, days: Days) {
        let so_far = self.beaten.entry(by).or_insert(days);
        *so_far = Days { from: so_far.from.min(days.from), to: so_far.to.max(days.to) };
    }

    fn coverage(self, export: &str) -> Vec<Coverage> {
        let missing: Vec<&str> = self.missing.into_iter().filter(|column| !bill::MAY_LACK.contains(column)).collect();
        let lacks = (!missing.is_empty()).then(|| {
            let why = format!("the export lacks {}: what comes from them is NULL", missing.join(", "));
            Coverage::new(BILL.name, "export:Columns", CoverageState::Partial).of(export).because(why)
        });
        let beaten = self.beaten.into_iter().map(|(by, days)| {
            let why = format!("`{by}` is about the same months and was taken: one bill counts once");
            let gap = Coverage::new(BILL.name, READ, CoverageState::NotAsked).of(export).because(why);
            gap.days(days.from, days.to)
        });
        lacks.into_iter().chain(beaten).collect()
    }
}

async fn read(unit: &Unit, order: &Order) -> Result<Month, String> {
    let files = Files::open(std::sync::Arc::clone(&unit.objects), unit.files.clone(), unit.roll_up.from).await;
    let mut files = files.map_err(|error| error.to_string())?;
    if let Some(month) = unit.month {
        let midnight = |day: chrono::NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let [start, end] = bill::period_columns(unit.roll_up);
        files = files.or_instant(start, midnight(month.from));
        files = files.or_instant(end, midnight(month.to.succ_opt().unwrap_or(month.to)));
    }
    let missing = files.missing().into_iter().collect();
    let mut batches = order.runner.run(unit.roll_up, files).await.map_err(|error| error.to_string())?;
    let mut draft = Draft::new(&BILL, order.as_of);
    let (mut payers, mut accounts, mut currencies) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut months = BTreeSet::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| error.to_string())?;
        collect(&batch, "account_id", &mut payers);
        collect(&batch, "linked_account_id", &mut accounts);
        collect(&batch, "currency", &mut currencies);
        months_of(&batch, &mut months);
        draft.push(&batch).map_err(|error| error.to_string())?;
    }
    if draft.rows() == 0 {
        return Err("the month is empty: its files hold no row of a bill from AWS".to_owned());
    }
    if let Some(foreign) = currencies.iter().flatten().find(|currency| *currency != "USD") {
        return Err(format!("its amounts are in {foreign}: leanlake reckons in USD and converts nothing"));
    }
    if let Some(own) = &order.account_id
        && !payers.iter().chain(&accounts).flatten().any(|account| account == own)
    {
        let whose: Vec<&str> = payers.iter().flatten().map(String::as_str).collect();
        return Err(format!("it is the bill of {}: account {own} is not on it", whose.join(", ")));
    }
    if let Some(stray) = unit.month.and_then(|month| months.iter().find(|days| **days != month).copied()) {
        let stray = stray.from.format("%Y-%m");
        return Err(format!("it holds rows of {stray}, which its manifest or folder does not name"));
    }
    Ok(Month { draft, payers, months, missing })
}

/// Adds the months that the rows are in.
fn months_of(batch: &RecordBatch, months: &mut BTreeSet<Days>) {
    let Some(days) = batch.column_by_name("day").and_then(|array| array.as_primitive_opt::<Date32Type>()) else {
        return;
    };
    for day in days.iter().flatten() {
        let day = Date32Type::to_naive_date_opt(day);
        if day.is_some_and(|day| !months.iter().any(|month: &Days| (month.from..=month.to).contains(&day))) {
            months.extend(day.and_then(month_of_day));
        }
    }
}

/// Adds the values of a text column.
fn collect(batch: &RecordBatch, column: &str, values: &mut BTreeSet<Option<String>>) {
    let Some(texts) = batch.column_by_name(column).and_then(|array| array.as_string_opt::<i32>()) else { return };
    if texts.null_count() > 0 {
        values.insert(None);
    }
    let mut last = None;
    for text in texts.iter().flatten() {
        if last != Some(text) && !values.contains(&Some(text.to_owned())) {
            values.insert(Some(text.to_owned()));
        }
        last = Some(text);
    }
}
