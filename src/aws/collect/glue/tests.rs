//! The Glue collector through the real SDK client, with canned answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::aws::collect::{Allowance, Heard, Options, Piece};
use crate::aws::connector::{Allowlist, Connector, Fault, Role};
use crate::aws::stand_in::{answer, refusal, sdk, setup};
use crate::model::{Coverage, CoverageState};

/// Returns the scope of a scan on 2026-11-24 after one that covered `earlier`.
pub fn scope(earlier: Vec<Coverage>) -> Scope {
    Scope {
        account_id: "123456789012".into(),
        region: "eu-west-1".into(),
        as_of: "2026-11-24T10:00:00Z".parse().unwrap(),
        sdk: aws_types::SdkConfig::builder().build(),
        cancel: CancellationToken::new(),
        options: Options::default(),
        left: Allowance::of(&Options::default()),
        heard: Heard::default(),
        earlier,
    }
}

#[derive(Default)]
struct Seen {
    rows: BTreeMap<&'static str, Vec<Row>>,
    coverage: Vec<Coverage>,
    calls: Vec<(String, Value)>,
}

impl Seen {
    fn rows(&self, table: &str) -> &[Row] {
        self.rows.get(table).map_or(&[], Vec::as_slice)
    }

    fn gaps(&self) -> Vec<(&str, &str, CoverageState)> {
        let gaps = self.coverage.iter().filter(|c| c.is_gap());
        gaps.map(|c| (c.table.as_str(), c.missing_action.as_deref().unwrap_or("-"), c.state)).collect()
    }

    fn count(&self, operation: &str) -> usize {
        self.calls.iter().filter(|(called, _)| called == operation).count()
    }
}

/// Runs the collector; `say` answers a call by its operation and body, and what it leaves out is an empty list.
async fn collect(mut scope: Scope, say: impl Fn(&str, &Value) -> Option<Fault> + Send + Sync + 'static) -> Seen {
    let mut setup = setup(Allowlist::default().and(Role::Reading, READS.iter().map(|read| read.operation)));
    let calls: Arc<Mutex<Vec<(String, Value)>>> = Arc::default();
    let log = Arc::clone(&calls);
    setup.faults = Some(Arc::new(move |call, request| {
        let body = request.body().bytes().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
        let said = say(&call.operation, &body).unwrap_or_else(|| answer(200, EMPTY));
        log.lock().unwrap().push((call.operation.clone(), body));
        Some(said)
    }));
    scope.sdk = sdk(&Connector::new(setup));
    let (sink, mut pieces, _events) = Sink::channel(CancellationToken::new());
    let work = async {
        super::collect(&scope, &sink).await;
        drop(sink);
    };
    let take = async {
        let mut seen = Seen::default();
        while let Some(piece) = pieces.recv().await {
            match piece {
                Piece::Rows(table, rows) => seen.rows.entry(table.name).or_default().extend(rows),
                Piece::Cover(coverage) => seen.coverage.push(coverage),
                Piece::Left(_) | Piece::Replace { .. } | Piece::Ahead { .. } | Piece::Draft(..) | Piece::Lens(_) => {}
            }
        }
        seen
    };
    let mut seen = tokio::join!(work, take).1;
    seen.calls = std::mem::take(&mut calls.lock().unwrap());
    seen
}

/// Every answer's required lists.
const EMPTY: &str = r#"{"DatabaseList": [], "CatalogList": [], "Results": []}"#;

#[expect(clippy::unnecessary_wraps, reason = "what a script answers")]
fn ok(body: &Value) -> Option<Fault> {
    Some(answer(200, &body.to_string()))
}

fn jobs(count: usize) -> Option<Fault> {
    let job = |n| json!({"Name": format!("job-{n:02}"), "Command": {"Name": "glueetl"}});
    ok(&json!({"Jobs": (0..count).map(job).collect::<Vec<_>>()}))
}

fn run(id: &str, started: &str, state: &str) -> Value {
    let started: chrono::DateTime<chrono::Utc> = started.parse().unwrap();
    json!({"Id": id, "StartedOn": started.timestamp(), "JobRunState": state, "ExecutionTime": 100,
           "WorkerType": "G.1X", "NumberOfWorkers": 2})
}

#[tokio::test]
async fn an_empty_region_has_no_rows_and_no_gap() {
    let seen = collect(scope(vec![]), |_, _| None).await;
    assert_eq!(seen.gaps(), []);
    assert!(seen.rows.is_empty());
    let tables: std::collections::BTreeSet<&str> = seen.coverage.iter().map(|c| c.table.as_str()).collect();
    for table in ["glue_jobs", "glue_triggers", "glue_databases", "glue_crawlers", "glue_sessions", "glue_data_quality"]
    {
        assert!(tables.contains(table), "{table} is said to be seen");
    }
}

