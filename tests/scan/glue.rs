//! Glue: jobs, their runs, the catalog and crawls, each as the account has it, and asked for no more than needed.

use chrono::{DateTime, Days, NaiveTime, Utc};
use serde_json::{Value, json};

use crate::aws::glue::{Crawl, Run};
use crate::aws::{Fault, Trouble};
use crate::support::{TODAY, World, day};

const HERE: &str = "us-east-1";

/// A link is read elsewhere, and Lake Formation may hide tables.
const USUAL: [&str; 2] = ["glue_tables glue:GetTables not_asked link -", "glue_tables glue:GetTables partial - -"];

fn at(days_ago: u64, hour: u32) -> DateTime<Utc> {
    let on = day(TODAY).checked_sub_days(Days::new(days_ago)).unwrap();
    on.and_time(NaiveTime::from_hms_opt(hour, 0, 0).unwrap()).and_utc()
}

fn job(name: &str, kind: &str) -> (String, Value) {
    let job = json!({
        "Name": name, "Role": "arn:aws:iam::111122223333:role/glue", "GlueVersion": "4.0",
        "Command": {"Name": kind, "ScriptLocation": format!("s3://scripts/{name}.py"), "PythonVersion": "3"},
        "DefaultArguments": {
            "--enable-auto-scaling": "true", "--job-bookmark-option": "job-bookmark-enable", "--enable-metrics": "",
            "--db_password": "secret-4711", "--conf": "spark.hadoop.fs.s3a.secret.key=secret-4711",
        },
        "MaxRetries": 1, "Timeout": 120, "WorkerType": "G.1X", "NumberOfWorkers": 10, "ExecutionClass": "STANDARD",
        "ExecutionProperty": {"MaxConcurrentRuns": 3}, "MaxCapacity": 10.0,
    });
    (HERE.to_owned(), job)
}

/// Two jobs with runs, a retry among them; a catalog with a link; a crawler with crawls.
fn world() -> World {
    let world = World::new();
    fill(&world);
    world
}

/// Puts them in.
pub fn fill(world: &World) {
    let mut account = world.aws.account();
    let glue = &mut account.glue;
    glue.page = 2;
    glue.jobs = vec![job("nightly", "glueetl"), job("hourly", "glueetl"), job("shell", "pythonshell")];
    for days in 1..=5 {
        glue.runs.push(Run::new("nightly", &format!("jr_{days}"), at(days, 2)));
    }
    let failed = Run::new("hourly", "jr_failed", at(2, 3)).with("JobRunState", "FAILED");
    glue.runs.push(failed.with("ErrorMessage", "Error Category: QUERY_ERROR; customer secret-4711"));
    let retry = Run::new("hourly", "jr_retry", at(2, 4)).with("Attempt", 1).with("PreviousRunId", "jr_failed");
    glue.runs.push(retry.with("DPUSeconds", 512.5).with("ExecutionClass", "FLEX"));
    glue.runs.push(Run::new("hourly", "jr_running", at(1, 5)).with("JobRunState", "RUNNING"));
    catalog(glue);
    pipelines(glue);
}

fn catalog(glue: &mut crate::aws::glue::Glue) {
    let here = |value: Value| (HERE.to_owned(), value);
    let table = |name: &str, serde: &str, parameters: Value| {
        here(json!({
            "DatabaseName": "sales", "Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": parameters,
            "PartitionKeys": [{"Name": "day", "Type": "date"}],
            "StorageDescriptor": {
                "Location": format!("s3://lake/{name}/"), "Columns": [{"Name": "id", "Type": "bigint"}],
                "SerdeInfo": {"SerializationLibrary": serde},
            },
        }))
    };
    let parquet = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";
    let lazy = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";
    glue.databases = vec![
        here(json!({"Name": "sales"})),
        here(json!({"Name": "link", "TargetDatabase": {"CatalogId": "210987654321", "DatabaseName": "theirs"}})),
    ];
    glue.tables = vec![
        table("orders", parquet, json!({"classification": "parquet", "compressionType": "snappy", "sizeKey": "1000"})),
        table("raw", lazy, json!({"classification": "csv"})),
        table("events", "", json!({"table_type": "ICEBERG", "metadata_location": "s3://lake/events/metadata/1.json"})),
    ];
    glue.statistics = vec!["sales.orders.id".into()];
    glue.optimizers = vec!["sales.events.compaction".into()];
    glue.registered = vec![here(json!({"ResourceArn": "arn:aws:s3:::lake/orders", "HybridAccessEnabled": false}))];
}

