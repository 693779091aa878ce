//! What AWS's own advisers say: kept beside our findings for comparison, never a basis of one.

use crate::store::table::{Kind, Source, Table, column};

/// One row for each recommendation of Cost Optimization Hub.
pub const AWS_ADVICE: Table = Table {
    name: "aws_advice",
    doc: "Recommendations of Cost Optimization Hub, one for each resource, as AWS de-duplicates them.",
    key: &["account_id", "recommendation_id"],
    source: Source::State("cost-optimization-hub:ListRecommendations"),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked; the payer's answer covers its members."),
        column("recommendation_id", Kind::Text, "Id."),
        column("resource_account_id", Kind::Text, "Account of the resource."),
        column("region", Kind::Text, "Region of the resource."),
        column("resource_id", Kind::Text, "Resource."),
        column("resource_arn", Kind::Text, "Its ARN."),
        column("source", Kind::Text, "`ComputeOptimizer` or `CostExplorer`."),
        column("action_type", Kind::Text, "`Rightsize`, `Stop`, `Upgrade`, `PurchaseSavingsPlans`, `Delete`, …"),
        column("current_resource_type", Kind::Text, "What it is: `Ec2Instance`, `RdsDbInstance`, …"),
        column("recommended_resource_type", Kind::Text, "What it should be."),
        column("current_summary", Kind::Text, "What it is, in AWS's words."),
        column("recommended_summary", Kind::Text, "What it should be, in AWS's words."),
        column("estimated_monthly_savings", Kind::Money, "USD a month that AWS expects; NULL in another currency."),
        column(
            "estimated_monthly_cost",
            Kind::Money,
            "USD a month that AWS expects it to cost now; NULL in another currency.",
        ),
        column("currency", Kind::Text, "Currency of AWS's estimate."),
        column("implementation_effort", Kind::Text, "`VeryLow`, `Low`, `Medium`, `High`, `VeryHigh`."),
        column("restart_needed", Kind::Flag, "True when the resource restarts."),
        column("rollback_possible", Kind::Flag, "True when it can be undone."),
        column("lookback_days", Kind::Count, "Days of usage that AWS looked at."),
        column("refreshed", Kind::Instant, "When AWS computed it."),
    ],
};

/// One row for each anomaly of Cost Anomaly Detection.
pub const AWS_ANOMALIES: Table = Table {
    name: "aws_anomalies",
    doc: "What Cost Anomaly Detection found: the last 90 days and what earlier scans saw. Empty where no monitor exists.",
    key: &["account_id", "anomaly_id"],
    source: Source::Period { read: "ce:GetAnomalies", column: "start_day" },
    columns: &[
        column("account_id", Kind::Text, "Account that was asked; the payer's answer covers its members."),
        column("anomaly_id", Kind::Text, "Id."),
        column("start_day", Kind::Day, "First day of the anomaly."),
        column("end_day", Kind::Day, "Last day of the anomaly; NULL while it goes on."),
        column("monitor_arn", Kind::Text, "Monitor that found it."),
        column("dimension_value", Kind::Text, "What the monitor watches: a service, an account, a tag's value."),
        column("total_impact", Kind::Money, "Cost above what was expected, USD."),
        column("max_impact", Kind::Money, "The same on its worst day, USD."),
        column("actual_spend", Kind::Money, "What was spent, USD."),
        column("expected_spend", Kind::Money, "What was expected, USD."),
        column(
            "root_causes",
            Kind::Text,
            "JSON list of {service, region, linked_account, usage_type}, the largest first.",
        ),
        column(
            "feedback",
            Kind::Text,
            "What people said of it: `YES`, `NO`, `PLANNED_ACTIVITY`; NULL when nobody did.",
        ),
    ],
};

/// One row for each budget.
pub const BUDGETS: Table = Table {
    name: "budgets",
    doc: "AWS Budgets of the account that was asked, with what was spent and what AWS forecasts for the running period.",
    key: &["account_id", "budget_name"],
    source: Source::State("budgets:DescribeBudgets"),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked."),
        column("budget_name", Kind::Text, "Name."),
        column("budget_type", Kind::Text, "`COST`, `USAGE`, `RI_UTILIZATION`, `SAVINGS_PLANS_COVERAGE`, …"),
        column("time_unit", Kind::Text, "`DAILY`, `MONTHLY`, `QUARTERLY`, `ANNUALLY` or `CUSTOM`."),
        column("unit", Kind::Text, "Unit of its amounts: `USD`, `GB`, `PERCENTAGE`, …"),
        column("limit_amount", Kind::Quantity, "Limit of the running period in `unit`; NULL when there is none."),
        column("actual_amount", Kind::Quantity, "Spent or used so far in `unit`."),
        column(
            "forecasted_amount",
            Kind::Quantity,
            "Forecast for the running period in `unit`; NULL when AWS has none.",
        ),
        column("limit_usd", Kind::Money, "Limit of the running period; NULL for other units."),
        column("actual_usd", Kind::Money, "Spent so far; NULL for other units."),
        column("forecasted_usd", Kind::Money, "Forecast for the running period; NULL for other units."),
        column("adjusts_itself", Kind::Flag, "True when AWS moves the limit from history or forecast."),
        column("filtered", Kind::Flag, "True when it watches a part of the spend only."),
        column("healthy", Kind::Flag, "False when AWS cannot compute it; NULL when AWS does not say."),
        column("updated", Kind::Instant, "When somebody changed it last."),
    ],
};

/// One row for each month of Cost Explorer's own forecast.
pub const COST_FORECAST: Table = Table {
    name: "cost_forecast",
    doc: "Cost Explorer's own forecast by month, credits and refunds left out, tax and fees in: for comparison with ours, not the same basis as `costs`.",
    key: &["account_id", "from_day"],
    source: Source::State("ce:GetCostForecast"),
    columns: &[
        column("account_id", Kind::Text, "Account that was asked; the payer's answer covers its members."),
        column("from_day", Kind::Day, "First day that the amount is for, as Cost Explorer says it."),
        column("to_day", Kind::Day, "Last day that the amount is for."),
        column(
            "metric",
            Kind::Text,
            "`NET_AMORTIZED_COST`, or `AMORTIZED_COST` where the caller may not see net cost.",
        ),
        column("mean", Kind::Money, "Forecast."),
        column("low", Kind::Money, "Lower bound of the prediction interval."),
        column("high", Kind::Money, "Upper bound of the prediction interval."),
        column("interval_percent", Kind::Count, "How sure the interval is, in percent."),
    ],
};
