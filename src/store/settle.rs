//! Rows that are written while a scan still runs, so that they need not be held to its end. Never writes what later rows
//! may have to be joined with.

use std::ops::Range;

use arrow::error::ArrowError;
use bytes::Bytes;
use object_store::PutMode;

use super::slot::{Held, Slot};
use super::snapshot::digest;
use super::{Draft, FORMAT, Part, SnapshotWriter, StoreError, tables};

/// About how many rows of a part are unpacked at once: a month of a big account is some hundred thousand.
const UNPACKED_ROWS: usize = 32 * 1024;

impl SnapshotWriter {
    /// Keeps the rows of a draft, and writes them at once where none can join them: their days were read again for the
    /// account, and nothing else of them is held. So a year of a big bill takes the memory of a month. Parts of a
    /// snapshot that is never finished are swept like any that nobody names.
    ///
    /// # Errors
    /// A batch that is not of the table, or the store cannot be written.
    pub async fn settle(&mut self, draft: Draft) -> Result<(), StoreError> {
        let table = draft.table;
        for (slot, rows) in draft.held {
            let again = self.replaced(table.name, slot.account_id.as_deref());
            let alone = slot.period.is_some_and(|days| days.without(again).is_empty());
            if !alone || self.held.contains_key(&slot) {
                let misfit = |source| StoreError::Rows { table: table.name, source };
                self.held.entry(slot).or_default().join(table, rows).map_err(misfit)?;
                continue;
            }
            for group in rows.groups(self.part_bytes) {
                let part = self.put_part(&slot, &rows, group).await?;
                self.settled.push((slot.clone(), part));
            }
        }
        Ok(())
    }

    /// Writes one group of a slot's rows.
    pub(super) async fn put_part(&self, slot: &Slot, held: &Held, group: Range<usize>) -> Result<Part, StoreError> {
        let misfit = |source| StoreError::Rows { table: slot.table, source };
        let table = tables::find(slot.table).ok_or_else(|| misfit(ArrowError::SchemaError("no such table".into())))?;
        // One after the other: `finish` waits for the store with several parts, but makes only one of them at a time.
        let (bytes, count) = held.sorted(table, group, UNPACKED_ROWS).map_err(|error| misfit(error.into()))?;
        let sha256 = digest(&bytes);
        let part = Part {
            account_id: slot.account_id.clone(),
            period: slot.period,
            path: format!("tables/{}/{sha256}.parquet", slot.table),
            rows: count as u64,
            bytes: bytes.len() as u64,
            sha256,
            schema_version: FORMAT,
            read_at: held.read_at.unwrap_or(self.head.as_of),
        };
        // Written even when it is there: that makes it young again, so that no prune sweeps it meanwhile.
        self.store.put(&part.path, Bytes::from(bytes), PutMode::Overwrite).await?;
        Ok(part)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rust_decimal::Decimal;

    use super::*;
    use crate::model::{Origin, Row};
    use crate::store::tables::bill::BILL;
    use crate::store::{Head, Receipt, Snapshot, Store, batch};

    #[tokio::test]
    async fn days_that_were_read_again_are_written_at_once_and_others_wait_to_be_joined() {
        let store = Store::temporary().unwrap();
        let as_of = "2026-11-20T00:00:00Z".parse().unwrap();
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let draft = |at: &str, usd: i64| {
            let row = Row::new().with("account_id", "1").with("day", day(at)).with("unblended", Decimal::from(usd));
            let mut draft = Draft::new(&BILL, as_of);
            draft.push(&batch::to_batch(&BILL, &[row]).unwrap()).unwrap();
            draft
        };
        let head = || Head { origin: Origin::Files, payer: None, account_id: None, as_of };
        let mut writer = store.write(head(), None);
        writer.settle(draft("2026-08-05", 1)).await.unwrap();
        assert!(store.files("tables/bill").await.unwrap().is_empty(), "nobody said that August is read again");
        writer.replace_period(&BILL, "1", day("2026-09-01"), day("2026-09-30"));
        writer.settle(draft("2026-09-05", 2)).await.unwrap();
        assert_eq!(store.files("tables/bill").await.unwrap().len(), 1);
        let first = writer.finish(Receipt::default(), false).await.unwrap();
        let sum = async |snapshot: &Snapshot| {
            snapshot.rows(&BILL).await.unwrap().iter().filter_map(|row| row.decimal("unblended")).sum::<Decimal>()
        };
        assert_eq!(sum(&first).await, Decimal::from(3));
        let mut again = store.write(head(), Some(&first));
        again.replace_period(&BILL, "1", day("2026-09-01"), day("2026-09-30"));
        again.settle(draft("2026-09-06", 5)).await.unwrap();
        assert_eq!(sum(&again.finish(Receipt::default(), false).await.unwrap()).await, Decimal::from(6));
    }
}
