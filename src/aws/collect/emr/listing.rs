//! The list of a Region's clusters: living ones of any age, ended ones of the last 90 days. Describes none.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use aws_sdk_emr::Client;
use aws_sdk_emr::operation::list_clusters::builders::ListClustersFluentBuilder;
use aws_sdk_emr::types::{ClusterState, ClusterSummary, ClusterTimeline};
use chrono::{DateTime, Days, Utc};

use crate::aws::collect::ask::ask;
use crate::aws::collect::{Failed, Read, Scope, instant};

/// The list.
pub const LIST: Read = Read::rows("emr:ListClusters", "elasticmapreduce:ListClusters", "emr_clusters");

/// Days since their creation for which ended clusters are listed.
const DAYS: u64 = 90;

const LIVING: [ClusterState; 5] = [
    ClusterState::Starting,
    ClusterState::Bootstrapping,
    ClusterState::Running,
    ClusterState::Waiting,
    ClusterState::Terminating,
];
const ENDED: [ClusterState; 2] = [ClusterState::Terminated, ClusterState::TerminatedWithErrors];

/// Returns the clusters, living ones first, then the newest, and why the list ends early if it does.
pub async fn list(scope: &Scope, client: &Client) -> (Vec<ClusterSummary>, Option<Failed>) {
    let mut found = BTreeMap::new();
    let since = scope.as_of.checked_sub_days(Days::new(DAYS)).unwrap_or(scope.as_of);
    let since = aws_smithy_types::DateTime::from_secs(since.timestamp());
    let living = client.list_clusters().set_cluster_states(Some(LIVING.to_vec()));
    let ended = client.list_clusters().set_cluster_states(Some(ENDED.to_vec())).created_after(since);
    // A cluster that ends in between is in both answers: the later one counts.
    for call in [living, ended] {
        if let Err(failed) = pages(scope, &call, &mut found).await {
            return (ordered(found), Some(failed));
        }
    }
    (ordered(found), None)
}

async fn pages(
    scope: &Scope,
    call: &ListClustersFluentBuilder,
    found: &mut BTreeMap<String, ClusterSummary>,
) -> Result<(), Failed> {
    let mut marker = None;
    loop {
        let page = ask(scope, call.clone().set_marker(marker.take()).send()).await?;
        let named = page.clusters.unwrap_or_default().into_iter();
        found.extend(named.filter_map(|summary| Some((summary.id()?.to_owned(), summary))));
        match page.marker {
            Some(next) if !next.is_empty() => marker = Some(next),
            _ => return Ok(()),
        }
    }
}

fn ordered(found: BTreeMap<String, ClusterSummary>) -> Vec<ClusterSummary> {
    let mut all: Vec<ClusterSummary> = found.into_values().collect();
    all.sort_by_key(|summary| (is_ended(summary), Reverse(at(summary, ClusterTimeline::creation_date_time))));
    all
}

/// Returns true for a cluster that is gone.
pub fn is_ended(summary: &ClusterSummary) -> bool {
    summary.status().and_then(|status| status.state()).is_some_and(|state| ENDED.contains(state))
}

/// Returns one of the times that a cluster's timeline has.
pub fn at(
    summary: &ClusterSummary,
    of: impl Fn(&ClusterTimeline) -> Option<&aws_smithy_types::DateTime>,
) -> Option<DateTime<Utc>> {
    summary.status()?.timeline().and_then(of).and_then(instant::utc)
}
