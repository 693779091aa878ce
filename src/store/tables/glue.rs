//! Glue: jobs and what they ran, what starts them, crawlers, sessions, data quality. No value of an argument that
//! could be a secret and no error text is ever stored.

use crate::store::table::{Kind, Source, Table, column};

const SCORES: &str = "glue:BatchGetDataQualityResult";
const WORKFLOW: &str = "glue:BatchGetWorkflows";

/// One row for each job.
pub const GLUE_JOBS: Table = Table {
    name: "glue_jobs",
    doc: "Glue jobs as they are defined. Of their arguments only known, harmless ones are kept with their value; of others the name at most.",
    key: &["account_id", "region", "job"],
    source: Source::State("glue:GetJobs"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("job", Kind::Text, "Name."),
        column("job_type", Kind::Text, "`glueetl`, `gluestreaming`, `pythonshell` or `glueray`."),
        column("job_mode", Kind::Text, "`SCRIPT`, `VISUAL` or `NOTEBOOK`."),
        column("python_version", Kind::Text, "Python version."),
        column("glue_version", Kind::Text, "Glue version; NULL for jobs older than versions."),
        column("worker_type", Kind::Text, "`G.1X`, `G.2X`, …; NULL where `max_capacity` says the size."),
        column("number_of_workers", Kind::Count, "Workers, the driver's included; the most with auto scaling."),
        column("max_capacity", Kind::Quantity, "DPUs that the job may use, as Glue says it."),
        column("allocated_dpu", Kind::Quantity, "DPUs that a run gets: `max_capacity`, else workers by their size."),
        column(
            "dpu_unit",
            Kind::Text,
            "`DPU`, or `M-DPU` for memory-optimized and Ray workers, which have another price.",
        ),
        column("execution_class", Kind::Text, "`STANDARD` or `FLEX`; a run can ask for the other."),
        column(
            "timeout_minutes",
            Kind::Count,
            "Minutes after which a run is stopped; NULL for Glue's default (2,880, or 480 from Glue 5.0 on).",
        ),
        column("max_retries", Kind::Count, "Retries after a failed run."),
        column("max_concurrent_runs", Kind::Count, "Runs that may run at the same time."),
        column("queuing", Kind::Flag, "True when runs wait for capacity instead of failing."),
        column("auto_scaling", Kind::Flag, "True with `--enable-auto-scaling`; NULL for jobs that do not run Spark."),
        column(
            "bookmark",
            Kind::Text,
            "`--job-bookmark-option`; Glue's default is `job-bookmark-disable`. NULL for jobs that do not run Spark.",
        ),
        column(
            "metrics",
            Kind::Flag,
            "True with `--enable-metrics`: without it CloudWatch knows nothing of its executors.",
        ),
        column("observability_metrics", Kind::Flag, "True with `--enable-observability-metrics`."),
        column("spark_ui", Kind::Flag, "True with `--enable-spark-ui`: event logs are kept."),
        column("continuous_log", Kind::Flag, "True with `--enable-continuous-cloudwatch-log`."),
        column("known_arguments", Kind::Text, "Known, harmless arguments with their values, as a JSON object."),
        column(
            "other_arguments",
            Kind::Text,
            "Names of the other arguments, as a JSON list; their values are never read.",
        ),
        column("script_location", Kind::Text, "Where the script is (`s3://…`)."),
        column("role", Kind::Text, "Role of the runs."),
        column("connection_count", Kind::Count, "Connections that it uses."),
        column("created", Kind::Instant, "When it was made."),
        column("last_modified", Kind::Instant, "When it was changed last."),
        column(
            "tags",
            Kind::Text,
            "Tags as a JSON object; `{}` when there are none. A request for each job: those that used the most are asked first, the others keep what an earlier scan was told.",
        )
        .by("glue:GetTags"),
    ],
};

