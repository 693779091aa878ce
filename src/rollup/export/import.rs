//! Months of exports as steps towards a snapshot: the best export of each month and payer, whole or not at all. One
//! export's month is held at a time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};

use super::grade::{Grade, Lack};
use super::month::{Bill, Month, read};
use super::{READ, Step, Unit, gap, is_closed};
use crate::model::{Coverage, CoverageState, Row};
use crate::rollup::{Runner, bill};
use crate::store::tables::bill::{BILL, BILL_MONTHS};
use crate::store::{Days, Draft, batch};

/// What to read.
#[derive(Clone, Debug)]
pub struct Order {
    /// The clock.
    pub as_of: DateTime<Utc>,
    /// What an earlier snapshot holds: months among it that no longer change are not read again.
    pub known: Known,
    /// The account whose lake this is, payer or not: an export that never names it is another's. `None` for any.
    pub account_id: Option<String>,
    /// Where roll-ups run.
    pub runner: Runner,
}

/// What an earlier snapshot holds of the bill, by the account that pays.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Days that were seen.
    pub seen: Vec<(Option<String>, Days)>,
    /// When days were read. AWS restates a month for weeks after its end: files that are younger are read.
    pub read: Vec<(Option<String>, Days, DateTime<Utc>)>,
    /// Which exports its months are from.
    pub months: Vec<Held>,
}

/// A month that an earlier snapshot holds.
#[derive(Clone, Debug)]
pub struct Held {
    /// The account that pays.
    pub account_id: Option<String>,
    /// The month.
    pub month: Days,
    /// The export.
    pub export: String,
    /// How good that export is.
    pub grade: Grade,
}

impl Held {
    /// Returns what a row of `bill_months` says.
    pub fn of(row: &Row) -> Option<Held> {
        let lacks = [("whole", Lack::Rows), ("daily", Lack::Days), ("by_resource", Lack::Resources)];
        let lacks = lacks.into_iter().filter(|(column, _)| row.flag(column) == Some(false)).map(|(_, lack)| lack);
        Some(Held {
            account_id: row.text("account_id").map(|id| id.raw().to_owned()),
            month: super::manifest::month_of_day(row.date("month")?)?,
            export: row.text("export")?.raw().to_owned(),
            grade: Grade::of(row.key("source") == "focus", &lacks.collect()),
        })
    }
}

/// True where two payers may be the same.
fn same(a: Option<&str>, b: Option<&str>) -> bool {
    a.is_none() || b.is_none() || a == b
}

impl Known {
    fn better(&self, payer: Option<&str>, month: Days, grade: Grade) -> Option<&Held> {
        let of = |held: &&Held| held.month.touches(month) && same(held.account_id.as_deref(), payer);
        self.months.iter().filter(of).find(|held| held.grade < grade)
    }
}

/// What there is to say of one export at the end.
#[derive(Default)]
struct Told {
    missing: BTreeSet<&'static str>,
    lacks: BTreeSet<Lack>,
    /// Months that another export was taken for, with what is said of it.
    beaten: BTreeMap<String, Days>,
}

/// Reads units one after the other: of each month and payer the best export that can be read.
pub struct Import {
    units: std::vec::IntoIter<Unit>,
    order: Order,
    taken: Vec<(Option<String>, Days, String)>,
    told: BTreeMap<String, Told>,
    ready: VecDeque<Step>,
}

impl Import {
    /// Returns the import of units, in their order.
    pub fn new(units: Vec<Unit>, order: Order) -> Self {
        let (taken, told, ready) = (Vec::new(), BTreeMap::new(), VecDeque::new());
        Import { units: units.into_iter(), order, taken, told, ready }
    }

    /// Returns the next step; reads the next unit where none is left of the last one. `None` at the end.
    pub async fn next(&mut self) -> Option<Step> {
        while self.ready.is_empty() {
            let Some(unit) = self.units.next() else {
                let told = std::mem::take(&mut self.told);
                self.ready.extend(told.into_iter().flat_map(|(export, told)| told.coverage(&export)).map(Step::Cover));
                break;
            };
            let steps = self.unit(&unit).await;
            self.ready.extend(steps);
        }
        self.ready.pop_front()
    }

    async fn unit(&mut self, unit: &Unit) -> Vec<Step> {
        if let Some(month) = unit.month
            && (self.order.holds(unit, month) || self.is_beaten(unit, unit.payer.as_deref(), month))
        {
            return Vec::new();
        }
        match read(unit, &self.order).await {
            Ok(month) => self.take(unit, month),
            Err(why) => {
                let gap = gap(&unit.export, why);
                let gap = unit.month.map_or(gap.clone(), |month| gap.days(month.from, month.to));
                vec![Step::Cover(Coverage { account_id: unit.payer.clone(), ..gap })]
            }
        }
    }

    /// True, and noted, where the month is another export's: in this scan, or a better one's in an earlier.
    fn is_beaten(&mut self, unit: &Unit, payer: Option<&str>, month: Days) -> bool {
        let taken = self.taken.iter().find(|(of, days, _)| days.touches(month) && same(of.as_deref(), payer));
        let why = match (taken, self.order.known.better(payer, month, unit.grade())) {
            (Some((_, _, by)), _) => format!("`{by}` is about the same months and was taken: one bill counts once"),
            (None, Some(held)) => {
                let by = &held.export;
                format!("an earlier scan has these months from `{by}`, which leaves out less: they are kept")
            }
            (None, None) => return false,
        };
        let so_far = self.told.entry(unit.export.clone()).or_default().beaten.entry(why).or_insert(month);
        *so_far = Days { from: so_far.from.min(month.from), to: so_far.to.max(month.to) };
        true
    }

