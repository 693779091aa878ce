//! Batches of a table to the bytes of a part and back. Touches no store.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{cast, concat_batches, take_record_batch};
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

/// Returns the batches as one, sorted by the table's key and then by everything else: any order of the same rows
/// gives the same batch.
pub(super) fn sorted(table: &Table, batches: Vec<RecordBatch>) -> Result<RecordBatch, ArrowError> {
    let all = concat_batches(&table.schema(), &batches)?;
    // A month of a big account is some hundred thousand rows: none of its forms outlives its use.
    drop(batches);
    let rest = table.columns.iter().map(|column| column.name).filter(|name| !table.key.contains(name));
    let order: Vec<&str> = table.key.iter().copied().chain(rest).collect();
    let rows = comparable(&all, &order)?;
    let mut places: Vec<u32> = (0..u32::try_from(all.num_rows()).map_err(|_| too_many())?).collect();
    places.sort_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
    drop(rows);
    take_record_batch(&all, &UInt32Array::from(places))
}

fn too_many() -> ArrowError {
    ArrowError::ComputeError("more rows than one part can hold".to_owned())
}

/// Returns the rows of `batch` in a form that compares by `columns` in their order.
fn comparable(batch: &RecordBatch, columns: &[&str]) -> Result<Rows, ArrowError> {
    let arrays = columns.iter().map(|name| column(batch, name).cloned()).collect::<Result<Vec<_>, _>>()?;
    let fields = arrays.iter().map(|array| SortField::new(array.data_type().clone())).collect();
    RowConverter::new(fields)?.convert_columns(&arrays)
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
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by(concat!("leanlake ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties))?;
    writer.write(batch)?;
    writer.into_inner()
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
