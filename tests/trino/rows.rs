//! Rows of foreign files that a roll-up meets at its worst. Made of its own text: no list of columns can go stale.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Decimal128Type, Field, Schema};
use leanlake::engine::files::{Type, Wanted};
use leanlake::rollup::RollUp;

/// What any text may hold: nothing, folders of all kinds, other alphabets, quotes, line breaks, look-alikes of NULL.
const TEXTS: &[&str] = &[
    "",
    "/",
    "//",
    "a",
    "A",
    "a/",
    "a//b",
    "a/b/c/d/e/f.csv",
    "a/b/c/d",
    "/x/",
    "raw/year=2026/a b.parquet",
    "ä/ß/İ/ı/é",
    "e\u{301}/日本/𝒳/\u{200b}/x",
    " padded / ",
    "tab\t/new\nline/x",
    "it's/\"quoted\"/\\back",
    "%/_/%",
    "NULL",
    "null",
    "\u{ffff}/\u{10ffff}",
    "0",
    "-1",
];
/// Numbers as text, for columns that a roll-up casts to whole numbers.
const DIGITS: &[&str] = &["0", "1", "-1", "7", "131072", "9007199254740993", "+5", "0012"];
/// Whole numbers: nothing, less than nothing, the edges of size bands, beyond what floating point holds.
const WHOLE: &[i64] = &[
    0,
    1,
    -1,
    131_071,
    131_072,
    1_048_575,
    1_048_576,
    16_777_215,
    16_777_216,
    134_217_727,
    134_217_728,
    1_073_741_823,
    1_073_741_824,
    9_007_199_254_740_993,
    100_000_000_000_000,
];
/// decimal(28,12) in units of its last place.
const UNITS: &[i128] = &[
    0,
    1,
    -1,
    100_000_000_000,
    200_000_000_000,
    333_333_333_333,
    -513_933_084_758_680,
    1_234_567_891_234_567_891,
    9_999_999_999_999_999_999_999_999_999,
    -9_999_999_999_999_999_999_999_999_999,
];
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// 2026-11-01T00:00:00Z: a month's edge, which lists are begun at and bills end at.
const EDGE: i64 = 1_793_491_200_000;
/// Times before and after the edge: a millisecond to either side of each age, a leap day, before 1970, far away.
const BEFORE: &[i64] = &[
    0,
    1,
    -1,
    3_600_000,
    DAY,
    DAY - 1,
    30 * DAY,
    30 * DAY - 1,
    30 * DAY + 1,
    31 * DAY,
    60 * DAY,
    60 * DAY + 1,
    90 * DAY,
    180 * DAY,
    180 * DAY - 1,
    365 * DAY,
    365 * DAY + 1,
    730 * DAY,
    730 * DAY - 1,
    976 * DAY,
    25_000 * DAY,
    -30 * DAY,
    -365 * DAY,
    -100_000 * DAY,
];

/// How often rows come again with other numbers.
const TIMES: usize = 4;
/// Of how many rows one has no value in a column.
const NULL_EVERY: u64 = 9;

/// Returns `count` rows of what the roll-up reads: the same ones each time.
pub fn of(roll_up: &RollUp, count: usize) -> RecordBatch {
    let columns = roll_up.from.columns.iter().map(|column| array(roll_up, column, count)).collect();
    batch(roll_up, columns)
}

/// Returns the same as AWS writes it: amounts in floating point, and without the last column, which is NULL then.
pub fn as_written(roll_up: &RollUp, count: usize) -> RecordBatch {
    let typed = of(roll_up, count);
    let kept = 0..typed.num_columns() - 1;
    let typed = typed.project(&kept.collect::<Vec<_>>()).unwrap();
    let float = |array: &ArrayRef| match array.data_type() {
        DataType::Decimal128(..) => floats(array),
        _ => Arc::clone(array),
    };
    let columns: Vec<ArrayRef> = typed.columns().iter().map(float).collect();
    let schema = typed.schema();
    let named = schema.fields().iter().zip(&columns);
    let fields = named.map(|(field, array)| Field::new(field.name(), array.data_type().clone(), true));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).unwrap()
}

/// Amounts that floating point holds; of the others a quarter stands in place.
fn floats(array: &ArrayRef) -> ArrayRef {
    let units = array.as_primitive::<Decimal128Type>().iter();
    let held = units.map(|units| units.map(|units| if units.abs() < 1 << 60 { units } else { 250_000_000_000 }));
    arrow::compute::cast(&decimals(held.collect()), &DataType::Float64).unwrap()
}

/// Returns two rows alike that no filter of the roll-up drops.
pub fn plain(roll_up: &RollUp) -> RecordBatch {
    batch(roll_up, roll_up.from.columns.iter().map(|column| first(roll_up, column)).collect())
}

/// Returns such rows that a roll-up must refuse: sums beyond a bigint, and text where it casts to whole numbers.
pub fn broken(roll_up: &RollUp) -> Vec<RecordBatch> {
    let text = roll_up.sql.to_lowercase();
    let sums = text.contains("sum(");
    let wrong = |column: &Wanted| -> Option<Vec<ArrayRef>> {
        let digits = digits(roll_up, column);
        let values: [Vec<Option<&str>>; 2] = [vec![Some("9223372036854775807"); 2], vec![Some("12.5"); 2]];
        match column.kind {
            Type::Whole if sums => Some(vec![Arc::new(Int64Array::from(vec![i64::MAX; 2]))]),
            Type::Text if digits && sums => Some(values.map(|of| Arc::new(StringArray::from(of)) as ArrayRef).into()),
            Type::Text if digits => Some(vec![Arc::new(StringArray::from(values[1].clone()))]),
            _ => None,
        }
    };
    let mut broken = Vec::new();
    for (at, column) in roll_up.from.columns.iter().enumerate() {
        for array in wrong(column).into_iter().flatten() {
            let mut columns: Vec<ArrayRef> = roll_up.from.columns.iter().map(|of| first(roll_up, of)).collect();
            columns[at] = array;
            broken.push(batch(roll_up, columns));
        }
    }
    broken
}

