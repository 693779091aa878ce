//! EMR clusters of one Region: what they are made of, how they are scaled and ended, how idle they are.
//!
//! An ended cluster no longer changes: what an earlier scan saw of it is handed over again and not asked for.

mod cluster;
mod held;
mod instances;
mod listing;
mod policies;

use aws_sdk_emr::Client;
use aws_sdk_emr::types::{Cluster, ClusterSummary, InstanceCollectionType, ManagedScalingPolicy};
use futures::StreamExt;

use self::held::Held;
use self::instances::{Fleets, Groups};
use super::cloudwatch::hours::{self, Hours};
use super::outcome::{Outcome, behind, listed, regional};
use super::{Failed, Read, Scope, Sink};
use crate::model::{Coverage, CoverageState};
use crate::store::tables::emr::{EMR_CLUSTERS, EMR_INSTANCE_FLEETS, EMR_INSTANCE_GROUPS};

/// Idle hours.
const IDLE: Read = Read::columns(
    "cloudwatch:GetMetricData",
    "cloudwatch:GetMetricData",
    "emr_clusters",
    &["metric_hours", "idle_hours", "idle_hours_longest"],
);

/// The calls of this collector.
pub const READS: &[Read] = &[
    listing::LIST,
    cluster::DESCRIBE,
    instances::GROUPS,
    instances::FLEETS,
    policies::SCALING,
    policies::TERMINATION,
    IDLE,
];

/// Clusters that are asked about at the same time: each operation has one request a second.
const AT_ONCE: usize = 4;

/// Reads the clusters of the scope's Region.
pub async fn collect(scope: &Scope, sink: &Sink) {
    let client = scope.emr();
    let (all, failed) = listing::list(scope, &client).await;
    cover_list(scope, sink, all.len(), failed.as_ref()).await;
    if all.is_empty() && failed.is_some() {
        return;
    }
    let held = Held::of(scope, sink, &all).await;
    let mut told = Told::default();
    let mut unknown = Vec::new();
    for summary in &all {
        match held.ended(scope, summary) {
            Some(known) => told.again(sink, known).await,
            None => unknown.push(summary),
        }
    }
    let most = usize::try_from(scope.options.emr_clusters).unwrap_or(usize::MAX);
    let cut = unknown.split_off(most.min(unknown.len()));
    let found = describe(scope, sink, &client, &unknown).await;
    let idle = idle(scope, &found).await;
    for (found, idle) in found.iter().zip(idle) {
        told.found(scope, sink, found, idle.as_ref()).await;
    }
    for summary in &cut {
        sink.rows(&EMR_CLUSTERS, vec![cluster::row(scope, summary)]).await;
    }
    told.cover(scope, sink).await;
    cover_cut(scope, sink, unknown.len(), cut.len()).await;
}

/// Without the list, the tables of instances are blind too.
async fn cover_list(scope: &Scope, sink: &Sink, seen: usize, failed: Option<&Failed>) {
    let row = listed(scope, &listing::LIST, seen, failed);
    for read in [&instances::GROUPS, &instances::FLEETS].into_iter().filter(|_| row.is_gap()) {
        sink.cover(behind(&row, read)).await;
    }
    sink.cover(row).await;
}

/// Says once how many clusters the budget left undescribed.
async fn cover_cut(scope: &Scope, sink: &Sink, asked: usize, cut: usize) {
    if cut == 0 {
        return;
    }
    let reason = format!("the budget of {} clusters was spent", scope.options.emr_clusters);
    let read = &cluster::DESCRIBE;
    let gap = Coverage::new(read.table, read.operation, CoverageState::OverBudget).because(reason.as_str());
    let gap = gap.at(&scope.account_id, Some(&scope.region)).counted(asked, Some(asked + cut));
    for read in [&instances::GROUPS, &instances::FLEETS] {
        sink.cover(behind(&gap, read)).await;
    }
    sink.cover(gap).await;
}

/// What was found out about one cluster. What was not asked is `None`.
#[derive(Debug)]
struct Found<'a> {
    summary: &'a ClusterSummary,
    cluster: Result<Cluster, Failed>,
    groups: Option<Result<Groups, Failed>>,
    fleets: Option<Result<Fleets, Failed>>,
    scaling: Option<Result<Option<ManagedScalingPolicy>, Failed>>,
    idle_timeout: Option<Result<Option<i64>, Failed>>,
}

