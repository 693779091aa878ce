//! What the last snapshot holds of clusters that had ended: it need not be asked for again. Asks AWS nothing.

use std::collections::BTreeMap;

use aws_sdk_emr::types::ClusterSummary;

use super::listing::is_ended;
use crate::aws::collect::{Scope, Sink};
use crate::model::Row;
use crate::store::tables::emr::{EMR_CLUSTERS, EMR_INSTANCE_FLEETS, EMR_INSTANCE_GROUPS};

/// Account, Region, cluster.
type Key = (String, String, String);

/// Ended clusters that were seen whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    clusters: BTreeMap<Key, Row>,
    groups: BTreeMap<Key, Vec<Row>>,
    fleets: BTreeMap<Key, Vec<Row>>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Ended<'a> {
    pub(super) id: &'a str,
    pub(super) region: &'a str,
    pub(super) cluster: &'a Row,
    pub(super) groups: Vec<&'a Row>,
    pub(super) fleets: Vec<&'a Row>,
}

impl Held {
    /// Returns what the last snapshot holds of the scope's account and Region; it is not opened where none of the
    /// `listed` clusters has ended.
    pub async fn of(scope: &Scope, sink: &Sink, listed: &[ClusterSummary]) -> Self {
        if !listed.iter().any(is_ended) {
            return Held::default();
        }
        let groups = sink.held_here(&EMR_INSTANCE_GROUPS, scope).await;
        let fleets = sink.held_here(&EMR_INSTANCE_FLEETS, scope).await;
        Held::from(sink.held_here(&EMR_CLUSTERS, scope).await, groups, fleets)
    }

    fn from(clusters: Vec<Row>, groups: Vec<Row>, fleets: Vec<Row>) -> Self {
        let whole = |row: &Row| row.time("ended").is_some() && row.text("release_label").is_some();
        let clusters = clusters.into_iter().filter(whole).map(|row| (key(&row), row)).collect();
        Held { clusters, groups: by_cluster(groups), fleets: by_cluster(fleets) }
    }

    /// Returns what is held of a listed cluster that has ended: its description, and groups or fleets.
    pub(super) fn ended(&self, scope: &Scope, summary: &ClusterSummary) -> Option<Ended<'_>> {
        let key = (scope.account_id.clone(), scope.region.clone(), summary.id()?.to_owned());
        let (key, cluster) = self.clusters.get_key_value(&key).filter(|_| is_ended(summary))?;
        let groups: Vec<&Row> = self.groups.get(key).into_iter().flatten().collect();
        let fleets: Vec<&Row> = self.fleets.get(key).into_iter().flatten().collect();
        if groups.is_empty() && fleets.is_empty() {
            return None;
        }
        Some(Ended { id: &key.2, region: &key.1, cluster, groups, fleets })
    }
}

fn by_cluster(rows: Vec<Row>) -> BTreeMap<Key, Vec<Row>> {
    let mut found: BTreeMap<Key, Vec<Row>> = BTreeMap::new();
    for row in rows {
        found.entry(key(&row)).or_default().push(row);
    }
    found
}

fn key(row: &Row) -> Key {
    let text = |column| row.key(column).to_owned();
    (text("account_id"), text("region"), text("cluster_id"))
}
