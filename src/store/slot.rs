//! Rows of one part in the making: batches by table, account and period. Touches no file.

use std::collections::BTreeSet;

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, Utc};

use super::part;
use super::period::Days;
use super::table::Table;

/// Rows of a slot after which its small batches are joined.
const JOIN_ROWS: usize = 8 * 1024;
/// Small batches of a slot after which they are joined, however few their rows.
const JOIN_BATCHES: usize = 256;

/// Rows that make one part: table, account, period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) table: &'static str,
    pub(super) account_id: Option<String>,
    pub(super) period: Option<Days>,
}

/// Batches of one slot: joined ones, and small ones that wait to be.
#[derive(Clone, Default)]
pub(super) struct Held {
    joined: Vec<RecordBatch>,
    small: Vec<RecordBatch>,
    small_rows: usize,
    /// When the oldest of the rows was read, where that was not this scan.
    pub(super) read_at: Option<DateTime<Utc>>,
}

impl Held {
    pub(super) fn push(&mut self, table: &Table, rows: RecordBatch) -> Result<(), ArrowError> {
        self.small_rows += rows.num_rows();
        self.small.push(rows);
        if self.small_rows >= JOIN_ROWS || self.small.len() >= JOIN_BATCHES {
            self.joined.push(concat_batches(&table.schema(), &self.small)?);
            self.small.clear();
            self.small_rows = 0;
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.joined.iter().chain(&self.small).all(|rows| rows.num_rows() == 0)
    }

    pub(super) fn batches(&self) -> Vec<RecordBatch> {
        self.joined.iter().chain(&self.small).cloned().collect()
    }
}

/// The rows whose day is in none of `days`.
pub(super) fn without_days(table: &Table, rows: &RecordBatch, days: &[Days]) -> Result<RecordBatch, ArrowError> {
    let Some(column) = table.period() else {
        return Ok(rows.clone());
    };
    let taken = |day: NaiveDate| days.iter().any(|replaced| replaced.contains(day));
    let keep: BooleanArray = part::days(rows, column)?.into_iter().map(|day| Some(!day.is_some_and(taken))).collect();
    filter_record_batch(rows, &keep)
}

/// The rows of Regions other than `visited`; those without a Region are of none.
pub(super) fn outside_regions(rows: &RecordBatch, visited: &BTreeSet<String>) -> Result<RecordBatch, ArrowError> {
    let regions = part::texts(rows, "region");
    let keep: BooleanArray = regions.iter().map(|r| Some(r.as_ref().is_some_and(|r| !visited.contains(r)))).collect();
    filter_record_batch(rows, &keep)
}

/// The rows that none of `fresh` names by the table's key.
pub(super) fn without_keys(
    table: &Table,
    rows: &RecordBatch,
    fresh: &[RecordBatch],
) -> Result<RecordBatch, ArrowError> {
    let all = concat_batches(&table.schema(), fresh.iter().chain([rows]))?;
    let keys = part::comparable(&all, table.key)?;
    let new = all.num_rows() - rows.num_rows();
    let known: BTreeSet<_> = (0..new).map(|at| keys.row(at)).collect();
    let keep: BooleanArray = (new..all.num_rows()).map(|at| Some(!known.contains(&keys.row(at)))).collect();
    filter_record_batch(rows, &keep)
}
