//! Batches of a table to the bytes of a part and back. Touches no store.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array, new_null_array,
};
use arrow::compute::{SortColumn, cast, concat, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, Rows, SortField};
use bytes::Bytes;
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

use super::table::Table;

/// Rows in one row group: enough to compress well, few enough to skip by statistics.
const GROUP_ROWS: usize = 128 * 1024;

/// Rows that are handed to the file at once: what is less waits in memory, unpacked. A row group, and a page of the file's
/// writer (1,024 rows), are whole numbers of it, so the bytes do not depend on it.
const WRITTEN_ROWS: usize = 8 * 1024;

/// A Parquet file in the making: rows come in order, some at a time, and however they come its bytes are the same.
pub(super) struct SortedFile {
    writer: ArrowWriter<Vec<u8>>,
    /// What waits for more rows.
    rest: RecordBatch,
    rows: usize,
}

impl SortedFile {
    pub(super) fn new(table: &Table) -> Result<Self, ParquetError> {
        let writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties()))?;
        Ok(SortedFile { writer, rest: RecordBatch::new_empty(table.schema()), rows: 0 })
    }

    /// Adds rows in any order, all of which come after those that were added before.
    pub(super) fn add(&mut self, table: &Table, batches: Vec<RecordBatch>) -> Result<(), ParquetError> {
        let all = joined(table, batches)?;
        let order = sorted(table, &all)?;
        self.rows += all.num_rows();
        for from in (0..order.len()).step_by(WRITTEN_ROWS) {
            let some = take_record_batch(&all, &order.slice(from, WRITTEN_ROWS.min(order.len() - from)))?;
            self.rest =
                if self.rest.num_rows() == 0 { some } else { concat_batches(&all.schema(), [&self.rest, &some])? };
            while self.rest.num_rows() >= WRITTEN_ROWS {
                self.writer.write(&self.rest.slice(0, WRITTEN_ROWS))?;
                self.rest = self.rest.slice(WRITTEN_ROWS, self.rest.num_rows() - WRITTEN_ROWS);
            }
        }
        Ok(())
    }

    /// Returns the bytes of the file, and its rows.
    pub(super) fn end(mut self) -> Result<(Vec<u8>, usize), ParquetError> {
        self.writer.write(&self.rest)?;
        Ok((self.writer.into_inner()?, self.rows))
    }
}

/// Returns the batches as one. Joins column by column, and lets go of each column that is joined.
fn joined(table: &Table, batches: Vec<RecordBatch>) -> Result<RecordBatch, ArrowError> {
    let (schema, rows) = (table.schema(), batches.iter().map(RecordBatch::num_rows).sum());
    let mut columns: Vec<_> = batches.into_iter().map(|batch| batch.columns().to_vec().into_iter()).collect();
    let arrays = schema.fields().iter().map(|field| {
        let parts: Vec<ArrayRef> = columns.iter_mut().filter_map(Iterator::next).collect();
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        if parts.is_empty() { Ok(new_empty_array(field.data_type())) } else { concat(&parts) }
    });
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new_with_options(schema, arrays, &RecordBatchOptions::new().with_row_count(Some(rows)))
}

/// Returns the places of the rows in order of the table's key, and of everything else where keys are equal.
fn sorted(table: &Table, all: &RecordBatch) -> Result<UInt32Array, ArrowError> {
    let rest = table.columns.iter().map(|column| column.name).filter(|name| !table.key.contains(name));
    let order = table.key.iter().copied().chain(rest);
    let arrays = order.map(|name| column(all, name).cloned()).collect::<Result<Vec<_>, _>>()?;
    // A column that says the same of every row, as the account does, decides nothing.
    let deciding = arrays.into_iter().filter(|values| !is_constant(values));
    let columns: Vec<SortColumn> = deciding.map(|values| SortColumn { values, options: None }).collect();
    if columns.is_empty() {
        return Ok((0..u32::try_from(all.num_rows()).map_err(|_| too_many())?).collect());
    }
    lexsort_to_indices(&columns, None)
}

fn is_constant(values: &ArrayRef) -> bool {
    let Some(texts) = values.as_string_opt::<i32>() else {
        return values.null_count() == values.len();
    };
    texts.iter().all(|text| text == texts.iter().next().flatten())
}

fn too_many() -> ArrowError {
    ArrowError::ComputeError("more rows than one part can hold".to_owned())
}

/// The key of a table's rows in a form that compares across batches.
pub(super) struct Keys {
    converter: RowConverter,
    columns: &'static [&'static str],
}

impl Keys {
    pub(super) fn of(table: &Table) -> Result<Self, ArrowError> {
        let schema = table.schema();
        let field = |name: &&str| Ok(SortField::new(schema.field_with_name(name)?.data_type().clone()));
        let fields = table.key.iter().map(field).collect::<Result<Vec<_>, ArrowError>>()?;
        Ok(Keys { converter: RowConverter::new(fields)?, columns: table.key })
    }

    pub(super) fn each(&self, batch: &RecordBatch) -> Result<Rows, ArrowError> {
        let arrays = self.columns.iter().map(|name| column(batch, name).cloned()).collect::<Result<Vec<_>, _>>()?;
        self.converter.convert_columns(&arrays)
    }
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("no column `{name}`")))
}

/// Returns the batch as a Parquet file.
pub(super) fn encode(batch: &RecordBatch) -> Result<Vec<u8>, ParquetError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties()))?;
    writer.write(batch)?;
    writer.into_inner()
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by(concat!("leanlake ", env!("CARGO_PKG_VERSION")).to_owned())
        .build()
}

/// Returns the batches of a Parquet file in the table's schema as it is today: columns it lacks are NULL.
pub(super) fn decode(table: &Table, bytes: Bytes) -> Result<Vec<RecordBatch>, ArrowError> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(GROUP_ROWS).build()?;
    reader.map(|batch| conform(table, &batch?)).collect()
}

fn conform(table: &Table, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = table.schema();
    let arrays = schema.fields().iter().map(|field| match batch.column_by_name(field.name()) {
        Some(array) => cast(array, field.data_type()),
        None => Ok(new_null_array(field.data_type(), batch.num_rows())),
    });
    RecordBatch::try_new(Arc::clone(&schema), arrays.collect::<Result<Vec<_>, _>>()?)
}

/// Returns the day of each row in `name`, a column of days or instants; `None` where it is NULL.
pub(super) fn days(batch: &RecordBatch, name: &str) -> Result<Vec<Option<NaiveDate>>, ArrowError> {
    let array = column(batch, name)?;
    match array.data_type() {
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>();
            Ok((0..days.len()).map(|at| if days.is_null(at) { None } else { days.value_as_date(at) }).collect())
        }
        DataType::Timestamp(_, _) => {
            let instants = array.as_primitive::<TimestampMicrosecondType>();
            let day = |at: usize| instants.value_as_datetime(at).map(|instant| instant.date());
            Ok((0..instants.len()).map(|at| if instants.is_null(at) { None } else { day(at) }).collect())
        }
        other => Err(ArrowError::SchemaError(format!("column `{name}` is {other}, which is no time"))),
    }
}

/// Returns the text of each row in `name`; `None` where it is NULL or the table has no such column.
pub(super) fn texts(batch: &RecordBatch, name: &str) -> Vec<Option<String>> {
    let Some(array) = batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>()) else {
        return vec![None; batch.num_rows()];
    };
    array.iter().map(|text| text.map(str::to_owned)).collect()
}
