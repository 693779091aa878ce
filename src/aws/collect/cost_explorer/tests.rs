use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::aws::collect::{Options, Piece};
use crate::aws::connector::{Allowlist, Connector, Fault, Role, Setup, Tariff};
use crate::aws::stand_in::{answer, refusal, sdk};
use crate::model::Money;
use crate::model::Row;
use crate::prices::PriceBook;

const ACCOUNT: &str = "111122223333";

/// What came out of one run.
struct Run {
    pieces: Vec<Piece>,
    bill: Bill,
    asked: Vec<Value>,
    usd: Money,
}

impl Run {
    fn rows(&self, table: &str) -> Vec<&Row> {
        let rows = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Rows(of, rows) if of.name == table => Some(rows),
            _ => None,
        });
        rows.flatten().collect()
    }

    fn coverage(&self, table: &str) -> Vec<&Coverage> {
        let all = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Cover(coverage) if coverage.table == table => Some(coverage),
            _ => None,
        });
        all.collect()
    }
}

/// Runs the collector on 2026-03-10 against `say`, which sees each request's body.
async fn run(earlier: Vec<Coverage>, max_cost: &str, say: impl Fn(&Value) -> Fault + Send + Sync + 'static) -> Run {
    tagged(&[], earlier, max_cost, say).await
}

/// The same, with these cost tags.
async fn tagged(
    tags: &[&str],
    earlier: Vec<Coverage>,
    max_cost: &str,
    say: impl Fn(&Value) -> Fault + Send + Sync + 'static,
) -> Run {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&asked);
    let allow = Allowlist::default().and(Role::Reading, [OPERATION]);
    let mut setup = Setup::new(allow, Tariff::list(&PriceBook::embedded().unwrap()).unwrap());
    setup.limits =
        crate::aws::connector::Limits::with(|_| crate::aws::connector::limits::Pace { per_minute: 60_000, burst: 999 });
    setup.max_cost = Some(Money::new(max_cost.parse().unwrap()));
    setup.faults = Some(Arc::new(move |_, request| {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        heard.lock().unwrap().push(body.clone());
        Some(say(&body))
    }));
    let connector = Connector::new(setup);
    let cancel = CancellationToken::new();
    let scope = Scope {
        account_id: ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        as_of: "2026-03-10T08:00:00Z".parse().unwrap(),
        sdk: sdk(&connector),
        cancel: cancel.clone(),
        options: Options { cost_tags: tags.iter().map(|&tag| tag.to_owned()).collect(), ..Options::default() },
        left: crate::aws::collect::Allowance::of(&Options::default()),
        heard: crate::aws::collect::Heard::default(),
        earlier,
    };
    let (sink, mut taken, _events) = Sink::channel(cancel);
    let collecting = async move { collect(&scope, &sink.named("cost explorer")).await };
    let draining = async {
        let mut pieces = Vec::new();
        while let Some(piece) = taken.recv().await {
            pieces.push(piece);
        }
        pieces
    };
    let (bill, pieces) = tokio::join!(collecting, draining);
    let asked = asked.lock().unwrap().clone();
    Run { pieces, bill, asked, usd: connector.spent().usd() }
}

fn dimension(body: &Value, at: usize) -> &str {
    body["GroupBy"][at]["Key"].as_str().unwrap()
}

fn metric(amount: &str, unit: &str) -> Value {
    json!({"Amount": amount, "Unit": unit})
}

