//! The keys themselves, in the order of the docs. A key that no code reads is not declared.

use super::key::{Key, Kind, Words};

/// The store.
pub const STORE: Key = Key {
    name: "store",
    kind: Kind::Place,
    default: None,
    flag: Some("--store"),
    variable: Some("LEANLAKE_STORE"),
    doc: "Where snapshots, journal and runs are kept: a folder or `s3://bucket/prefix`. Without it, `leanlake` below the user's data folder.",
};

/// The AWS profile.
pub const PROFILE: Key = Key {
    name: "profile",
    kind: Kind::Text,
    default: None,
    flag: Some("--profile"),
    variable: Some("AWS_PROFILE"),
    doc: "AWS profile to use. Credentials themselves never stand in this file.",
};

/// The Regions to read.
pub const REGIONS: Key = Key {
    name: "regions",
    kind: Kind::Texts,
    default: Some("[]"),
    flag: Some("--region"),
    variable: None,
    doc: "AWS Regions to read; empty for those on the bill and those of the buckets. `AWS_REGION` only says where requests go that are about no Region.",
};

/// The accounts to read.
pub const ACCOUNTS: Key = Key {
    name: "accounts",
    kind: Kind::Accounts,
    default: None,
    flag: Some("--accounts"),
    variable: Some("LEANLAKE_ACCOUNTS"),
    doc: "Accounts that `scan` reads in detail; without it, the caller's own. In the variable with commas between them.",
};

/// The role of other accounts.
pub const ROLE_NAME: Key = Key {
    name: "role.name",
    kind: Kind::Text,
    default: None,
    flag: Some("--role"),
    variable: Some("LEANLAKE_ROLE"),
    doc: "Name of the role that `scan` assumes in other accounts.",
};

/// What the role asks for.
pub const ROLE_EXTERNAL_ID: Key = Key {
    name: "role.external_id",
    kind: Kind::Text,
    default: None,
    flag: Some("--external-id"),
    variable: Some("LEANLAKE_EXTERNAL_ID"),
    doc: "External id that the role asks for. It is no secret.",
};

/// The name of the role's sessions.
pub const ROLE_SESSION_NAME: Key = Key {
    name: "role.session_name",
    kind: Kind::Text,
    default: Some("\"leanlake\""),
    flag: Some("--session-name"),
    variable: Some("LEANLAKE_SESSION_NAME"),
    doc: "Name of the role's sessions, as CloudTrail shows it.",
};

/// Folders of policies.
pub const POLICIES: Key = Key {
    name: "policies",
    kind: Kind::Folders,
    default: Some("[]"),
    flag: Some("--policies"),
    variable: None,
    doc: "Folders of further policies; the same id replaces a built-in one.",
};

/// Tag keys that name an owner.
pub const OWNER_TAGS: Key = Key {
    name: "owner_tags",
    kind: Kind::Texts,
    default: Some("[\"owner\", \"team\"]"),
    flag: None,
    variable: None,
    doc: "Tag keys that name the owner of a resource; the first that it carries counts.",
};

/// Tag keys by which cost is read.
pub const COST_TAGS: Key = Key {
    name: "cost_tags",
    kind: Kind::Texts,
    default: Some("[]"),
    flag: None,
    variable: None,
    doc: "Cost allocation tags, activated in the payer account, by which `scan` reads cost into `tags_cost`. Each key is one more Cost Explorer request for each month that is read.",
};

/// Days of Athena history.
pub const HISTORY_DAYS: Key = Key {
    name: "history_days",
    kind: Kind::Days,
    default: Some("45"),
    flag: Some("--history-days"),
    variable: None,
    doc: "Days of Athena history that `scan` reads; Athena keeps 45.",
};

/// The time of a collector.
pub const COLLECTOR_TIME: Key = Key {
    name: "collector_time",
    kind: Kind::Time,
    default: Some("\"2h\""),
    flag: Some("--collector-time"),
    variable: None,
    doc: "Longest time that `scan` reads one service in one account and Region; what it had not read by then is a gap.",
};

/// AWS's own advisers that are left out.
pub const WITHOUT: Key = Key {
    name: "without",
    kind: Kind::Words(ADVISERS),
    default: Some("[]"),
    flag: Some("--without"),
    variable: None,
    doc: "AWS's own advisers that `scan` does not ask: `hub`, `anomalies` (a cent), `budgets`, `forecast` (a cent). `--without none` asks all of them.",
};