#[tokio::test]
async fn one_denied_action_is_one_gap_whatever_the_number_of_jobs_and_is_not_asked_for_each() {
    let seen = collect(scope(vec![]), |operation, _| match operation {
        "glue:GetJobs" => jobs(40),
        "glue:GetJobRuns" => Some(refusal("AccessDeniedException", "no")),
        _ => None,
    })
    .await;
    assert_eq!(seen.gaps(), [("glue_job_runs", "glue:GetJobRuns", CoverageState::Missing)]);
    assert!(seen.count("glue:GetJobRuns") < 10, "{} calls", seen.count("glue:GetJobRuns"));
    assert_eq!(seen.rows("glue_jobs").len(), 40, "the jobs are known all the same");
}

#[tokio::test]
async fn without_the_jobs_the_runs_are_blind_too() {
    let seen = collect(scope(vec![]), |operation, _| {
        (operation == "glue:GetJobs").then(|| refusal("AccessDeniedException", "no"))
    })
    .await;
    let missing = CoverageState::Missing;
    assert_eq!(seen.gaps(), [("glue_job_runs", "glue:GetJobs", missing), ("glue_jobs", "glue:GetJobs", missing)]);
}

#[tokio::test]
async fn a_run_that_had_ended_is_never_handed_over_again_and_one_that_had_not_is() {
    let say = |operation: &str, _: &Value| match operation {
        "glue:GetJobs" => jobs(1),
        "glue:GetJobRuns" => ok(&json!({"JobRuns": [
            run("new", "2026-11-24T01:00:00Z", "SUCCEEDED"),
            run("old", "2026-11-19T01:00:00Z", "SUCCEEDED"),
            run("streaming", "2026-10-01T01:00:00Z", "RUNNING"),
            run("older", "2026-09-30T01:00:00Z", "FAILED"),
        ]})),
        _ => None,
    };
    let ids = |seen: &Seen| -> Vec<String> {
        seen.rows("glue_job_runs").iter().map(|row| row.key("run_id").to_owned()).collect()
    };
    let first = collect(scope(vec![]), say).await;
    assert_eq!(ids(&first), ["new", "old", "streaming", "older"]);
    let second = collect(scope(first.coverage.clone()), say).await;
    assert_eq!(
        ids(&second),
        ["new", "old", "streaming"],
        "the one that runs is read again, the days before it are not"
    );
    let settled = scope(vec![
        Coverage::new("glue_job_runs", "glue:GetJobRuns", CoverageState::Seen)
            .at("123456789012", Some("eu-west-1"))
            .of("job-00")
            .days("2026-08-01".parse().unwrap(), "2026-11-24".parse().unwrap())
            .counted(4, None),
    ]);
    let third = collect(settled, |operation, body| match operation {
        "glue:GetJobRuns" => {
            assert!(body["NextToken"].is_null(), "one page is enough");
            let runs = [run("new", "2026-11-24T01:00:00Z", "SUCCEEDED"), run("old", "2026-11-19T01:00:00Z", "FAILED")];
            ok(&json!({"JobRuns": runs, "NextToken": "more"}))
        }
        "glue:GetJobs" => jobs(1),
        _ => None,
    })
    .await;
    assert_eq!(ids(&third), ["new"]);
}

#[tokio::test]
async fn a_budget_of_runs_is_told_with_its_days() {
    let mut scope = scope(vec![]);
    scope.options.glue.runs = 1;
    let seen = collect(scope, |operation, body| match operation {
        "glue:GetJobs" => jobs(1),
        "glue:GetJobRuns" => {
            assert_eq!(body["MaxResults"], 1);
            ok(&json!({"JobRuns": [run("new", "2026-11-22T01:00:00Z", "SUCCEEDED")], "NextToken": "more"}))
        }
        _ => None,
    })
    .await;
    assert_eq!(seen.gaps(), [("glue_job_runs", "-", CoverageState::OverBudget)]);
    let days: Vec<_> = seen.coverage.iter().filter(|c| c.table == "glue_job_runs").map(|c| (c.state, c.to)).collect();
    let day = |text: &str| Some(text.parse().unwrap());
    assert_eq!(days, [(CoverageState::OverBudget, day("2026-11-22")), (CoverageState::Seen, day("2026-11-24"))]);
}

fn catalog(operation: &str) -> Option<Fault> {
    let column = json!([{"Name": "id", "Type": "bigint"}]);
    let table = |name: &str, size: &str| {
        json!({"Name": name, "Parameters": {"table_type": "ICEBERG", "totalSize": size},
               "StorageDescriptor": {"Location": format!("s3://lake/{name}/"), "Columns": column}})
    };
    match operation {
        "glue:GetDatabases" => ok(&json!({"DatabaseList": [{"Name": "sales"},
            {"Name": "link", "TargetDatabase": {"CatalogId": "2", "DatabaseName": "theirs"}},
            {"Name": "remote", "FederatedDatabase": {"ConnectionName": "redshift"}}]})),
        "glue:GetTables" => ok(&json!({"TableList": [table("small", "1"), table("large", "100")]})),
        "glue:GetCatalogs" => {
            ok(&json!({"CatalogList": [{"Name": "s3tablescatalog", "CatalogId": "123456789012:s3tablescatalog"}]}))
        }
        "lakeformation:ListResources" => ok(&json!({"ResourceInfoList": [{"ResourceArn": "arn:aws:s3:::lake/large"}]})),
        _ => None,
    }
}