fn batch(roll_up: &RollUp, columns: Vec<ArrayRef>) -> RecordBatch {
    let named = roll_up.from.columns.iter().zip(&columns);
    let fields = named.map(|(column, array)| Field::new(column.name, array.data_type().clone(), true));
    RecordBatch::try_new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns).unwrap()
}

/// A column of [`plain`]: text is the first word that the roll-up compares it with.
fn first(roll_up: &RollUp, column: &Wanted) -> ArrayRef {
    match column.kind {
        Type::Text => Arc::new(StringArray::from(vec![words(roll_up, column).first().cloned(); 2])),
        Type::Whole => Arc::new(Int64Array::from(vec![1; 2])),
        Type::Decimal => decimals(vec![Some(0); 2]),
        Type::Instant => Arc::new(TimestampMillisecondArray::from(vec![EDGE; 2])),
        Type::Flag => Arc::new(BooleanArray::from(vec![None; 2])),
    }
}

fn array(roll_up: &RollUp, column: &Wanted, count: usize) -> ArrayRef {
    let mut dice = Dice::of(roll_up.file, column.name);
    // What is not counted comes again and again, so that groups have rows.
    let counted = matches!(column.kind, Type::Whole | Type::Decimal) || digits(roll_up, column);
    let period = if counted { count } else { count / TIMES };
    let mut pick = |many: usize| -> Vec<Option<usize>> {
        let once: Vec<Option<usize>> = (0..period).map(|_| dice.pick(many)).collect();
        once.into_iter().cycle().take(count).collect()
    };
    match column.kind {
        Type::Text => {
            let words = words(roll_up, column);
            let at = pick(words.len());
            Arc::new(at.into_iter().map(|at| at.map(|at| words[at].as_str())).collect::<StringArray>())
        }
        Type::Whole => Arc::new(pick(WHOLE.len()).into_iter().map(|at| at.map(|at| WHOLE[at])).collect::<Int64Array>()),
        Type::Decimal => decimals(pick(UNITS.len()).into_iter().map(|at| at.map(|at| UNITS[at])).collect()),
        Type::Instant => {
            let times = pick(BEFORE.len()).into_iter().map(|at| at.map(|at| EDGE - BEFORE[at]));
            Arc::new(times.collect::<TimestampMillisecondArray>())
        }
        Type::Flag => Arc::new(pick(2).into_iter().map(|at| at.map(|at| at == 1)).collect::<BooleanArray>()),
    }
}

fn decimals(units: Vec<Option<i128>>) -> ArrayRef {
    let array = Decimal128Array::from(units).with_data_type(DataType::Decimal128(28, 12));
    Arc::new(array)
}

/// Returns true where the roll-up casts the text of a column to a whole number.
fn digits(roll_up: &RollUp, column: &Wanted) -> bool {
    roll_up.sql.to_lowercase().contains(&format!("cast({} as bigint)", column.name))
}

/// Returns what a column of text holds: the words that the roll-up compares it with, often, and a few that it does not.
fn words(roll_up: &RollUp, column: &Wanted) -> Vec<String> {
    if digits(roll_up, column) {
        return DIGITS.iter().map(|&text| text.to_owned()).collect();
    }
    let sql = roll_up.sql.to_lowercase();
    let mut words = Vec::new();
    for (at, name) in sql.match_indices(column.name) {
        let rest = roll_up.sql[at + name.len()..].trim_start();
        let comparison =
            ["= ", "<> ", "like ", "in ("].into_iter().find_map(|op| rest.strip_prefix(op).map(|rest| (op, rest)));
        let Some((op, rest)) = comparison else { continue };
        let end = if op == "in (" { rest.find(')') } else { rest.find(['\n', ')']) }.unwrap_or(rest.len());
        let literals = rest[..end].split('\'').skip(1).step_by(2);
        let literals: Vec<&str> = if op == "in (" { literals.collect() } else { literals.take(1).collect() };
        words.extend(literals.into_iter().map(|word| word.replace('%', "7x_y")));
    }
    let others = if words.is_empty() { TEXTS } else { &TEXTS[..TEXTS.len() / 4] };
    // Words for NULL are gone before any SQL: that is how files are read.
    let others = others.iter().filter(|text| !roll_up.from.null_words.contains(text));
    words.extend(others.map(|&text| text.to_owned()));
    words.dedup();
    words
}

/// Numbers that look random and are the same each time (xorshift).
struct Dice(u64);

impl Dice {
    fn of(file: &str, column: &str) -> Dice {
        let mix = |seed: u64, byte: u8| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Dice(file.bytes().chain(column.bytes()).fold(0xcbf2_9ce4_8422_2325, mix))
    }

    /// Returns a place below `many`; `None` for NULL.
    fn pick(&mut self, many: usize) -> Option<usize> {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let number = self.0 >> 11;
        let at = usize::try_from(number / NULL_EVERY % many as u64).unwrap();
        (!number.is_multiple_of(NULL_EVERY)).then_some(at)
    }
}