/// AWS's own advisers.
pub const ADVISERS: Words = Words {
    all: &["hub", "anomalies", "budgets", "forecast"],
    wants: "a list of some of \"hub\", \"anomalies\", \"budgets\", \"forecast\", each once",
};

/// Whether everything is read.
pub const ALL: Key = Key {
    name: "all",
    kind: Kind::Flag,
    default: Some("false"),
    flag: Some("--all"),
    variable: None,
    doc: "`scan` reads every service, account and Region, not only those that 95 % of the lake's spend goes to. `--all=false` wins over it.",
};

const fn budget(name: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { name, kind: Kind::Count, default: Some(default), flag: None, variable: None, doc }
}

/// Query ids.
pub const BUDGET_QUERIES: Key = budget(
    "budget.queries",
    "200000",
    "Most Athena queries that one scan looks up, 50 in a request. What a budget cuts is coverage: `leanlake report` names it.",
);
/// Uploads.
pub const BUDGET_UPLOADS: Key =
    budget("budget.uploads", "200000", "Most incomplete uploads that one scan lists, 1,000 in a request.");
/// `ListParts`.
pub const BUDGET_LIST_PARTS: Key =
    budget("budget.list_parts", "200", "Most incomplete uploads whose size one scan asks for, a request each.");
/// Glue runs.
pub const BUDGET_GLUE_RUNS: Key = budget(
    "budget.glue_runs",
    "200000",
    "Most runs of Glue jobs that one scan of a Region reads, 200 in a request; the newest first.",
);
/// Crawls.
pub const BUDGET_GLUE_CRAWLS: Key = budget(
    "budget.glue_crawls",
    "20000",
    "Most crawls that one scan of a Region reads, 100 in a request; the newest first.",
);
/// Tables.
pub const BUDGET_GLUE_TABLES: Key = budget(
    "budget.glue_tables",
    "100000",
    "Most tables of the Data Catalog that one scan of a Region reads, 100 in a request.",
);
/// Column statistics.
pub const BUDGET_GLUE_STATISTICS: Key = budget(
    "budget.glue_statistics",
    "300",
    "Most tables that one scan of a Region asks for column statistics, a request each; the largest first.",
);
/// Tags of jobs.
pub const BUDGET_GLUE_TAGS: Key = budget(
    "budget.glue_tags",
    "200",
    "Most Glue jobs that one scan of a Region asks for their tags, a request each; those that used the most first. The others keep what an earlier scan was told.",
);
/// Data-quality results.
pub const BUDGET_GLUE_QUALITY: Key = budget(
    "budget.glue_quality",
    "20000",
    "Most data-quality results that one scan of a Region looks up, 100 in a request; the newest first.",
);
/// EMR clusters.
pub const BUDGET_EMR_CLUSTERS: Key = budget(
    "budget.emr_clusters",
    "500",
    "Most EMR clusters that one scan of a Region describes, up to 4 requests each; living ones first.",
);
/// EMR Serverless runs.
pub const BUDGET_EMR_SERVERLESS_RUNS: Key = budget(
    "budget.emr_serverless_runs",
    "5000",
    "Most job runs of EMR Serverless that one scan of a Region looks up, a request each; the newest first.",
);

/// The budget of a scan.
pub const MAX_COST: Key = Key {
    name: "max_cost",
    kind: Kind::Dollars,
    default: Some("5"),
    flag: Some("--max-cost"),
    variable: None,
    doc: "`scan` stops before its own requests cost more than this.",
};

/// Every key, in the order of the docs.
pub const KEYS: &[&Key] = &[
    &STORE,
    &PROFILE,
    &REGIONS,
    &ACCOUNTS,
    &ROLE_NAME,
    &ROLE_EXTERNAL_ID,
    &ROLE_SESSION_NAME,
    &POLICIES,
    &OWNER_TAGS,
    &COST_TAGS,
    &HISTORY_DAYS,
    &MAX_COST,
    &COLLECTOR_TIME,
    &ALL,
    &WITHOUT,
    &BUDGET_QUERIES,
    &BUDGET_UPLOADS,
    &BUDGET_LIST_PARTS,
    &BUDGET_GLUE_RUNS,
    &BUDGET_GLUE_CRAWLS,
    &BUDGET_GLUE_TABLES,
    &BUDGET_GLUE_STATISTICS,
    &BUDGET_GLUE_TAGS,
    &BUDGET_GLUE_QUALITY,
    &BUDGET_EMR_CLUSTERS,
    &BUDGET_EMR_SERVERLESS_RUNS,
];