fn pipelines(glue: &mut crate::aws::glue::Glue) {
    let here = |value: Value| (HERE.to_owned(), value);
    let rule = |result: &str| json!({"Name": "Rule_1", "Description": "secret-4711", "Result": result});
    let crawl = |days: u64| Crawl {
        region: HERE.into(),
        crawler: "daily".into(),
        started: at(days, 1),
        dpu_hours: 0.25,
        state: "COMPLETED",
    };
    glue.crawlers = vec![here(json!({"Name": "daily", "State": "READY", "DatabaseName": "sales",
        "Schedule": {"ScheduleExpression": "cron(0 1 * * ? *)", "State": "SCHEDULED"},
        "Targets": {"S3Targets": [{"Path": "s3://lake/raw/"}]}}))];
    glue.crawls = (1..=4).map(crawl).collect();
    glue.triggers = vec![
        here(json!({"Name": "every-night", "Type": "SCHEDULED", "State": "ACTIVATED",
            "Schedule": "cron(0 2 * * ? *)", "Actions": [{"JobName": "nightly"}, {"CrawlerName": "daily"}]})),
        here(json!({"Name": "then", "Type": "CONDITIONAL", "State": "ACTIVATED", "WorkflowName": "flow",
            "Predicate": {"Conditions": [{"LogicalOperator": "EQUALS", "JobName": "nightly", "State": "SUCCEEDED"}]},
            "Actions": [{"JobName": "hourly"}]})),
    ];
    glue.workflows = vec![here(json!({"Name": "flow", "MaxConcurrentRuns": 1, "LastRun": {"WorkflowRunId": "wr_1",
        "Status": "COMPLETED", "StartedOn": at(1, 2).timestamp(), "Statistics": {"FailedActions": 2}}}))];
    glue.sessions =
        vec![here(json!({"Id": "s-1", "Status": "READY", "Command": {"Name": "glueetl"}, "MaxCapacity": 5.0,
        "IdleTimeout": 2880, "CreatedOn": at(3, 1).timestamp(), "DefaultArguments": {"--token": "secret-4711"}}))];
    glue.endpoints =
        vec![here(json!({"EndpointName": "dev", "Status": "READY", "NumberOfNodes": 5, "PublicKey": "secret-4711"}))];
    glue.rulesets = vec![here(json!({"Name": "orders-rules", "RuleCount": 4,
        "TargetTable": {"DatabaseName": "sales", "TableName": "orders"}}))];
    glue.results = vec![here(json!({"ResultId": "dqresult-1", "StartedOn": at(1, 6).timestamp(),
        "CompletedOn": at(1, 6).timestamp() + 60, "Score": 0.75, "RulesetName": "orders-rules",
        "DataSource": {"GlueTable": {"DatabaseName": "sales", "TableName": "orders"}},
        "RuleResults": [rule("PASS"), rule("PASS"), rule("FAIL"), rule("ERROR")]}))];
    glue.tags = [("arn:aws:glue:us-east-1:111122223333:job/nightly".to_owned(), json!({"team": "bi & data"}))].into();
}

fn gaps(world: &World) -> Vec<String> {
    let sql = "select table_name as t, read, state, resource, missing_action as a from coverage where state <> 'seen' \
               and table_name like 'glue%' order by t, read, resource";
    let cell = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |gap: &Value| ["t", "read", "state", "resource", "a"].map(|column| cell(&gap[column])).join(" ");
    world.rows(sql).iter().map(line).collect()
}

