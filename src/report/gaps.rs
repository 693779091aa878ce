//! What could not be seen, put together by read and reason so that a thousand denied buckets are one line.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::{Coverage, CoverageState, Untrusted};

/// Resources that are named in one line.
const NAMED: usize = 3;

/// Gaps of one read for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GapGroup {
    /// The AWS operation; `glue:*` for what nobody asked of a service.
    pub read: String,
    /// `partial`, `missing`, `not_asked`, `over_budget`.
    pub state: &'static str,
    /// Why.
    pub reason: Option<Untrusted>,
    /// The IAM action that would have allowed it.
    pub missing_action: Option<String>,
    /// Places: resources, or Regions and accounts where the whole read failed.
    pub places: usize,
    /// The first few of them.
    pub named: Vec<Untrusted>,
}

/// Returns the gaps by read, state and reason.
pub fn grouped(gaps: &[Coverage]) -> Vec<GapGroup> {
    let mut groups: BTreeMap<_, GapGroup> = BTreeMap::new();
    for gap in gaps {
        let read = name(gap);
        let key = (read.clone(), gap.state, &gap.reason, &gap.missing_action);
        let group = groups.entry(key).or_insert_with(|| GapGroup {
            read,
            state: gap.state.as_str(),
            reason: gap.reason.clone(),
            missing_action: gap.missing_action.clone(),
            places: 0,
            named: Vec::new(),
        });
        group.places += 1;
        let place = place(gap).filter(|place| group.named.len() < NAMED && !group.named.contains(place));
        group.named.extend(place);
    }
    groups.into_values().collect()
}

/// What nobody asked for is told by service: its single reads say no more.
fn name(gap: &Coverage) -> String {
    match (gap.state, gap.read.split_once(':')) {
        (CoverageState::NotAsked, Some((service, _))) => format!("{service}:*"),
        _ => gap.read.clone(),
    }
}

fn place(gap: &Coverage) -> Option<Untrusted> {
    let whole = || gap.region.as_deref().or(gap.account_id.as_deref()).map(Untrusted::from);
    gap.resource.clone().or_else(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_gaps_of_one_kind_are_one_line_that_counts_them() {
        let gap = |bucket: &str| {
            Coverage::new("buckets", "s3:GetBucketVersioning", CoverageState::Missing)
                .of(bucket)
                .because("AccessDenied")
        };
        let gaps: Vec<Coverage> = (0..1000).map(|n| gap(&format!("b{n}"))).collect();
        let groups = grouped(&gaps);
        assert_eq!((groups.len(), groups[0].places, groups[0].named.len()), (1, 1000, NAMED));
    }

    #[test]
    fn what_nobody_asked_of_a_service_is_one_line() {
        let not_asked = |read: &str| Coverage::new("t", read, CoverageState::NotAsked).because("no spend");
        let groups = grouped(&[not_asked("glue:GetJobs"), not_asked("glue:GetTables"), not_asked("emr:ListClusters")]);
        let told: Vec<_> = groups.iter().map(|group| (group.read.as_str(), group.places)).collect();
        assert_eq!(told, [("emr:*", 1), ("glue:*", 2)]);
    }
}
