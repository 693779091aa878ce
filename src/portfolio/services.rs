//! Which service's resources a table tells about.

use crate::model::service::{ATHENA, EMR, GLUE, REDSHIFT, S3};

/// Returns the service; `None` for tables of the bill and of the scan itself.
pub(super) fn of_table(table: &str) -> Option<&'static str> {
    match table {
        "buckets"
        | "lifecycle_rules"
        | "lifecycle_changes"
        | "storage"
        | "multipart_uploads"
        | "replication"
        | "intelligent_tiering_configurations"
        | "inventory_configurations"
        | "analytics_configurations"
        | "metrics_configurations"
        | "storage_lens_configurations" => Some(S3),
        "athena_workgroups" | "athena_queries" | "athena_capacity" => Some(ATHENA),
        "emr_clusters"
        | "emr_instance_groups"
        | "emr_instance_fleets"
        | "emr_serverless_apps"
        | "emr_serverless_runs" => Some(EMR),
        "redshift_clusters" | "redshift_workgroups" => Some(REDSHIFT),
        _ if table.starts_with("glue_") => Some(GLUE),
        _ => None,
    }
}
