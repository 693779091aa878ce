//! What moving data costs, by day: between zones and Regions, to the internet, through NAT gateways and endpoints.
//!
//! Told by the bill's usage types alone, each by its whole name: other meters end in `Bytes` too and are no transfer.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::bill::{COUNTED, metric_of_costs};
use super::{Analysis, Given};
use crate::engine::EngineError;
use crate::model::{Money, Row};
use crate::prices::bare_usage_type;
use crate::store::table::{Kind, Source, Table, column};
use crate::store::tables::bill::COSTS;

/// One row for each day, way and Region with cost or traffic.
pub const TRANSFER: Analysis = Analysis {
    table: Table {
        name: "transfer",
        doc: "Data transfer and what processes it, by day, from the bill's usage types. Cross-AZ traffic is billed on both sides: 1 GB moved is 2 GB here.",
        key: &["account_id", "day", "kind", "region", "to_region"],
        source: Source::Analysis,
        columns: &[
            column("account_id", Kind::Text, "Account that was asked; the answer may cover accounts below it."),
            column("day", Kind::Day, "Day of usage."),
            column(
                "kind",
                Kind::Text,
                "`cross_az`, `cross_region`, `internet`, `nat_processing`, `endpoint_processing` or `transit_gateway_processing`.",
            ),
            column(
                "region",
                Kind::Text,
                "Region that is billed; of two Regions the sender. NULL when it is not known.",
            ),
            column("to_region", Kind::Text, "Region that receives, for `cross_region`; NULL when it is not known."),
            column("gigabytes", Kind::Quantity, "GB as billed; NULL where the bill has no quantity in GB."),
            column(
                "cost",
                Kind::Money,
                "Net amortised cost where every row of `costs` has it, else amortised, else unblended: one for all days.",
            ),
        ],
    },
    inputs: &[&COSTS],
    compute: |given| Box::pin(compute(given)),
};

/// What the row of a day is about.
type Way<'a> = (&'a str, NaiveDate, &'static str, Option<&'a str>, Option<&'static str>);

/// Quantity, where every part has one, and cost.
#[derive(Clone, Copy, Debug)]
struct Sum {
    gigabytes: Option<Decimal>,
    cost: Option<Money>,
}

async fn compute(given: Given<'_>) -> Result<Vec<Row>, EngineError> {
    let cost = metric_of_costs(given.engine).await?.column();
    let sql = format!(
        "select account_id, day, usage_type, region, sum({cost}) as cost, sum(usage) as quantity, min(unit) as unit, \
         count(*) - count(usage) as mixed from costs where {COUNTED} and usage_type like '%Bytes' group by 1, 2, 3, 4 order by 1, 2, 3, 4"
    );
    let billed = given.engine.rows(&sql).await?;
    let mut sums: BTreeMap<Way<'_>, Sum> = BTreeMap::new();
    for row in &billed {
        let Some((way, part)) = part(row) else { continue };
        let add = |sum: &mut Sum| {
            sum.gigabytes = sum.gigabytes.zip(part.gigabytes).map(|(a, b)| a + b);
            sum.cost = sum.cost.zip(part.cost).map(|(a, b)| a + b);
        };
        sums.entry(way).and_modify(add).or_insert(part);
    }
    Ok(sums.into_iter().map(|(way, sum)| to_row(way, sum)).collect())
}

/// Returns what one line of the bill adds, and to which row; none for what is no transfer.
fn part(row: &Row) -> Option<(Way<'_>, Sum)> {
    let (bare, second) = bare_usage_type(row.key("usage_type"));
    let kind = kind(bare, second.is_some())?;
    let region = row.text("region").map(crate::model::Untrusted::raw);
    let in_gb = row.int("mixed") == Some(0) && ["GB", "Gigabytes"].contains(&row.key("unit"));
    let gigabytes = row.decimal("quantity").filter(|_| in_gb);
    Some(((row.key("account_id"), row.date("day")?, kind, region, second), Sum { gigabytes, cost: row.money("cost") }))
}

/// Returns what a usage type without its Regions is; none for other meters that end in `Bytes`.
fn kind(bare: &str, between_regions: bool) -> Option<&'static str> {
    match bare {
        "DataTransfer-Regional-Bytes" | "DataTransfer-xAZ-In-Bytes" | "DataTransfer-xAZ-Out-Bytes" => Some("cross_az"),
        "AWS-Out-Bytes" | "AWS-In-Bytes" if between_regions => Some("cross_region"),
        "DataTransfer-Out-Bytes" => Some("internet"),
        "NatGateway-Bytes" | "RegionalNatGateway-Bytes" | "NatGateway-Prvd-Bytes" => Some("nat_processing"),
        "VpcEndpoint-Bytes" | "VpcEndpoint-GWLBE-Bytes" => Some("endpoint_processing"),
        "TransitGateway-Bytes" => Some("transit_gateway_processing"),
        _ => None,
    }
}

fn to_row((account_id, day, kind, region, to_region): Way<'_>, sum: Sum) -> Row {
    Row::new()
        .with("account_id", account_id)
        .with("day", day)
        .with("kind", kind)
        .with("region", region)
        .with("to_region", to_region)
        .with("gigabytes", sum.gigabytes)
        .with("cost", sum.cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfer_is_told_by_its_whole_name() {
        assert_eq!(kind("NatGateway-Bytes", false), Some("nat_processing"));
        assert_eq!(kind("AWS-Out-Bytes", true), Some("cross_region"));
        for other in
            ["DataProcessing-Bytes", "VendedLog-Bytes", "QueryScanned-Bytes", "Select-Scanned-Bytes", "AWS-Out-Bytes"]
        {
            assert_eq!(kind(other, false), None, "{other}");
        }
    }

    #[test]
    fn a_line_whose_units_are_mixed_has_a_cost_and_no_quantity() {
        let line = Row::new()
            .with("account_id", "1")
            .with("day", NaiveDate::from_ymd_opt(2026, 11, 2))
            .with("usage_type", "EUC1-USE1-AWS-Out-Bytes")
            .with("region", "eu-central-1")
            .with("cost", Decimal::TWO)
            .with("mixed", 1_i64);
        let (way, sum) = part(&line).unwrap();
        assert_eq!((way.2, way.3, way.4), ("cross_region", Some("eu-central-1"), Some("us-east-1")));
        assert_eq!((sum.gigabytes, sum.cost), (None, Some(Money::new(Decimal::TWO))));
    }
}
