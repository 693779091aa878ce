//! AWS Budgets of the account: limit, spent, forecast. Free; one endpoint for all Regions.

use aws_sdk_budgets::types::{Budget, HealthStatusValue, Spend};
use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::number;
use crate::aws::collect::pages::list_pages;
use crate::aws::collect::{Read, Scope, Sink, instant};
use crate::model::Row;
use crate::store::tables::advice::BUDGETS as TABLE;

/// The budgets. IAM calls the read by another name.
pub const BUDGETS: Read = Read::rows("budgets:DescribeBudgets", "budgets:ViewBudget", "budgets");

/// Most budgets on a page (Budgets API reference).
const PAGE: i32 = 1000;

/// Reads the budgets of the scope's account.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let call =
        scope.budgets().describe_budgets().account_id(&scope.account_id).max_results(PAGE).show_filter_expression(true);
    let listed = list_pages(scope, call.into_paginator().send(), |page| page.budgets).await;
    sink.rows(&TABLE, listed.found.iter().map(|budget| row(scope, budget)).collect()).await;
    sink.cover(listed.coverage(&BUDGETS).at(&scope.account_id, None)).await;
}

fn row(scope: &Scope, budget: &Budget) -> Row {
    let spend = budget.calculated_spend();
    let limit = budget.budget_limit().or_else(|| planned(budget, scope.as_of));
    let actual = spend.and_then(|spend| spend.actual_spend());
    let forecast = spend.and_then(|spend| spend.forecasted_spend());
    let usd = |spend: Option<&Spend>| amount(spend.filter(|spend| spend.unit() == "USD"));
    let healthy = budget.health_status().and_then(|health| health.status()).map(|s| *s == HealthStatusValue::Healthy);
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("budget_name", budget.budget_name())
        .with("budget_type", budget.budget_type().as_str())
        .with("time_unit", budget.time_unit().as_str())
        .with("unit", limit.or(actual).map(Spend::unit))
        .with("limit_amount", amount(limit))
        .with("actual_amount", amount(actual))
        .with("forecasted_amount", amount(forecast))
        .with("limit_usd", usd(limit))
        .with("actual_usd", usd(actual))
        .with("forecasted_usd", usd(forecast))
        .with("adjusts_itself", budget.auto_adjust_data().is_some())
        .with("filtered", is_filtered(budget))
        .with("healthy", healthy)
        .with("updated", budget.last_updated_time().and_then(instant::utc))
}

#[expect(deprecated, reason = "budgets made before filter expressions still have the old form")]
fn is_filtered(budget: &Budget) -> bool {
    budget.cost_filters().is_some_and(|filters| !filters.is_empty()) || budget.filter_expression().is_some()
}

fn amount(spend: Option<&Spend>) -> Option<Decimal> {
    number::of_text(spend?.amount())
}

/// Returns the limit of the running period of a budget with a limit for each; its keys are the periods' first seconds.
fn planned(budget: &Budget, as_of: DateTime<Utc>) -> Option<&Spend> {
    let begun = |(start, spend): (&String, _)| {
        let start = DateTime::from_timestamp(start.parse::<i64>().ok()?, 0)?;
        (start <= as_of).then_some((start, spend))
    };
    let periods = budget.planned_budget_limits()?.iter().filter_map(begun);
    periods.max_by_key(|(start, _)| *start).map(|(_, spend)| spend)
}

#[cfg(test)]
mod tests {
    use aws_sdk_budgets::types::builders::BudgetBuilder;
    use aws_sdk_budgets::types::{BudgetType, TimeUnit};

    use super::*;
    use crate::aws::stand_in::scope;

    fn spend(amount: &str, unit: &str) -> Spend {
        Spend::builder().amount(amount).unit(unit).build().unwrap()
    }

    fn budget() -> BudgetBuilder {
        Budget::builder().budget_name("lake").budget_type(BudgetType::Cost).time_unit(TimeUnit::Monthly)
    }

    #[test]
    fn an_amount_in_another_unit_is_no_dollars() {
        let usage = budget().budget_type(BudgetType::Usage).budget_limit(spend("500", "GB")).build().unwrap();
        let row = row(&scope(vec![]), &usage);
        assert_eq!((row.key("unit"), row.decimal("limit_amount")), ("GB", Some(Decimal::from(500))));
        assert_eq!(row.money("limit_usd"), None);
    }

    #[test]
    fn of_planned_limits_the_running_period_counts() {
        let scope = scope(vec![]);
        let seconds = |days: i64| (scope.as_of.timestamp() + days * 86_400).to_string();
        let planned = budget()
            .planned_budget_limits(seconds(-60), spend("1", "USD"))
            .planned_budget_limits(seconds(-10), spend("2", "USD"))
            .planned_budget_limits(seconds(20), spend("3", "USD"));
        let row = row(&scope, &planned.build().unwrap());
        assert_eq!(row.decimal("limit_usd"), Some(Decimal::TWO));
    }
}
