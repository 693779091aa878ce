//! Rows to Arrow and back, by the table's declaration.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Date32Builder, Decimal128Builder, Int64Builder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, TimeDelta};
use rust_decimal::Decimal;

use super::table::{Column, DECIMAL_PRECISION, DECIMAL_SCALE, Kind, Table};
use crate::model::{Cell, Row};

/// Returns the rows as one batch of the table's schema; columns that a row does not set are NULL.
///
/// # Errors
/// A column that the table does not declare, a cell of another kind, or a number out of range.
pub fn to_batch(table: &Table, rows: &[Row]) -> Result<RecordBatch, ArrowError> {
    let cells = by_column(table, rows)?;
    let arrays = table.columns.iter().zip(&cells).map(|(column, cells)| to_array(table, column, cells));
    let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new_with_options(
        table.schema(),
        arrays,
        &arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len())),
    )
}

/// The cells of each column, in the table's order of columns. Both sides are walked in the order of names: rows are
/// many, and to look each name up would cost more than the rest.
fn by_column<'a>(table: &Table, rows: &'a [Row]) -> Result<Vec<Vec<&'a Cell>>, ArrowError> {
    let mut order: Vec<(&str, usize)> =
        table.columns.iter().enumerate().map(|(at, column)| (column.name, at)).collect();
    order.sort_unstable();
    let mut columns = vec![Vec::with_capacity(rows.len()); order.len()];
    for row in rows {
        let mut cells = row.cells().peekable();
        for (name, at) in &order {
            columns[*at].push(cells.next_if(|(of, _)| of == name).map_or(&Cell::Null, |(_, cell)| cell));
        }
        if let Some((name, _)) = cells.next() {
            return Err(ArrowError::SchemaError(format!("table `{}` has no column `{name}`", table.name)));
        }
    }
    Ok(columns)
}

