//! The tables of Cost Explorer, summed up from `bill` where Cost Explorer was not read: a snapshot of files alone, or an
//! account that may open its exports only.
//!
//! Never mixes the two: one row of Cost Explorer is enough to leave its tables as they are.

use super::AnalysisError;
use crate::engine::{Engine, EngineError};
use crate::model::{Metric, service};
use crate::store::Table;
use crate::store::tables::bill::{CHARGES, COSTS, COSTS_BY_ACCOUNT, COSTS_BY_OPERATION};

/// The tables that are filled, and the read that fills them otherwise.
const FILLED: &[&Table] = &[&CHARGES, &COSTS, &COSTS_BY_ACCOUNT, &COSTS_BY_OPERATION];

/// Fills the tables of Cost Explorer where they are empty and `bill` is not. Returns true when it did.
///
/// # Errors
/// A question to the snapshot failed.
pub async fn stand_in(engine: &Engine) -> Result<bool, AnalysisError> {
    fill(engine).await.map_err(AnalysisError::of("costs from the bill"))
}

/// Returns true for a table that [`stand_in`] fills.
pub fn is_filled(table: &str) -> bool {
    FILLED.iter().any(|filled| filled.name == table)
}

async fn fill(engine: &Engine) -> Result<bool, EngineError> {
    let sql = "select (select count(*) from costs) as costs, (select count(*) from bill) as bill";
    let counts = engine.rows(sql).await?;
    let count = |column| counts.first().and_then(|row| row.int(column)).unwrap_or(0);
    if count("costs") > 0 || count("bill") == 0 {
        return Ok(false);
    }
    for (table, sql) in questions() {
        let rows = engine.rows(&sql).await?;
        engine.register(table, &rows)?;
    }
    Ok(true)
}

/// FOCUS knows net cost only, and is for seeing spend: it says so in `source`, and without usage no rate comes of it.
fn questions() -> [(&'static Table, String); 4] {
    let service = super::bill::service_of_code();
    let whole = |metric: Metric| {
        let column = metric.column();
        format!("case when count({column}) = count(*) then sum({column}) end as {column}")
    };
    let source = "case when min(source) = 'cur' and max(source) = 'cur' then 'cur' else 'focus' end as source";
    let amounts = format!("{}, false as estimated, {source}", Metric::ALL.map(whole).join(", "));
    let usage = "case when count(usage) = count(*) and count(distinct unit) = 1 and max(source) = 'cur' then sum(usage) \
        end as usage, min(unit) as unit";
    let usd = "(currency = 'USD' or currency is null)";
    let lake: Vec<String> = service::LAKE
        .iter()
        .chain(&[service::EC2_OTHER, service::VPC, service::NETWORK_FIREWALL])
        .map(|name| format!("'{name}'"))
        .collect();
    let charges = format!(
        "select account_id, day, line_type as record_type, {service} as service, {amounts} from bill where {usd} \
         group by 1, 2, 3, 4"
    );
    let costs = format!(
        "select account_id, day, {service} as service, usage_type, min(region) as region, {amounts}, {usage} from bill \
         where {usd} and record_type = 'usage' group by 1, 2, 3, 4"
    );
    let accounts = format!(
        "select account_id, day, linked_account_id, {service} as service, {amounts} from bill \
         where {usd} and record_type = 'usage' group by 1, 2, 3, 4"
    );
    let operations = format!(
        "select account_id, day, usage_type, operation, min(region) as region, {amounts}, {usage} from bill \
         where {usd} and record_type = 'usage' and {service} in ({}) group by 1, 2, 3, 4",
        lake.join(", ")
    );
    [(&CHARGES, charges), (&COSTS, costs), (&COSTS_BY_ACCOUNT, accounts), (&COSTS_BY_OPERATION, operations)]
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use rust_decimal::Decimal;

    use super::*;
    use crate::model::Row;
    use crate::store::tables::bill::BILL;

    fn row(service: &str, usage_type: &str, kind: &str, usd: i64) -> Row {
        let day: NaiveDate = "2026-10-05".parse().unwrap();
        let row = Row::new().with("day", day).with("account_id", "1").with("linked_account_id", "2");
        let row = row.with("service", service).with("usage_type", usage_type).with("record_type", kind);
        let row = row.with("usage", Decimal::TEN).with("unit", "GB-Mo").with("currency", "USD").with("source", "cur");
        row.with("line_type", kind).with("unblended", Decimal::from(usd)).with("amortized", Decimal::from(usd))
    }

    async fn asked(rows: &[Row], sql: &str) -> Vec<Row> {
        let engine = Engine::new().unwrap();
        engine.register(&BILL, rows).unwrap();
        assert!(stand_in(&engine).await.unwrap());
        engine.rows(sql).await.unwrap()
    }

    #[tokio::test]
    async fn the_bill_stands_in_under_the_names_of_cost_explorer() {
        let rows = [
            row("AmazonS3", "TimedStorage-ByteHrs", "usage", 3),
            row("AmazonS3", "TimedStorage-ByteHrs", "usage", 4),
            row("AmazonEC2", "NatGateway-Bytes", "usage", 5),
            row("AmazonEC2", "BoxUsage:m5.large", "usage", 6),
            row("AmazonS3", "TimedStorage-ByteHrs", "tax", 1),
        ];
        let costs = asked(&rows, "select service, unblended, usage from costs order by service").await;
        let told: Vec<(&str, Option<Decimal>)> =
            costs.iter().map(|row| (row.key("service"), row.decimal("unblended"))).collect();
        let compute = "Amazon Elastic Compute Cloud - Compute";
        let usd = |usd: i64| Some(Decimal::from(usd));
        assert_eq!(told, [(compute, usd(6)), (service::S3, usd(7)), (service::EC2_OTHER, usd(5))]);
        assert_eq!(costs[1].decimal("usage"), Some(Decimal::from(20)));
        let charges = asked(&rows, "select sum(unblended) as usd from charges").await;
        assert_eq!(charges[0].decimal("usd"), usd(19));
        assert_eq!(asked(&rows, "select * from costs_by_operation").await.len(), 2, "instances are not the lake's");
    }

    #[tokio::test]
    async fn what_cost_explorer_said_is_never_mixed_with_it() {
        let engine = Engine::new().unwrap();
        engine.register(&BILL, &[row("AmazonS3", "x", "usage", 3)]).unwrap();
        engine.register(&COSTS, &[Row::new().with("service", "other")]).unwrap();
        assert!(!stand_in(&engine).await.unwrap());
        assert_eq!(engine.rows("select service from costs").await.unwrap()[0].key("service"), "other");
    }

    #[tokio::test]
    async fn of_focus_there_is_spend_and_no_usage() {
        let focus = row("Amazon Simple Storage Service", "x", "usage", 3).with("source", "focus");
        let null = crate::model::Cell::Null;
        let focus = focus.with("unblended", null.clone()).with("amortized", null).with("net_amortized", Decimal::TWO);
        let costs = asked(&[focus], "select unblended, net_amortized, usage, source from costs").await;
        let told = |column| costs[0].decimal(column);
        assert_eq!((told("net_amortized"), told("usage")), (Some(Decimal::TWO), None));
        assert_eq!((told("unblended"), costs[0].key("source")), (None, "focus"), "net cost is never called gross");
    }
}
