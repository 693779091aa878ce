//! Which service's resources a table tells about.

use crate::model::service::{ATHENA, EC2_OTHER, EMR, GLUE, NETWORK_FIREWALL, REDSHIFT, S3, VPC};

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
        | "metrics_configurations" => Some(S3),
        _ if table.starts_with("storage_") => Some(S3),
        "athena_workgroups" | "athena_queries" | "athena_capacity" => Some(ATHENA),
        "emr_clusters"
        | "emr_instance_groups"
        | "emr_instance_fleets"
        | "emr_serverless_apps"
        | "emr_serverless_runs" => Some(EMR),
        "redshift_clusters" | "redshift_workgroups" => Some(REDSHIFT),
        // Where bytes go is billed with the NAT gateways and the transfer between zones.
        "vpcs" | "subnets" | "route_tables" | "routes" | "nat_gateways" | "nat_traffic" => Some(EC2_OTHER),
        "vpc_endpoints" => Some(VPC),
        "firewall_endpoints" => Some(NETWORK_FIREWALL),
        _ if table.starts_with("glue_") => Some(GLUE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tables::TABLES;

    /// How tables of the bill, of AWS's own advice, and of the scan itself begin.
    const OF_NONE: [&str; 9] =
        ["accounts", "aws_", "bill", "budgets", "charges", "cost_forecast", "costs", "coverage", "tags_cost"];

    #[test]
    fn every_table_of_resources_says_whose_dollars_hang_on_it() {
        for table in TABLES {
            let none = OF_NONE.iter().any(|start| table.name.starts_with(start));
            assert_eq!(of_table(table.name).is_none(), none, "{}", table.name);
        }
    }
}
