//! Rows of one part in the making: batches by table, account and period. Touches no file.

use std::collections::BTreeSet;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
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
/// Bytes of a slot's small batches after which they are joined. Arrow counts the text of one batch in 31 bits.
const JOIN_BYTES: usize = 64 << 20;

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
    small_bytes: usize,
    /// When the oldest of the rows was read, where that was not this scan.
    pub(super) read_at: Option<DateTime<Utc>>,
}

impl Held {
    pub(super) fn push(&mut self, table: &Table, rows: RecordBatch) -> Result<(), ArrowError> {
        self.small_rows += rows.num_rows();
        self.small_bytes += text_bytes(&rows);
        self.small.push(rows);
        if self.small_rows >= JOIN_ROWS || self.small.len() >= JOIN_BATCHES || self.small_bytes >= JOIN_BYTES {
            self.joined.push(concat_batches(&table.schema(), &self.small)?);
            self.small.clear();
            (self.small_rows, self.small_bytes) = (0, 0);
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.joined.iter().chain(&self.small).all(|rows| rows.num_rows() == 0)
    }

    pub(super) fn batches(&self) -> Vec<RecordBatch> {
        self.joined.iter().chain(&self.small).cloned().collect()
    }

    /// Returns the batches in groups whose text is at most `most` bytes each, where one batch alone is not more: each
    /// group makes a part.
    pub(super) fn groups(&self, most: usize) -> Vec<Vec<RecordBatch>> {
        let mut groups: Vec<Vec<RecordBatch>> = Vec::new();
        let mut held = 0;
        for batch in self.batches() {
            let bytes = text_bytes(&batch);
            match groups.last_mut() {
                Some(group) if held + bytes <= most => {
                    held += bytes;
                    group.push(batch);
                }
                _ => {
                    held = bytes;
                    groups.push(vec![batch]);
                }
            }
        }
        groups
    }
}

/// Returns the bytes of all text in the batch.
fn text_bytes(rows: &RecordBatch) -> usize {
    let texts = rows.columns().iter().filter_map(|column| column.as_string_opt::<i32>());
    texts
        .map(|texts| {
            texts
                .offsets()
                .last()
                .zip(texts.offsets().first())
                .map_or(0, |(to, from)| (to - from).unsigned_abs() as usize)
        })
        .sum()
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

/// The rows whose Region is `meant`; those without a Region are of none.
pub(super) fn of_regions(rows: &RecordBatch, meant: impl Fn(&str) -> bool) -> Result<RecordBatch, ArrowError> {
    let regions = part::texts(rows, "region");
    let keep: BooleanArray = regions.iter().map(|region| Some(region.as_deref().is_some_and(&meant))).collect();
    filter_record_batch(rows, &keep)
}

/// The rows that none of `fresh` names by the table's key. Looks at one batch at a time: all of them may be more text
/// than one batch can hold.
pub(super) fn without_keys(
    table: &Table,
    rows: &RecordBatch,
    fresh: &[RecordBatch],
) -> Result<RecordBatch, ArrowError> {
    let keys = part::Keys::of(table)?;
    let mut known = BTreeSet::new();
    for batch in fresh {
        known.extend(keys.each(batch)?.iter().map(|key| key.as_ref().to_vec()));
    }
    let keep: BooleanArray = keys.each(rows)?.iter().map(|key| Some(!known.contains(key.as_ref()))).collect();
    filter_record_batch(rows, &keep)
}
