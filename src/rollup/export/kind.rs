//! What kind of export a file is of, by its columns and first rows: report or FOCUS, who pays, what is left out.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use futures::StreamExt;

use super::grade::Lack;
use super::manifest::other_of;
use crate::engine::Engine;
use crate::engine::files::{Files, ForeignFile, columns_of};
use crate::model::Row;
use crate::rollup::{RollUp, bill};
use crate::store::Place;

/// Usage that lasts this many days is by the month: reports by the hour or day have lines of a day.
const MONTHLY_DAYS: i64 = 27;

/// What a file turned out to be.
pub enum Looked {
    /// A bill.
    Bill(Kind),
    /// Something else that Data Exports deliver.
    Other(&'static str),
}

/// What is the same for all months of an export.
#[derive(Clone)]
pub struct Kind {
    pub roll_up: &'static RollUp,
    /// The account that pays.
    pub payer: Option<String>,
    /// What its columns and first rows show to be left out.
    pub lacks: BTreeSet<Lack>,
}

/// True for the roll-up of FOCUS files.
pub fn is_focus(roll_up: &RollUp) -> bool {
    roll_up.file != bill::CUR.file
}

/// Looks at the first of the files.
pub async fn look(place: &Place, files: &[ForeignFile]) -> Result<Looked, String> {
    let first = files.first().ok_or("it has no file")?;
    let names = columns_of(place.objects(), first).await.map_err(|error| error.to_string())?;
    let has = |wanted: &str| names.iter().any(|name| name.trim().eq_ignore_ascii_case(wanted));
    let roll_up = if has("line_item_unblended_cost") || has("lineItem/UnblendedCost") {
        &bill::CUR
    } else if has("BilledCost") {
        &bill::FOCUS
    } else if let Some(other) = other_of(names.iter().map(String::as_str)) {
        return Ok(Looked::Other(other));
    } else {
        let why = "is no Cost and Usage Report and no FOCUS file: it has no column of unblended or billed cost";
        return Err(format!("`{}` {why}", first.shown));
    };
    let by_resource = ["line_item_resource_id", "lineItem/ResourceId", "ResourceId"].into_iter().any(has);
    let (payer, monthly) = first_rows(place, first, roll_up).await.unwrap_or_default();
    let lacks = [(!by_resource).then_some(Lack::Resources), monthly.then_some(Lack::Days)];
    Ok(Looked::Bill(Kind { roll_up, payer, lacks: lacks.into_iter().flatten().collect() }))
}

/// Returns the account that pays, from the first row of AWS that says so, and whether the first rows are by the month.
async fn first_rows(place: &Place, first: &ForeignFile, roll_up: &'static RollUp) -> Option<(Option<String>, bool)> {
    let files = Files::open(place.objects(), vec![first.clone()], roll_up.from).await.ok()?;
    let engine = Engine::new().ok()?;
    engine.attach(files).ok()?;
    let (payer, table) = (bill::payer_column(roll_up), roll_up.from.name);
    let sql = if is_focus(roll_up) {
        format!("select {payer} as payer from {table} where {}", bill::FOCUS_OF_AWS)
    } else {
        let [from, to] = ["line_item_usage_start_date", "line_item_usage_end_date"];
        format!("select {payer} as payer, line_item_line_item_type as kind, {from} as start, {to} as ends from {table}")
    };
    let mut answer = engine.stream(&sql).await.ok()?;
    let (mut payer, mut monthly) = (None, None);
    while let Some(Ok(batch)) = answer.next().await {
        let rows = rows(&batch)?;
        monthly = monthly.or_else(|| is_monthly(&rows));
        payer = rows.iter().find_map(|row| row.text("payer")).map(|payer| payer.raw().to_owned());
        if payer.is_some() {
            break;
        }
    }
    Some((payer, monthly.unwrap_or(false)))
}

fn rows(batch: &RecordBatch) -> Option<Vec<Row>> {
    crate::store::batch::from_batch(batch).ok()
}

/// Returns whether all usage of the rows is by the month; `None` where no row says how long its usage lasts.
fn is_monthly(rows: &[Row]) -> Option<bool> {
    let usage = rows.iter().filter(|row| row.key("kind") == "Usage");
    let days: Vec<i64> = usage.filter_map(|row| Some((row.time("ends")? - row.time("start")?).num_days())).collect();
    (!days.is_empty()).then(|| days.iter().all(|days| *days >= MONTHLY_DAYS))
}