    /// Takes what was read, month by month and payer by payer: what another export was taken for is left out alone.
    fn take(&mut self, unit: &Unit, read: Month) -> Vec<Step> {
        let mut steps = Vec::new();
        for (payer, month) in read.bills.keys() {
            // Of files that nobody gave a month their rows do.
            if !self.is_beaten(unit, payer.as_deref(), *month) {
                steps.push((payer.clone(), *month));
            }
        }
        if steps.is_empty() {
            return Vec::new();
        }
        let told = self.told.entry(unit.export.clone()).or_default();
        told.missing.extend(read.missing.keys());
        told.lacks.extend(&unit.lacks);
        self.taken.extend(steps.iter().map(|(payer, month)| (payer.clone(), *month, unit.export.clone())));
        let mut bills = read.bills;
        let kept = steps.into_iter().filter_map(|of| Some((bills.remove(&of)?, of)));
        kept.flat_map(|(bill, (payer, month))| steps_of(bill, payer, month, unit, &self.order)).collect()
    }
}

impl Order {
    /// True where the earlier snapshot holds the month as it is: closed, whole, from no worse an export, and read after its
    /// files were written.
    fn holds(&self, unit: &Unit, month: Days) -> bool {
        let payer = unit.payer.as_deref();
        let mine = |of: &Option<String>| same(of.as_deref(), payer);
        let seen: Vec<Days> = self.known.seen.iter().filter(|(of, _)| mine(of)).map(|(_, days)| *days).collect();
        let mut parts = self.known.read.iter().filter(|(of, days, _)| mine(of) && days.touches(month));
        let mut months = self.known.months.iter().filter(|held| mine(&held.account_id) && held.month == month);
        is_closed(month, self.as_of)
            && month.without(&seen).is_empty()
            && parts.all(|(_, _, read)| unit.written <= *read)
            && months.all(|held| held.grade <= unit.grade())
    }
}

/// The rows of one payer's month in place of what was known of it.
fn steps_of(bill: Bill, payer: Option<String>, month: Days, unit: &Unit, order: &Order) -> Vec<Step> {
    let replace = |table| Step::Replace { table, account_id: payer.clone(), days: month };
    let mut steps = vec![replace(&BILL), replace(&BILL_MONTHS)];
    let count = usize::try_from(bill.draft.rows()).unwrap_or(usize::MAX);
    // A closed month is covered to its end; an open one, and bare files, from the first row to the last.
    let whole = unit.month.is_some_and(|month| month.to < order.as_of.date_naive());
    let seen = bill.draft.days().filter(|_| !whole).unwrap_or(month);
    let from = if unit.month.is_some() { month.from } else { seen.from.max(month.from) };
    let cover = Coverage::new(BILL.name, READ, CoverageState::Seen).days(from, seen.to.min(month.to));
    let cover = Coverage { account_id: payer.clone(), ..cover }.of(unit.export.as_str()).counted(count, None);
    if bill.net_is_empty {
        let why = "its net cost is 0 in every row while its gross cost is not: it is taken for no net cost";
        let gap = Coverage::new(BILL.name, "export:Columns", CoverageState::Partial).of(unit.export.as_str());
        let gap = Coverage { account_id: payer.clone(), ..gap }.days(month.from, month.to);
        steps.push(Step::Cover(gap.because(why)));
    }
    let row = row_of(&bill, payer, month, unit);
    let mut of_month = Draft::new(&BILL_MONTHS, order.as_of);
    let noted = batch::to_batch(&BILL_MONTHS, &[row]).map_err(|error| error.to_string());
    match noted.and_then(|rows| of_month.push(&rows).map_err(|error| error.to_string())) {
        Ok(()) => steps.extend([Step::Rows(bill.draft), Step::Rows(of_month), Step::Cover(cover)]),
        Err(why) => steps = vec![Step::Cover(gap(&unit.export, why).days(month.from, month.to))],
    }
    steps
}

fn row_of(bill: &Bill, payer: Option<String>, month: Days, unit: &Unit) -> Row {
    let lacks = |lack| unit.lacks.contains(&lack);
    Row::new()
        .with("account_id", payer)
        .with("month", month.from)
        .with("export", unit.export.as_str())
        .with("source", if unit.grade().focus { "focus" } else { "cur" })
        .with("metric", bill.metric().column())
        .with("whole", !lacks(Lack::Rows))
        .with("daily", !lacks(Lack::Days))
        .with("by_resource", !lacks(Lack::Resources))
        .with("row_count", i64::try_from(bill.draft.rows()).unwrap_or(i64::MAX))
}

impl Told {
    fn coverage(self, export: &str) -> Vec<Coverage> {
        let missing: Vec<&str> = self.missing.into_iter().filter(|column| !bill::MAY_LACK.contains(column)).collect();
        let partial =
            |read: &str, why: String| Coverage::new(BILL.name, read, CoverageState::Partial).of(export).because(why);
        let columns = (!missing.is_empty()).then(|| {
            partial("export:Columns", format!("the export lacks {}: what comes from them is NULL", missing.join(", ")))
        });
        // Of resources the columns say it.
        let lacks = self.lacks.into_iter().filter(|lack| *lack != Lack::Resources || missing.is_empty());
        let lacks = lacks.map(|lack| partial("export:Definition", lack.described().to_owned()));
        let beaten = self.beaten.into_iter().map(|(why, days)| {
            let gap = Coverage::new(BILL.name, READ, CoverageState::NotAsked).of(export).because(why);
            gap.days(days.from, days.to)
        });
        columns.into_iter().chain(lacks).chain(beaten).collect()
    }
}