/// One row for each run of a job.
pub const GLUE_JOB_RUNS: Table = Table {
    name: "glue_job_runs",
    doc: "Runs of Glue jobs, of the last 90 days and of earlier scans. A retry is a run of its own. Failed runs cost money too.",
    key: &["account_id", "region", "job", "started", "run_id"],
    source: Source::Period { read: "glue:GetJobRuns", column: "started" },
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("job", Kind::Text, "Job."),
        column("run_id", Kind::Text, "Run id."),
        column("attempt", Kind::Count, "0 for the first try, then 1, 2, …"),
        column("previous_run_id", Kind::Text, "The run that this one tries again."),
        column("trigger", Kind::Text, "Trigger that started it; NULL when a caller did."),
        column("workflow", Kind::Text, "Workflow that it belongs to."),
        column("workflow_run_id", Kind::Text, "Run of the workflow."),
        column("started", Kind::Instant, "When it was started."),
        column("completed", Kind::Instant, "When it ended; NULL while it runs."),
        column(
            "state",
            Kind::Text,
            "`SUCCEEDED`, `FAILED`, `TIMEOUT`, `ERROR`, `STOPPED`, `EXPIRED`; `STARTING`, `RUNNING`, `STOPPING`, `WAITING` until it has ended.",
        ),
        column("ended", Kind::Flag, "True when it had ended when it was read: nothing of it changes any more."),
        column("execution_seconds", Kind::Count, "Seconds that used resources; NULL until it has ended."),
        column(
            "timeout_minutes",
            Kind::Count,
            "Minutes after which it would have been stopped; NULL for Glue's default.",
        ),
        column("glue_version", Kind::Text, "Glue version of this run."),
        column("worker_type", Kind::Text, "Worker type of this run."),
        column("number_of_workers", Kind::Count, "Workers of this run; the most with auto scaling."),
        column("max_capacity", Kind::Quantity, "DPUs of this run, as Glue says it."),
        column("allocated_dpu", Kind::Quantity, "DPUs that it could use: `max_capacity`, else workers by their size."),
        column(
            "dpu_unit",
            Kind::Text,
            "`DPU`, or `M-DPU` for memory-optimized and Ray workers, which have another price.",
        ),
        column("execution_class", Kind::Text, "`STANDARD` or `FLEX`."),
        column(
            "auto_scaling",
            Kind::Flag,
            "What this run's own arguments say of auto scaling; NULL when they leave it to the job.",
        ),
        column(
            "bookmark",
            Kind::Text,
            "What this run's own arguments say of bookmarks; NULL when they leave it to the job.",
        ),
        column(
            "reported_dpu_seconds",
            Kind::Quantity,
            "DPU-seconds as Glue reports them: only for FLEX runs and with auto scaling.",
        ),
        column(
            "dpu_seconds",
            Kind::Quantity,
            "DPU-seconds that are billed: reported, else execution time × allocated DPUs, with the minimum of 1 minute (10 for Spark on Glue 1.0 and older). NULL until it has ended, and where the size is not known.",
        ),
        column("dpu_basis", Kind::Text, "What `dpu_seconds` rests on: `reported` or `allocated`."),
        column(
            "error_category",
            Kind::Text,
            "Glue's category of the error (`OUT_OF_MEMORY_ERROR`, …); NULL without an error. Its text is not kept.",
        ),
        column("predecessors", Kind::Text, "Runs that had to end before it, as a JSON list of {job, run_id}."),
    ],
};

/// One row for each thing that a trigger starts.
pub const GLUE_TRIGGERS: Table = Table {
    name: "glue_triggers",
    doc: "Triggers, one row for each job or crawler that they start; one row for a trigger that starts nothing. What they wait for is in `glue_trigger_conditions`.",
    key: &["account_id", "region", "trigger", "position"],
    source: Source::State("glue:GetTriggers"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("trigger", Kind::Text, "Name."),
        column("position", Kind::Count, "Place among the things that it starts, from 0."),
        column("workflow", Kind::Text, "Workflow that it belongs to."),
        column("trigger_type", Kind::Text, "`SCHEDULED`, `CONDITIONAL`, `ON_DEMAND` or `EVENT`."),
        column("state", Kind::Text, "`ACTIVATED`, `DEACTIVATED`, `CREATED`, …"),
        column("schedule", Kind::Text, "Its schedule (`cron(…)`)."),
        column("starts_job", Kind::Text, "Job that it starts."),
        column("starts_crawler", Kind::Text, "Crawler that it starts."),
        column(
            "timeout_minutes",
            Kind::Count,
            "Time limit that it gives the run; NULL when it leaves that to the job.",
        ),
        column("known_arguments", Kind::Text, "Known, harmless arguments that it gives the run, as a JSON object."),
        column("other_arguments", Kind::Text, "Names of the other arguments that it gives, as a JSON list."),
        column("event_batch_size", Kind::Count, "Events that it waits for."),
        column("event_batch_window_seconds", Kind::Count, "Seconds that it waits for events."),
    ],
};

/// One row for each thing that a trigger waits for.
pub const GLUE_TRIGGER_CONDITIONS: Table = Table {
    name: "glue_trigger_conditions",
    doc: "What conditional triggers wait for: jobs and crawlers with the state that they must reach.",
    key: &["account_id", "region", "trigger", "position"],
    source: Source::State("glue:GetTriggers"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("trigger", Kind::Text, "Trigger that waits."),
        column("position", Kind::Count, "Place among its conditions, from 0."),
        column("logical", Kind::Text, "`AND` when all conditions must hold, `ANY` when one is enough."),
        column("waits_for_job", Kind::Text, "Job that it waits for."),
        column("waits_for_crawler", Kind::Text, "Crawler that it waits for."),
        column("state", Kind::Text, "State that the job or crawl must reach."),
    ],
};

