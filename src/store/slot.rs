//! Rows of one part in the making, by table, account and period: packed as they come, since a big account has millions
//! of them. Touches no file.

use std::collections::BTreeSet;
use std::ops::Range;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::error::ArrowError;
use bytes::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use parquet::errors::ParquetError;

use super::part;
use super::period::Days;
use super::spread::{KeyRange, Spread};
use super::table::Table;

/// Memory of a slot's small batches after which they are packed: a big account has some hundred slots, and a batch of
/// one row takes some kilobytes.
const PACK_BYTES: usize = 256 << 10;

/// Rows that make one part: table, account, period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slot {
    pub(super) table: &'static str,
    pub(super) account_id: Option<String>,
    pub(super) period: Option<Days>,
}

/// Rows as the bytes of a part: a small fraction of what they take as a batch.
#[derive(Clone)]
struct Packed {
    bytes: Bytes,
    text_bytes: usize,
    spread: Spread,
}

/// Rows of one slot: packed ones, and small batches that wait to be.
#[derive(Clone, Default)]
pub(super) struct Held {
    packed: Vec<Packed>,
    small: Vec<RecordBatch>,
    /// Memory that the small batches take.
    small_bytes: usize,
    /// When the oldest of the rows was read, where that was not this scan.
    pub(super) read_at: Option<DateTime<Utc>>,
}

impl Held {
    pub(super) fn push(&mut self, table: &Table, rows: RecordBatch) -> Result<(), ArrowError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.small_bytes += rows.get_array_memory_size();
        self.small.push(rows);
        if self.small_bytes >= PACK_BYTES {
            self.pack(table)?;
        }
        Ok(())
    }

    fn pack(&mut self, table: &Table) -> Result<(), ArrowError> {
        let joined = concat_batches(&table.schema(), &self.small)?;
        let spread = Spread::of(&part::Keys::of(table)?, &joined)?;
        self.packed.push(Packed { bytes: part::encode(&joined)?.into(), text_bytes: text_bytes(&joined), spread });
        self.small.clear();
        self.small_bytes = 0;
        Ok(())
    }

    /// Takes in the rows of another.
    pub(super) fn join(&mut self, table: &Table, other: Held) -> Result<(), ArrowError> {
        self.packed.extend(other.packed);
        other.small.into_iter().try_for_each(|rows| self.push(table, rows))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packed.is_empty() && self.small.is_empty()
    }

    /// Returns all rows.
    pub(super) fn batches(&self, table: &Table) -> Result<Vec<RecordBatch>, ArrowError> {
        self.unpacked(table, 0..self.sizes().len())
    }

    /// Returns the rows of one of the [`Held::groups`] as the bytes of a part, and how many they are: sorted by the
    /// table's key and then by everything else. Any order of the same rows gives the same bytes; about `most` rows are
    /// unpacked at once.
    pub(super) fn sorted(
        &self,
        table: &Table,
        places: Range<usize>,
        most: usize,
    ) -> Result<(Vec<u8>, usize), ParquetError> {
        let (keys, mut file) = (part::Keys::of(table)?, part::SortedFile::new(table)?);
        let spreads = places.clone().map(|place| self.spread(&keys, place)).collect::<Result<Vec<_>, _>>()?;
        for range in KeyRange::cut(&spreads, most) {
            let mut some = Vec::new();
            for (place, _) in places.clone().zip(&spreads).filter(|(_, spread)| range.meets(spread)) {
                for batch in self.unpacked(table, place..place + 1)? {
                    some.push(range.within(&keys, &batch)?);
                }
            }
            file.add(table, some)?;
        }
        file.end()
    }

    fn spread(&self, keys: &part::Keys, place: usize) -> Result<Spread, ArrowError> {
        match self.packed.get(place) {
            Some(packed) => Ok(packed.spread.clone()),
            None => Spread::of(keys, &self.small[place - self.packed.len()]),
        }
    }

    /// Returns the rows of one of the [`Held::groups`].
    fn unpacked(&self, table: &Table, places: Range<usize>) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut batches = Vec::new();
        for place in places {
            match self.packed.get(place) {
                Some(packed) => batches.extend(part::decode(table, packed.bytes.clone())?),
                None => batches.extend(self.small.get(place - self.packed.len()).cloned()),
            }
        }
        Ok(batches)
    }

    /// Returns the places of the rows in groups whose text is at most `most` bytes each, where one alone is not more:
    /// each group makes a part.
    pub(super) fn groups(&self, most: usize) -> Vec<Range<usize>> {
        let mut groups: Vec<Range<usize>> = Vec::new();
        let mut held = 0;
        for (place, bytes) in self.sizes().into_iter().enumerate() {
            match groups.last_mut() {
                Some(group) if held + bytes <= most => {
                    held += bytes;
                    group.end = place + 1;
                }
                _ => {
                    held = bytes;
                    groups.push(place..place + 1);
                }
            }
        }
        groups
    }

    /// Returns the bytes of text at each place.
    fn sizes(&self) -> Vec<usize> {
        self.packed.iter().map(|packed| packed.text_bytes).chain(self.small.iter().map(text_bytes)).collect()
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

#[cfg(test)]
mod tests {
    use chrono::Days as DaysOf;

    use super::*;
    use crate::model::Row;
    use crate::store::batch::to_batch;
    use crate::store::tables::storage::STORAGE;

    /// Rows of twenty buckets and thirty days; some stand there twice.
    fn rows() -> Vec<Row> {
        let first: NaiveDate = "2026-10-01".parse().unwrap();
        let row = |n: u64| {
            let bucket = format!("lake-{}", n * 7 % 20);
            let day = first.checked_add_days(DaysOf::new(n * 11 % 30)).unwrap();
            Row::new()
                .with("account_id", "1")
                .with("bucket", bucket)
                .with("day", day)
                .with("bytes", (n / 3).cast_signed())
        };
        (0..700).map(row).collect()
    }

    fn held(rows: &[Row], at_once: usize) -> Held {
        let mut held = Held::default();
        for (n, some) in rows.chunks(at_once).enumerate() {
            held.push(&STORAGE, to_batch(&STORAGE, some).unwrap()).unwrap();
            if n % 3 == 0 && !held.small.is_empty() {
                held.pack(&STORAGE).unwrap();
            }
        }
        held
    }

    #[test]
    fn the_same_rows_are_the_same_bytes_however_they_came_and_however_few_are_unpacked_at_once() {
        let mut rows = rows();
        let whole = held(&rows, 700);
        let (bytes, count) = whole.sorted(&STORAGE, 0..whole.sizes().len(), usize::MAX).unwrap();
        assert_eq!(count, 700);
        rows.reverse();
        for (at_once, most) in [(1, 1), (10, 50), (97, 100), (350, 699), (700, 700)] {
            let again = held(&rows, at_once);
            let sorted = again.sorted(&STORAGE, 0..again.sizes().len(), most).unwrap();
            assert!(sorted == (bytes.clone(), 700), "{at_once} rows handed over at once, {most} unpacked");
        }
        let back = part::decode(&STORAGE, bytes.into()).unwrap();
        let days: Vec<_> =
            part::texts(&back[0], "bucket").into_iter().zip(part::days(&back[0], "day").unwrap()).collect();
        assert!(days.is_sorted(), "by bucket and day");
    }

    #[test]
    fn no_rows_are_a_part_without_rows() {
        let (bytes, count) = Held::default().sorted(&STORAGE, 0..0, 10).unwrap();
        assert_eq!((part::decode(&STORAGE, bytes.into()).unwrap().len(), count), (0, 0));
    }
}
