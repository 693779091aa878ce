//! `prices show`: the price book in use, each price with where and when it was read; `--changed`: what a refresh changed.

use clap::Args;
use serde_json::json;

use super::changed;
use crate::cmd::{Context, Format, rows};
use crate::engine::Answer;
use crate::error::{Failure, Kind};
use crate::model::text::terminal;
use crate::model::{Money, Row};
use crate::prices::refreshed::{self, Changed};
use crate::prices::{GLOBAL, Price, PriceBook};

/// Print the list prices that are used; --region picks Regions.
#[derive(Debug, Args)]
pub struct Show {
    /// Only this item, or all whose names begin with it: s3.storage.
    #[arg(long, value_name = "ITEM")]
    item: Option<String>,
    /// Only what a refresh changed: the price before, the price now, and their dates.
    #[arg(long)]
    changed: bool,
}

/// Prints the prices.
pub async fn run(show: &Show, context: &Context) -> Result<(), Failure> {
    if show.changed {
        return changes(show, context).await;
    }
    let format = context.format(&[Format::Table, Format::Json, Format::Csv])?;
    let book = in_use(context).await?;
    let picked: Vec<&Price> = book.prices().filter(|price| picks(show, &context.global.region, price)).collect();
    if picked.is_empty() {
        return Err(nothing(show, &context.global.region, &book));
    }
    let sources = sources(&picked);
    let found: Vec<Row> = picked.iter().map(|price| row(price, format, &sources)).collect();
    let answer = Answer { columns: COLUMNS.map(str::to_owned).to_vec(), batches: Vec::new() };
    context.term.data(&match format {
        Format::Json => rows::document("prices", json!({ "prices": rows::json(&answer, &found) }))?,
        Format::Csv => return context.term.csv(&rows::csv(&answer, &found)),
        Format::Table | Format::Markdown => format!("{}\n\n{}", rows::table(&answer, &found), footnotes(&sources)),
    })
}

/// The prices of the store's facts, whether or not there are any yet; prices of another host are shown as they are.
async fn in_use(context: &Context) -> Result<PriceBook, Failure> {
    let embedded = super::embedded()?;
    if context.global.demo {
        return Ok(embedded);
    }
    let newest = context.store().await?.newest_price_file().await?;
    Ok(match newest {
        Some(file) => embedded.with(&super::parse(&file)?.book),
        None => embedded,
    })
}

async fn changes(show: &Show, context: &Context) -> Result<(), Failure> {
    let mut refreshes = Vec::new();
    if !context.global.demo {
        for file in context.store().await?.price_files().await? {
            refreshes.push(super::parse(&file)?);
        }
    }
    let found = refreshed::changes(&super::embedded()?, &refreshes);
    let picked: Vec<&Changed> =
        found.iter().filter(|change| picks(show, &context.global.region, &change.price)).collect();
    changed::print(&picked, context)
}

const COLUMNS: [&str; 10] = ["item", "region", "usage_type", "usd", "per", "unit", "from", "mark", "date", "source"];

fn picks(show: &Show, regions: &[String], price: &Price) -> bool {
    let item = show.item.as_deref().is_none_or(|item| {
        price
            .item
            .strip_prefix(item)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || item.ends_with('.'))
    });
    item && (regions.is_empty() || price.region == GLOBAL || regions.contains(&price.region))
}

/// Where the prices were read, each once, in the order of the table.
fn sources<'a>(prices: &[&'a Price]) -> Vec<&'a str> {
    let mut sources: Vec<&str> = Vec::new();
    for price in prices {
        if !sources.contains(&price.source.as_str()) {
            sources.push(&price.source);
        }
    }
    sources
}

fn row(price: &Price, format: Format, sources: &[&str]) -> Row {
    // In a table for people the sentence would push everything else aside: it stands below, by number.
    let number = sources.iter().position(|source| *source == price.source).unwrap_or_default() + 1;
    let source = if format == Format::Table { format!("[{number}]") } else { price.source.clone() };
    Row::new()
        .with("item", price.item.as_str())
        .with("region", price.region.as_str())
        .with("usage_type", Some(price.usage_types.as_str()).filter(|name| !name.is_empty()))
        .with("usd", Money::new(price.usd.usd()))
        .with("per", price.per)
        .with("unit", price.unit.as_str())
        .with("from", price.from)
        .with("mark", format!("{}: {}", price.mark.code(), price.mark.as_str()))
        .with("date", price.date)
        .with("source", source)
}

fn footnotes(sources: &[&str]) -> String {
    let lines = sources.iter().enumerate().map(|(at, source)| format!("[{}] {source}", at + 1));
    lines.collect::<Vec<_>>().join("\n")
}

fn nothing(show: &Show, regions: &[String], book: &PriceBook) -> Failure {
    let item = show.item.as_deref().unwrap_or_default();
    let known = item.is_empty() || book.prices().any(|price| picks(show, &[], price));
    if known {
        let places = regions.iter().map(|region| format!("`{}`", terminal(region))).collect::<Vec<_>>().join(", ");
        return Failure::new(Kind::Failed, format!("no price in {places} is known"))
            .hint("a Region without a price makes dollars unknown, never 0");
    }
    Failure::new(Kind::Failed, format!("the price book has no item `{}`", terminal(item)))
        .hint("`leanlake prices show` lists all of them")
}
