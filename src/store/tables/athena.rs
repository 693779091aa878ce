//! Athena workgroups and the queries that ran in them. No literal of a query is ever stored.

use crate::store::table::{Kind, Source, Table, column};

const WORKGROUP: &str = "athena:GetWorkGroup";
const ASSIGNMENTS: &str = "athena:GetCapacityAssignmentConfiguration";
const METRICS: &str = "cloudwatch:GetMetricData";

/// One row for each workgroup.
pub const ATHENA_WORKGROUPS: Table = Table {
    name: "athena_workgroups",
    doc: "Athena workgroups and their settings.",
    key: &["account_id", "region", "workgroup"],
    source: Source::State("athena:ListWorkGroups"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("workgroup", Kind::Text, "Name."),
        column("state", Kind::Text, "`ENABLED` or `DISABLED`."),
        column("engine_version", Kind::Text, "Effective engine version.").by(WORKGROUP),
        column("output_location", Kind::Text, "Where results go (`s3://…`); NULL when callers choose.").by(WORKGROUP),
        column("enforced", Kind::Flag, "True when the workgroup's settings override the caller's.").by(WORKGROUP),
        column(
            "bytes_scanned_cutoff",
            Kind::Bytes,
            "Bytes after which a query is cancelled; NULL when there is no limit.",
        )
        .by(WORKGROUP),
        column("metrics_published", Kind::Flag, "True when the workgroup publishes CloudWatch metrics.").by(WORKGROUP),
        column("managed_results", Kind::Flag, "True when Athena keeps the results itself (24 hours).").by(WORKGROUP),
    ],
};

/// One row for each query execution.
pub const ATHENA_QUERIES: Table = Table {
    name: "athena_queries",
    doc: "Query executions of the last 45 days and of earlier scans. Text is redacted: literals and comments are taken out when it is read; `text_hash` is a keyed hash of the exact text and its parameters.",
    key: &["account_id", "region", "workgroup", "submitted", "query_id"],
    source: Source::Period { read: "athena:BatchGetQueryExecution", column: "submitted" },
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("workgroup", Kind::Text, "Workgroup."),
        column("query_id", Kind::Text, "Query execution id."),
        column("submitted", Kind::Instant, "When it was submitted."),
        column("completed", Kind::Instant, "When it ended; NULL while it runs."),
        column("state", Kind::Text, "`SUCCEEDED`, `FAILED`, `CANCELLED`, `RUNNING`, `QUEUED`."),
        column("statement_type", Kind::Text, "`DDL`, `DML` or `UTILITY`."),
        column("substatement_type", Kind::Text, "`SELECT`, `INSERT`, `CREATE_TABLE_AS_SELECT`, …"),
        column("engine_version", Kind::Text, "Effective engine version."),
        column("catalog", Kind::Text, "Data catalog of the query context."),
        column("database", Kind::Text, "Database of the query context."),
        column("output_location", Kind::Text, "Folder of the result, without the object name."),
        column("bytes_scanned", Kind::Bytes, "Bytes scanned, as billed before rounding."),
        column("engine_ms", Kind::Count, "Engine time in milliseconds."),
        column("queue_ms", Kind::Count, "Queue time in milliseconds."),
        column("planning_ms", Kind::Count, "Planning time in milliseconds."),
        column("reused", Kind::Flag, "True when the answer came from an earlier result."),
        column("reuse_enabled", Kind::Flag, "True when the caller allowed reuse."),
        column("reuse_max_age_minutes", Kind::Count, "Age that the caller allowed."),
        column("dpu_count", Kind::Quantity, "DPUs of reserved capacity; NULL for queries paid by the TB."),
        column(
            "text_redacted",
            Kind::Text,
            "Text with placeholders for literals; NULL when it could not be read as SQL.",
        ),
        column("text_hash", Kind::Text, "Keyed hash of the exact text and its parameters."),
        column("key_id", Kind::Text, "Which key made the hash; hashes of different keys never match."),
        column(
            "reuse_eligible",
            Kind::Flag,
            "True when Athena could answer it from an earlier result; NULL when that is unknown.",
        ),
        column("reuse_obstacle", Kind::Text, "Why it is not eligible."),
        column("error_category", Kind::Count, "1 system, 2 user, 3 other; NULL unless it failed."),
        column("total_ms", Kind::Count, "Time from submission to the end in milliseconds, waiting included."),
        column("preprocessing_ms", Kind::Count, "Time before the text reached the engine, in milliseconds."),
        column("service_ms", Kind::Count, "Time that Athena took for the result after the engine, in milliseconds."),
        column("managed_results", Kind::Flag, "True when Athena keeps the result itself."),
    ],
};

/// One row for each capacity reservation.
pub const ATHENA_CAPACITY: Table = Table {
    name: "athena_capacity",
    doc: "Athena capacity reservations: DPUs paid for by the hour, used or not. Metrics are of the last 14 days, by the hour, where the workgroups assigned publish them.",
    key: &["account_id", "region", "reservation"],
    source: Source::State("athena:ListCapacityReservations"),
    columns: &[
        column("account_id", Kind::Text, "Account."),
        column("region", Kind::Text, "Region."),
        column("reservation", Kind::Text, "Name."),
        column("status", Kind::Text, "`PENDING`, `ACTIVE`, `UPDATE_PENDING`, `CANCELLING`, `CANCELLED`, `FAILED`."),
        column("target_dpus", Kind::Count, "DPUs asked for."),
        column("allocated_dpus", Kind::Count, "DPUs there: what is paid for."),
        column("created", Kind::Instant, "When it was made."),
        column("last_allocated", Kind::Instant, "When DPUs were last allocated."),
        column(
            "last_allocation_status",
            Kind::Text,
            "`PENDING`, `SUCCEEDED` or `FAILED`: how the last request for DPUs went.",
        ),
        column("workgroups", Kind::Text, "JSON list of the workgroups assigned; `[]` when none is.").by(ASSIGNMENTS),
        column("workgroup_count", Kind::Count, "How many workgroups are assigned.").by(ASSIGNMENTS),
        column("metric_hours", Kind::Count, "Hours with a point of `DPUAllocated`.").by(METRICS),
        column("consumed_hours", Kind::Count, "Hours with a point of `DPUConsumed`.").by(METRICS),
        column("dpus_allocated", Kind::Quantity, "Average of `DPUAllocated`.").by(METRICS),
        column("dpus_consumed", Kind::Quantity, "Average of `DPUConsumed` in the hours that have a point.").by(METRICS),
        column("dpus_consumed_most", Kind::Quantity, "Largest `DPUConsumed`.").by(METRICS),
    ],
};
