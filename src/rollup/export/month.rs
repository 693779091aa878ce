//! One export's month, read whole: its rows by payer and month, and what its columns say. Decides nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{Date32Type, Decimal128Type};
use arrow::error::ArrowError;
use chrono::{NaiveDate, NaiveTime};
use futures::StreamExt;

use super::import::Order;
use super::manifest::month_of_day;
use super::{Unit, kind};
use crate::engine::files::Files;
use crate::model::Metric;
use crate::rollup::bill;
use crate::store::tables::bill::BILL;
use crate::store::{Days, Draft};

/// The account that pays, where its rows name one, and the month.
pub type Of = (Option<String>, Days);

/// What one unit came to.
pub struct Month {
    /// Rows by the account that pays and the month that they are in.
    pub bills: BTreeMap<Of, Bill>,
    /// Columns that its files lack.
    pub missing: BTreeMap<&'static str, usize>,
}

/// One payer's month.
pub struct Bill {
    /// Its rows.
    pub draft: Draft,
    /// True where net cost was 0 throughout and is taken for none.
    pub net_is_empty: bool,
    costs: Costs,
}

/// How many rows have which cost.
#[derive(Clone, Copy, Debug, Default)]
struct Costs {
    usage: i64,
    net: i64,
    amortized: i64,
    /// Rows of any kind whose net, or gross, cost is not 0.
    some_net: bool,
    some_gross: bool,
    any_net: bool,
}

impl Bill {
    /// Returns the best cost that all rows of usage have.
    pub fn metric(&self) -> Metric {
        Metric::of_all(self.costs.usage, self.costs.net, self.costs.amortized)
    }

    /// Accounts without discounts get exports whose net columns are 0 throughout.
    fn settle(&mut self) -> Result<(), String> {
        if !self.costs.any_net || self.costs.some_net || !self.costs.some_gross {
            return Ok(());
        }
        (self.net_is_empty, self.costs.net) = (true, 0);
        self.draft.forget(&["net_unblended", "net_amortized"]).map_err(|error| error.to_string())
    }
}

impl Costs {
    fn add(&mut self, batch: &RecordBatch) {
        let money =
            |column: &str| batch.column_by_name(column).and_then(|array| array.as_primitive_opt::<Decimal128Type>());
        let some = |column: &str| money(column).is_some_and(|amounts| amounts.iter().flatten().any(|usd| usd != 0));
        self.some_gross |= some("unblended");
        for column in ["net_unblended", "net_amortized"] {
            self.some_net |= some(column);
            self.any_net |= money(column).is_some_and(|amounts| amounts.null_count() < amounts.len());
        }
        let kinds = batch.column_by_name("record_type").and_then(|array| array.as_string_opt::<i32>());
        let usage: Vec<usize> =
            kinds.into_iter().flat_map(|kinds| (0..kinds.len()).filter(|at| kinds.value(*at) == "usage")).collect();
        let known = |column| {
            let known = money(column).map_or(0, |amounts| usage.iter().filter(|at| amounts.is_valid(**at)).count());
            i64::try_from(known).unwrap_or(i64::MAX)
        };
        self.usage += i64::try_from(usage.len()).unwrap_or(i64::MAX);
        self.net += known("net_amortized");
        self.amortized += known("amortized");
    }
}

