//! Every table that a scan fills, in the order of the docs. `TABLES` is the registry.

pub mod athena;
pub mod bill;
pub mod configurations;
pub mod scan;
pub mod storage;

use super::table::Table;

/// The tables that a snapshot holds.
pub const TABLES: &[&Table] = &[
    &bill::CHARGES,
    &bill::COSTS,
    &bill::COSTS_BY_ACCOUNT,
    &storage::BUCKETS,
    &storage::LIFECYCLE_RULES,
    &configurations::REPLICATION,
    &configurations::INTELLIGENT_TIERING_CONFIGURATIONS,
    &configurations::INVENTORY_CONFIGURATIONS,
    &configurations::ANALYTICS_CONFIGURATIONS,
    &configurations::METRICS_CONFIGURATIONS,
    &storage::STORAGE,
    &storage::MULTIPART_UPLOADS,
    &athena::ATHENA_WORKGROUPS,
    &athena::ATHENA_QUERIES,
    &scan::ACCOUNTS,
    &scan::COVERAGE,
];

/// Returns the table called `name`.
pub fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.name == name)
}
