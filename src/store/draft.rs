//! Rows of one table that are kept whole or not at all: a month of a bill, an inventory. Held packed, on no disk yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt32Array, new_null_array};
use arrow::compute::take_record_batch;
use chrono::{DateTime, NaiveDate, Utc};

use super::period::{Days, part_of};
use super::slot::{Held, Slot};
use super::table::Table;
use super::{StoreError, part};

/// Rows of one table on their way into a snapshot.
#[derive(Clone)]
pub struct Draft {
    pub(super) table: &'static Table,
    pub(super) held: BTreeMap<Slot, Held>,
    as_of: DateTime<Utc>,
    days: Option<Days>,
    rows: u64,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("table", &self.table.name).field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl Draft {
    /// Returns a draft of no rows for a snapshot as of `as_of`.
    pub fn new(table: &'static Table, as_of: DateTime<Utc>) -> Self {
        Draft { table, held: BTreeMap::new(), as_of, days: None, rows: 0 }
    }

    /// Adds rows in the table's schema.
    ///
    /// # Errors
    /// An event without its time.
    pub fn push(&mut self, rows: &RecordBatch) -> Result<(), StoreError> {
        let misfit = |source| StoreError::Rows { table: self.table.name, source };
        if let Some(column) = self.table.period() {
            let days = part::days(rows, column).map_err(misfit)?;
            for day in days.into_iter().flatten() {
                let so_far = self.days.unwrap_or(Days { from: day, to: day });
                self.days = Some(Days { from: so_far.from.min(day), to: so_far.to.max(day) });
            }
        }
        for (slot, rows) in split(self.table, rows, self.as_of)? {
            self.held.entry(slot).or_default().push(self.table, rows).map_err(misfit)?;
        }
        self.rows += rows.num_rows() as u64;
        Ok(())
    }

    /// Makes columns NULL in all rows: what they say turned out to be no answer.
    ///
    /// # Errors
    /// A batch that is not of the table.
    pub fn forget(&mut self, columns: &[&str]) -> Result<(), StoreError> {
        let misfit = |source| StoreError::Rows { table: self.table.name, source };
        for held in self.held.values_mut() {
            for rows in std::mem::take(held).batches(self.table).map_err(misfit)? {
                let schema = rows.schema();
                let fields = schema.fields().iter().zip(rows.columns());
                let kept = fields.map(|(field, array)| {
                    let is_kept = !columns.contains(&field.name().as_str());
                    if is_kept { Arc::clone(array) } else { new_null_array(field.data_type(), array.len()) }
                });
                let rows = RecordBatch::try_new(Arc::clone(&schema), kept.collect()).map_err(misfit)?;
                held.push(self.table, rows).map_err(misfit)?;
            }
        }
        Ok(())
    }

    /// Returns the table.
    pub fn table(&self) -> &'static Table {
        self.table
    }

    /// Returns the rows, slot by slot.
    #[cfg(test)]
    pub fn batches(&self) -> Result<Vec<RecordBatch>, StoreError> {
        let misfit = |source| StoreError::Rows { table: self.table.name, source };
        let of = self.held.values().map(|held| held.batches(self.table).map_err(misfit));
        Ok(of.collect::<Result<Vec<_>, _>>()?.concat())
    }

    /// Returns how many rows there are.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the first and the last day of the rows; `None` without rows, or for a table without days.
    pub fn days(&self) -> Option<Days> {
        self.days
    }
}

/// Cuts rows into the slots that they belong to.
pub(super) fn split(
    table: &'static Table,
    rows: &RecordBatch,
    as_of: DateTime<Utc>,
) -> Result<BTreeMap<Slot, RecordBatch>, StoreError> {
    let misfit = |source| StoreError::Rows { table: table.name, source };
    let accounts = part::texts(rows, "account_id");
    let periods: Vec<Option<Days>> = match table.period() {
        None => vec![None; rows.num_rows()],
        Some(column) => {
            let undated = || StoreError::Undated { table: table.name, column };
            let days = part::days(rows, column).map_err(misfit)?;
            let period = |day: Option<NaiveDate>| Ok(Some(part_of(day.ok_or_else(undated)?, as_of)));
            days.into_iter().map(period).collect::<Result<_, _>>()?
        }
    };
    let mut places: BTreeMap<Slot, Vec<u32>> = BTreeMap::new();
    for ((at, account_id), period) in (0_u32..).zip(accounts).zip(periods) {
        places.entry(Slot { table: table.name, account_id, period }).or_default().push(at);
    }
    let take = |(slot, places)| Ok((slot, take_record_batch(rows, &UInt32Array::from(places))?));
    places.into_iter().map(take).collect::<Result<_, _>>().map_err(misfit)
}
