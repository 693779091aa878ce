//! Which services a data lake is made of, and which of them a table tells about.

/// S3 as Cost Explorer names it.
pub(super) const S3: &str = "Amazon Simple Storage Service";
const ATHENA: &str = "Amazon Athena";
/// EMR Serverless is on the same offer of the price list.
const EMR: &str = "Amazon Elastic MapReduce";
const REDSHIFT: &str = "Amazon Redshift";

/// Services of a data lake, as Cost Explorer names them. What runs on EC2 or in a VPC is not told apart here.
const LAKE: [&str; 12] = [
    S3,
    ATHENA,
    "AWS Glue",
    "AWS Lake Formation",
    EMR,
    "Amazon EMR Serverless",
    REDSHIFT,
    "Amazon Kinesis Firehose",
    "Amazon Kinesis",
    "Amazon Managed Streaming for Apache Kafka",
    "Amazon Managed Workflows for Apache Airflow",
    "Amazon Simple Storage Service Glacier",
];

/// Returns true for the services of a data lake.
pub(super) fn is_lake(service: &str) -> bool {
    LAKE.contains(&service)
}

/// Returns the service whose resources the table tells about; `None` for tables of the bill and of the scan itself.
pub(super) fn of_table(table: &str) -> Option<&'static str> {
    match table {
        "buckets" | "lifecycle_rules" | "storage" | "multipart_uploads" => Some(S3),
        "athena_workgroups" | "athena_queries" | "athena_capacity" => Some(ATHENA),
        "emr_clusters"
        | "emr_instance_groups"
        | "emr_instance_fleets"
        | "emr_serverless_apps"
        | "emr_serverless_runs" => Some(EMR),
        "redshift_clusters" | "redshift_workgroups" => Some(REDSHIFT),
        _ => None,
    }
}
