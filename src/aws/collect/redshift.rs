//! Provisioned Redshift clusters of one Region: size, limits, and whether anybody connects.
//!
//! Asks no database anything: what is said here is what Redshift's own API and CloudWatch say.

mod clusters;
mod limits;
mod schedules;

use aws_sdk_redshift::types::{Cluster, ScheduledAction, UsageLimit};

use super::cloudwatch::hours::{self, Hours};
use super::outcome::{Outcome, listed, regional};
use super::{Failed, Read, Scope, Sink};
use crate::model::Row;
use crate::store::tables::redshift::REDSHIFT_CLUSTERS;

/// Connections, CPU and disk.
const METRICS: Read = Read::columns(
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricData",
    "redshift_clusters",
    &["metric_hours", "unconnected_hours", "cpu_percent", "cpu_percent_busiest", "disk_used_percent"],
);

/// The calls of this collector.
pub const READS: &[Read] = &[clusters::LIST, limits::LIMITS, schedules::SCHEDULES, METRICS];

/// Metrics and the statistics of an hour; the first says how many hours were seen.
const ASKED: [(&str, &str); 3] =
    [("DatabaseConnections", "Maximum"), ("CPUUtilization", "Average"), ("PercentageDiskSpaceUsed", "Average")];

/// Reads the clusters of the scope's Region.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let client = scope.redshift();
    let (all, failed) = clusters::list(scope, &client).await;
    sink.cover(listed(scope, &clusters::LIST, all.len(), failed.as_ref())).await;
    if all.is_empty() {
        return;
    }
    let limits = limits::list(scope, &client).await;
    sink.cover(listed(scope, &limits::LIMITS, limits.as_ref().map_or(0, Vec::len), limits.as_ref().err())).await;
    let schedules = schedules::list(scope, &client).await;
    let known = schedules.as_ref().map_or(0, Vec::len);
    sink.cover(listed(scope, &schedules::SCHEDULES, known, schedules.as_ref().err())).await;
    let whole = Whole { limits: limits.ok(), schedules: schedules.ok() };
    let mut outcomes = Vec::new();
    for (cluster, metrics) in all.iter().zip(metrics(scope, &all).await) {
        let name = cluster.cluster_identifier().unwrap_or_default();
        outcomes.push(Outcome::of(name, Some(&scope.region), &metrics));
        sink.rows(&REDSHIFT_CLUSTERS, vec![row(scope, cluster, &whole, metrics.ok().as_ref())]).await;
    }
    for row in regional(scope, &METRICS, &outcomes) {
        sink.cover(row).await;
    }
}

/// What is listed for all clusters at once; `None` where the list failed.
struct Whole {
    limits: Option<Vec<UsageLimit>>,
    schedules: Option<Vec<ScheduledAction>>,
}

fn row(scope: &Scope, cluster: &Cluster, whole: &Whole, metrics: Option<&Metrics>) -> Row {
    let mut row = clusters::row(scope, cluster);
    if let Some(limits) = &whole.limits {
        row = limits::with_limits(row, limits);
    }
    if let Some(schedules) = &whole.schedules {
        row = schedules::with_schedules(row, schedules);
    }
    let Some([connections, cpu, disk]) = metrics else { return row };
    let nobody = (connections.count() > 0).then(|| connections.count_if(|most| most.is_zero()));
    row.with("metric_hours", connections.count())
        .with("unconnected_hours", nobody)
        .with("cpu_percent", cpu.average())
        .with("cpu_percent_busiest", cpu.largest())
        .with("disk_used_percent", disk.newest())
}

/// The answers to what is asked of one cluster.
type Metrics = [Hours; ASKED.len()];

/// Returns the metrics of each cluster.
async fn metrics(scope: &Scope, clusters: &[Cluster]) -> Vec<Result<Metrics, Failed>> {
    let of_cluster = |cluster: &Cluster| {
        let name = cluster.cluster_identifier().unwrap_or_default();
        ASKED.map(|(metric, stat)| hours::question("AWS/Redshift", metric, stat, &[("ClusterIdentifier", name)]))
    };
    hours::read_each(scope, &clusters.iter().map(of_cluster).collect::<Vec<_>>()).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::connector::Fault;
    use crate::aws::stand_in::{self, answer};

    const CLUSTERS: &str = "<DescribeClustersResponse xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\">\
        <DescribeClustersResult><Clusters><Cluster><ClusterIdentifier>bi</ClusterIdentifier><NodeType>ra3.xlplus</NodeType>\
        <NumberOfNodes>2</NumberOfNodes><ClusterStatus>paused</ClusterStatus></Cluster></Clusters></DescribeClustersResult>\
        </DescribeClustersResponse>";

    fn denied() -> Fault {
        let said = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>no</Message></Error>";
        answer(
            403,
            &format!("<ErrorResponse xmlns=\"http://redshift.amazonaws.com/doc/2012-12-01/\">{said}</ErrorResponse>"),
        )
    }

    #[tokio::test]
    async fn a_refusal_in_xml_names_the_action_that_is_missing() {
        let scope = stand_in::answered(READS, |_| denied());
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        assert_eq!(handed.gaps(), ["redshift_clusters redshift:DescribeClusters missing redshift:DescribeClusters"]);
    }

    #[tokio::test]
    async fn a_cluster_whose_limits_and_metrics_are_denied_keeps_its_row() {
        let scope = stand_in::answered(READS, |operation| match operation {
            "redshift:DescribeClusters" => answer(200, CLUSTERS),
            _ => denied(),
        });
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        let row = &handed.rows["redshift_clusters"][0];
        assert_eq!((row.key("status"), row.int("nodes"), row.flag("managed_storage")), ("paused", Some(2), Some(true)));
        assert_eq!((row.text("usage_limits"), row.int("metric_hours")), (None, None));
        let limits = "redshift_clusters redshift:DescribeUsageLimits missing redshift:DescribeUsageLimits";
        assert!(handed.gaps().contains(&limits.to_owned()), "{:?}", handed.gaps());
        assert!(handed.gaps().iter().any(|gap| gap.contains("cloudwatch:GetMetricData")), "{:?}", handed.gaps());
    }
}