fn to_array(table: &Table, column: &Column, cells: &[&Cell]) -> Result<ArrayRef, ArrowError> {
    let misfit = |cell: &Cell| {
        ArrowError::SchemaError(format!("`{}.{}` is {}, not {cell:?}", table.name, column.name, column.kind.unit()))
    };
    macro_rules! fill {
        ($builder:expr, $($cell:pat => $value:expr),+) => {{
            let mut builder = $builder;
            for cell in cells {
                match cell {
                    Cell::Null => builder.append_null(),
                    $($cell => builder.append_value($value),)+
                    other => return Err(misfit(other)),
                }
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    Ok(match column.kind {
        Kind::Text => fill!(StringBuilder::new(), Cell::Text(text) => text.raw()),
        Kind::Flag => fill!(BooleanBuilder::new(), Cell::Bool(flag) => *flag),
        Kind::Count | Kind::Bytes => fill!(Int64Builder::new(), Cell::Int(number) => *number),
        Kind::Money | Kind::Quantity => fill!(
            Decimal128Builder::new().with_precision_and_scale(DECIMAL_PRECISION, DECIMAL_SCALE)?,
            Cell::Decimal(number) => fixed(*number)?,
            Cell::Int(number) => fixed(Decimal::from(*number))?
        ),
        Kind::Day => fill!(Date32Builder::new(), Cell::Date(day) => Date32Type::from_naive_date(*day)),
        Kind::Instant => fill!(
            TimestampMicrosecondBuilder::new().with_timezone("UTC"),
            Cell::Time(instant) => instant.timestamp_micros()
        ),
    })
}

/// Returns the number in units of 10^-12, rounded half to even.
fn fixed(number: Decimal) -> Result<i128, ArrowError> {
    let misfit = || ArrowError::ComputeError(format!("{number} does not fit {DECIMAL}"));
    mantissa(number).ok_or_else(misfit)
}

fn mantissa(number: Decimal) -> Option<i128> {
    let scale = DECIMAL_SCALE.unsigned_abs().into();
    let mut rounded = number.round_dp(scale);
    rounded.rescale(scale);
    let most = 10_u128.pow(DECIMAL_PRECISION.into());
    (rounded.scale() == scale && rounded.mantissa().unsigned_abs() < most).then(|| rounded.mantissa())
}

/// Takes numbers that fit no column out of `rows`, and returns how many in which column: they are not known then, and
/// the rest of a scan is worth keeping.
pub fn take_misfits(table: &Table, rows: &mut [Row]) -> BTreeMap<&'static str, usize> {
    let mut taken = BTreeMap::new();
    let decimals = table.columns.iter().filter(|column| matches!(column.kind, Kind::Money | Kind::Quantity));
    for column in decimals {
        for row in rows.iter_mut() {
            if matches!(row.cell(column.name), Cell::Decimal(number) if mantissa(*number).is_none()) {
                row.set(&Arc::from(column.name), Cell::Null);
                *taken.entry(column.name).or_default() += 1;
            }
        }
    }
    taken
}

/// Returns the rows in pieces whose text is at most `most` bytes each, where one row alone is not more.
pub fn by_text(rows: Vec<Row>, most: usize) -> Vec<Vec<Row>> {
    let mut pieces = Vec::new();
    let (mut piece, mut held) = (Vec::new(), 0);
    for row in rows {
        let bytes: usize =
            row.cells().map(|(_, cell)| if let Cell::Text(text) = cell { text.raw().len() } else { 0 }).sum();
        if held + bytes > most && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            held = 0;
        }
        held += bytes;
        piece.push(row);
    }
    pieces.extend((!piece.is_empty()).then_some(piece));
    pieces
}

/// What the numbers of a column must fit, as SQL says it.
pub const DECIMAL: &str = "decimal(28,12)";

/// Returns the rows of a query's answer, whatever its columns are.
///
/// # Errors
/// A column type that no cell can hold (lists, maps, floats).
pub fn from_batch(batch: &RecordBatch) -> Result<Vec<Row>, ArrowError> {
    let schema = batch.schema();
    let mut columns: Vec<(&str, &ArrayRef)> =
        schema.fields().iter().map(|field| field.name().as_str()).zip(batch.columns()).collect();
    columns.sort_by_key(|(name, _)| *name);
    let mut rows = vec![Row::new(); batch.num_rows()];
    for (name, array) in columns {
        let shared: Arc<str> = name.into();
        for (at, row) in rows.iter_mut().enumerate() {
            row.append(&shared, cell(name, array, at)?);
        }
    }
    Ok(rows)
}

/// Returns true when a cell can hold values of the type.
pub fn fits(kind: &DataType) -> bool {
    use DataType::{Boolean, Date32, Decimal128, Int32, Int64, LargeUtf8, Null, Timestamp, UInt64, Utf8, Utf8View};
    matches!(
        kind,
        Null | Utf8
            | LargeUtf8
            | Utf8View
            | Boolean
            | Int32
            | Int64
            | UInt64
            | Decimal128(_, _)
            | Date32
            | Timestamp(_, _)
    )
}

fn cell(name: &str, array: &ArrayRef, at: usize) -> Result<Cell, ArrowError> {
    use arrow::datatypes::TimeUnit::{Microsecond, Millisecond, Nanosecond, Second};
    if array.is_null(at) {
        return Ok(Cell::Null);
    }
    let instant = |micros: i64| DateTime::from_timestamp_micros(micros).map_or(Cell::Null, Cell::Time);
    Ok(match array.data_type() {
        DataType::Null => Cell::Null,
        DataType::Utf8 => array.as_string::<i32>().value(at).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(at).into(),
        DataType::Utf8View => array.as_string_view().value(at).into(),
        DataType::Boolean => array.as_boolean().value(at).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(at).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(at).into(),
        DataType::UInt64 => i64::try_from(array.as_primitive::<UInt64Type>().value(at)).ok().into(),
        DataType::Decimal128(_, scale) => {
            let value = array.as_primitive::<Decimal128Type>().value(at);
            Cell::Decimal(
                decimal(value, *scale).ok_or_else(|| {
                    ArrowError::ComputeError(format!("column `{name}`: number has more than 28 digits"))
                })?,
            )
        }
        DataType::Date32 => day(array.as_primitive::<Date32Type>().value(at)).into(),
        DataType::Timestamp(Second, _) => instant(array.as_primitive::<TimestampSecondType>().value(at) * 1_000_000),
        DataType::Timestamp(Millisecond, _) => {
            instant(array.as_primitive::<TimestampMillisecondType>().value(at) * 1_000)
        }
        DataType::Timestamp(Microsecond, _) => instant(array.as_primitive::<TimestampMicrosecondType>().value(at)),
        DataType::Timestamp(Nanosecond, _) => {
            instant(array.as_primitive::<TimestampNanosecondType>().value(at) / 1_000)
        }
        other => {
            let text =
                format!("column `{name}` is {other}: cast it to text, a whole number, a decimal, a day or a time");
            return Err(ArrowError::NotYetImplemented(text));
        }
    })
}

fn decimal(mantissa: i128, scale: i8) -> Option<Decimal> {
    Decimal::try_from_i128_with_scale(mantissa, scale.try_into().ok()?).ok().map(|d| d.normalize())
}

fn day(since_epoch: i32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(1970, 1, 1)?.checked_add_signed(TimeDelta::days(since_epoch.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::table::{Source, column};

    const SAMPLE: Table = Table {
        name: "sample",
        doc: "",
        key: &["name"],
        source: Source::Analysis,
        columns: &[
            column("name", Kind::Text, ""),
            column("flag", Kind::Flag, ""),
            column("bytes", Kind::Bytes, ""),
            column("usd", Kind::Money, ""),
            column("day", Kind::Day, ""),
            column("at", Kind::Instant, ""),
        ],
    };

    #[test]
    fn rows_come_back_from_arrow_as_they_went_in() {
        let at = DateTime::from_timestamp_micros(1_790_000_000_123_456).unwrap();
        let full = Row::new()
            .with("name", "lake\u{1b}")
            .with("flag", true)
            .with("bytes", 1_i64 << 50)
            .with("usd", Decimal::new(123_456, 7))
            .with("day", at.date_naive())
            .with("at", at);
        let rows = vec![full, Row::new().with("name", "empty")];
        let back = from_batch(&to_batch(&SAMPLE, &rows).unwrap()).unwrap();
        assert_eq!(back[0], rows[0]);
        assert_eq!(back[1].cell("usd"), &Cell::Null);
    }

    #[test]
    fn a_number_that_fits_no_column_is_taken_out_and_counted() {
        let far = Decimal::from_i128_with_scale(10_i128.pow(16), 0);
        let mut rows = vec![Row::new().with("usd", far), Row::new().with("usd", far - Decimal::ONE)];
        assert!(to_batch(&SAMPLE, &rows).is_err(), "28 digits, 12 of them after the point");
        assert_eq!(take_misfits(&SAMPLE, &mut rows), BTreeMap::from([("usd", 1)]));
        let back = from_batch(&to_batch(&SAMPLE, &rows).unwrap()).unwrap();
        assert_eq!((back[0].cell("usd"), back[1].decimal("usd")), (&Cell::Null, Some(far - Decimal::ONE)));
        assert_eq!(DECIMAL, format!("decimal({DECIMAL_PRECISION},{DECIMAL_SCALE})"));
    }

    #[test]
    fn rows_are_cut_by_their_text_and_none_is_lost() {
        let rows: Vec<Row> = ["aaaa", "bbbb", "cccccccccccc", "d"].map(|name| Row::new().with("name", name)).to_vec();
        let pieces: Vec<usize> = by_text(rows, 8).iter().map(Vec::len).collect();
        assert_eq!(pieces, [2, 1, 1]);
    }

    #[test]
    fn a_column_that_is_not_declared_is_refused_by_name() {
        for wrong in ["naem", "a", "zz"] {
            let row = Row::new().with(wrong.to_owned(), "x").with("name", "lake").with("at", Cell::Null);
            let refused = to_batch(&SAMPLE, &[row]).unwrap_err().to_string();
            assert!(refused.contains("`sample`") && refused.contains(&format!("`{wrong}`")), "{refused}");
        }
    }
}