/// Reads a unit.
///
/// # Errors
/// What keeps it from being counted, for people.
pub async fn read(unit: &Unit, order: &Order) -> Result<Month, String> {
    let files = Files::open(Arc::clone(&unit.objects), unit.files.clone(), unit.roll_up.from).await;
    let mut files = files.map_err(|error| error.to_string())?;
    if let Some(month) = unit.month {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        let [start, end] = bill::period_columns(unit.roll_up);
        files = files.or_instant(start, midnight(month.from));
        files = files.or_instant(end, midnight(month.to.succ_opt().unwrap_or(month.to)));
    }
    let missing = files.missing().into_iter().collect();
    let mut batches = order.runner.run(unit.roll_up, files).await.map_err(|error| error.to_string())?;
    let (mut accounts, mut currencies) = (BTreeSet::new(), BTreeSet::new());
    let mut bills = BTreeMap::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| error.to_string())?;
        collect(&batch, "account_id", &mut accounts);
        collect(&batch, "linked_account_id", &mut accounts);
        collect(&batch, "currency", &mut currencies);
        for (of, rows) in by_bill(&batch).map_err(|error| error.to_string())? {
            let empty = || Bill { draft: Draft::new(&BILL, order.as_of), net_is_empty: false, costs: Costs::default() };
            let bill: &mut Bill = bills.entry(of).or_insert_with(empty);
            bill.costs.add(&rows);
            bill.draft.push(&rows).map_err(|error| error.to_string())?;
        }
    }
    check(unit, order, &bills, (&accounts, &currencies))?;
    bills.values_mut().try_for_each(Bill::settle)?;
    Ok(Month { bills, missing })
}

/// What a whole that was read must be to count.
fn check(
    unit: &Unit,
    order: &Order,
    bills: &BTreeMap<Of, Bill>,
    (accounts, currencies): (&BTreeSet<Option<String>>, &BTreeSet<Option<String>>),
) -> Result<(), String> {
    if bills.is_empty() {
        let whose = if kind::is_focus(unit.roll_up) { " from AWS" } else { "" };
        return Err(format!("the month is empty: its files hold no row of a bill{whose}"));
    }
    if let Some(foreign) = currencies.iter().flatten().find(|currency| *currency != "USD") {
        return Err(format!("its amounts are in {foreign}: leanlake reckons in USD and converts nothing"));
    }
    if let Some(own) = &order.account_id
        && !accounts.iter().flatten().any(|account| account == own)
    {
        let whose: BTreeSet<&str> = bills.keys().filter_map(|(payer, _)| payer.as_deref()).collect();
        let whose: Vec<&str> = whose.into_iter().collect();
        return Err(format!("it is the bill of {}: account {own} is not on it", whose.join(", ")));
    }
    if let Some(stray) = unit.month.and_then(|month| bills.keys().map(|(_, days)| *days).find(|days| *days != month)) {
        let stray = stray.from.format("%Y-%m");
        return Err(format!("it holds rows of {stray}, which its manifest or folder does not name"));
    }
    Ok(())
}

/// Cuts rows by the account that pays and the month that they are in.
fn by_bill(batch: &RecordBatch) -> Result<Vec<(Of, RecordBatch)>, ArrowError> {
    let missing = |column: &str| ArrowError::SchemaError(format!("no column `{column}`"));
    let days = batch.column_by_name("day").and_then(|array| array.as_primitive_opt::<Date32Type>());
    let payers = batch.column_by_name("account_id").and_then(|array| array.as_string_opt::<i32>());
    let (days, payers) = (days.ok_or_else(|| missing("day"))?, payers.ok_or_else(|| missing("account_id"))?);
    let undated = || ArrowError::InvalidArgumentError("a row has no day".to_owned());
    let mut places: BTreeMap<(Option<&str>, Days), Vec<u32>> = BTreeMap::new();
    let mut last: Option<Days> = None;
    for (at, (day, payer)) in (0_u32..).zip(days.iter().zip(payers.iter())) {
        let day = day.and_then(Date32Type::to_naive_date_opt).ok_or_else(undated)?;
        let month = match last.filter(|month| month.contains(day)) {
            Some(month) => month,
            None => month_of_day(day).ok_or_else(undated)?,
        };
        last = Some(month);
        places.entry((payer, month)).or_default().push(at);
    }
    let cut = |((payer, month), places): ((Option<&str>, Days), Vec<u32>)| {
        let of = (payer.map(str::to_owned), month);
        let whole = places.len() == batch.num_rows();
        Ok((of, if whole { batch.clone() } else { take_record_batch(batch, &UInt32Array::from(places))? }))
    };
    places.into_iter().map(cut).collect()
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
