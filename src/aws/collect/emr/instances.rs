//! What a cluster is made of: instance groups, or instance fleets. Which of the two a cluster has, its description says.

use aws_sdk_emr::Client;
use aws_sdk_emr::types::{
    InstanceFleet, InstanceFleetState, InstanceFleetType, InstanceGroup, InstanceGroupState, InstanceGroupType,
    InstanceTypeSpecification, MarketType,
};
use serde_json::{Value, json};

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope};
use crate::model::Row;

/// Groups of one cluster.
pub const GROUPS: Read =
    Read::rows("emr:ListInstanceGroups", "elasticmapreduce:ListInstanceGroups", "emr_instance_groups");
/// Fleets of one cluster.
pub const FLEETS: Read =
    Read::rows("emr:ListInstanceFleets", "elasticmapreduce:ListInstanceFleets", "emr_instance_fleets");

/// The groups of a cluster.
pub type Groups = Vec<InstanceGroup>;
/// The fleets of a cluster.
pub type Fleets = Vec<InstanceFleet>;

/// Returns the instance groups of the cluster `id`.
pub async fn groups(scope: &Scope, client: &Client, id: &str) -> Result<Groups, Failed> {
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let call = client.list_instance_groups().cluster_id(id).set_marker(marker.take());
        let page = ask(scope, call.send()).await?;
        found.extend(page.instance_groups.unwrap_or_default());
        match page.marker {
            Some(next) if !next.is_empty() => marker = Some(next),
            _ => return Ok(found),
        }
    }
}

/// Returns the instance fleets of the cluster `id`.
pub async fn fleets(scope: &Scope, client: &Client, id: &str) -> Result<Fleets, Failed> {
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let call = client.list_instance_fleets().cluster_id(id).set_marker(marker.take());
        let page = ask(scope, call.send()).await?;
        found.extend(page.instance_fleets.unwrap_or_default());
        match page.marker {
            Some(next) if !next.is_empty() => marker = Some(next),
            _ => return Ok(found),
        }
    }
}

/// Returns a row for each group.
pub fn group_rows(scope: &Scope, cluster_id: &str, groups: &Result<Groups, Failed>) -> Vec<Row> {
    let row = |group: &InstanceGroup| {
        named(scope, cluster_id)
            .with("group_id", group.id())
            .with("role", group.instance_group_type().map(InstanceGroupType::as_str))
            .with("market", group.market().map(MarketType::as_str))
            .with("instance_type", group.instance_type())
            .with("requested", group.requested_instance_count())
            .with("running", group.running_instance_count())
            .with("state", group.status().and_then(|status| status.state()).map(InstanceGroupState::as_str))
            .with("scaling_policy", group.auto_scaling_policy().is_some())
    };
    groups.iter().flatten().map(row).collect()
}

/// Returns a row for each fleet.
pub fn fleet_rows(scope: &Scope, cluster_id: &str, fleets: &Result<Fleets, Failed>) -> Vec<Row> {
    let row = |fleet: &InstanceFleet| {
        named(scope, cluster_id)
            .with("fleet_id", fleet.id())
            .with("role", fleet.instance_fleet_type().map(InstanceFleetType::as_str))
            .with(
                "instance_types",
                fleet.instance_type_specifications().iter().map(of_type).collect::<Value>().to_string(),
            )
            .with("target_on_demand", fleet.target_on_demand_capacity())
            .with("target_spot", fleet.target_spot_capacity())
            .with("provisioned_on_demand", fleet.provisioned_on_demand_capacity())
            .with("provisioned_spot", fleet.provisioned_spot_capacity())
            .with("state", fleet.status().and_then(|status| status.state()).map(InstanceFleetState::as_str))
    };
    fleets.iter().flatten().map(row).collect()
}

fn of_type(specification: &InstanceTypeSpecification) -> Value {
    json!({"instance_type": specification.instance_type(), "weight": specification.weighted_capacity()})
}

fn named(scope: &Scope, cluster_id: &str) -> Row {
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("cluster_id", cluster_id)
}
