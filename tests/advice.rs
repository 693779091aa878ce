//! What AWS's own advisers say, as a scan reads it; one that says no blinds nothing else.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::aws::ledger::Charge;
use crate::aws::{Fault, Trouble};
use crate::support::{World, day};

fn recommendation(id: &str, savings: f64) -> Value {
    json!({
        "recommendationId": id, "accountId": "444455556666", "region": "eu-west-1", "resourceId": "i-1",
        "currentResourceType": "Ec2Instance", "estimatedMonthlySavings": savings, "estimatedMonthlyCost": 41.61,
        "currencyCode": "USD", "implementationEffort": "Low", "restartNeeded": true, "actionType": "Rightsize",
        "rollbackPossible": true, "currentResourceSummary": "m5.xlarge", "recommendedResourceSummary": "m5.large",
        "recommendationLookbackPeriodInDays": 14, "source": "ComputeOptimizer",
        "lastRefreshTimestamp": 1_763_000_000,
    })
}

fn anomaly(id: &str, start: &str, end: &str) -> Value {
    json!({
        "AnomalyId": id, "AnomalyStartDate": format!("{start}T00:00:00Z"), "AnomalyEndDate": format!("{end}T00:00:00Z"),
        "DimensionValue": "Amazon Athena", "MonitorArn": "arn:aws:ce::111122223333:anomalymonitor/m",
        "RootCauses": [{"Service": "Amazon Athena", "Region": "us-east-1", "UsageType": "DataScannedInTB"}],
        "AnomalyScore": {"MaxScore": 0.9, "CurrentScore": 0.5},
        "Impact": {"MaxImpact": 40.5, "TotalImpact": 123.45, "TotalActualSpend": 200.0, "TotalExpectedSpend": 76.55},
    })
}

fn budget(name: &str) -> Value {
    let usd = |amount: &str| json!({"Amount": amount, "Unit": "USD"});
    json!({
        "BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": usd("1000.0"),
        "CalculatedSpend": {"ActualSpend": usd("640.25"), "ForecastedSpend": usd("1100.5")},
        "CostFilters": {"Service": ["Amazon Athena"]}, "LastUpdatedTime": 1_763_000_000,
        "HealthStatus": {"Status": "HEALTHY"},
    })
}

fn world() -> World {
    let world = World::new();
    fill(&world);
    world
}

/// Puts in something that each adviser says.
pub fn fill(world: &World) {
    let mut account = world.aws.account();
    account.advice.enrolled = true;
    account.advice.recommendations = vec![recommendation("r-1", 20.805), recommendation("r-2", 7.0)];
    account.advice.anomalies =
        vec![anomaly("a-1", "2026-11-02", "2026-11-04"), anomaly("a-old", "2026-07-01", "2026-07-02")];
    account.advice.budgets = vec![budget("lake"), budget("all")];
    let cost = Decimal::from(3);
    let usage = Charge::usage(day("2026-11-10"), "Amazon Athena", "DataScannedInTB", cost, Decimal::ONE, "Terabytes");
    account.ledger.charges.push(usage);
}

fn scan(world: &World) {
    world.run(&["scan", "--only", "advice,s3"]).ends_with(0);
}

fn gaps(world: &World) -> Vec<String> {
    world.lines("select table_name as t, state as s, missing_action as a from coverage where state <> 'seen' and table_name in ('aws_advice', 'aws_anomalies', 'budgets', 'cost_forecast') order by t, a")
}

#[test]
fn each_adviser_fills_its_table_with_decimals() {
    let world = world();
    world.aws.account().advice.page = 1;
    scan(&world);
    let advice = "select recommendation_id as id, cast(estimated_monthly_savings as varchar) as usd, action_type as a, resource_account_id as acc from aws_advice order by id";
    assert_eq!(
        world.lines(advice),
        [
            "a=Rightsize acc=444455556666 id=r-1 usd=20.805000000000",
            "a=Rightsize acc=444455556666 id=r-2 usd=7.000000000000"
        ]
    );
    let anomalies = "select anomaly_id as id, cast(start_day as varchar) as d, cast(total_impact as varchar) as usd from aws_anomalies";
    assert_eq!(world.lines(anomalies), ["d=2026-11-02 id=a-1 usd=123.450000000000"]);
    let budgets = "select budget_name as b, cast(limit_usd as varchar) as l, cast(forecasted_usd as varchar) as f, filtered, healthy from budgets order by b";
    assert_eq!(
        world.lines(budgets),
        [
            "b=all f=1100.500000000000 filtered=true healthy=true l=1000.000000000000",
            "b=lake f=1100.500000000000 filtered=true healthy=true l=1000.000000000000"
        ]
    );
    assert_eq!(gaps(&world), Vec::<String>::new());
}

