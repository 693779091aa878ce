//! Every table that a scan fills, in the order of the docs. `TABLES` is the registry.

pub mod advice;
pub mod athena;
pub mod bill;
pub mod catalog;
pub mod configurations;
pub mod emr;
pub mod glue;
pub mod inventory;
pub mod lens;
pub mod network;
pub mod redshift;
pub mod scan;
pub mod storage;
pub mod trail;

use super::table::Table;

/// The tables that a snapshot holds.
pub const TABLES: &[&Table] = &[
    &bill::CHARGES,
    &bill::COSTS,
    &bill::COSTS_BY_ACCOUNT,
    &bill::COSTS_BY_OPERATION,
    &bill::TAGS_COST,
    &bill::BILLING_VIEWS,
    &bill::BILL,
    &bill::BILL_MONTHS,
    &storage::BUCKETS,
    &storage::LIFECYCLE_RULES,
    &configurations::REPLICATION,
    &configurations::INTELLIGENT_TIERING_CONFIGURATIONS,
    &configurations::INVENTORY_CONFIGURATIONS,
    &configurations::ANALYTICS_CONFIGURATIONS,
    &configurations::METRICS_CONFIGURATIONS,
    &lens::STORAGE_LENS_CONFIGURATIONS,
    &storage::STORAGE,
    &lens::STORAGE_LENS,
    &lens::STORAGE_ACTIVITY,
    &lens::STORAGE_SIZES,
    &inventory::STORAGE_AGES,
    &storage::MULTIPART_UPLOADS,
    &athena::ATHENA_WORKGROUPS,
    &athena::ATHENA_QUERIES,
    &athena::ATHENA_CAPACITY,
    &emr::EMR_CLUSTERS,
    &emr::EMR_INSTANCE_GROUPS,
    &emr::EMR_INSTANCE_FLEETS,
    &emr::EMR_SERVERLESS_APPS,
    &emr::EMR_SERVERLESS_RUNS,
    &redshift::REDSHIFT_CLUSTERS,
    &redshift::REDSHIFT_WORKGROUPS,
    &glue::GLUE_JOBS,
    &glue::GLUE_JOB_RUNS,
    &glue::GLUE_TRIGGERS,
    &glue::GLUE_TRIGGER_CONDITIONS,
    &glue::GLUE_WORKFLOWS,
    &glue::GLUE_CRAWLERS,
    &glue::GLUE_CRAWLS,
    &glue::GLUE_SESSIONS,
    &glue::GLUE_DEV_ENDPOINTS,
    &glue::GLUE_DATA_QUALITY,
    &glue::GLUE_DATA_QUALITY_RESULTS,
    &catalog::GLUE_DATABASES,
    &catalog::GLUE_TABLES,
    &network::VPCS,
    &network::SUBNETS,
    &network::ROUTE_TABLES,
    &network::ROUTES,
    &network::VPC_ENDPOINTS,
    &network::NAT_GATEWAYS,
    &network::NAT_TRAFFIC,
    &network::FIREWALL_ENDPOINTS,
    &trail::LIFECYCLE_CHANGES,
    &advice::AWS_ADVICE,
    &advice::AWS_ANOMALIES,
    &advice::BUDGETS,
    &advice::COST_FORECAST,
    &scan::ACCOUNTS,
    &scan::COVERAGE,
];

/// Returns the table called `name`.
pub fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.name == name)
}
