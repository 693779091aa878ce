//! How foreign files look from outside: what another engine must be told to read the same columns of the same files.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};

use super::{Body, FileError, Files, Foreign, Opened};

/// Parquet files of one shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// What they are.
    pub foreign: &'static Foreign,
    /// What people call them, in order; text from outside.
    pub files: Vec<String>,
    /// For each wanted column its name in the files and what they hold; `None` where they lack it.
    pub columns: Vec<Option<(String, DataType)>>,
    /// Times that stand for columns which the files lack.
    pub instants: BTreeMap<&'static str, DateTime<Utc>>,
    /// Bytes of the wanted columns, packed as they are: what an engine reads that reads columns alone.
    pub bytes: u64,
}

impl Files {
    /// Returns what the files look like.
    ///
    /// # Errors
    /// A file that is not Parquet, or that holds a column as another one does not.
    pub fn outline(&self) -> Result<Outline, FileError> {
        let shapes = self.opened.iter().map(shape).collect::<Result<Vec<_>, _>>()?;
        let columns = shapes.first().map(|(columns, _)| columns.clone()).unwrap_or_default();
        if let Some(at) = shapes.iter().position(|(other, _)| *other != columns) {
            return Err(FileError::new(&self.opened[at].file.shown, "its columns are not those of the other files"));
        }
        let instants = self.else_instants.iter().filter_map(|(at, micros)| {
            Some((self.foreign.columns[*at].name, DateTime::from_timestamp_micros(*micros)?))
        });
        Ok(Outline {
            foreign: self.foreign,
            files: self.opened.iter().map(|opened| opened.file.shown.clone()).collect(),
            columns,
            instants: instants.collect(),
            bytes: shapes.iter().map(|(_, bytes)| bytes).sum(),
        })
    }
}

type Shape = (Vec<Option<(String, DataType)>>, u64);

/// Returns the wanted columns of one file, and their bytes.
fn shape(opened: &Opened) -> Result<Shape, FileError> {
    let Body::Parquet(metadata) = &opened.body else {
        return Err(FileError::new(&opened.file.shown, "it is CSV, of which each engine has its own grammar"));
    };
    let schema = metadata.schema();
    let column =
        |place: &Option<usize>| place.map(|at| (schema.field(at).name().clone(), schema.field(at).data_type().clone()));
    let roots: Vec<usize> = opened.places.iter().copied().flatten().collect();
    let parquet = metadata.parquet_schema();
    let groups = metadata.metadata().row_groups().iter().flat_map(|group| group.columns().iter().enumerate());
    let wanted = groups.filter(|(leaf, _)| roots.contains(&parquet.get_column_root_idx(*leaf)));
    let bytes = wanted.map(|(_, chunk)| u64::try_from(chunk.compressed_size()).unwrap_or_default()).sum();
    Ok((opened.places.iter().map(column).collect(), bytes))
}
