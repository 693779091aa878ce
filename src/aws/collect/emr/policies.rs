//! Who resizes a living cluster, and what ends it when it is idle. That there is no policy is known, not unknown.

use aws_sdk_emr::Client;
use aws_sdk_emr::types::{ComputeLimitsUnitType, ManagedScalingPolicy};

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope};
use crate::model::Row;

/// Managed scaling of one cluster.
pub const SCALING: Read = Read::columns(
    "emr:GetManagedScalingPolicy",
    "elasticmapreduce:GetManagedScalingPolicy",
    "emr_clusters",
    &[
        "managed_scaling",
        "scaling_unit",
        "scaling_minimum",
        "scaling_maximum",
        "scaling_maximum_on_demand",
        "scaling_maximum_core",
    ],
);
/// Auto-termination of one cluster.
pub const TERMINATION: Read = Read::columns(
    "emr:GetAutoTerminationPolicy",
    "elasticmapreduce:GetAutoTerminationPolicy",
    "emr_clusters",
    &["auto_termination", "idle_timeout_seconds"],
);

/// Returns the managed scaling policy of the cluster `id`, if it has one.
pub async fn scaling(scope: &Scope, client: &Client, id: &str) -> Result<Option<ManagedScalingPolicy>, Failed> {
    let answer = ask(scope, client.get_managed_scaling_policy().cluster_id(id).send()).await?;
    Ok(answer.managed_scaling_policy.filter(|policy| policy.compute_limits().is_some()))
}

/// Returns the idle time in seconds after which the cluster `id` ends; `None` when it does not.
pub async fn idle_timeout(scope: &Scope, client: &Client, id: &str) -> Result<Option<i64>, Failed> {
    let answer = ask(scope, client.get_auto_termination_policy().cluster_id(id).send()).await?;
    Ok(answer.auto_termination_policy.and_then(|policy| policy.idle_timeout()))
}

/// Returns the row with its scaling; without an answer those columns stay NULL.
pub fn with_scaling(row: Row, answer: Option<&Option<ManagedScalingPolicy>>) -> Row {
    let Some(policy) = answer else { return row };
    let row = row.with("managed_scaling", policy.is_some());
    let Some(limits) = policy.as_ref().and_then(ManagedScalingPolicy::compute_limits) else { return row };
    row.with("scaling_unit", limits.unit_type().map(ComputeLimitsUnitType::as_str))
        .with("scaling_minimum", limits.minimum_capacity_units())
        .with("scaling_maximum", limits.maximum_capacity_units())
        .with("scaling_maximum_on_demand", limits.maximum_on_demand_capacity_units())
        .with("scaling_maximum_core", limits.maximum_core_capacity_units())
}

/// Returns the row with its idle time; without an answer those columns stay NULL.
pub fn with_idle_timeout(row: Row, answer: Option<&Option<i64>>) -> Row {
    let Some(seconds) = answer else { return row };
    row.with("auto_termination", seconds.is_some()).with("idle_timeout_seconds", *seconds)
}
