//! One unit of an export as rows of its tables: all of them, or the reason why none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, Utc};
use futures::StreamExt;

use super::{ACTIVITY, BANDS, SETTINGS, SIZES, Unit};
use crate::engine::files::Files;
use crate::model::Row;
use crate::rollup::RollUp;
use crate::rollup::encoded::decoded;
use crate::store::tables::lens::STORAGE_LENS;
use crate::store::{Days, Draft, batch};

/// A bucket on a day: account, bucket, day.
pub(super) type Place = (String, String, NaiveDate);

/// What one unit came to.
pub(super) struct Day {
    pub drafts: Vec<Draft>,
    /// What it is about, as far as nothing else was before it.
    pub places: BTreeSet<Place>,
    /// What it is about, but another export said already.
    pub beaten: BTreeSet<Place>,
    /// Rows of whole buckets in `storage_lens`, by class.
    pub buckets: Vec<Row>,
    /// Settings of buckets, as they are counted.
    pub settings: Vec<Row>,
}

impl Day {
    /// Returns the days that it is about, by account.
    pub fn days(&self) -> BTreeMap<&str, BTreeSet<NaiveDate>> {
        let mut days: BTreeMap<&str, BTreeSet<NaiveDate>> = BTreeMap::new();
        for (account, _, day) in &self.places {
            days.entry(account).or_default().insert(*day);
        }
        days
    }
}

/// Reads the unit. Buckets of `taken` days are left out: another export said what they hold.
pub(super) async fn read(unit: &Unit, as_of: DateTime<Utc>, taken: &BTreeSet<Place>) -> Result<Day, String> {
    let files = Files::open(Arc::clone(&unit.objects), unit.files.clone(), SIZES.from).await;
    let files = files.map_err(|error| error.to_string())?;
    let lost: Vec<&str> =
        files.missing().into_iter().map(|(column, _)| column).filter(|of| *of != "aws_region").collect();
    if !lost.is_empty() {
        return Err(format!("it is no Storage Lens report: it lacks {}", lost.join(", ")));
    }
    let mut day = Day {
        drafts: Vec::new(),
        places: BTreeSet::new(),
        beaten: BTreeSet::new(),
        buckets: Vec::new(),
        settings: Vec::new(),
    };
    for roll_up in [&SIZES, &ACTIVITY, &BANDS] {
        let draft = rolled(roll_up, files.clone(), as_of, taken, &mut day).await?;
        day.drafts.push(draft);
    }
    day.settings = settings(files, taken).await?;
    if day.places.is_empty() && day.beaten.is_empty() {
        return Err("it is empty: its files hold no record of a bucket".to_owned());
    }
    if let Some(told) = unit.day
        && let Some((_, _, other)) = day.places.iter().chain(&day.beaten).find(|(_, _, day)| *day != told)
    {
        return Err(format!("its rows are of {other}, its manifest of {told}"));
    }
    Ok(day)
}

async fn rolled(
    roll_up: &'static RollUp,
    files: Files,
    as_of: DateTime<Utc>,
    taken: &BTreeSet<Place>,
    day: &mut Day,
) -> Result<Draft, String> {
    let mut batches = roll_up.run(files).await.map_err(|error| error.to_string())?;
    let mut draft = Draft::new(roll_up.into, as_of);
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| error.to_string())?;
        let batch = kept(&batch, taken, day).map_err(|error| error.to_string())?;
        draft.push(&batch).map_err(|error| error.to_string())?;
        if roll_up.into.name == STORAGE_LENS.name {
            day.buckets.extend(whole_buckets(&batch).map_err(|error| error.to_string())?);
        }
    }
    Ok(draft)
}

async fn settings(files: Files, taken: &BTreeSet<Place>) -> Result<Vec<Row>, String> {
    let mut batches = SETTINGS.run(files).await.map_err(|error| error.to_string())?;
    let mut rows = Vec::new();
    while let Some(batch) = batches.next().await {
        let batch = batch.map_err(|error| error.to_string())?;
        rows.extend(batch::from_batch(&batch).map_err(|error| error.to_string())?);
    }
    let new = |row: &Row| {
        let place = row.date("day").map(|day| (row.key("account_id").to_owned(), row.key("bucket").to_owned(), day));
        place.is_some_and(|place| !taken.contains(&place))
    };
    rows.retain(new);
    Ok(rows)
}

/// Returns the rows that no other export said, with their prefixes in plain text.
fn kept(batch: &RecordBatch, taken: &BTreeSet<Place>, day: &mut Day) -> Result<RecordBatch, ArrowError> {
    let texts = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    let days = batch.column_by_name("day").and_then(|column| column.as_primitive_opt::<arrow::datatypes::Date32Type>());
    let (Some(accounts), Some(buckets), Some(days)) = (texts("account_id"), texts("bucket"), days) else {
        return Err(ArrowError::SchemaError("a report without account, bucket or day".to_owned()));
    };
    let mut keep = Vec::with_capacity(batch.num_rows());
    for at in 0..batch.num_rows() {
        let date = (!days.is_null(at)).then(|| days.value_as_date(at)).flatten();
        let date = date.ok_or_else(|| ArrowError::ComputeError("a record without its day".to_owned()))?;
        let place = (accounts.value(at).to_owned(), buckets.value(at).to_owned(), date);
        let new = !taken.contains(&place);
        keep.push(new);
        if new {
            day.places.insert(place)
        } else {
            day.beaten.insert(place)
        };
    }
    let rows = filter_record_batch(batch, &BooleanArray::from(keep))?;
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, array)| plain(field.name(), array));
    RecordBatch::try_new(schema.clone(), columns.collect())
}

fn plain(name: &str, array: &ArrayRef) -> ArrayRef {
    match array.as_string_opt::<i32>().filter(|_| name == "prefix") {
        Some(prefixes) => Arc::new(prefixes.iter().map(|prefix| prefix.map(decoded)).collect::<StringArray>()),
        None => Arc::clone(array),
    }
}

fn whole_buckets(rows: &RecordBatch) -> Result<Vec<Row>, ArrowError> {
    let Some(prefixes) = rows.column_by_name("prefix") else { return Ok(Vec::new()) };
    let whole: BooleanArray = (0..prefixes.len()).map(|at| Some(prefixes.is_null(at))).collect();
    batch::from_batch(&filter_record_batch(rows, &whole)?)
}

/// Returns the days in runs without a hole.
pub(super) fn runs(days: &BTreeSet<NaiveDate>) -> Vec<Days> {
    let mut runs: Vec<Days> = Vec::new();
    for day in days {
        match runs.last_mut().filter(|run| run.to.succ_opt() == Some(*day)) {
            Some(run) => run.to = *day,
            None => runs.push(Days { from: *day, to: *day }),
        }
    }
    runs
}