/// One row for each workflow.
pub const GLUE_WORKFLOWS: Table = Table {
    name: "glue_workflows",
    doc: "Workflows and their last run. Their properties are never read.",
    key: &["account_id", "region", "workflow"],
    source: Source::State("glue:ListWorkflows"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("workflow", Kind::Text, "Name."),
        column("created", Kind::Instant, "When it was made.").by(WORKFLOW),
        column("last_modified", Kind::Instant, "When it was changed last.").by(WORKFLOW),
        column("max_concurrent_runs", Kind::Count, "Runs that may run at the same time; NULL for no limit.")
            .by(WORKFLOW),
        column("last_run_id", Kind::Text, "Its last run.").by(WORKFLOW),
        column("last_run_status", Kind::Text, "How its last run stands: `RUNNING`, `COMPLETED`, `STOPPED`, `ERROR`, …")
            .by(WORKFLOW),
        column("last_run_started", Kind::Instant, "When its last run started.").by(WORKFLOW),
        column("last_run_completed", Kind::Instant, "When its last run ended.").by(WORKFLOW),
        column("last_run_failed_actions", Kind::Count, "Jobs and crawls of its last run that failed.").by(WORKFLOW),
    ],
};

/// One row for each crawler.
pub const GLUE_CRAWLERS: Table = Table {
    name: "glue_crawlers",
    doc: "Crawlers, what they crawl and when.",
    key: &["account_id", "region", "crawler"],
    source: Source::State("glue:GetCrawlers"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("crawler", Kind::Text, "Name."),
        column("state", Kind::Text, "`READY`, `RUNNING` or `STOPPING`."),
        column("schedule", Kind::Text, "Its schedule (`cron(…)`); NULL when it runs on demand."),
        column("schedule_state", Kind::Text, "`SCHEDULED`, `NOT_SCHEDULED` or `TRANSITIONING`."),
        column("database", Kind::Text, "Database that it writes tables to."),
        column("recrawl_behavior", Kind::Text, "`CRAWL_EVERYTHING`, `CRAWL_NEW_FOLDERS_ONLY` or `CRAWL_EVENT_MODE`."),
        column("s3_targets", Kind::Text, "Paths in S3 that it crawls, as a JSON list; lake tables by path included."),
        column("other_targets", Kind::Count, "Targets that are no path in S3."),
        column("sampled", Kind::Flag, "True when every path is crawled by a sample of its files."),
        column("last_crawl_status", Kind::Text, "`SUCCEEDED`, `FAILED` or `CANCELLED`; NULL before the first crawl."),
        column("last_crawl_started", Kind::Instant, "When the last crawl started."),
        column("last_crawl_error", Kind::Text, "Category of its error. Its text is not kept."),
        column("role", Kind::Text, "Role of the crawls."),
        column("created", Kind::Instant, "When it was made."),
        column("last_updated", Kind::Instant, "When it was changed last."),
    ],
};

/// One row for each crawl.
pub const GLUE_CRAWLS: Table = Table {
    name: "glue_crawls",
    doc: "Crawls with what they used, of the last 90 days and of earlier scans. Glue keeps 12 months.",
    key: &["account_id", "region", "crawler", "started", "crawl_id"],
    source: Source::Period { read: "glue:ListCrawls", column: "started" },
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("crawler", Kind::Text, "Crawler."),
        column("crawl_id", Kind::Text, "Id of the crawl."),
        column("started", Kind::Instant, "When it started."),
        column("completed", Kind::Instant, "When it ended; NULL while it runs."),
        column("state", Kind::Text, "`COMPLETED`, `FAILED`, `STOPPED` or `RUNNING`."),
        column("dpu_hours", Kind::Quantity, "DPU-hours that it used, as Glue says it; NULL while it runs."),
        column(
            "changes",
            Kind::Count,
            "Tables and partitions that it added, changed or deleted; NULL when Glue does not say.",
        ),
        column("error_category", Kind::Text, "Category of the error; NULL without one. Its text is not kept."),
    ],
};

