//! The list of clusters, which holds all that Redshift says of each.

use aws_sdk_redshift::Client;
use aws_sdk_redshift::types::Cluster;

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, instant, tags};
use crate::model::Row;

/// Most clusters in one answer (Redshift API reference).
const PAGE: i32 = 100;
/// Families whose storage is paid for with the node.
const LOCAL_STORAGE: [&str; 4] = ["dc1", "dc2", "ds1", "ds2"];

/// The list.
pub const LIST: Read = Read::rows("redshift:DescribeClusters", "redshift:DescribeClusters", "redshift_clusters");

/// Returns the clusters that were listed, and why the list ends early if it does.
pub async fn list(scope: &Scope, client: &Client) -> (Vec<Cluster>, Option<Failed>) {
    let (mut found, mut marker) = (Vec::new(), None);
    loop {
        let call = client.describe_clusters().max_records(PAGE).set_marker(marker.take());
        let page = match ask(scope, call.send()).await {
            Ok(page) => page,
            Err(failed) => return (found, Some(failed)),
        };
        found.extend(page.clusters.unwrap_or_default());
        match page.marker {
            Some(next) if !next.is_empty() => marker = Some(next),
            _ => return (found, None),
        }
    }
}

/// Returns the row of a cluster.
pub fn row(scope: &Scope, cluster: &Cluster) -> Row {
    let family = cluster.node_type().map(|kind| kind.split('.').next().unwrap_or(kind));
    let pairs = cluster.tags().iter().map(|tag| (tag.key(), tag.value()));
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("cluster", cluster.cluster_identifier())
        .with("node_type", cluster.node_type())
        .with("node_family", family)
        .with("managed_storage", family.and_then(managed_storage))
        .with("nodes", cluster.number_of_nodes())
        .with("status", cluster.cluster_status())
        .with("availability_status", cluster.cluster_availability_status())
        .with("created", cluster.cluster_create_time().and_then(instant::utc))
        .with("encrypted", cluster.encrypted())
        .with("multi_az", cluster.multi_az().map(|said| said.eq_ignore_ascii_case("enabled")))
        .with("snapshot_retention_days", cluster.automated_snapshot_retention_period())
        .with("manual_snapshot_retention_days", cluster.manual_snapshot_retention_period())
        .with("storage_capacity_mb", cluster.total_storage_capacity_in_mega_bytes())
        .with("version", cluster.cluster_version())
        .with("vpc_id", cluster.vpc_id())
        .with("tags", tags::object(pairs))
}

/// Returns whether storage is paid for apart from nodes; `None` for a family that is not known.
fn managed_storage(family: &str) -> Option<bool> {
    match family {
        "ra3" => Some(true),
        local if LOCAL_STORAGE.contains(&local) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_families_that_are_known_say_how_storage_is_paid_for() {
        assert_eq!(
            (managed_storage("ra3"), managed_storage("dc2"), managed_storage("rg")),
            (Some(true), Some(false), None)
        );
    }
}
