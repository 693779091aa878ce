//! Cost Optimization Hub: whether it is switched on, and what it recommends. Free; one endpoint for all Regions.

use aws_sdk_costoptimizationhub::Client;
use aws_sdk_costoptimizationhub::types::{EnrollmentStatus, Recommendation, Source};

use super::number;
use crate::aws::collect::pages::list_pages;
use crate::aws::collect::{Failed, Read, Scope, Sink, instant};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::advice::AWS_ADVICE;

/// Most recommendations on a page (Cost Optimization Hub API reference).
const PAGE: i32 = 1000;

/// Whether the account is enrolled.
pub const ENROLMENT: Read = Read::columns(
    "cost-optimization-hub:ListEnrollmentStatuses",
    "cost-optimization-hub:ListEnrollmentStatuses",
    "aws_advice",
    &[],
);
/// The recommendations.
pub const ADVICE: Read =
    Read::rows("cost-optimization-hub:ListRecommendations", "cost-optimization-hub:ListRecommendations", "aws_advice");

/// What an account that never switched it on is told.
const OFF: &str = "Cost Optimization Hub is not switched on for this account; it is free";

/// Reads the recommendations of the scope's account, and of its members where it is the payer.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let client = scope.cost_optimization_hub();
    match is_enrolled(scope, &client).await {
        Ok(true) => {}
        Ok(false) => {
            // Nothing failed: all that it has to say was heard, which is nothing.
            let none = Coverage::new(ADVICE.table, ADVICE.operation, CoverageState::Seen).counted(0, Some(0));
            return sink.cover(none.at(&scope.account_id, None).because(OFF)).await;
        }
        // Not knowing is no reason not to ask.
        Err(failed) => sink.cover(failed.gap(&ENROLMENT).at(&scope.account_id, None)).await,
    }
    let pages = client.list_recommendations().max_results(PAGE).into_paginator().send();
    let listed = list_pages(scope, pages, |page| page.items).await;
    sink.rows(&AWS_ADVICE, listed.found.iter().map(|advice| row(scope, advice)).collect()).await;
    sink.cover(listed.coverage(&ADVICE).at(&scope.account_id, None)).await;
}

async fn is_enrolled(scope: &Scope, client: &Client) -> Result<bool, Failed> {
    let listed = list_pages(scope, client.list_enrollment_statuses().into_paginator().send(), |page| page.items).await;
    let active = listed.found.iter().any(|account| {
        account.status() == Some(&EnrollmentStatus::Active)
            && account.account_id().is_none_or(|account| account == scope.account_id)
    });
    match listed.failed {
        Some(failed) if !active => Err(failed),
        _ => Ok(active),
    }
}

fn row(scope: &Scope, advice: &Recommendation) -> Row {
    let in_usd = advice.currency_code() == Some("USD");
    let usd = |amount: Option<f64>| amount.filter(|_| in_usd).and_then(number::of_float);
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("recommendation_id", advice.recommendation_id())
        .with("resource_account_id", advice.account_id())
        .with("region", advice.region())
        .with("resource_id", advice.resource_id())
        .with("resource_arn", advice.resource_arn())
        .with("source", advice.source().map(Source::as_str))
        .with("action_type", advice.action_type())
        .with("current_resource_type", advice.current_resource_type())
        .with("recommended_resource_type", advice.recommended_resource_type())
        .with("current_summary", advice.current_resource_summary())
        .with("recommended_summary", advice.recommended_resource_summary())
        .with("estimated_monthly_savings", usd(advice.estimated_monthly_savings()))
        .with("estimated_monthly_cost", usd(advice.estimated_monthly_cost()))
        .with("currency", advice.currency_code())
        .with("implementation_effort", advice.implementation_effort())
        .with("restart_needed", advice.restart_needed())
        .with("rollback_possible", advice.rollback_possible())
        .with("lookback_days", advice.recommendation_lookback_period_in_days())
        .with("refreshed", advice.last_refresh_timestamp().and_then(instant::utc))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::scope;

    #[test]
    fn an_estimate_in_another_currency_is_not_taken_for_dollars() {
        let of = |currency: &str| {
            let advice = Recommendation::builder().estimated_monthly_savings(12.5).currency_code(currency).build();
            row(&scope(vec![]), &advice).decimal("estimated_monthly_savings").map(|usd| usd.to_string())
        };
        assert_eq!((of("USD").as_deref(), of("JPY")), (Some("12.5"), None));
    }
}
