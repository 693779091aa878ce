//! What the last full month's bill says, by usage type and by line. Never a month with a missing or unsettled day.
//!
//! The export of the bill says it where it holds the month; else Cost Explorer does. They are never added up.

mod charged;
mod month;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::AnalysisError;
use crate::engine::{Engine, EngineError};
use crate::model::service::{ATHENA, S3};
use crate::model::{BillLine, Metric, Money, Row};
use crate::prices::{BilledUsage, Payer, PriceBook, RateCard};
pub(super) use charged::{Charge, charges};
pub use month::BillMonth;
pub(super) use month::{COUNTED, metric_of_costs, service_of_code};

/// S3, CloudWatch Logs, the container registry and the vaults of Amazon Glacier all bill `TimedStorage-ByteHrs`, at
/// prices of their own: only S3's says what S3 costs. The archive classes of S3 may stand under a Glacier service.
const OWN_NAME: &str = "(usage_type not like '%TimedStorage-%' or service = 'Amazon Simple Storage Service' \
                        or service like '%Glacier%' and usage_type not like '%TimedStorage-ByteHrs')";

/// One line of the bill and its cost in the last full month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineCost {
    /// The line.
    pub line: BillLine,
    /// USD in the month, by the metric of [`BillMonth`].
    pub net: Money,
}

/// What one resource used and cost of one usage type in the last full month, from the export of the bill: by the
/// resource's [`plain`] name and by usage type.
pub(super) type ByResource = BTreeMap<(String, String), BilledUsage>;

/// What an export and Cost Explorer say of one month; the difference is shown, never spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// First day of the month.
    pub month: NaiveDate,
    /// Which cost is compared: the best that both have on each of the days.
    pub metric: Metric,
    /// Cost of usage in Cost Explorer, of the days that both have.
    pub cost_explorer: Money,
    /// The same in the export.
    pub export: Money,
    /// `export` − `cost_explorer`.
    pub difference: Money,
    /// Days that both have.
    pub days: i64,
}

/// Returns the newest month whose every day is on the bill and settled.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn full_month(engine: &Engine, as_of: DateTime<Utc>) -> Result<Option<BillMonth>, AnalysisError> {
    BillMonth::last(engine, as_of).await.map_err(AnalysisError::of("bill"))
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

/// Returns the lines of the last full month's bill, by Region, service and usage type.
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
    let Some(month) = BillMonth::last(engine, as_of).await.map_err(&failed)? else { return Ok(BTreeMap::new()) };
    let counts =
        engine.rows(&format!("select {} from {}", month::METRICS, month.by_account())).await.map_err(&failed)?;
    let cost = counts.first().map_or(month.metric, month::metric_of).column();
    let sql =
        format!("select linked_account_id, service, sum({cost}) as net from {} group by 1, 2", month.by_account());
    let rows = engine.rows(&sql).await.map_err(&failed)?;
    let paid = |row: &Row| {
        Some(((row.text("linked_account_id")?.raw().to_owned(), row.key("service").to_owned()), row.money("net")?))
    };
    Ok(rows.iter().filter_map(paid).collect())
}

/// Returns the months of which an export and Cost Explorer both have days, the newest first.
///
/// # Errors
/// The question to the snapshot failed.
pub async fn compared(engine: &Engine) -> Result<Vec<Compared>, AnalysisError> {
    let rows = engine.rows(&month::compared()).await.map_err(AnalysisError::of("bill"))?;
    let compared = |row: &Row| {
        let days = row.int("days")?;
        let whole = |metric: &Metric| row.int(&format!("{}_days", metric.column())) == Some(days);
        let metric = Metric::ALL.into_iter().find(whole)?;
        let sum = |whose: &str| row.money(&format!("{whose}_{}", metric.column()));
        let (cost_explorer, export) = (sum("told")?, sum("exported")?);
        let month = row.date("month")?;
        Some(Compared { month, metric, cost_explorer, export, difference: export - cost_explorer, days })
    };
    Ok(rows.iter().filter_map(compared).collect())
}

pub(super) async fn find_billed(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<BilledUsage>, EngineError> {
    let Some(month) = BillMonth::last(engine, as_of).await? else { return Ok(Vec::new()) };
    let sql = format!(
        "select usage_type, min(region) as region, {SUMS} from {} where {OWN_NAME} group by 1 order by 1",
        month.usage()
    );
    Ok(engine.rows(&sql).await?.iter().filter_map(|row| used(row, month)).collect())
}

/// Returns usage by resource and usage type, of the services that have pools; nothing where no export that names them holds the last full month.
pub(super) async fn find_by_resource(engine: &Engine, as_of: DateTime<Utc>) -> Result<ByResource, EngineError> {
    let month = BillMonth::last(engine, as_of).await?;
    let Some(month) = month.filter(|month| month.exported) else { return Ok(ByResource::new()) };
    let sql = format!(
        "select resource, usage_type, min(region) as region, {SUMS} from {} where {OWN_NAME} and resource is not null \
         and (service in ('{S3}', '{ATHENA}') or service like '%Glacier%') group by 1, 2",
        month.usage()
    );
    let resource = |row: &Row| {
        let usage = used(row, month)?;
        Some(((plain(row.text("resource")?.raw()).to_owned(), usage.usage_type.clone()), usage))
    };
    Ok(engine.rows(&sql).await?.iter().filter_map(resource).collect())
}

/// Returns what an ARN says beyond partition and service: a bucket's own name, `athena:REGION:ACCOUNT:workgroup/NAME`.
/// Exports write some buckets as names and some as ARNs.
pub(super) fn plain(resource: &str) -> &str {
    let within = resource.strip_prefix("arn:").and_then(|rest| rest.split_once(':')).map_or(resource, |(_, rest)| rest);
    within.strip_prefix("s3:::").unwrap_or(within)
}

/// Quantities of several units, or of some rows only, are no quantity.
const SUMS: &str = "sum(net) as net, sum(usage) as quantity, \
                    count(*) - count(usage) + count(distinct unit) - 1 as mixed";

fn used(row: &Row, month: BillMonth) -> Option<BilledUsage> {
    let whole = row.int("mixed").is_some_and(|mixed| mixed <= 0);
    Some(BilledUsage {
        usage_type: row.key("usage_type").to_owned(),
        region: row.text("region").map(|region| region.raw().to_owned()),
        quantity: row.decimal("quantity").filter(|_| whole).unwrap_or(Decimal::ZERO),
        net: row.money("net")?,
        metric: month.metric,
        month: month.first,
    })
}

/// Only a payer's bill holds other accounts beside the one that was asked, or, in an export, that pays: a member's own
/// export names the payer in each row and holds the member alone.
async fn find_payer(engine: &Engine, as_of: DateTime<Utc>) -> Result<Payer, EngineError> {
    let Some(month) = BillMonth::last(engine, as_of).await? else { return Ok(Payer::Unknown) };
    let sql = format!(
        "select count(*) filter (where linked_account_id <> account_id) as others, \
         count(*) filter (where linked_account_id = account_id) as own from {}",
        month.by_account()
    );
    let counts = engine.rows(&sql).await?;
    let some = |column| counts.first().and_then(|row| row.int(column)).is_some_and(|count| count > 0);
    Ok(if some("others") && (some("own") || !month.exported) { Payer::Known } else { Payer::Unknown })
}

async fn find_lines(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<LineCost>, EngineError> {
    let Some(month) = BillMonth::last(engine, as_of).await? else { return Ok(Vec::new()) };
    let sql = format!(
        "select region, service, usage_type, sum(net) as net from {} group by 1, 2, 3 order by 2, 3, 1",
        month.usage()
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
