//! `prices show --changed`: what the price list says differently now, with the price before and its date.

use serde_json::json;

use crate::cmd::{Context, Format, rows};
use crate::engine::Answer;
use crate::error::Failure;
use crate::model::{Money, Row};
use crate::prices::refreshed::Changed;

const COLUMNS: [&str; 11] =
    ["item", "region", "usd_before", "usd", "per", "unit", "from", "date_before", "date", "seen", "source"];

/// Prints changes, or says that there are none.
pub fn print(changes: &[&Changed], context: &Context) -> Result<(), Failure> {
    let format = context.format(&[Format::Table, Format::Json, Format::Csv])?;
    if changes.is_empty() && format == Format::Table {
        return context.term.data("no price has changed");
    }
    let shown = if format == Format::Table { COLUMNS.len() - 1 } else { COLUMNS.len() };
    let columns = COLUMNS[..shown].iter().map(|&name| name.to_owned()).collect();
    let answer = Answer { columns, batches: Vec::new() };
    let found: Vec<Row> = changes.iter().map(|change| row(change)).collect();
    match format {
        Format::Json => {
            context.term.data(&rows::document("price_changes", json!({ "changes": rows::json(&answer, &found) }))?)
        }
        Format::Csv => context.term.csv(&rows::csv(&answer, &found)),
        Format::Table | Format::Markdown => context.term.data(&rows::table(&answer, &found)),
    }
}

fn row(change: &Changed) -> Row {
    let price = &change.price;
    Row::new()
        .with("item", price.item.as_str())
        .with("region", price.region.as_str())
        .with("usd_before", change.before.map(|(usd, _)| Money::new(usd)))
        .with("usd", price.usd)
        .with("per", price.per)
        .with("unit", price.unit.as_str())
        .with("from", price.from)
        .with("date_before", change.before.map(|(_, date)| date))
        .with("date", price.date)
        .with("seen", change.seen)
        .with("source", price.source.as_str())
}