#[test]
fn jobs_and_runs_are_read_whole_and_no_secret_of_theirs_is_kept() {
    let world = world();
    world.scan();
    let jobs =
        "select job, auto_scaling as a, bookmark as b, metrics as m, allocated_dpu as d from glue_jobs order by job";
    assert_eq!(
        world.lines(jobs),
        [
            "a=true b=job-bookmark-enable d=10.00 job=hourly m=true",
            "a=true b=job-bookmark-enable d=10.00 job=nightly m=true",
            "a=null b=null d=10.00 job=shell m=true",
        ]
    );
    let runs = "select run_id, attempt, ended, dpu_seconds as d, dpu_basis as basis, error_category as e \
                from glue_job_runs where job = 'hourly' order by started";
    let run = &world.rows(runs);
    assert_eq!((run[0]["e"].as_str(), run[0]["d"].as_str()), (Some("QUERY_ERROR"), Some("1000.00")));
    assert_eq!(
        (run[1]["attempt"].as_i64(), run[1]["d"].as_str(), run[1]["basis"].as_str()),
        (Some(1), Some("512.50"), Some("reported"))
    );
    assert_eq!(
        (run[2]["ended"].as_bool(), run[2]["d"].is_null()),
        (Some(false), true),
        "what still runs costs nobody knows what"
    );
    assert_eq!(world.lines("select count(*) as n from glue_job_runs"), ["n=8"]);
    assert_eq!(gaps(&world), USUAL);
    nowhere(&world, "secret-4711");
}

/// Parquet may hold text in compressed pages: the tables are looked at too.
fn nowhere(world: &World, secret: &str) {
    for path in world.files("store") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "{}", path.display());
    }
    for table in ["glue_jobs", "glue_job_runs", "glue_triggers", "glue_sessions", "glue_dev_endpoints"] {
        let rows = world.rows(&format!("select * from {table}"));
        assert!(!rows.is_empty() && !json!(rows).to_string().contains(secret), "{table}");
    }
}

#[test]
fn tables_say_their_format_and_what_other_reads_know_of_them() {
    let world = world();
    world.scan();
    let sql = "select \"table\" as t, format as f, open_format as o, compression as c, column_statistics as s, \
               compaction as k, location_registered as l from glue_tables order by t";
    assert_eq!(
        world.lines(sql),
        [
            "c=null f=null k=true l=false o=iceberg s=false t=events",
            "c=snappy f=parquet k=null l=true o=null s=true t=orders",
            "c=null f=csv k=null l=false o=null s=false t=raw",
        ]
    );
    let databases =
        world.lines("select \"database\" as d, table_count as n, shared_from as s from glue_databases order by d");
    assert_eq!(databases, ["d=link n=null s=210987654321/theirs", "d=sales n=3 s=null"]);
    let regions: Vec<_> =
        world.aws.calls().iter().filter(|c| c.operation == "glue:GetTables").map(|c| c.region.clone()).collect();
    assert!(
        regions.iter().all(|region| region == HERE) && regions.len() == 2,
        "two pages of one database: {regions:?}"
    );
}

#[test]
fn what_starts_a_job_what_waits_for_it_and_what_a_crawl_cost_is_known() {
    let world = world();
    world.scan();
    let started =
        "select trigger as t, coalesce(starts_job, starts_crawler) as s from glue_triggers order by t, position";
    assert_eq!(world.lines(started), ["s=nightly t=every-night", "s=daily t=every-night", "s=hourly t=then"]);
    let waits = world.lines("select trigger as t, waits_for_job as w, state as s from glue_trigger_conditions");
    assert_eq!(waits, ["s=SUCCEEDED t=then w=nightly"]);
    let flow = world.lines("select workflow as w, last_run_failed_actions as n from glue_workflows");
    assert_eq!(flow, ["n=2 w=flow"]);
    let crawls = world.lines("select count(*) as n, sum(dpu_hours) as h, sum(changes) as c from glue_crawls");
    assert_eq!(crawls, ["c=4 h=1.00 n=4"]);
    assert_eq!(
        world.lines("select s3_targets as t, schedule_state as s from glue_crawlers"),
        ["s=SCHEDULED t=[\"s3://lake/raw/\"]"]
    );
    let idle = "select 'session' as what, allocated_dpu as d from glue_sessions union all select 'endpoint', allocated_dpu from glue_dev_endpoints order by what";
    assert_eq!(world.lines(idle), ["d=5.00 what=endpoint", "d=5.00 what=session"]);
    let quality = "select ruleset as r, rule_count as n, (select count(*) from glue_data_quality_results) as m from glue_data_quality";
    assert_eq!(world.lines(quality), ["m=1 n=4 r=orders-rules"]);
}