/// Answers with one group on the first day of the period, for the keys that the question asks for.
fn one_group(body: &Value, groups: &[[&str; 2]], next: Option<&str>) -> Fault {
    let start: NaiveDate = body["TimePeriod"]["Start"].as_str().unwrap().parse().unwrap();
    let mut metrics = serde_json::Map::new();
    for name in body["Metrics"].as_array().unwrap().iter().map(|m| m.as_str().unwrap()) {
        let value = if name == "UsageQuantity" { metric("12.5", "GB-Mo") } else { metric("1.25", "USD") };
        metrics.insert(name.to_owned(), value);
    }
    let groups: Vec<Value> = groups.iter().map(|keys| json!({"Keys": keys, "Metrics": metrics})).collect();
    let period = json!({"Start": start, "End": start.succ_opt().unwrap()});
    let mut said = json!({
        "GroupDefinitions": body["GroupBy"],
        "ResultsByTime": [{"TimePeriod": period, "Total": {}, "Groups": groups, "Estimated": false}],
        "DimensionValueAttributes": [{"Value": ACCOUNT, "Attributes": {"description": "the lake"}}],
    });
    if let Some(next) = next {
        said["NextPageToken"] = json!(next);
    }
    answer(200, &said.to_string())
}

/// An honest little Cost Explorer.
fn honest(body: &Value) -> Fault {
    match dimension(body, 0) {
        "RECORD_TYPE" => one_group(body, &[["Usage", "Amazon Simple Storage Service"], ["Tax", "Tax"]], None),
        "SERVICE" => one_group(body, &[["Amazon Simple Storage Service", "EUC1-TimedStorage-ByteHrs"]], None),
        "USAGE_TYPE" => one_group(body, &[["EUC1-TimedStorage-ByteHrs", "StandardStorage"]], None),
        "team" => one_group(body, &[["team$ingest$eu", "AWS Glue"], ["team$", "AWS Glue"]], None),
        "project" => one_group(body, &[["project$lake", "AWS Glue"]], None),
        _ => one_group(body, &[[ACCOUNT, "Amazon Simple Storage Service"]], None),
    }
}

fn seen(table: &str, from: &str, to: &str) -> Coverage {
    let seen = Coverage::new(table, OPERATION, CoverageState::Seen).at(ACCOUNT, None);
    seen.days(from.parse().unwrap(), to.parse().unwrap())
}

