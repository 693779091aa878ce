//! A snapshot that can be read: a manifest with the store that holds its parts.

use arrow::array::RecordBatch;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::slot::of_regions;
use super::table::Table;
use super::tables::scan::COVERAGE;
use super::{Manifest, Part, Store, StoreError, batch, coverage, part};
use crate::model::{Coverage, Origin, Row};

/// What one scan saw.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Where its parts are.
    pub store: Store,
}

impl Snapshot {
    /// Returns its name.
    pub fn id(&self) -> &str {
        &self.manifest.id
    }

    /// Returns the instant that stands for the scan.
    pub fn as_of(&self) -> DateTime<Utc> {
        self.manifest.as_of
    }

    /// Returns what was scanned.
    pub fn origin(&self) -> &Origin {
        &self.manifest.origin
    }

    /// Returns the account whose credentials scanned.
    pub fn account_id(&self) -> Option<&str> {
        self.manifest.account_id.as_deref()
    }

    /// Returns the parts of the table called `table`, none where nothing was read.
    pub fn parts(&self, table: &str) -> &[Part] {
        self.manifest.tables.get(table).map_or(&[], Vec::as_slice)
    }

    /// Returns all rows of a table, by account, period and key.
    ///
    /// # Errors
    /// A part is missing or damaged.
    pub async fn rows(&self, table: &'static Table) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for part in self.parts(table.name) {
            for read in self.decode(table, part).await? {
                rows.extend(batch::from_batch(&read).map_err(|source| StoreError::Rows { table: table.name, source })?);
            }
        }
        Ok(rows)
    }

    /// Returns the rows of one account, and of one Region where that is named, each with the time at which its part was
    /// read. Parts of other accounts are not opened.
    ///
    /// # Errors
    /// A part of the account is missing or damaged.
    pub async fn rows_of(
        &self,
        table: &'static Table,
        account_id: &str,
        region: Option<&str>,
    ) -> Result<Vec<(DateTime<Utc>, Row)>, StoreError> {
        let misfit = |source| StoreError::Rows { table: table.name, source };
        let mut rows = Vec::new();
        for part in self.parts(table.name).iter().filter(|part| part.account_id.as_deref() == Some(account_id)) {
            for read in self.decode(table, part).await? {
                let read = match region {
                    Some(region) => of_regions(&read, |of| of == region).map_err(misfit)?,
                    None => read,
                };
                let read = batch::from_batch(&read).map_err(misfit)?;
                rows.extend(read.into_iter().map(|row| (part.read_at, row)));
            }
        }
        Ok(rows)
    }

    /// Returns what was seen and what was not.
    ///
    /// # Errors
    /// The part that says so is missing or damaged.
    pub async fn coverage(&self) -> Result<Vec<Coverage>, StoreError> {
        Ok(self.rows(&COVERAGE).await?.iter().filter_map(coverage::from_row).collect())
    }

    /// Reads every part and returns those that are missing, cut short or changed.
    pub async fn check(&self) -> Vec<StoreError> {
        let mut damaged = Vec::new();
        for part in self.manifest.tables.values().flatten() {
            damaged.extend(self.bytes(part).await.err());
        }
        damaged
    }

    pub(super) async fn decode(&self, table: &'static Table, kept: &Part) -> Result<Vec<RecordBatch>, StoreError> {
        part::decode(table, self.bytes(kept).await?).map_err(|error| self.corrupt(kept, error.to_string()))
    }

    /// The bytes of a part, proved whole.
    pub(super) async fn bytes(&self, kept: &Part) -> Result<Bytes, StoreError> {
        let found = self.store.get(&kept.path).await?;
        let bytes = found.ok_or_else(|| self.corrupt(kept, "the file is missing".to_owned()))?;
        if bytes.len() as u64 != kept.bytes {
            let reason = format!("it has {} bytes where {} were written", bytes.len(), kept.bytes);
            return Err(self.corrupt(kept, reason));
        }
        if digest(&bytes) != kept.sha256 {
            return Err(self.corrupt(kept, "its content is not what was written (SHA-256 differs)".to_owned()));
        }
        Ok(bytes)
    }

    fn corrupt(&self, kept: &Part, reason: String) -> StoreError {
        StoreError::Corrupt { location: self.store.location(&kept.path), reason }
    }
}

/// SHA-256 as lower-case hex.
pub(super) fn digest(bytes: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(bytes))
}