#[test]
fn a_second_scan_asks_one_page_for_each_job_and_keeps_what_glue_has_forgotten() {
    let world = world();
    world.scan();
    world.aws.forget_calls();
    {
        let mut account = world.aws.account();
        let glue = &mut account.glue;
        // Glue forgets; a run that was running has ended; a job has a new run.
        glue.runs.retain(|run| run.body["Id"] != "jr_5" && run.body["Id"] != "jr_running");
        glue.runs.push(Run::new("hourly", "jr_running", at(1, 5)).with("ExecutionTime", 7_200));
        glue.runs.push(Run::new("nightly", "jr_new", at(0, 2)));
        glue.crawls.clear();
    }
    let world = world.on("2026-11-21");
    world.scan();
    assert_eq!(world.aws.count("glue:GetJobRuns"), 3, "one page for each job");
    assert_eq!(world.aws.count("glue:ListCrawls"), 1);
    assert_eq!(world.lines("select count(*) as n from glue_job_runs"), ["n=9"]);
    let settled =
        world.lines("select ended as e, execution_seconds as s from glue_job_runs where run_id = 'jr_running'");
    assert_eq!(settled, ["e=true s=7200"]);
    assert_eq!(world.lines("select count(*) as n from glue_crawls"), ["n=4"], "crawls that are forgotten stay");
    let covered = world
        .lines("select distinct from_day as f from coverage where table_name = 'glue_job_runs' and state = 'seen'");
    assert_eq!(covered, ["f=2026-08-22"], "the history grows");
}

#[test]
fn a_denied_action_is_one_gap_that_names_it_and_the_rest_is_read() {
    let world = world();
    world.aws.make(Fault::on("glue:GetJobRuns", Trouble::Denied));
    world.aws.make(Fault::on("glue:BatchGetWorkflows", Trouble::Denied));
    world.aws.make(Fault::on("lakeformation:ListResources", Trouble::Denied));
    world.aws.make(Fault::on("glue:ListSessions", Trouble::Denied));
    world.scan();
    assert_eq!(
        gaps(&world),
        [
            "glue_job_runs glue:GetJobRuns missing - glue:GetJobRuns",
            "glue_sessions glue:ListSessions missing - glue:ListSessions",
            "glue_tables glue:GetTables not_asked link -",
            "glue_tables lakeformation:ListResources missing - lakeformation:ListResources",
            "glue_workflows glue:BatchGetWorkflows missing - glue:BatchGetWorkflows",
        ]
    );
    assert_eq!(world.lines("select workflow as w, last_run_id as r from glue_workflows"), ["r=null w=flow"]);
    let tables = world.lines("select count(*) as n, count(location_registered) as l from glue_tables");
    assert_eq!(tables, ["l=0 n=3"]);
    assert_eq!(world.lines("select count(*) as n from glue_jobs"), ["n=3"]);
}

#[test]
fn one_denied_job_or_database_does_not_hide_the_others() {
    let world = world();
    world.aws.make(Fault::on("glue:GetJobRuns", Trouble::Denied).of("hourly"));
    world.aws.make(Fault::on("glue:GetTables", Trouble::Denied).of("sales"));
    world.scan();
    let told = gaps(&world);
    assert!(told.contains(&"glue_job_runs glue:GetJobRuns missing hourly glue:GetJobRuns".to_owned()), "{told:?}");
    assert!(told.contains(&"glue_tables glue:GetTables missing - glue:GetTables".to_owned()), "{told:?}");
    assert_eq!(world.lines("select count(*) as n from glue_job_runs"), ["n=5"]);
    assert_eq!(world.lines("select table_count as n from glue_databases where \"database\" = 'sales'"), ["n=null"]);
}

