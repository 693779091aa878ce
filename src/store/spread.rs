//! How the keys of rows spread, so that many rows are put in order a range of keys at a time.
//!
//! Decides nothing about the order: whatever the ranges are, the rows of one come before those of the next.

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;

use super::part::Keys;

/// One of so many rows is noted.
const NOTED: usize = 512;

/// A key in the form that compares.
type Key = Box<[u8]>;

/// The keys of some rows: first, last, and some between.
#[derive(Clone)]
pub(super) struct Spread {
    rows: usize,
    ends: Option<(Key, Key)>,
    noted: Vec<Key>,
}

impl Spread {
    pub(super) fn of(keys: &Keys, batch: &RecordBatch) -> Result<Self, ArrowError> {
        let rows = keys.each(batch)?;
        let key = |row: arrow::row::Row<'_>| Key::from(row.as_ref());
        let ends = rows.iter().min().map(key).zip(rows.iter().max().map(key));
        Ok(Spread { rows: batch.num_rows(), ends, noted: rows.iter().step_by(NOTED).map(key).collect() })
    }
}

/// Keys from the first on, up to the second and without it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyRange {
    from: Option<Key>,
    to: Option<Key>,
}

impl KeyRange {
    /// Returns ranges, in order, that hold about `most` rows each and all rows together.
    pub(super) fn cut(spreads: &[Spread], most: usize) -> Vec<KeyRange> {
        let rows: usize = spreads.iter().map(|spread| spread.rows).sum();
        let mut noted: Vec<&Key> = spreads.iter().flat_map(|spread| &spread.noted).collect();
        noted.sort_unstable();
        let ranges = rows.div_ceil(most.max(1)).min(noted.len()).max(1);
        let mut cuts: Vec<Key> = (1..ranges).map(|at| noted[at * noted.len() / ranges].clone()).collect();
        cuts.dedup();
        let froms = std::iter::once(None).chain(cuts.iter().cloned().map(Some));
        let tos = cuts.iter().cloned().map(Some).chain([None]);
        froms.zip(tos).map(|(from, to)| KeyRange { from, to }).collect()
    }

    fn has(&self, key: &[u8]) -> bool {
        self.from.as_deref().is_none_or(|from| from <= key) && self.to.as_deref().is_none_or(|to| key < to)
    }

    /// Returns true when some of the rows may be in the range.
    pub(super) fn meets(&self, spread: &Spread) -> bool {
        let Some((first, last)) = &spread.ends else { return false };
        self.from.as_ref().is_none_or(|from| from <= last) && self.to.as_ref().is_none_or(|to| first < to)
    }

    /// Returns the rows that are in the range.
    pub(super) fn within(&self, keys: &Keys, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        if *self == KeyRange::default() {
            return Ok(batch.clone());
        }
        let keep: BooleanArray = keys.each(batch)?.iter().map(|key| Some(self.has(key.as_ref()))).collect();
        filter_record_batch(batch, &keep)
    }
}