/// One row for each interactive session that Glue still lists.
pub const GLUE_SESSIONS: Table = Table {
    name: "glue_sessions",
    doc: "Interactive sessions as Glue lists them now. They are billed from start to stop, idle or not.",
    key: &["account_id", "region", "session_id"],
    source: Source::State("glue:ListSessions"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("session_id", Kind::Text, "Session id."),
        column("status", Kind::Text, "`PROVISIONING`, `READY`, `STOPPING`, `STOPPED`, `TIMEOUT` or `FAILED`."),
        column("session_type", Kind::Text, "`LIVY` or `SPARK_CONNECT`, where Glue says so."),
        column("command", Kind::Text, "`glueetl`, `gluestreaming` or `glueray`."),
        column("glue_version", Kind::Text, "Glue version."),
        column("worker_type", Kind::Text, "Worker type."),
        column("number_of_workers", Kind::Count, "Workers."),
        column("max_capacity", Kind::Quantity, "DPUs, as Glue says it."),
        column("allocated_dpu", Kind::Quantity, "DPUs: `max_capacity`, else workers by their size."),
        column(
            "dpu_unit",
            Kind::Text,
            "`DPU`, or `M-DPU` for memory-optimized and Ray workers, which have another price.",
        ),
        column(
            "idle_timeout_minutes",
            Kind::Count,
            "Idle minutes after which it stops; NULL for Glue's default (2,880).",
        ),
        column("created", Kind::Instant, "When it was made."),
        column("completed", Kind::Instant, "When it stopped; NULL while it does not."),
        column("execution_seconds", Kind::Quantity, "Seconds that it ran."),
        column("dpu_seconds", Kind::Quantity, "DPU-seconds that it used, as Glue says it."),
        column("role", Kind::Text, "Role of the session."),
    ],
};

/// One row for each development endpoint.
pub const GLUE_DEV_ENDPOINTS: Table = Table {
    name: "glue_dev_endpoints",
    doc: "Development endpoints. They are billed as long as they exist. Their keys are never read.",
    key: &["account_id", "region", "endpoint"],
    source: Source::State("glue:GetDevEndpoints"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("endpoint", Kind::Text, "Name."),
        column("status", Kind::Text, "`PROVISIONING`, `READY`, `FAILED`, …"),
        column("glue_version", Kind::Text, "Glue version."),
        column("worker_type", Kind::Text, "Worker type."),
        column("number_of_workers", Kind::Count, "Workers."),
        column("allocated_dpu", Kind::Quantity, "DPUs: its nodes, else workers by their size."),
        column("created", Kind::Instant, "When it was made."),
        column("last_modified", Kind::Instant, "When it was changed last."),
        column("role", Kind::Text, "Role of the endpoint."),
    ],
};

/// One row for each set of data-quality rules.
pub const GLUE_DATA_QUALITY: Table = Table {
    name: "glue_data_quality",
    doc: "Sets of data-quality rules and the tables that they are about. The rules themselves are never read.",
    key: &["account_id", "region", "ruleset"],
    source: Source::State("glue:ListDataQualityRulesets"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("ruleset", Kind::Text, "Name."),
        column("database", Kind::Text, "Database of its table."),
        column("table", Kind::Text, "Its table; NULL for rules that belong to none."),
        column("rule_count", Kind::Count, "Rules."),
        column("recommended", Kind::Flag, "True when Glue recommended the rules."),
        column("created", Kind::Instant, "When it was made."),
        column("last_modified", Kind::Instant, "When it was changed last."),
    ],
};

/// One row for each data-quality result.
pub const GLUE_DATA_QUALITY_RESULTS: Table = Table {
    name: "glue_data_quality_results",
    doc: "Evaluations of data quality, of the last 90 days and of earlier scans: when, of which table, by which job run, and how many rules passed. What the rules say and what they found is never read.",
    key: &["account_id", "region", "started", "result_id"],
    source: Source::Period { read: "glue:ListDataQualityResults", column: "started" },
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("result_id", Kind::Text, "Result id."),
        column("started", Kind::Instant, "When it started."),
        column("database", Kind::Text, "Database of the table."),
        column("table", Kind::Text, "Table; NULL when the data is no table of the catalog."),
        column("job", Kind::Text, "Job that evaluated it; NULL when the catalog did."),
        column("job_run_id", Kind::Text, "Run of the job."),
        column("ruleset", Kind::Text, "The set of rules.").by(SCORES),
        column("score", Kind::Quantity, "Share of the rules that passed, 0 to 1, as Glue says it.").by(SCORES),
        column("rules", Kind::Count, "Rules that were evaluated.").by(SCORES),
        column("rules_failed", Kind::Count, "Of these, rules that the data did not meet.").by(SCORES),
        column("rules_in_error", Kind::Count, "Of these, rules that could not be evaluated.").by(SCORES),
        column("completed", Kind::Instant, "When it ended.").by(SCORES),
    ],
};