#[test]
fn glue_that_is_throttled_and_then_answers_is_no_gap() {
    let world = world();
    for operation in ["glue:GetJobs", "glue:GetJobRuns", "glue:GetTables", "glue:ListCrawls"] {
        world.aws.make(Fault::on(operation, Trouble::Throttled).times(2));
    }
    world.scan();
    assert_eq!(gaps(&world), USUAL);
    assert_eq!(world.lines("select count(*) as n from glue_job_runs"), ["n=8"]);
}

#[test]
fn hostile_names_leave_only_escaped() {
    let world = World::new();
    let name = "evil\u{1b}[31m\u{202e}job";
    world.aws.account().glue.jobs.push(job(name, "glueetl"));
    world.aws.account().glue.runs.push(Run::new(name, "jr_1", at(1, 1)));
    world.scan();
    assert_eq!(world.rows("select job from glue_job_runs")[0]["job"], name, "JSON keeps it as it is");
    let shown = world.run(&["query", "select job from glue_job_runs"]).ends_with(0);
    assert!(!shown.stdout.contains('\u{1b}') && !shown.stdout.contains('\u{202e}'), "{:?}", shown.stdout);
}

#[test]
fn jobs_come_with_their_tags_and_results_with_their_score_but_no_rule() {
    let world = world();
    world.scan();
    assert_eq!(
        world.lines("select job, tags from glue_jobs order by job"),
        ["job=hourly tags={}", r#"job=nightly tags={"team":"bi & data"}"#, "job=shell tags={}"]
    );
    let scores = "select ruleset as r, score as s, rules as n, rules_failed as f, rules_in_error as e from glue_data_quality_results";
    assert_eq!(world.lines(scores), ["e=1 f=1 n=4 r=orders-rules s=0.75"]);
    for path in world.files("store") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(11).any(|window| window == b"secret-4711"), "{}", path.display());
    }
}

#[test]
fn only_the_jobs_that_used_the_most_are_asked_for_tags_and_the_others_keep_what_was_told_before() {
    let world = world();
    world.write("leanlake.toml", "budget.glue_tags = 1\n");
    world.scan();
    assert_eq!(world.aws.count("glue:GetTags"), 1);
    assert_eq!(world.lines("select job from glue_jobs where tags is not null"), ["job=nightly"]);
    let cut =
        "select state, seen, expected, reason from coverage where read = 'glue:GetTags' and state = 'over_budget'";
    let cut = &world.rows(cut)[0];
    assert_eq!((cut["seen"].as_i64(), cut["expected"].as_i64()), (Some(1), Some(3)));
    assert!(cut["reason"].as_str().unwrap().contains("1 of 3 jobs"), "{cut}");
    world.aws.account().glue.runs.clear();
    for at_hour in [1, 2] {
        let run = Run::new("hourly", &format!("jr_new_{at_hour}"), at(0, at_hour)).with("MaxCapacity", 100.0);
        world.aws.account().glue.runs.push(run);
    }
    world.run(&["scan", "--all", "--as-of", "2026-11-21"]).ends_with(0);
    let told = world.lines("select job, tags from glue_jobs where tags is not null order by job");
    assert_eq!(told, ["job=hourly tags={}", r#"job=nightly tags={"team":"bi & data"}"#]);
}

#[test]
fn denied_tags_and_scores_leave_exactly_their_columns_unknown_and_name_iams_actions() {
    let world = world();
    world.aws.make(Fault::on("glue:GetTags", Trouble::Denied));
    world.aws.make(Fault::on("glue:BatchGetDataQualityResult", Trouble::Denied));
    world.scan();
    assert_eq!(
        world.lines("select count(job) as n, count(tags) as t, count(created) as c from glue_jobs")[0],
        "c=0 n=3 t=0"
    );
    assert_eq!(
        world.lines("select count(result_id) as n, count(score) as s from glue_data_quality_results"),
        ["n=1 s=0"]
    );
    let gaps = world.lines(
        "select distinct read as r, missing_action as a from coverage where state = 'missing' and table_name in ('glue_jobs', 'glue_data_quality_results') order by r",
    );
    assert_eq!(gaps, ["a=glue:GetDataQualityResult r=glue:BatchGetDataQualityResult", "a=glue:GetTags r=glue:GetTags"]);
}
