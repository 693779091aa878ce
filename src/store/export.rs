//! A snapshot as plain folders of Parquet files, for DuckDB, pandas, Athena. Never exports the key of the text hashes.

use std::io;
use std::path::Path as FilePath;

use super::folder::{private_file, private_folder};
use super::{Snapshot, StoreError, batch, part, tables};

/// What an export wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Tables, those without rows included.
    pub tables: usize,
    /// Rows over all tables.
    pub rows: u64,
    /// Bytes over all files.
    pub bytes: u64,
}

impl Snapshot {
    /// Writes one folder per table below `to`, each with at least one Parquet file of the table's columns.
    ///
    /// # Errors
    /// `to` exists and is not an empty folder, it cannot be written, or a part is missing or damaged.
    pub async fn export(&self, to: &FilePath) -> Result<Exported, StoreError> {
        let refuse = |reason: String| StoreError::Target { folder: shown(to), reason };
        let failed = |error: io::Error| refuse(error.to_string());
        if to.exists() && to.read_dir().map_err(failed)?.next().is_some() {
            return Err(refuse("it is not empty".to_owned()));
        }
        let to = std::path::absolute(to).map_err(failed)?;
        let mut exported = Exported::default();
        for table in tables::TABLES {
            let folder = to.join(table.name);
            private_folder(&folder).map_err(failed)?;
            for kept in self.parts(table.name) {
                let bytes = self.bytes(kept).await?;
                write(&folder.join(format!("{}.parquet", kept.sha256)), &bytes).map_err(failed)?;
                exported.rows += kept.rows;
                exported.bytes += kept.bytes;
            }
            if self.parts(table.name).is_empty() {
                let misfit = |source| StoreError::Rows { table: table.name, source };
                let empty = batch::to_batch(table, &[]).map_err(misfit)?;
                let bytes = part::encode(&empty).map_err(|error| misfit(error.into()))?;
                write(&folder.join("empty.parquet"), &bytes).map_err(failed)?;
            }
            exported.tables += 1;
        }
        Ok(exported)
    }
}

fn write(path: &FilePath, bytes: &[u8]) -> io::Result<()> {
    let mut file = private_file(path)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()
}

fn shown(path: &FilePath) -> String {
    crate::model::text::terminal(&path.to_string_lossy())
}