async fn describe<'a>(scope: &Scope, sink: &Sink, client: &Client, summaries: &[&'a ClusterSummary]) -> Vec<Found<'a>> {
    let (mut done, total) = (0, summaries.len() as u64);
    let asked: Vec<_> = summaries.iter().map(|summary| one(scope, client, summary)).collect();
    let mut answers = futures::stream::iter(asked).buffered(AT_ONCE);
    let mut found = Vec::with_capacity(summaries.len());
    while let Some(answer) = answers.next().await {
        found.push(answer);
        done += 1;
        sink.progress(done, Some(total));
    }
    found
}

/// Asks about one cluster. One that lives has policies too, and the wrong list of instances would be refused.
async fn one<'a>(scope: &Scope, client: &Client, summary: &'a ClusterSummary) -> Found<'a> {
    let id = summary.id().unwrap_or_default();
    let cluster = cluster::describe(scope, client, id).await;
    let (mut groups, mut fleets) = (None, None);
    if let Ok(described) = &cluster {
        match described.instance_collection_type() {
            Some(InstanceCollectionType::InstanceFleet) => fleets = Some(instances::fleets(scope, client, id).await),
            _ => groups = Some(instances::groups(scope, client, id).await),
        }
    }
    let (mut scaling, mut idle_timeout) = (None, None);
    if !listing::is_ended(summary) {
        scaling = Some(policies::scaling(scope, client, id).await);
        idle_timeout = Some(policies::idle_timeout(scope, client, id).await);
    }
    Found { summary, cluster, groups, fleets, scaling, idle_timeout }
}