#[tokio::test]
async fn links_and_federated_databases_are_said_and_not_asked_for() {
    let seen = collect(scope(vec![]), |operation, body| {
        assert!(operation != "glue:GetTables" || body["DatabaseName"] == "sales");
        catalog(operation)
    })
    .await;
    assert_eq!(seen.rows("glue_databases").len(), 3);
    let not_asked: Vec<_> = seen.coverage.iter().filter(|c| c.state == CoverageState::NotAsked).collect();
    let told: Vec<_> = not_asked.iter().map(|c| c.resource.as_ref().unwrap().raw()).collect();
    assert_eq!(told, ["123456789012:s3tablescatalog", "link", "remote"]);
}

#[tokio::test]
async fn an_optimizer_that_was_never_made_is_off_and_one_that_is_denied_is_unknown() {
    let failure = |code: &str, table: &str, kind: &str| {
        json!({"databaseName": "sales", "tableName": table, "type": kind,
               "error": {"ErrorCode": code, "ErrorMessage": "no"}})
    };
    let seen = collect(scope(vec![]), move |operation, _| match operation {
        "glue:BatchGetTableOptimizer" => ok(&json!({
            "TableOptimizers": [{"databaseName": "sales", "tableName": "large",
                "tableOptimizer": {"type": "compaction", "configuration": {"enabled": true}}}],
            "Failures": [
                failure("EntityNotFoundException", "large", "retention"),
                failure("EntityNotFoundException", "large", "orphan_file_deletion"),
                failure("AccessDeniedException", "small", "compaction"),
                failure("AccessDeniedException", "small", "retention"),
                failure("AccessDeniedException", "small", "orphan_file_deletion"),
            ],
        })),
        _ => catalog(operation),
    })
    .await;
    let flags = |table: &str| {
        let row = seen.rows("glue_tables").iter().find(|row| row.key("table") == table).unwrap();
        (row.flag("compaction"), row.flag("snapshot_retention"))
    };
    assert_eq!((flags("large"), flags("small")), ((Some(true), Some(false)), (None, None)));
    let gap = seen.coverage.iter().find(|c| c.missing_action.is_some() && c.resource.is_some()).unwrap();
    assert_eq!((gap.resource.as_ref().unwrap().raw(), gap.table.as_str()), ("sales.small", "glue_tables"));
}

#[tokio::test]
async fn the_largest_tables_are_asked_for_statistics_and_the_rest_is_a_budget() {
    let mut scope = scope(vec![]);
    scope.options.glue.statistics = 1;
    let seen = collect(scope, |operation, body| match operation {
        "glue:GetColumnStatisticsForTable" => {
            assert_eq!((body["TableName"].as_str(), body["ColumnNames"][0].as_str()), (Some("large"), Some("id")));
            None
        }
        _ => catalog(operation),
    })
    .await;
    let flags: Vec<_> = seen.rows("glue_tables").iter().map(|row| row.flag("column_statistics")).collect();
    assert_eq!(flags, [None, Some(false)], "small is not known, large has none");
    assert!(seen.gaps().contains(&("glue_tables", "-", CoverageState::OverBudget)));
}

#[tokio::test]
async fn a_denied_list_of_registered_locations_leaves_exactly_its_columns_unknown() {
    let with = collect(scope(vec![]), |operation, _| catalog(operation)).await;
    let without = collect(scope(vec![]), |operation, _| match operation {
        "lakeformation:ListResources" => Some(refusal("AccessDeniedException", "no")),
        _ => catalog(operation),
    })
    .await;
    let flags = |seen: &Seen| -> Vec<Option<bool>> {
        seen.rows("glue_tables").iter().map(|row| row.flag("location_registered")).collect()
    };
    assert_eq!((flags(&with), flags(&without)), (vec![Some(false), Some(true)], vec![None, None]));
    assert!(without.gaps().contains(&("glue_tables", "lakeformation:ListResources", CoverageState::Missing)));
}

#[tokio::test]
async fn a_later_scan_asks_glue_for_crawls_since_the_last_one() {
    let crawlers = || ok(&json!({"Crawlers": [{"Name": "daily"}]}));
    let since = |seen: &Seen| -> i64 {
        let filter = &seen.calls.iter().find(|(called, _)| called == "glue:ListCrawls").unwrap().1["Filters"][0];
        assert_eq!((filter["FieldName"].as_str(), filter["FilterOperator"].as_str()), (Some("START_TIME"), Some("GE")));
        filter["FieldValue"].as_str().unwrap().parse().unwrap()
    };
    let at =
        |day: &str| format!("{day}T00:00:00Z").parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_millis();
    let first =
        collect(scope(vec![]), move |operation, _| (operation == "glue:GetCrawlers").then(|| crawlers().unwrap()))
            .await;
    assert_eq!(since(&first), at("2026-08-26"));
    let second = collect(scope(first.coverage.clone()), move |operation, _| {
        (operation == "glue:GetCrawlers").then(|| crawlers().unwrap())
    })
    .await;
    assert_eq!(since(&second), at("2026-11-24"));
}
