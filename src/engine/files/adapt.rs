//! Values as a foreign file writes them, in the type that was wanted. A value that does not fit is an error, not a NULL.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Decimal128Builder, Int64Builder, PrimitiveArray, StringArray,
    TimestampMicrosecondBuilder,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use super::{Type, exact};
use crate::store::table::{DECIMAL_PRECISION, DECIMAL_SCALE};

/// Characters of a wrong value that an error shows.
const SHOWN: usize = 40;

/// Returns the values as `kind`; `null_words` are what text says for NULL.
pub fn adapt(array: &ArrayRef, kind: Type, null_words: &[&str]) -> Result<ArrayRef, String> {
    use DataType::{Binary, Dictionary, Float16, Float32, Float64, LargeBinary, LargeUtf8, Utf8, Utf8View};
    match (array.data_type(), kind) {
        (Utf8 | LargeUtf8 | Utf8View | Binary | LargeBinary | Dictionary(_, _), _) => of_text(array, kind, null_words),
        (Float16 | Float32 | Float64, Type::Decimal) => of_floats(array),
        (Float16 | Float32 | Float64, Type::Instant | Type::Flag) => Err(unfit(array, kind)),
        (from, _) if fits(from, kind) => cast(array, &kind.arrow()),
        _ => Err(unfit(array, kind)),
    }
}

/// Whether Arrow's own cast means what we mean.
fn fits(from: &DataType, kind: Type) -> bool {
    use DataType::{Boolean, Date32, Date64, Null, Timestamp};
    let number = from.is_numeric();
    match kind {
        _ if matches!(from, Null) => true,
        Type::Text => number || matches!(from, Boolean | Timestamp(_, _) | Date32),
        Type::Whole | Type::Decimal => number,
        Type::Instant => matches!(from, Timestamp(_, _) | Date32 | Date64),
        Type::Flag => matches!(from, Boolean),
    }
}

fn unfit(array: &ArrayRef, kind: Type) -> String {
    format!("it holds {}, which is not read as {}", array.data_type(), name(kind))
}

fn name(kind: Type) -> &'static str {
    match kind {
        Type::Text => "text",
        Type::Whole => "a whole number",
        Type::Decimal => "a decimal",
        Type::Instant => "a time",
        Type::Flag => "true or false",
    }
}

fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, String> {
    // A time with a zone is the same instant in UTC, without one.
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let utc = match (array.data_type(), to) {
        (DataType::Timestamp(_, Some(_)), DataType::Timestamp(_, None)) => {
            let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            cast_with_options(array, &utc, &strict).map_err(|error| error.to_string())?
        }
        _ => Arc::clone(array),
    };
    cast_with_options(&utc, to, &strict).map_err(|error| error.to_string())
}

fn of_floats(array: &ArrayRef) -> Result<ArrayRef, String> {
    let doubles = cast(array, &DataType::Float64)?;
    let doubles: &PrimitiveArray<Float64Type> = doubles.as_primitive();
    let mut units = decimals(doubles.len())?;
    for number in doubles {
        match number {
            None => units.append_null(),
            Some(number) => units.append_value(
                exact::from_float(number).ok_or_else(|| format!("{number} is no number of decimal(28,12)"))?,
            ),
        }
    }
    Ok(Arc::new(units.finish()))
}

fn decimals(rows: usize) -> Result<Decimal128Builder, String> {
    let builder = Decimal128Builder::with_capacity(rows).with_precision_and_scale(DECIMAL_PRECISION, DECIMAL_SCALE);
    builder.map_err(|error| error.to_string())
}

fn of_text(array: &ArrayRef, kind: Type, null_words: &[&str]) -> Result<ArrayRef, String> {
    let texts = cast(array, &DataType::Utf8)?;
    let texts: &StringArray = texts.as_string();
    let said =
        |text: Option<&str>| -> Option<String> { text.filter(|text| !null_words.contains(text)).map(str::to_owned) };
    if kind == Type::Text && null_words.is_empty() {
        return Ok(Arc::new(texts.clone()));
    }
    if kind == Type::Text {
        return Ok(Arc::new(texts.iter().map(said).collect::<StringArray>()));
    }
    let texts = texts.iter().map(|text| text.filter(|text| !text.trim().is_empty() && !null_words.contains(text)));
    macro_rules! fill {
        ($builder:expr, $parse:expr) => {{
            let mut builder = $builder;
            for text in texts {
                match text {
                    None => builder.append_null(),
                    Some(text) => builder.append_value($parse(text).ok_or_else(|| wrong(text, kind))?),
                }
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    Ok(match kind {
        Type::Decimal => fill!(decimals(array.len())?, exact::from_text),
        Type::Whole => fill!(Int64Builder::with_capacity(array.len()), |text: &str| text.trim().parse().ok()),
        Type::Instant => fill!(TimestampMicrosecondBuilder::with_capacity(array.len()), micros),
        Type::Flag => fill!(BooleanBuilder::with_capacity(array.len()), flag),
        Type::Text => return Err("text is text".to_owned()),
    })
}

fn wrong(text: &str, kind: Type) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    format!("`{shown}` is not {}", name(kind))
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Returns microseconds since 1970 of a time with or without a zone, or of a day; without a zone it is UTC.
fn micros(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.timestamp_micros());
    }
    let plain = |format| NaiveDateTime::parse_from_str(text, format).ok();
    let plain = plain("%Y-%m-%d %H:%M:%S%.f").or_else(|| plain("%Y-%m-%dT%H:%M:%S%.f"));
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN));
    plain.or_else(day).map(|time| time.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Array, TimestampMillisecondArray};

    use super::*;

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn the_same_value_written_in_any_way_is_the_same_value() {
        let decimal = adapt(&texts(&["0.023", "2.3e-2", ""]), Type::Decimal, &[]).unwrap();
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![Some(0.023), Some(0.023), None]));
        assert_eq!(&decimal, &adapt(&floats, Type::Decimal, &[]).unwrap());
        let written = ["2026-10-05T01:00:00Z", "2026-10-05 01:00:00", "2026-10-05T03:00:00.000+02:00"];
        let times = adapt(&texts(&written), Type::Instant, &[]).unwrap();
        let stamps: ArrayRef =
            Arc::new(TimestampMillisecondArray::from(vec![1_791_162_000_000; 3]).with_timezone("+05:00"));
        assert_eq!(&times, &adapt(&stamps, Type::Instant, &[]).unwrap());
        let whole: ArrayRef = Arc::new(Int32Array::from(vec![7]));
        assert_eq!(&adapt(&whole, Type::Text, &[]).unwrap(), &texts(&["7"]));
    }

    #[test]
    fn a_word_for_null_is_null_only_where_it_was_said_so() {
        let values = texts(&["NULL", "x"]);
        assert_eq!(adapt(&values, Type::Text, &["NULL"]).unwrap().null_count(), 1);
        assert_eq!(adapt(&values, Type::Text, &[]).unwrap().null_count(), 0);
        assert_eq!(adapt(&texts(&["NULL"]), Type::Decimal, &["NULL"]).unwrap().null_count(), 1);
    }

    #[test]
    fn what_does_not_fit_is_an_error_that_shows_the_value() {
        for (value, kind) in [("12 USD", Type::Decimal), ("soon", Type::Instant), ("yes", Type::Flag)] {
            assert!(adapt(&texts(&[value]), kind, &[]).unwrap_err().contains(value), "{value}");
        }
        let stamps: ArrayRef = Arc::new(TimestampMillisecondArray::from(vec![1]));
        assert!(adapt(&stamps, Type::Decimal, &[]).unwrap_err().contains("a decimal"));
    }
}
