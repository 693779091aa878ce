//! Cost Explorer's own forecast: the rest of this month and three more, with its prediction interval. One request, a cent.

use aws_sdk_costexplorer::operation::get_cost_forecast::GetCostForecastOutput;
use aws_sdk_costexplorer::types::{
    DateInterval, Dimension, DimensionValues, Expression, ForecastResult, Granularity, Metric,
};
use chrono::{Datelike, Months, NaiveDate};

use super::number;
use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, Sink, Trouble};
use crate::model::{Coverage, CoverageState, Row};
use crate::store::tables::advice::COST_FORECAST;

/// The forecast.
pub const FORECAST: Read = Read::rows("ce:GetCostForecast", "ce:GetCostForecast", "cost_forecast");

/// Months after the running one. Cost Explorer forecasts up to 18.
const AHEAD: u32 = 3;
/// How sure the prediction interval is, in percent.
const INTERVAL: i32 = 80;
/// Record types that say nothing about next month.
const NOT_RUNNING: [&str; 2] = ["Credit", "Refund"];

/// Reads the forecast of the scope's account.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let row = match read(scope).await {
        Ok(rows) => {
            let seen = rows.len();
            sink.rows(&COST_FORECAST, rows).await;
            Coverage::new(FORECAST.table, FORECAST.operation, CoverageState::Seen).counted(seen, None)
        }
        Err(failed) => failed.gap(&FORECAST),
    };
    sink.cover(row.at(&scope.account_id, None)).await;
}

/// Asks for net cost, and once more without where that is refused; refusals are free.
async fn read(scope: &Scope) -> Result<Vec<Row>, Failed> {
    match ask_for(scope, Metric::NetAmortizedCost).await {
        Err(failed) if is_hidden(&failed) => ask_for(scope, Metric::AmortizedCost).await,
        net => net,
    }
}

/// Too little history would be too little for the other metric too.
fn is_hidden(failed: &Failed) -> bool {
    matches!(failed.trouble, Trouble::Denied | Trouble::Refused)
        && failed.code.as_deref() != Some("DataUnavailableException")
}

async fn ask_for(scope: &Scope, metric: Metric) -> Result<Vec<Row>, Failed> {
    let today = scope.as_of.date_naive();
    let end = today.with_day(1).and_then(|first| first.checked_add_months(Months::new(AHEAD + 1))).unwrap_or(today);
    let period = DateInterval::builder().start(today.to_string()).end(end.to_string()).build().ok();
    let client = scope.cost_explorer();
    let call = client.get_cost_forecast().set_time_period(period).metric(metric.clone()).filter(running());
    let call = call.granularity(Granularity::Monthly).prediction_interval_level(INTERVAL);
    rows(scope, &metric, &ask(scope, call.send()).await?)
}

fn running() -> Expression {
    let values = NOT_RUNNING.map(str::to_owned).to_vec();
    let types = DimensionValues::builder().key(Dimension::RecordType).set_values(Some(values)).build();
    Expression::builder().not(Expression::builder().dimensions(types).build()).build()
}

fn rows(scope: &Scope, metric: &Metric, answer: &GetCostForecastOutput) -> Result<Vec<Row>, Failed> {
    let unit = answer.total().and_then(|total| total.unit()).unwrap_or_default();
    if unit != "USD" {
        let reason = format!("the forecast is in `{unit}`, and leanlake does not convert currencies");
        return Err(Failed { trouble: Trouble::Broken, code: None, reason });
    }
    let row = |result: &ForecastResult| {
        let period = result.time_period()?;
        let (from, end): (NaiveDate, NaiveDate) = (period.start().parse().ok()?, period.end().parse().ok()?);
        let row = Row::new()
            .with("account_id", scope.account_id.as_str())
            .with("from_day", from)
            .with("to_day", end.pred_opt())
            .with("metric", metric.as_str())
            .with("mean", result.mean_value().and_then(number::of_text))
            .with("low", result.prediction_interval_lower_bound().and_then(number::of_text))
            .with("high", result.prediction_interval_upper_bound().and_then(number::of_text))
            .with("interval_percent", INTERVAL);
        Some(row)
    };
    Ok(answer.forecast_results_by_time().iter().filter_map(row).collect())
}
