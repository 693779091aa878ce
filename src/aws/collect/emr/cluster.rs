//! One cluster as a row, piece by piece: what the list says, what its description adds, how idle it is.

use aws_sdk_emr::Client;
use aws_sdk_emr::types::{Application, Cluster, ClusterState, ClusterSummary, ClusterTimeline, InstanceCollectionType};
use rust_decimal::Decimal;
use serde_json::Value;

use super::listing::at;
use crate::aws::collect::ask::ask;
use crate::aws::collect::cloudwatch::hours::Hours;
use crate::aws::collect::{Failed, Read, Scope, tags};
use crate::model::Row;

/// The description of one.
pub const DESCRIBE: Read = Read::columns(
    "emr:DescribeCluster",
    "elasticmapreduce:DescribeCluster",
    "emr_clusters",
    &[
        "release_label",
        "release_major",
        "release_minor",
        "extended_support",
        "applications",
        "instance_collection",
        "auto_terminate",
        "termination_protected",
        "log_uri",
        "step_concurrency",
        "subnet_id",
        "tags",
    ],
);

/// Returns the description of the cluster `id`.
pub async fn describe(scope: &Scope, client: &Client, id: &str) -> Result<Cluster, Failed> {
    let answer = ask(scope, client.describe_cluster().cluster_id(id).send()).await?;
    answer.cluster.ok_or_else(|| Failed::left_out("the cluster"))
}

/// Returns the row that the list alone makes.
pub fn row(scope: &Scope, summary: &ClusterSummary) -> Row {
    Row::new()
        .with("account_id", scope.account_id.as_str())
        .with("region", scope.region.as_str())
        .with("cluster_id", summary.id())
        .with("name", summary.name())
        .with("state", summary.status().and_then(|status| status.state()).map(ClusterState::as_str))
        .with("created", at(summary, ClusterTimeline::creation_date_time))
        .with("ready", at(summary, ClusterTimeline::ready_date_time))
        .with("ended", at(summary, ClusterTimeline::end_date_time))
        .with("normalized_instance_hours", summary.normalized_instance_hours())
}

/// Returns the row with what the description says.
pub fn described(row: Row, cluster: &Cluster) -> Row {
    let (major, minor) = cluster.release_label().and_then(release).unzip();
    let names = cluster.applications().iter().filter_map(Application::name);
    let pairs = cluster.tags().iter().map(|tag| (tag.key(), tag.value()));
    row.with("release_label", cluster.release_label())
        .with("release_major", major)
        .with("release_minor", minor)
        .with("extended_support", cluster.extended_support())
        .with("applications", names.map(Value::from).collect::<Value>().to_string())
        .with("instance_collection", cluster.instance_collection_type().map(InstanceCollectionType::as_str))
        .with("auto_terminate", cluster.auto_terminate())
        .with("termination_protected", cluster.termination_protected())
        .with("log_uri", cluster.log_uri())
        .with("step_concurrency", cluster.step_concurrency_level())
        .with("subnet_id", cluster.ec2_instance_attributes().and_then(|attributes| attributes.ec2_subnet_id()))
        .with("tags", tags::object(pairs))
}

/// Returns the row with its idle hours; without a point it is not known how many there are.
pub fn with_idle(row: Row, hours: Option<&Hours>) -> Row {
    let Some(hours) = hours else { return row };
    let idle = |value: Decimal| value >= Decimal::ONE;
    let known = hours.count() > 0;
    row.with("metric_hours", hours.count())
        .with("idle_hours", known.then(|| hours.count_if(idle)))
        .with("idle_hours_longest", known.then(|| hours.longest(idle)))
}

/// Returns the first two numbers of `emr-6.15.0`; `None` for labels of another form.
fn release(label: &str) -> Option<(i64, i64)> {
    let mut numbers = label.strip_prefix("emr-")?.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_two_numbers_that_can_be_compared() {
        assert_eq!((release("emr-6.15.0"), release("emr-7.1.0")), (Some((6, 15)), Some((7, 1))));
        assert_eq!((release("emr-7"), release("3.11.1"), release("emr-x.y")), (None, None, None));
    }

    #[test]
    fn without_a_point_idle_hours_are_unknown_and_not_zero() {
        let row = with_idle(Row::new(), Some(&Hours::default()));
        assert_eq!((row.int("metric_hours"), row.int("idle_hours")), (Some(0), None));
        assert_eq!(with_idle(Row::new(), None).int("metric_hours"), None);
    }
}
