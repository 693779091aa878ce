//! Cost Anomaly Detection: what it found in the last 90 days. Each page costs a cent, and pages are few.

use aws_sdk_costexplorer::types::{Anomaly, AnomalyDateInterval, AnomalyFeedbackType, Impact, RootCause};
use chrono::{Days, NaiveDate};
use serde_json::json;

use super::number;
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::advice::AWS_ANOMALIES;

/// The anomalies.
pub const ANOMALIES: Read = Read::rows("ce:GetAnomalies", "ce:GetAnomalies", "aws_anomalies");

/// Days that Cost Anomaly Detection answers for, today included (Cost Explorer API reference, GetAnomalies).
const KEPT_DAYS: u64 = 90;
/// Most pages of one scan.
const PAGES: usize = 10;

/// Reads the anomalies that every monitor of the account found.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let to = scope.as_of.date_naive();
    let from = to.checked_sub_days(Days::new(KEPT_DAYS - 1)).unwrap_or(to);
    let (found, failed) = read(scope, from, to).await;
    let rows: Vec<Row> = found.iter().filter_map(|anomaly| row(scope, anomaly)).collect();
    let seen = rows.len();
    sink.rows(&AWS_ANOMALIES, rows).await;
    let row = match failed {
        None => {
            let since = scope.held(AWS_ANOMALIES.name, ANOMALIES.operation).map_or(from, |(held, _)| held.min(from));
            Coverage::new(ANOMALIES.table, ANOMALIES.operation, CoverageState::Seen).days(since, to)
        }
        Some(failed) if seen == 0 || failed.trouble == Trouble::OverBudget => failed.gap(&ANOMALIES).days(from, to),
        Some(failed) => Coverage { state: CoverageState::Partial, ..failed.gap(&ANOMALIES) }.days(from, to),
    };
    sink.cover(row.at(&scope.account_id, None).counted(seen, None)).await;
}

/// Returns the anomalies, and why there may be more.
async fn read(scope: &Scope, from: NaiveDate, to: NaiveDate) -> (Vec<Anomaly>, Option<Failed>) {
    let client = scope.cost_explorer();
    let days =
        AnomalyDateInterval::builder().set_start_date(Some(from.to_string())).end_date(to.to_string()).build().ok();
    let (mut found, mut token) = (Vec::new(), None);
    for _ in 0..PAGES {
        let call = client.get_anomalies().set_date_interval(days.clone()).set_next_page_token(token.take());
        match ask(scope, call.send()).await {
            Ok(page) => {
                found.extend(page.anomalies);
                token = page.next_page_token.filter(|token| !token.is_empty());
            }
            Err(failed) => return (found, Some(failed)),
        }
        if token.is_none() {
            return (found, None);
        }
    }
    let reason = format!("the budget of {PAGES} pages was spent");
    (found, Some(Failed { trouble: Trouble::OverBudget, code: None, reason }))
}

/// Returns the row of an anomaly; none for one without a day, which has no place in the history.
fn row(scope: &Scope, anomaly: &Anomaly) -> Option<Row> {
    let (start, end) = (anomaly.anomaly_start_date().and_then(day), anomaly.anomaly_end_date().and_then(day));
    let impact = anomaly.impact();
    let usd = |amount: Option<f64>| amount.and_then(number::of_float);
    let row = Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("anomaly_id", anomaly.anomaly_id())
        .with("start_day", start.or(end)?)
        .with("end_day", end)
        .with("monitor_arn", anomaly.monitor_arn())
        .with("dimension_value", anomaly.dimension_value())
        .with("total_impact", usd(impact.map(Impact::total_impact)))
        .with("max_impact", usd(impact.map(Impact::max_impact)))
        .with("actual_spend", usd(impact.and_then(Impact::total_actual_spend)))
        .with("expected_spend", usd(impact.and_then(Impact::total_expected_spend)))
        .with("root_causes", causes(anomaly.root_causes()))
        .with("feedback", anomaly.feedback().map(AnomalyFeedbackType::as_str));
    Some(row)
}

/// Returns a day that may come with a time behind it.
fn day(text: &str) -> Option<NaiveDate> {
    text.get(..10)?.parse().ok()
}

fn causes(causes: &[RootCause]) -> String {
    let cause = |cause: &RootCause| {
        json!({
            "service": cause.service(),
            "region": cause.region(),
            "linked_account": cause.linked_account(),
            "usage_type": cause.usage_type(),
        })
    };
    json!(causes.iter().map(cause).collect::<Vec<_>>()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_read_with_and_without_a_time() {
        let wanted = NaiveDate::from_ymd_opt(2026, 11, 2);
        assert_eq!((day("2026-11-02"), day("2026-11-02T00:00:00Z"), day("soon")), (wanted, wanted, None));
    }
}
