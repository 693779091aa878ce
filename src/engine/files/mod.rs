//! Foreign files as a table: exports that AWS or somebody else wrote, Parquet or CSV, on any object store.
//!
//! The caller names the files; nothing is ever listed. Of each file only the columns that a query needs are decoded, by
//! name, into the types that the declaration gives: what a file lacks is NULL, and counted. Rows stream; a file that
//! cannot be read fails the query under its own name, so nothing is half counted.

mod adapt;
mod csv;
mod exact;
mod fetch;
mod gzip;
mod lane;
mod outline;
mod parquet;
mod quotes;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use chrono::{DateTime, Utc};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::StreamingTableExec;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStore;
use object_store::path::Path;

pub use self::outline::Outline;
use crate::model::text::terminal;
use crate::store::table::{DECIMAL_PRECISION, DECIMAL_SCALE};

/// Files whose columns are looked at, at once.
const OPENED_AT_ONCE: usize = 8;

/// What a column of a foreign file is read as, whatever the file writes it as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// decimal(28,12); floating point becomes the number that it was written for.
    Decimal,
    /// A time without a zone, meant as UTC.
    Instant,
    /// `true` or `false`.
    Flag,
}

impl Type {
    fn arrow(self) -> DataType {
        match self {
            Type::Text => DataType::Utf8,
            Type::Whole => DataType::Int64,
            Type::Decimal => DataType::Decimal128(DECIMAL_PRECISION, DECIMAL_SCALE),
            Type::Instant => DataType::Timestamp(TimeUnit::Microsecond, None),
            Type::Flag => DataType::Boolean,
        }
    }
}

/// A column that is wanted of foreign files. Names are compared without regard to case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name in SQL, and the first that is looked for in a file.
    pub name: &'static str,
    /// Other names that it goes by, the best first.
    pub also: &'static [&'static str],
    /// What it is read as.
    pub kind: Type,
}

impl Wanted {
    /// Returns the place of the column among `names`.
    fn find(&self, names: &[String]) -> Option<usize> {
        let place = |wanted: &str| names.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted));
        std::iter::once(self.name).chain(self.also.iter().copied()).find_map(place)
    }
}

/// A kind of foreign file: the table that it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The table's name in SQL.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [Wanted],
    /// Words in CSV that stand for NULL, beside nothing at all.
    pub null_words: &'static [&'static str],
}

/// How a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// Parquet.
    Parquet,
    /// Comma-separated values.
    Csv {
        /// Under gzip.
        gzip: bool,
        /// The columns in order, where the file has no header.
        columns: Option<Vec<String>>,
    },
}

impl Format {
    /// Returns the format that a file's name stands for; CSV is taken to have a header. `None` for what is not read.
    pub fn of(name: &str) -> Option<Format> {
        let (_, extension) = name.rsplit_once('.')?;
        match extension.to_ascii_lowercase().as_str() {
            "parquet" => Some(Format::Parquet),
            "csv" => Some(Format::Csv { gzip: false, columns: None }),
            "gz" | "gzip" => Some(Format::Csv { gzip: true, columns: None }),
            _ => None,
        }
    }
}

/// One file that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignFile {
    /// Where it is in the object store.
    pub path: Path,
    /// What people call it: a path, or `s3://bucket/key`. Text from outside.
    pub shown: String,
    /// How it is written.
    pub format: Format,
}

/// Why a foreign file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot read `{file}`: {reason}")]
pub struct FileError {
    /// The file, safe for a terminal.
    pub file: String,
    /// What is wrong with it, safe for a terminal.
    pub reason: String,
}

impl FileError {
    fn new(file: &str, reason: impl std::fmt::Display) -> Self {
        FileError { file: terminal(file), reason: terminal(&reason.to_string()) }
    }

    fn of_store(file: &str, error: &object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => FileError::new(file, "there is no such file"),
            other => FileError::new(file, other),
        }
    }

    fn into_datafusion(self) -> DataFusionError {
        DataFusionError::External(Box::new(self))
    }
}

/// Returns the file that made a query fail, where one did.
pub(super) fn file_error(error: &DataFusionError) -> Option<FileError> {
    let DataFusionError::External(cause) = error.find_root() else { return None };
    cause.downcast_ref::<FileError>().cloned()
}

/// Where in a file each wanted column is, and what it takes to read it.
#[derive(Clone, Debug)]
struct Opened {
    file: ForeignFile,
    /// For each wanted column its place among the file's.
    places: Vec<Option<usize>>,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Parquet(::parquet::arrow::arrow_reader::ArrowReaderMetadata),
    /// How many columns each line has, and bytes of the file.
    Csv {
        width: usize,
        bytes: u64,
    },
}