#[test]
fn the_forecast_covers_the_rest_of_the_month_and_three_more_with_its_interval() {
    let world = world();
    scan(&world);
    let sql = "select cast(from_day as varchar) as f, cast(to_day as varchar) as t, metric as m, low < mean and mean < high as inside from cost_forecast order by f";
    assert_eq!(
        world.lines(sql),
        [
            "f=2026-11-20 inside=true m=NET_AMORTIZED_COST t=2026-11-30",
            "f=2026-12-01 inside=true m=NET_AMORTIZED_COST t=2026-12-31",
            "f=2027-01-01 inside=true m=NET_AMORTIZED_COST t=2027-01-31",
            "f=2027-02-01 inside=true m=NET_AMORTIZED_COST t=2027-02-28"
        ]
    );
}

#[test]
fn where_net_cost_is_hidden_the_forecast_is_of_amortized_cost() {
    let world = world();
    world.aws.account().ledger.net_refusal = Some("AccessDeniedException");
    scan(&world);
    assert_eq!(world.lines("select distinct metric as m from cost_forecast"), ["m=AMORTIZED_COST"]);
}

#[test]
fn a_young_account_has_no_forecast_and_is_asked_once() {
    let world = world();
    world.aws.account().ledger.charges.clear();
    scan(&world);
    assert_eq!(world.aws.count("ce:GetCostForecast"), 1);
    assert_eq!(gaps(&world), ["a=null s=missing t=cost_forecast"]);
}

#[test]
fn each_adviser_may_say_no_and_the_others_are_heard() {
    let cases = [
        ("cost-optimization-hub:ListRecommendations", "cost-optimization-hub:ListRecommendations", "aws_advice"),
        ("budgets:DescribeBudgets", "budgets:ViewBudget", "budgets"),
        ("ce:GetAnomalies", "ce:GetAnomalies", "aws_anomalies"),
        ("ce:GetCostForecast", "ce:GetCostForecast", "cost_forecast"),
    ];
    for (operation, action, table) in cases {
        let world = world();
        world.aws.make(Fault::on(operation, Trouble::Denied));
        scan(&world);
        assert_eq!(gaps(&world), [format!("a={action} s=missing t={table}")]);
        for other in cases.iter().map(|case| case.2).filter(|other| *other != table) {
            let rows = world.rows(&format!("select count(*) as n from {other}"));
            assert!(rows[0]["n"].as_i64().unwrap() > 0, "{table} denied: {other} is empty");
        }
    }
}

#[test]
fn a_hub_that_is_not_switched_on_is_a_note_and_no_gap() {
    let world = world();
    world.aws.account().advice.enrolled = false;
    scan(&world);
    assert_eq!(world.aws.count("cost-optimization-hub:ListRecommendations"), 0);
    let told = world.rows("select state, reason, missing_action from coverage where table_name = 'aws_advice'");
    assert_eq!((told.len(), told[0]["state"].as_str()), (1, Some("seen")), "{told:?}");
    assert!(told[0]["reason"].as_str().unwrap().contains("not switched on"), "{told:?}");
    assert_eq!(told[0]["missing_action"], Value::Null);
    let report = world.run(&["report"]).ends_with(0).stdout;
    assert!(!report.contains("Optimization Hub") && !report.contains("optimization-hub"), "{report}");
}

#[test]
fn advisers_that_are_not_wanted_are_not_asked() {
    let world = world();
    world.run(&["scan", "--only", "advice,s3", "--without", "anomalies,forecast"]).ends_with(0);
    assert_eq!((world.aws.count("ce:GetAnomalies"), world.aws.count("ce:GetCostForecast")), (0, 0));
    assert_eq!(gaps(&world), ["a=null s=not_asked t=aws_anomalies", "a=null s=not_asked t=cost_forecast"]);
    assert_eq!(world.lines("select count(*) as n from budgets"), ["n=2"]);
}

#[test]
fn cents_for_advice_count_against_the_cost_limit() {
    let world = world();
    world.run(&["scan", "--only", "advice", "--max-cost", "0.01"]).ends_with(3);
    assert_eq!((world.aws.count("ce:GetAnomalies"), world.aws.count("ce:GetCostForecast")), (1, 0));
    assert_eq!(gaps(&world), ["a=null s=over_budget t=cost_forecast"]);
}

#[test]
fn anomalies_outlive_the_ninety_days_that_aws_answers_for() {
    let world = world();
    scan(&world);
    let world = world.on("2027-03-01");
    scan(&world);
    assert_eq!(world.lines("select anomaly_id as id from aws_anomalies"), ["id=a-1"]);
}
