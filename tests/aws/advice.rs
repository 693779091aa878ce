//! AWS's own advisers: Cost Optimization Hub, Cost Anomaly Detection, Budgets, Cost Explorer's forecast.

use chrono::{Datelike, Days, Months, NaiveDate};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::ledger::Ledger;
use super::{Answer, Request};

/// What the advisers of an account know.
#[derive(Default)]
pub struct Advice {
    /// True when Cost Optimization Hub is switched on.
    pub enrolled: bool,
    /// Items of ListRecommendations.
    pub recommendations: Vec<Value>,
    /// Items of GetAnomalies.
    pub anomalies: Vec<Value>,
    /// Items of DescribeBudgets.
    pub budgets: Vec<Value>,
    /// Items of ListBillingViews.
    pub billing_views: Vec<Value>,
    /// Things on a page; the services' own limits when it is 0.
    pub page: usize,
}

type Refusal = (&'static str, &'static str);

impl Advice {
    pub(super) fn answer(&self, request: &Request, ledger: &Ledger, account: &str, today: NaiveDate) -> Answer {
        let body = request.json();
        let answer = match request.operation.as_str() {
            "cost-optimization-hub:ListEnrollmentStatuses" => Ok(self.enrolment(account)),
            "cost-optimization-hub:ListRecommendations" => self.recommend(request, &body),
            "budgets:DescribeBudgets" => self.budgets(&body, account),
            "billing:ListBillingViews" => {
                self.page(&self.billing_views, &body, ["billingViews", "maxResults", "nextToken"])
            }
            "ce:GetAnomalies" => self.anomalies(&body, today),
            "ce:GetCostForecast" => forecast(&body, ledger, today),
            _ => Err(("ValidationException", "the tests' server does not play this operation")),
        };
        answer.map_or_else(|(code, why)| request.refuse(400, code, why), |body| Answer::json(&body))
    }

    fn enrolment(&self, account: &str) -> Value {
        let status = if self.enrolled { "Active" } else { "Inactive" };
        json!({"items": [{"accountId": account, "status": status}], "includeMemberAccounts": false})
    }

    fn recommend(&self, request: &Request, body: &Value) -> Result<Value, Refusal> {
        if !self.enrolled {
            return Err(("AccessDeniedException", "the account is not enrolled in Cost Optimization Hub"));
        }
        if request.region != "us-east-1" {
            return Err(("ValidationException", "Cost Optimization Hub has one endpoint, in us-east-1"));
        }
        self.page(&self.recommendations, body, ["items", "maxResults", "nextToken"])
    }

    fn budgets(&self, body: &Value, account: &str) -> Result<Value, Refusal> {
        if body["AccountId"] != account {
            return Err(("AccessDeniedException", "budgets of another account"));
        }
        self.page(&self.budgets, body, ["Budgets", "MaxResults", "NextToken"])
    }

    /// Anomalies whose end lies in the interval, which is no longer than 90 days.
    fn anomalies(&self, body: &Value, today: NaiveDate) -> Result<Value, Refusal> {
        let day = |value: &Value| value.as_str().and_then(|text| text.parse::<NaiveDate>().ok());
        let interval = &body["DateInterval"];
        let (from, to) = (day(&interval["StartDate"]), day(&interval["EndDate"]).unwrap_or(today));
        let Some(from) = from.filter(|from| *from <= to && (to - *from).num_days() < 90 && to <= today) else {
            return Err(("ValidationException", "the interval is not one of the last 90 days"));
        };
        let end = |anomaly: &&Value| day(&json!(anomaly["AnomalyEndDate"].as_str()?.get(..10)?));
        let within = |anomaly: &&Value| end(anomaly).is_none_or(|end| from <= end && end <= to);
        let found: Vec<Value> = self.anomalies.iter().filter(within).cloned().collect();
        self.page(&found, body, ["Anomalies", "MaxResults", "NextPageToken"])
    }

    fn page(&self, items: &[Value], body: &Value, [set, most, token]: [&str; 3]) -> Result<Value, Refusal> {
        let most = body[most].as_u64().map_or(1000, |most| usize::try_from(most).unwrap());
        let from = match body[token].as_str() {
            None => 0,
            Some(text) => text.parse().map_err(|_| ("InvalidNextTokenException", "the token is not known"))?,
        };
        let size = if self.page == 0 { most } else { most.min(self.page) };
        let to = (from + size).min(items.len());
        let mut answer = json!({set: items[from..to]});
        if to < items.len() {
            answer[token] = json!(to.to_string());
        }
        Ok(answer)
    }
}

/// Each day like the mean of the last 30 days of usage; a tenth less and more as the interval.
fn forecast(body: &Value, ledger: &Ledger, today: NaiveDate) -> Result<Value, Refusal> {
    let day = |value: &Value| value.as_str().and_then(|text| text.parse::<NaiveDate>().ok());
    let period = (day(&body["TimePeriod"]["Start"]), day(&body["TimePeriod"]["End"]));
    let (Some(start), Some(end)) = period else { return Err(("ValidationException", "TimePeriod is required")) };
    if start > today || end <= start || end > start + Months::new(18) {
        return Err(("ValidationException", "Start must be no later than today, End at most 18 months later"));
    }
    let level = body["PredictionIntervalLevel"].as_u64().unwrap_or(80);
    if body["Granularity"] != "MONTHLY" || !(51..=99).contains(&level) {
        return Err(("ValidationException", "the tests' server only knows MONTHLY, and levels from 51 to 99"));
    }
    if body["Filter"]["Not"]["Dimensions"]["Key"] != "RECORD_TYPE" {
        return Err(("ValidationException", "the tests' server wants credits and refunds left out"));
    }
    let net = match body["Metric"].as_str() {
        Some("NET_AMORTIZED_COST") => true,
        Some("AMORTIZED_COST") => false,
        _ => return Err(("ValidationException", "Metric is invalid")),
    };
    if let Some(code) = ledger.net_refusal.filter(|_| net) {
        return Err((code, "net costs are not shown to this account"));
    }
    let recent = ledger.charges.iter().filter(|charge| charge.day < today && charge.day >= today - Days::new(30));
    let spent: Decimal = recent.map(|charge| if net { charge.net_amortized } else { charge.amortized }).sum();
    if spent.is_zero() {
        return Err(("DataUnavailableException", "Insufficient amount of historical data to generate a forecast"));
    }
    Ok(forecast_of(spent / Decimal::from(30), start, end))
}

fn forecast_of(a_day: Decimal, start: NaiveDate, end: NaiveDate) -> Value {
    let (mut from, mut months, mut total) = (start, Vec::new(), Decimal::ZERO);
    while from < end {
        let to = (from.with_day(1).unwrap() + Months::new(1)).min(end);
        let mean = a_day * Decimal::from((to - from).num_days());
        total += mean;
        months.push(json!({
            "TimePeriod": {"Start": from.to_string(), "End": to.to_string()},
            "MeanValue": mean.to_string(),
            "PredictionIntervalLowerBound": (mean * Decimal::new(9, 1)).to_string(),
            "PredictionIntervalUpperBound": (mean * Decimal::new(11, 1)).to_string(),
        }));
        from = to;
    }
    json!({"Total": {"Amount": total.to_string(), "Unit": "USD"}, "ForecastResultsByTime": months})
}
