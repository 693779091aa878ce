//! What the export of the last full month charged to each resource, by usage type and operation.
//!
//! Only of lines whose resources add up to no more than the line: where a correction or a discount makes one negative,
//! nothing says which resource it belongs to, and the line stays unexplained.

use chrono::{DateTime, Months, NaiveDate, Utc};
use rust_decimal::Decimal;

use super::{BillMonth, SUMS, plain};
use crate::engine::{Engine, EngineError};
use crate::model::service::{EC2_OTHER, LAKE};
use crate::model::{Money, Row};

/// What one resource paid for one usage type and operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::analysis) struct Charge {
    pub account_id: String,
    /// `None` for what has no Region.
    pub region: Option<String>,
    /// As Cost Explorer names it.
    pub service: String,
    /// As billed.
    pub usage_type: String,
    pub operation: String,
    /// The resource's plain name: a bucket's own, `glue:REGION:ACCOUNT:job/NAME`.
    pub resource: String,
    pub unit: String,
    pub quantity: Decimal,
    /// Net amortised cost in the month.
    pub net: Money,
    /// The first day after the month.
    pub until: NaiveDate,
}

/// Returns the charges of the lake's services and of NAT gateways; none where no export that names resources holds the
/// last full month.
pub(in crate::analysis) async fn charges(engine: &Engine, as_of: DateTime<Utc>) -> Result<Vec<Charge>, EngineError> {
    let month = BillMonth::last(engine, as_of).await?;
    let Some(month) = month.filter(|month| month.exported) else { return Ok(Vec::new()) };
    let lake: Vec<String> = LAKE.iter().map(|name| format!("'{name}'")).collect();
    let sql = format!(
        "with told as (select linked_account_id, region, service, usage_type, operation, resource, min(unit) as unit, \
             {SUMS} from {} where service in ({}) or service = '{EC2_OTHER}' and usage_type like '%NatGateway-%' \
             group by 1, 2, 3, 4, 5, 6), \
         lines as (select service, usage_type, sum(net) as line, sum(case when resource is not null then net end) as named, \
             min(case when resource is not null then net end) as least from told group by 1, 2) \
         select told.* from told join lines on lines.service = told.service and lines.usage_type = told.usage_type \
         where told.resource is not null and lines.least >= 0 and lines.named <= lines.line and told.mixed <= 0 \
         order by service, usage_type, linked_account_id, region, resource, operation",
        month.usage(),
        lake.join(", ")
    );
    let until = month.first.checked_add_months(Months::new(1)).unwrap_or(month.first);
    Ok(engine.rows(&sql).await?.iter().filter_map(|row| charge(row, until)).collect())
}

fn charge(row: &Row, until: NaiveDate) -> Option<Charge> {
    let text = |column| row.text(column).map(|text| text.raw().to_owned());
    Some(Charge {
        account_id: text("linked_account_id")?,
        region: text("region"),
        service: text("service")?,
        usage_type: text("usage_type")?,
        operation: text("operation").unwrap_or_default(),
        resource: plain(row.text("resource")?.raw()).to_owned(),
        unit: text("unit").unwrap_or_default(),
        quantity: row.decimal("quantity")?,
        net: row.money("net")?,
        until,
    })
}