/// Returns the idle hours of each cluster that lives; of ended ones they are not asked for.
async fn idle(scope: &Scope, found: &[Found<'_>]) -> Vec<Option<Result<Hours, Failed>>> {
    let living = |found: &&Found| !listing::is_ended(found.summary);
    let question = |found: &Found| {
        let id = found.summary.id().unwrap_or_default();
        hours::question("AWS/ElasticMapReduce", "IsIdle", "Minimum", &[("JobFlowId", id)])
    };
    let questions: Vec<_> = found.iter().filter(living).map(question).collect();
    let mut answers = hours::read(scope, &questions).await.into_iter();
    found.iter().map(|found| if living(&found) { answers.next() } else { None }).collect()
}

/// How each read of each cluster ended.
#[derive(Debug, Default)]
struct Told {
    described: Vec<Outcome>,
    groups: Vec<Outcome>,
    fleets: Vec<Outcome>,
    scaling: Vec<Outcome>,
    termination: Vec<Outcome>,
    idle: Vec<Outcome>,
}

impl Told {
    /// Hands over an ended cluster as an earlier scan saw it.
    async fn again(&mut self, sink: &Sink, known: held::Ended<'_>) {
        let whole = || Outcome::of(known.id, Some(known.region), &Ok(()));
        self.described.push(whole());
        self.groups.extend(known.groups.first().map(|_| whole()));
        self.fleets.extend(known.fleets.first().map(|_| whole()));
        sink.rows(&EMR_CLUSTERS, vec![known.cluster.clone()]).await;
        sink.rows(&EMR_INSTANCE_GROUPS, known.groups.into_iter().cloned().collect()).await;
        sink.rows(&EMR_INSTANCE_FLEETS, known.fleets.into_iter().cloned().collect()).await;
    }

    /// Hands over a cluster that was asked about; what failed is NULL.
    async fn found(&mut self, scope: &Scope, sink: &Sink, found: &Found<'_>, idle: Option<&Result<Hours, Failed>>) {
        let id = found.summary.id().unwrap_or_default();
        let region = Some(scope.region.as_str());
        let mut row = cluster::row(scope, found.summary);
        self.described.push(Outcome::of(id, region, &found.cluster));
        if let Ok(cluster) = &found.cluster {
            row = cluster::described(row, cluster);
        }
        if let Some(answer) = &found.scaling {
            self.scaling.push(Outcome::of(id, region, answer));
            row = policies::with_scaling(row, answer.as_ref().ok());
        }
        if let Some(answer) = &found.idle_timeout {
            self.termination.push(Outcome::of(id, region, answer));
            row = policies::with_idle_timeout(row, answer.as_ref().ok());
        }
        if let Some(answer) = idle {
            self.idle.push(Outcome::of(id, region, answer));
            row = cluster::with_idle(row, answer.as_ref().ok());
        }
        sink.rows(&EMR_CLUSTERS, vec![row]).await;
        if let Some(answer) = &found.groups {
            self.groups.push(Outcome::of(id, region, answer));
            sink.rows(&EMR_INSTANCE_GROUPS, instances::group_rows(scope, id, answer)).await;
        }
        if let Some(answer) = &found.fleets {
            self.fleets.push(Outcome::of(id, region, answer));
            sink.rows(&EMR_INSTANCE_FLEETS, instances::fleet_rows(scope, id, answer)).await;
        }
    }

    /// Hands over the coverage. Whoever may not be described has instances that nobody knows.
    async fn cover(&self, scope: &Scope, sink: &Sink) {
        for row in regional(scope, &cluster::DESCRIBE, &self.described) {
            for read in [&instances::GROUPS, &instances::FLEETS].into_iter().filter(|_| row.resource.is_some()) {
                sink.cover(behind(&row, read)).await;
            }
            sink.cover(row).await;
        }
        let reads = [
            (&instances::GROUPS, &self.groups),
            (&instances::FLEETS, &self.fleets),
            (&policies::SCALING, &self.scaling),
            (&policies::TERMINATION, &self.termination),
            (&IDLE, &self.idle),
        ];
        for (read, outcomes) in reads {
            for row in regional(scope, read, outcomes) {
                sink.cover(row).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::stand_in::{self, answer, refusal};

    const LISTED: &str = r#"{"Clusters":[{"Id":"j-1","Name":"etl","Status":{"State":"WAITING","Timeline":{"CreationDateTime":1795000000}}}]}"#;

    #[tokio::test]
    async fn without_the_list_every_table_of_emr_is_a_gap() {
        let scope = stand_in::answered(READS, |_| refusal("AccessDeniedException", "no"));
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        let action = "missing elasticmapreduce:ListClusters";
        let wanted = [
            format!("emr_instance_groups emr:ListInstanceGroups {action}"),
            format!("emr_instance_fleets emr:ListInstanceFleets {action}"),
            format!("emr_clusters emr:ListClusters {action}"),
        ];
        assert_eq!(handed.gaps(), wanted);
        assert!(handed.rows.is_empty());
    }

    #[tokio::test]
    async fn a_region_that_does_not_know_the_caller_is_a_gap_and_names_no_action() {
        let scope =
            stand_in::answered(READS, |_| refusal("UnrecognizedClientException", "The security token is invalid"));
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        assert_eq!(handed.gaps().last().unwrap(), "emr_clusters emr:ListClusters missing -");
    }

    #[tokio::test]
    async fn a_cluster_that_may_not_be_described_keeps_its_row_and_leaves_its_instances_unknown() {
        let scope = stand_in::answered(READS, |operation| match operation {
            "emr:ListClusters" => answer(200, LISTED),
            "emr:GetManagedScalingPolicy" | "emr:GetAutoTerminationPolicy" => answer(200, "{}"),
            _ => refusal("AccessDeniedException", "no"),
        });
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        let row = &handed.rows["emr_clusters"][0];
        assert_eq!((row.key("cluster_id"), row.key("state"), row.text("release_label")), ("j-1", "WAITING", None));
        assert_eq!((row.flag("managed_scaling"), row.flag("auto_termination")), (Some(false), Some(false)));
        assert_eq!(row.int("idle_hours"), None);
        for (table, read) in
            [("emr_clusters", "emr:DescribeCluster"), ("emr_instance_groups", "emr:ListInstanceGroups")]
        {
            let gap = format!("{table} {read} missing elasticmapreduce:DescribeCluster");
            assert!(handed.gaps().contains(&gap), "{gap}: {:?}", handed.gaps());
        }
    }

    #[tokio::test]
    async fn a_cluster_that_the_answer_leaves_out_is_a_gap_as_are_its_instances() {
        let scope = stand_in::answered(READS, |operation| match operation {
            "emr:ListClusters" => answer(200, LISTED),
            _ => answer(200, "{}"),
        });
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        assert_eq!(handed.rows["emr_clusters"].len(), 1);
        for (table, read) in
            [("emr_clusters", "emr:DescribeCluster"), ("emr_instance_groups", "emr:ListInstanceGroups")]
        {
            let gap = format!("{table} {read} missing -");
            assert!(handed.gaps().contains(&gap), "{gap}: {:?}", handed.gaps());
        }
    }

    #[tokio::test]
    async fn what_the_budget_leaves_undescribed_is_said_once_with_its_number() {
        let mut scope = stand_in::answered(READS, |operation| match operation {
            "emr:ListClusters" => answer(200, LISTED),
            _ => refusal("AccessDeniedException", "no"),
        });
        scope.options.emr_clusters = 0;
        let handed = stand_in::handed(async |sink| collect(&scope, sink).await).await;
        assert_eq!(handed.rows["emr_clusters"].len(), 1, "the list says that it is there");
        let cut =
            handed.coverage.iter().find(|row| row.state == CoverageState::OverBudget && row.table == "emr_clusters");
        assert_eq!(cut.map(|row| (row.seen, row.expected)), Some((Some(0), Some(1))));
    }
}