#[tokio::test]
async fn the_first_scan_reads_fourteen_months_newest_first_and_filters_by_what_charges_said() {
    let run = run(Vec::new(), "5", honest).await;
    assert_eq!(run.asked.len(), 14 * 4);
    assert_eq!(run.asked[0]["TimePeriod"], json!({"Start": "2026-03-01", "End": "2026-03-10"}));
    assert_eq!(run.asked.last().unwrap()["TimePeriod"], json!({"Start": "2025-02-01", "End": "2025-03-01"}));
    assert_eq!(run.asked[0].get("Filter"), None);
    assert_eq!(run.asked[1]["Filter"], json!({"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}));
    assert_eq!(run.usd.to_string(), "0.56");
    let costs = run.coverage("costs");
    assert_eq!(costs.len(), 1, "one span without holes");
    assert_eq!(
        (costs[0].from.unwrap().to_string(), costs[0].to.unwrap().to_string()),
        ("2025-02-01".into(), "2026-03-09".into())
    );
    assert_eq!(run.bill.regions, BTreeSet::from(["eu-central-1".to_owned()]));
}

#[tokio::test]
async fn rows_carry_exact_money_usage_and_the_day() {
    let run = run(Vec::new(), "5", honest).await;
    let row = run.rows("costs")[0];
    assert_eq!(row.money("net_amortized").unwrap().to_string(), "1.25");
    assert_eq!((row.decimal("usage").unwrap().to_string(), row.key("unit")), ("12.5".to_owned(), "GB-Mo"));
    assert_eq!(row.date("day").unwrap().to_string(), "2026-03-01");
    assert_eq!(row.key("region"), "eu-central-1");
    assert_eq!(run.bill.accounts[ACCOUNT].as_deref(), Some("the lake"));
}

#[tokio::test]
async fn pages_are_followed_to_the_end() {
    let run = run(Vec::new(), "5", |body| match (dimension(body, 0), body["NextPageToken"].as_str()) {
        ("SERVICE", None) => one_group(body, &[["Amazon Athena", "EUC1-DataScannedInTB"]], Some("page two")),
        ("SERVICE", Some("page two")) => one_group(body, &[["AWS Glue", "EUC1-ETL-DPU-Hour"]], None),
        _ => honest(body),
    });
    let run = run.await;
    assert_eq!(run.rows("costs").len(), 2 * 14);
}

#[tokio::test]
async fn a_page_token_that_repeats_is_a_gap_and_not_an_endless_bill() {
    let run = run(Vec::new(), "5", |body| match dimension(body, 0) {
        "SERVICE" => one_group(body, &[["Amazon Athena", "EUC1-DataScannedInTB"]], Some("again")),
        _ => honest(body),
    });
    let run = run.await;
    assert!(run.rows("costs").is_empty(), "a month without all its pages is no month");
    assert!(run.coverage("costs").iter().all(|gap| gap.state == CoverageState::Missing));
    assert_eq!(run.coverage("charges")[0].state, CoverageState::Seen);
}

#[tokio::test]
async fn an_answer_to_another_question_is_a_gap() {
    let run = run(Vec::new(), "5", |body| match dimension(body, 0) {
        "LINKED_ACCOUNT" => {
            let period = json!({"Start": "2020-01-01", "End": "2020-01-02"});
            let said =
                json!({"GroupDefinitions": body["GroupBy"], "ResultsByTime": [{"TimePeriod": period, "Groups": []}]});
            answer(200, &said.to_string())
        }
        "SERVICE" => answer(200, &json!({"ResultsByTime": []}).to_string()),
        _ => honest(body),
    });
    let run = run.await;
    for (table, said) in [("costs", "grouped by"), ("costs_by_account", "which was not asked for")] {
        let gap = run.coverage(table)[0];
        assert_eq!(gap.state, CoverageState::Missing);
        assert!(gap.reason.as_ref().unwrap().raw().contains(said), "{gap:?}");
    }
}

#[tokio::test]
async fn where_net_cost_is_hidden_the_rest_is_still_read() {
    let run = run(Vec::new(), "5", |body| {
        if body["Metrics"].as_array().unwrap().contains(&json!("NetAmortizedCost")) {
            return refusal("AccessDeniedException", "net cost is not for you");
        }
        honest(body)
    });
    let run = run.await;
    assert_eq!(run.asked.len(), 14 * 4 + 1, "one refusal is enough to know");
    assert_eq!(run.usd.to_string(), "0.56", "and it was free");
    let row = run.rows("costs")[0];
    assert_eq!((row.money("net_amortized"), row.money("amortized").unwrap().to_string()), (None, "1.25".to_owned()));
    assert!(run.coverage("costs").iter().any(|gap| gap.state == CoverageState::Partial && gap.from.is_none()));
}

#[tokio::test]
async fn a_denied_caller_costs_nothing_and_learns_the_missing_action() {
    let run = run(Vec::new(), "5", |_| refusal("AccessDeniedException", "not authorized")).await;
    assert_eq!((run.asked.len(), run.usd.to_string()), (2, "0.00".to_owned()));
    for table in ["charges", "costs", "costs_by_account", "costs_by_operation"] {
        let gap = run.coverage(table)[0];
        assert_eq!((gap.state, gap.missing_action.as_deref()), (CoverageState::Missing, Some(OPERATION)));
    }
    assert_eq!(run.bill.accounts.len(), 1, "who we are is known all the same");
}

#[tokio::test]
async fn the_past_ends_where_cost_explorer_says_so() {
    let run = run(Vec::new(), "5", |body| {
        if body["TimePeriod"]["Start"].as_str().unwrap() < "2025-09-01" {
            return refusal("BillExpirationException", "too old");
        }
        honest(body)
    });
    let run = run.await;
    let costs = run.coverage("costs");
    assert_eq!(costs.len(), 2);
    assert_eq!((costs[0].state, costs[0].to.unwrap().to_string()), (CoverageState::Missing, "2025-08-31".to_owned()));
    assert_eq!((costs[1].state, costs[1].from.unwrap().to_string()), (CoverageState::Seen, "2025-09-01".to_owned()));
    assert_eq!(run.asked.len(), 7 * 4 + 1, "older months are not asked for");
}

#[tokio::test]
async fn a_spent_budget_keeps_the_newest_months_and_says_what_it_cut() {
    let run = run(Vec::new(), "0.06", honest).await;
    assert_eq!((run.asked.len(), run.usd.to_string()), (6, "0.06".to_owned()));
    let charges = run.coverage("charges");
    assert_eq!(charges.last().unwrap().from.unwrap().to_string(), "2026-02-01");
    assert!(run.coverage("costs_by_account").iter().any(|gap| gap.state == CoverageState::OverBudget));
    assert_eq!(run.rows("costs").len(), 2);
}

#[tokio::test]
async fn a_later_scan_reads_and_covers_only_what_can_still_change() {
    let earlier = ["charges", "costs", "costs_by_account", "costs_by_operation"]
        .map(|table| seen(table, "2025-02-01", "2026-03-02"));
    let run = run(earlier.to_vec(), "5", honest).await;
    assert_eq!(run.asked.len(), 2 * 4);
    assert_eq!(run.asked[4]["TimePeriod"]["Start"], "2026-02-01");
    let costs = run.coverage("costs");
    assert_eq!(costs.len(), 1);
    assert_eq!(
        (costs[0].from.unwrap().to_string(), costs[0].to.unwrap().to_string()),
        ("2026-02-01".into(), "2026-03-09".into())
    );
    let replaced =
        run.pieces.iter().filter(|piece| matches!(piece, Piece::Replace { table, .. } if table.name == "costs"));
    assert_eq!(replaced.count(), 2);
}

#[tokio::test]
async fn a_month_that_failed_is_not_settled_by_the_newer_ones_that_were_read() {
    // January was read on the 1st of February, while it could still change, and failed ever after.
    let mut earlier = Vec::new();
    for table in ["charges", "costs", "costs_by_account", "costs_by_operation"] {
        earlier.push(seen(table, "2025-02-01", "2026-03-09"));
        let gap = Coverage { state: CoverageState::Partial, ..seen(table, "2025-12-01", "2025-12-31") };
        earlier.push(gap.because("Throttling"));
    }
    let run = run(earlier, "5", honest).await;
    let starts: BTreeSet<_> = run.asked.iter().map(|body| body["TimePeriod"]["Start"].as_str().unwrap()).collect();
    assert_eq!(starts, BTreeSet::from(["2025-12-01", "2026-02-01", "2026-03-01"]));
}

#[tokio::test]
async fn costs_are_not_filtered_by_the_record_types_of_another_month() {
    let run = run(Vec::new(), "5", |body| match (dimension(body, 0), body["TimePeriod"]["Start"].as_str().unwrap()) {
        ("RECORD_TYPE", "2026-02-01") => refusal("InternalFailure", "no"),
        ("RECORD_TYPE", "2026-01-01") => one_group(body, &[["SavingsPlanCoveredUsage", "Amazon Athena"]], None),
        _ => honest(body),
    });
    let run = run.await;
    let of = |month: &str| {
        let filtered = |body: &&Value| ["SERVICE", "LINKED_ACCOUNT"].contains(&dimension(body, 0));
        let asked = run.asked.iter().filter(|body| body["TimePeriod"]["Start"] == month).filter(filtered);
        asked.map(|body| body["Filter"]["Dimensions"]["Values"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("2026-02-01"), Vec::<Value>::new(), "its record types are not known");
    assert_eq!(of("2026-01-01"), vec![json!(["SavingsPlanCoveredUsage"]); 2]);
    let gap = run.coverage("costs").into_iter().find(|c| c.state == CoverageState::Missing).unwrap();
    assert_eq!(gap.from.unwrap().to_string(), "2026-02-01");
    assert!(gap.reason.as_ref().unwrap().raw().contains("record types are not known"), "{gap:?}");
}

#[tokio::test]
async fn pages_that_were_paid_for_are_kept_as_part_of_the_month_when_the_rest_fails() {
    for (max_cost, state) in [("0.02", CoverageState::OverBudget), ("5", CoverageState::Partial)] {
        let run = run(Vec::new(), max_cost, |body| match (dimension(body, 0), body["NextPageToken"].as_str()) {
            ("SERVICE", None) => one_group(body, &[["Amazon Athena", "EUC1-DataScannedInTB"]], Some("page two")),
            ("SERVICE", Some(_)) => refusal("ExpiredTokenException", "expired"),
            _ => honest(body),
        });
        let run = run.await;
        assert_eq!(run.rows("costs").len(), 1, "{max_cost}");
        let of_month = |c: &&&Coverage| c.from.unwrap().to_string() == "2026-03-01";
        assert_eq!(run.coverage("costs").iter().find(of_month).unwrap().state, state);
        let replaced = |piece: &&Piece| matches!(piece, Piece::Replace { table, .. } if table.name == "costs");
        assert_eq!(run.pieces.iter().filter(replaced).count(), 0, "what was held of the month stays");
        assert!(run.bill.regions.contains("eu-central-1"));
    }
}

#[tokio::test]
async fn another_currency_is_a_gap_and_not_a_number() {
    let run = run(Vec::new(), "5", |body| match honest(body) {
        Fault::Answer(said) => {
            let text = String::from_utf8(said.body().bytes().unwrap().to_vec()).unwrap();
            answer(200, &text.replace("\"USD\"", "\"CNY\""))
        }
        other => other,
    });
    let run = run.await;
    assert!(run.rows("charges").is_empty());
    assert!(run.coverage("charges")[0].reason.as_ref().unwrap().raw().contains("CNY"));
    assert_eq!(run.asked.len(), 1, "no other month would be in dollars, and each answer is paid for");
}

#[tokio::test]
async fn usage_in_mixed_units_is_not_known() {
    let run = run(Vec::new(), "5", |body| match honest(body) {
        Fault::Answer(said) => {
            let text = String::from_utf8(said.body().bytes().unwrap().to_vec()).unwrap();
            answer(200, &text.replace("GB-Mo", "N/A"))
        }
        other => other,
    });
    let run = run.await;
    assert_eq!((run.rows("costs")[0].decimal("usage"), run.rows("costs")[0].key("unit")), (None, ""));
}

#[tokio::test]
async fn operations_are_asked_for_the_services_of_the_lake_alone() {
    let run = run(Vec::new(), "5", honest).await;
    let asked = run.asked.iter().find(|body| dimension(body, 1) == "OPERATION").unwrap();
    assert_eq!(asked["Filter"]["And"][0], json!({"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}));
    let services = asked["Filter"]["And"][1]["Dimensions"]["Values"].as_array().unwrap();
    assert!(services.contains(&json!("AWS Glue")) && services.contains(&json!("EC2 - Other")));
    let row = run.rows("costs_by_operation")[0];
    assert_eq!((row.key("operation"), row.key("region")), ("StandardStorage", "eu-central-1"));
    assert_eq!((row.decimal("usage").unwrap().to_string(), row.key("unit")), ("12.5".to_owned(), "GB-Mo"));
}

fn of_tag(tag: &str, from: &str, to: &str) -> Coverage {
    seen("tags_cost", from, to).of(tag)
}

fn settled() -> Vec<Coverage> {
    let tables = ["charges", "costs", "costs_by_account", "costs_by_operation"];
    tables.map(|table| seen(table, "2025-02-01", "2026-03-02")).to_vec()
}

#[tokio::test]
async fn cost_by_tag_keeps_the_value_with_its_dollar_sign_and_what_is_untagged() {
    let run = tagged(&["team", "project"], Vec::new(), "5", honest).await;
    assert_eq!(run.asked.len(), 14 * 6);
    let asked = run.asked.iter().find(|body| dimension(body, 0) == "team").unwrap();
    assert_eq!(asked["GroupBy"], json!([{"Type": "TAG", "Key": "team"}, {"Type": "DIMENSION", "Key": "SERVICE"}]));
    let told: Vec<_> =
        run.rows("tags_cost").iter().map(|row| (row.key("tag_key"), row.key("tag_value"))).take(3).collect();
    assert_eq!(told, [("team", "ingest$eu"), ("team", ""), ("project", "lake")]);
    assert!(run.rows("tags_cost")[1].text("tag_value").is_some(), "untagged is a value, not unknown");
    let tags: Vec<_> =
        run.coverage("tags_cost").iter().map(|c| (c.state, c.resource.as_ref().unwrap().raw())).collect();
    assert_eq!(tags, [(CoverageState::Seen, "team"), (CoverageState::Seen, "project")]);
}

#[tokio::test]
async fn a_tag_that_is_new_is_read_for_the_whole_past_and_nothing_else_is() {
    let mut earlier = settled();
    earlier.push(of_tag("team", "2025-02-01", "2026-03-02"));
    let run = tagged(&["team", "project"], earlier, "5", honest).await;
    let asked = |key: &str| run.asked.iter().filter(|body| dimension(body, 0) == key).count();
    assert_eq!((asked("project"), asked("team")), (14, 2));
    assert_eq!((asked("RECORD_TYPE"), asked("SERVICE"), asked("USAGE_TYPE")), (14, 2, 2));
    assert_eq!(replaced(&run, "tags_cost"), 2, "the rows of `team` in older months stay");
}

fn replaced(run: &Run, name: &str) -> usize {
    let replaced = |piece: &&Piece| matches!(piece, Piece::Replace { table, .. } if table.name == name);
    run.pieces.iter().filter(replaced).count()
}

#[tokio::test]
async fn a_tag_that_fails_costs_the_others_nothing() {
    let refuse = |body: &Value| match dimension(body, 0) {
        "project" => refusal("ValidationException", "no such tag"),
        _ => honest(body),
    };
    let first = tagged(&["team", "project"], Vec::new(), "5", refuse).await;
    assert_eq!(first.rows("tags_cost").len(), 2 * 14);
    assert_eq!(first.rows("costs").len(), 14, "a tag that is not known does not end the past");
    assert_eq!(first.asked.iter().filter(|body| dimension(body, 0) == "project").count(), 1);
    let mut earlier = settled();
    earlier.extend(["team", "project"].map(|tag| of_tag(tag, "2025-02-01", "2026-03-02")));
    let later = tagged(&["team", "project"], earlier, "5", refuse).await;
    assert_eq!(
        (later.rows("tags_cost").len(), replaced(&later, "tags_cost")),
        (2 * 2, 0),
        "what was held of `project` stays"
    );
    let told: Vec<_> =
        later.coverage("tags_cost").iter().map(|c| (c.state, c.resource.as_ref().unwrap().raw())).collect();
    assert_eq!(told, [(CoverageState::Seen, "team"), (CoverageState::Partial, "project")]);
}

#[tokio::test]
async fn a_group_that_is_no_value_of_the_tag_is_a_gap() {
    let run = tagged(&["team"], Vec::new(), "5", |body| match dimension(body, 0) {
        "team" => one_group(body, &[["squad$x", "AWS Glue"]], None),
        _ => honest(body),
    });
    let run = run.await;
    assert!(run.rows("tags_cost").is_empty());
    assert!(run.coverage("tags_cost")[0].reason.as_ref().unwrap().raw().contains("squad$x"));
    assert_eq!(run.asked.len(), 14 * 4 + 1, "no other month would answer better");
}

#[tokio::test]
async fn without_cost_tags_nobody_believes_that_they_were_read() {
    let run = run(Vec::new(), "5", honest).await;
    assert_eq!(run.coverage("tags_cost").iter().map(|c| c.state).collect::<Vec<_>>(), [CoverageState::NotAsked]);
}