/// Foreign files of one kind whose columns are known. Rows are read when a query asks.
#[derive(Clone, Debug)]
pub struct Files {
    foreign: &'static Foreign,
    schema: SchemaRef,
    objects: Arc<dyn ObjectStore>,
    opened: Arc<Vec<Opened>>,
    /// Values of columns, by their places, where a file lacks them: microseconds since 1970.
    else_instants: BTreeMap<usize, i64>,
}

impl Files {
    /// Looks at the columns of `files`; reads no rows.
    ///
    /// # Errors
    /// A file that is missing, or not what its format says.
    pub async fn open(
        objects: Arc<dyn ObjectStore>,
        files: Vec<ForeignFile>,
        foreign: &'static Foreign,
    ) -> std::result::Result<Files, FileError> {
        let looked = futures::stream::iter(files).map(|file| open(Arc::clone(&objects), file, foreign));
        let opened: Vec<Opened> = looked.buffered(OPENED_AT_ONCE).try_collect().await?;
        let fields = foreign.columns.iter().map(|column| Field::new(column.name, column.kind.arrow(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(Files { foreign, schema, objects, opened: Arc::new(opened), else_instants: BTreeMap::new() })
    }

    /// Returns the files with `instant` in a column of times where a file lacks it: what a file does not say, the name
    /// of its folder may.
    #[must_use]
    pub fn or_instant(mut self, column: &str, instant: DateTime<Utc>) -> Self {
        let place = self.foreign.columns.iter().position(|of| of.name == column && of.kind == Type::Instant);
        self.else_instants.extend(place.map(|place| (place, instant.timestamp_micros())));
        self
    }

    /// Returns the columns that files lack, in order, with how many of the files lack them. They are NULL there.
    pub fn missing(&self) -> Vec<(&'static str, usize)> {
        let lacking = |at: usize| self.opened.iter().filter(|file| file.places[at].is_none()).count();
        let columns = self.foreign.columns.iter().enumerate().filter(|(at, _)| !self.else_instants.contains_key(at));
        columns.map(|(at, column)| (column.name, lacking(at))).filter(|(_, lacking)| *lacking > 0).collect()
    }

    /// Returns the kind of the files.
    pub fn foreign(&self) -> &'static Foreign {
        self.foreign
    }

    /// Returns how many files there are.
    pub fn len(&self) -> usize {
        self.opened.len()
    }

    /// Returns true when there is no file.
    pub fn is_empty(&self) -> bool {
        self.opened.is_empty()
    }
}

/// Returns the names of a file's columns.
///
/// # Errors
/// As [`Files::open`].
pub async fn columns_of(
    objects: Arc<dyn ObjectStore>,
    file: &ForeignFile,
) -> std::result::Result<Vec<String>, FileError> {
    Ok(names(&objects, file).await?.0)
}

async fn open(
    objects: Arc<dyn ObjectStore>,
    file: ForeignFile,
    foreign: &'static Foreign,
) -> std::result::Result<Opened, FileError> {
    let (names, body) = names(&objects, &file).await?;
    let places = foreign.columns.iter().map(|column| column.find(&names)).collect();
    Ok(Opened { file, places, body })
}

async fn names(
    objects: &Arc<dyn ObjectStore>,
    file: &ForeignFile,
) -> std::result::Result<(Vec<String>, Body), FileError> {
    match &file.format {
        Format::Parquet => {
            let metadata = parquet::metadata(objects, file).await?;
            let names = metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
            Ok((names, Body::Parquet(metadata)))
        }
        Format::Csv { gzip, columns } => {
            let (names, bytes) = csv::header(objects, file, *gzip, columns.as_deref()).await?;
            let width = names.len();
            Ok((names, Body::Csv { width, bytes }))
        }
    }
}

#[async_trait::async_trait]
impl TableProvider for Files {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let all: Vec<usize> = (0..self.foreign.columns.len()).collect();
        let asked = projection.cloned().unwrap_or(all);
        let lanes = lane::lanes(self, &asked, state.config().target_partitions())?;
        let schema = Arc::new(self.schema.project(&asked)?);
        Ok(Arc::new(StreamingTableExec::try_new(schema, lanes, None, None, false, limit)?))
    }
}

/// Returns the missing columns of several sets of files together.
pub fn missing_of<'a>(files: impl IntoIterator<Item = &'a Files>) -> BTreeMap<&'static str, usize> {
    let mut missing = BTreeMap::new();
    for (column, count) in files.into_iter().flat_map(Files::missing) {
        *missing.entry(column).or_default() += count;
    }
    missing
}

#[cfg(test)]
mod tests;
