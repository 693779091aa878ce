//! What AWS's own advisers say of the demo: budgets, advice, an anomaly and a forecast, all from the demo's bill.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use super::bill::{Ledger, Line};
use super::calendar::{Calendar, Day, days_in_month};
use super::catalog::{ANALYTICS, IRELAND, PAYER, PLATFORM, SANDBOX, SCIENCE, VIRGINIA};
use crate::model::Row;

/// The bill on the morning of a scan.
#[derive(Clone, Copy, Debug)]
pub struct Advisers<'a> {
    /// What everything cost.
    pub ledger: &'a Ledger,
    /// The calendar of the demo.
    pub calendar: Calendar,
    /// The day of the scan.
    pub today: Day,
}

/// Budgets: name, account that it watches (none for all), limit in USD a month.
const BUDGETS: [(&str, Option<&str>, i64); 3] = [
    ("northwind-total", None, 125_000),
    ("data-platform", Some(PLATFORM), 80_000),
    ("data-science", Some(SCIENCE), 14_000),
];

/// Advice: id, account, resource, type, action, effort, what it is, what it should be, USD a month now and saved.
type Advice = (&'static str, &'static str, &'static str, [&'static str; 5], i64, i64);
const ADVICE: [Advice; 4] = [
    ("adv-ebs-gp2", SANDBOX, "vol-0sandbox", ["EbsVolume", "Upgrade", "VeryLow", "gp2, 2 TB", "gp3, 2 TB"], 198, 40),
    ("adv-ec2-g5", SCIENCE, "i-0notebook", ["Ec2Instance", "Stop", "Low", "g5.2xlarge", "stopped"], 1_690, 640),
    ("adv-ec2-m6i", SANDBOX, "i-0sandbox", ["Ec2Instance", "Rightsize", "Low", "m6i.xlarge", "m6g.large"], 640, 310),
    (
        "adv-rs-ri",
        ANALYTICS,
        "bi-warehouse",
        ["RedshiftReservedInstances", "PurchaseReservedInstances", "Low", "2 × ra3.4xlarge", "1 year, no upfront"],
        4_760,
        1_140,
    ),
];

impl Advisers<'_> {
    fn spent(&self, days: std::ops::Range<Day>, keep: impl Fn(&Line) -> bool) -> Decimal {
        let lines = self.ledger.lines.iter().filter(|line| days.contains(&line.day) && keep(line));
        lines.map(|line| line.amount.net).sum()
    }

    /// Returns the first day of the running month, and how many days it has.
    fn month(&self) -> (Day, u32) {
        let today = self.calendar.date(self.today);
        (self.today - Day::try_from(today.day0()).unwrap_or(0), days_in_month(today))
    }

    /// Returns the spend of a day lately.
    fn pace(&self, keep: impl Fn(&Line) -> bool) -> Decimal {
        self.spent(self.today - 15..self.today - 1, keep) / Decimal::from(14)
    }

    /// Returns the rows of `budgets`.
    pub fn budgets(&self) -> Vec<Row> {
        let (first, days) = self.month();
        let budget = |&(name, account, limit): &(&str, Option<&str>, i64)| {
            let keep = |line: &Line| account.is_none_or(|account| line.account == account);
            let actual = self.spent(first..self.today, keep).round_dp(2);
            let left = Decimal::from(days) - Decimal::from(self.today - first);
            let forecast = (actual + self.pace(keep) * left).round_dp(2);
            let limit = Decimal::from(limit);
            Row::new()
                .with("account_id", PAYER)
                .with("budget_name", name)
                .with("budget_type", "COST")
                .with("time_unit", "MONTHLY")
                .with("unit", "USD")
                .with("limit_amount", limit)
                .with("actual_amount", actual)
                .with("forecasted_amount", forecast)
                .with("limit_usd", limit)
                .with("actual_usd", actual)
                .with("forecasted_usd", forecast)
                .with("adjusts_itself", false)
                .with("filtered", account.is_some())
                .with("healthy", true)
                .with("updated", self.calendar.at(0, 50_000))
        };
        BUDGETS.iter().map(budget).collect()
    }

    /// Returns the rows of `aws_advice`.
    pub fn advice(&self) -> Vec<Row> {
        let advice = |&(id, account, resource, [kind, action, effort, now, then], cost, saved): &Advice| {
            Row::new()
                .with("account_id", PAYER)
                .with("recommendation_id", id)
                .with("resource_account_id", account)
                .with("region", VIRGINIA)
                .with("resource_id", resource)
                .with("source", if action.starts_with("Purchase") { "CostExplorer" } else { "ComputeOptimizer" })
                .with("action_type", action)
                .with("current_resource_type", kind)
                .with("recommended_resource_type", kind)
                .with("current_summary", now)
                .with("recommended_summary", then)
                .with("estimated_monthly_savings", Decimal::from(saved))
                .with("estimated_monthly_cost", Decimal::from(cost))
                .with("currency", "USD")
                .with("implementation_effort", effort)
                .with("restart_needed", action != "Upgrade")
                .with("rollback_possible", !action.starts_with("Purchase"))
                .with("lookback_days", 14)
                .with("refreshed", self.calendar.at(self.today - 1, 20_000))
        };
        ADVICE.iter().map(advice).collect()
    }

    /// Returns the row of `aws_anomalies`: the bytes that go through Ireland's NAT gateways since last week.
    pub fn anomalies(&self) -> Vec<Row> {
        let nat = |line: &Line| self.ledger.meters[line.meter].usage_type == "EU-NatGateway-Bytes";
        let first = self.calendar.today - 7;
        let usual = self.spent(first - 14..first, nat) / Decimal::from(14);
        let days = first..self.today - 1;
        let (actual, count) = (self.spent(days.clone(), nat).round_dp(2), Decimal::from(days.len()));
        if days.is_empty() {
            return Vec::new();
        }
        let expected = (usual * count).round_dp(2);
        let cause = format!(
            "[{{\"service\":\"EC2 - Other\",\"region\":\"{IRELAND}\",\"linked_account\":\"{PLATFORM}\",\"usage_type\":\"EU-NatGateway-Bytes\"}}]"
        );
        let row = Row::new()
            .with("account_id", PAYER)
            .with("anomaly_id", "an-nat-ireland")
            .with("start_day", self.calendar.date(first))
            .with("monitor_arn", format!("arn:aws:ce::{PAYER}:anomalymonitor/services"))
            .with("dimension_value", "EC2 - Other")
            .with("total_impact", actual - expected)
            .with("max_impact", ((actual - expected) / count).round_dp(2))
            .with("actual_spend", actual)
            .with("expected_spend", expected)
            .with("root_causes", cause);
        vec![row]
    }

    /// Returns the row of `cost_forecast`: the rest of this month, at the pace of the last weeks.
    pub fn forecast(&self) -> Vec<Row> {
        let (first, days) = self.month();
        let last = first + Day::try_from(days).unwrap_or(30) - 1;
        let mean = (self.pace(|_| true) * Decimal::from(last - self.today + 1)).round_dp(2);
        let around = |permille: i64| (mean * Decimal::new(permille, 3)).round_dp(2);
        let on = |day: Day| -> NaiveDate { self.calendar.date(day) };
        let row = Row::new().with("account_id", PAYER).with("from_day", on(self.today)).with("to_day", on(last));
        let row = row.with("metric", "NET_AMORTIZED_COST").with("mean", mean);
        vec![row.with("low", around(930)).with("high", around(1_080)).with("interval_percent", 80)]
    }
}
