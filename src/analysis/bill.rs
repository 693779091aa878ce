//! What the last full month's bill says, by usage type and by line. Never a month with a missing or unsettled day.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::AnalysisError;
use crate::engine::{Engine, EngineError};
use crate::model::{BillLine, Money, Row};
use crate::prices::{BilledUsage, Payer, PriceBook, RateCard};

/// Days until a day's cost is final for our purposes.
const SETTLE_DAYS: u64 = 2;
/// Net amortised where the caller may see it, else amortised, else unblended.
pub(super) const COST: &str = "sum(coalesce(net_amortized, amortized, unblended))";
/// S3, CloudWatch Logs, the container registry and the vaults of Amazon Glacier all bill `TimedStorage-ByteHrs`, at
/// prices of their own: only S3's says what S3 costs. The archive classes of S3 may stand under a Glacier service.
const OWN_NAME: &str = "(usage_type not like '%TimedStorage-%' or service = 'Amazon Simple Storage Service' \
                        or service like '%Glacier%' and usage_type not like '%TimedStorage-ByteHrs')";

/// One line of the bill and its cost in the last full month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineCost {
    /// The line.
    pub line: BillLine,
    /// Net amortised cost, USD in the month.
    pub net: Money,
}

/// Returns the first day of the newest month whose every day is on the bill and settled.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn full_month(engine: &Engine, as_of: DateTime<Utc>) -> Result<Option<NaiveDate>, AnalysisError> {
    find_month(engine, as_of).await.map_err(AnalysisError::of("bill"))
}

/// Returns what was used and paid in the last full month by usage type. A quantity that the bill mixes is 0, which
/// says nothing about a rate.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn billed(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<BilledUsage>, AnalysisError> {
    find_billed(engine, as_of).await.map_err(AnalysisError::of("bill"))
}

/// Returns the rates of whoever was billed: the price book, and what the last full month says was paid.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn rate_card(engine: &Engine, book: PriceBook, as_of: DateTime<Utc>) -> Result<RateCard, AnalysisError> {
    let payer = find_payer(engine, as_of).await.map_err(AnalysisError::of("bill"))?;
    Ok(RateCard::new(book, billed(engine, as_of).await?, payer))
}

/// Returns the lines of the last full month's bill, by account, Region, service and usage type.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn lines(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<LineCost>, AnalysisError> {
    find_lines(engine, as_of).await.map_err(AnalysisError::of("bill"))
}

/// Returns what each account paid for each service in the last full month.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn by_account(
    engine: &Engine,
    as_of: DateTime<Utc>,
) -> Result<BTreeMap<(String, String), Money>, AnalysisError> {
    let failed = AnalysisError::of("bill");
    let Some(month) = find_month(engine, as_of).await.map_err(&failed)? else { return Ok(BTreeMap::new()) };
    let sql = format!(
        "select linked_account_id, service, {COST} as net from costs_by_account where {} group by 1, 2",
        within(month)
    );
    let rows = engine.rows(&sql).await.map_err(&failed)?;
    let paid = |row: &Row| {
        Some(((row.text("linked_account_id")?.raw().to_owned(), row.key("service").to_owned()), row.money("net")?))
    };
    Ok(rows.iter().filter_map(paid).collect())
}

pub(super) async fn find_billed(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<BilledUsage>, EngineError> {
    let Some(month) = find_month(engine, as_of).await? else { return Ok(Vec::new()) };
    let sql = format!(
        "select usage_type, min(region) as region, {COST} as net, sum(usage) as quantity, \
         count(*) - count(usage) as mixed from costs where {} and {OWN_NAME} group by 1 order by 1",
        within(month)
    );
    let usage = |row: &Row| {
        let whole = row.int("mixed") == Some(0);
        Some(BilledUsage {
            usage_type: row.key("usage_type").to_owned(),
            region: row.text("region").map(|region| region.raw().to_owned()),
            quantity: row.decimal("quantity").filter(|_| whole).unwrap_or(Decimal::ZERO),
            net: row.money("net")?,
            month,
        })
    };
    Ok(engine.rows(&sql).await?.iter().filter_map(usage).collect())
}

/// Only a payer's bill holds other accounts than the one that was asked.
async fn find_payer(engine: &Engine, as_of: DateTime<Utc>) -> Result<Payer, EngineError> {
    let Some(month) = find_month(engine, as_of).await? else { return Ok(Payer::Unknown) };
    let sql = format!(
        "select count(*) as others from costs_by_account where linked_account_id <> account_id and {}",
        within(month)
    );
    let others = engine.rows(&sql).await?.first().and_then(|row| row.int("others"));
    Ok(if others.is_some_and(|others| others > 0) { Payer::Known } else { Payer::Unknown })
}

async fn find_lines(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<LineCost>, EngineError> {
    let Some(month) = find_month(engine, as_of).await? else { return Ok(Vec::new()) };
    let sql = format!(
        "select region, service, usage_type, {COST} as net from costs where {} group by 1, 2, 3 order by 2, 3, 1",
        within(month)
    );
    let line = |row: &Row| {
        Some(LineCost {
            line: BillLine {
                account_id: None,
                region: row.text("region").map(|region| region.raw().to_owned()),
                service: row.key("service").to_owned(),
                usage_type: row.key("usage_type").to_owned(),
            },
            net: row.money("net")?,
        })
    };
    Ok(engine.rows(&sql).await?.iter().filter_map(line).collect())
}

async fn find_month(engine: &Engine, as_of: DateTime<Utc>) -> Result<Option<NaiveDate>, EngineError> {
    let Some(settled) = as_of.date_naive().checked_sub_days(Days::new(SETTLE_DAYS)) else { return Ok(None) };
    let sql = format!(
        "select date_trunc('month', day) as month, count(distinct day) as days from costs \
         where day <= date '{settled}' group by 1 order by 1 desc"
    );
    let whole = |row: &Row| {
        let month = row.date("month").or_else(|| Some(row.time("month")?.date_naive()))?;
        (row.int("days") == Some(days_in(month)?)).then_some(month)
    };
    Ok(engine.rows(&sql).await?.iter().find_map(whole))
}

fn within(month: NaiveDate) -> String {
    let next = month.checked_add_months(Months::new(1)).unwrap_or(month);
    format!("day >= date '{month}' and day < date '{next}'")
}

fn days_in(month: NaiveDate) -> Option<i64> {
    Some(month.checked_add_months(Months::new(1))?.pred_opt()?.day().into())
}
