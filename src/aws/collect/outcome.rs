//! How each resource of one read ended, summed up as coverage: one row for each Region, one for each resource that failed.
//!
//! A resource that failed never hides that others were seen.

use std::collections::BTreeMap;

use super::failure::{Failed, Trouble};
use super::read::Read;
use super::scope::Scope;
use super::sink::Sink;
use crate::model::{Coverage, CoverageState};

/// How the read of one resource ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All of it was seen.
    Whole,
    /// Some of it was seen before it failed or a budget ended: so many, of so many where that is known.
    Cut(Failed, usize, Option<usize>),
    /// Nothing was seen.
    Failed(Failed),
}

/// One resource and how the read of it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The resource.
    pub resource: String,
    /// Its Region; `None` where not even that is known.
    pub region: Option<String>,
    /// How it ended.
    pub end: End,
}

impl Outcome {
    /// Returns the outcome of a read that gives all or nothing.
    pub fn of<T>(resource: &str, region: Option<&str>, answer: &Result<T, Failed>) -> Self {
        let end = match answer {
            Ok(_) => End::Whole,
            Err(failed) => End::Failed(failed.clone()),
        };
        Outcome { resource: resource.to_owned(), region: region.map(str::to_owned), end }
    }
}

/// Returns the coverage that `outcomes` add up to.
pub fn coverage(account_id: &str, read: &Read, outcomes: &[Outcome]) -> Vec<Coverage> {
    let mut by_region: BTreeMap<Option<&str>, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        by_region.entry(outcome.region.as_deref()).or_default().push(outcome);
    }
    let mut rows = Vec::new();
    for (region, ended) in by_region {
        rows.push(summary(read, &ended).at(account_id, region));
        rows.extend(ended.iter().filter_map(|o| Some(gap(read, o)?.at(account_id, region))));
    }
    rows
}

/// Returns the coverage that `outcomes` of the scope's Region add up to; with nothing to ask for, all of it was seen.
pub fn regional(scope: &Scope, read: &Read, outcomes: &[Outcome]) -> Vec<Coverage> {
    let rows = coverage(&scope.account_id, read, outcomes);
    if !rows.is_empty() {
        return rows;
    }
    let none = Coverage::new(read.table, read.operation, CoverageState::Seen).counted(0, Some(0));
    vec![none.at(&scope.account_id, Some(&scope.region))]
}

/// Returns the coverage of a list in the scope's Region that named so many before it ended or failed.
pub fn listed(scope: &Scope, read: &Read, seen: usize, failed: Option<&Failed>) -> Coverage {
    let row = match failed {
        None => Coverage::new(read.table, read.operation, CoverageState::Seen),
        Some(failed) if seen == 0 => failed.gap(read),
        Some(failed) => Coverage { state: CoverageState::Partial, ..failed.gap(read) },
    };
    row.at(&scope.account_id, Some(&scope.region)).counted(seen, None)
}

/// Says how the reads of single resources ended.
pub async fn cover_all(scope: &Scope, sink: &Sink, read: &Read, outcomes: &[Outcome]) {
    for row in told(scope, read, outcomes) {
        sink.cover(row).await;
    }
}

/// Returns how the reads of single resources ended. An action that is denied everywhere is one gap, not one for each.
pub fn told(scope: &Scope, read: &Read, outcomes: &[Outcome]) -> Vec<Coverage> {
    let denied = |outcome: &Outcome| matches!(&outcome.end, End::Failed(why) if why.trouble == Trouble::Denied);
    let all_denied = !outcomes.is_empty() && outcomes.iter().all(denied);
    let mut rows = coverage(&scope.account_id, read, outcomes);
    rows.retain(|row| row.resource.is_none() || !all_denied);
    rows
}

/// Returns the gap that a failed read of one table leaves in another one, whose rows or columns `of` fills.
pub fn behind(gap: &Coverage, of: &Read) -> Coverage {
    Coverage { table: of.table.to_owned(), read: of.operation.to_owned(), seen: None, expected: None, ..gap.clone() }
}

fn summary(read: &Read, ended: &[&Outcome]) -> Coverage {
    let whole = ended.iter().filter(|o| o.end == End::Whole).count();
    let failed = ended.iter().filter(|o| matches!(o.end, End::Failed(_))).count();
    let state = match () {
        () if whole == ended.len() => CoverageState::Seen,
        () if failed == ended.len() => CoverageState::Missing,
        () => CoverageState::Partial,
    };
    let summary = Coverage::new(read.table, read.operation, state).counted(whole, Some(ended.len()));
    match ended.iter().find_map(|o| trouble(&o.end)) {
        Some(first) => {
            let summary = summary.because(first.reason.as_str());
            Coverage { missing_action: first.gap(read).missing_action, ..summary }
        }
        None => summary,
    }
}

fn gap(read: &Read, outcome: &Outcome) -> Option<Coverage> {
    let failed = trouble(&outcome.end)?;
    let mut gap = failed.gap(read).of(outcome.resource.as_str());
    if let End::Cut(_, seen, expected) = &outcome.end {
        gap = gap.counted(*seen, *expected);
        if failed.trouble != Trouble::OverBudget {
            gap.state = CoverageState::Partial;
        }
    }
    Some(gap)
}

fn trouble(end: &End) -> Option<&Failed> {
    match end {
        End::Whole => None,
        End::Cut(failed, ..) | End::Failed(failed) => Some(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Untrusted;

    const READ: Read = Read::columns("s3:GetBucketTagging", "s3:GetBucketTagging", "buckets", &["tags"]);

    fn denied() -> Failed {
        Failed { trouble: Trouble::Denied, code: Some("AccessDenied".into()), reason: "AccessDenied: no".into() }
    }

    #[test]
    fn one_denied_bucket_is_a_gap_at_that_bucket_and_the_region_is_partly_seen() {
        let outcomes = [
            Outcome::of("a", Some("eu-west-1"), &Ok(())),
            Outcome::of::<()>("b", Some("eu-west-1"), &Err(denied())),
            Outcome::of("c", Some("us-east-1"), &Ok(())),
        ];
        let rows = coverage("1", &READ, &outcomes);
        let told: Vec<_> = rows
            .iter()
            .map(|c| {
                (c.region.as_deref(), c.resource.as_ref().map(Untrusted::raw), c.state, c.missing_action.as_deref())
            })
            .collect();
        let action = Some("s3:GetBucketTagging");
        assert_eq!(
            told,
            [
                (Some("eu-west-1"), None, CoverageState::Partial, action),
                (Some("eu-west-1"), Some("b"), CoverageState::Missing, action),
                (Some("us-east-1"), None, CoverageState::Seen, None),
            ]
        );
        assert_eq!((rows[0].seen, rows[0].expected), (Some(1), Some(2)));
    }

    #[test]
    fn what_a_budget_cut_is_told_with_how_much_was_seen() {
        let budget = Failed { trouble: Trouble::OverBudget, code: None, reason: "10 pages".into() };
        let end = End::Cut(budget, 10_000, None);
        let rows = coverage("1", &READ, &[Outcome { resource: "big".into(), region: None, end }]);
        assert_eq!(rows[0].state, CoverageState::Partial);
        assert_eq!((rows[1].state, rows[1].seen), (CoverageState::OverBudget, Some(10_000)));
    }
}
