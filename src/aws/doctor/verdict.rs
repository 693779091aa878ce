//! What a check-up says of each permission, from what was sent and what the collectors made of the answers. Pure.

use std::collections::BTreeMap;

use crate::aws::collect::{Failed, Read};
use crate::aws::connector::Tried;
use crate::aws::connector::stop::SAMPLED;
use crate::model::{Coverage, CoverageState, Untrusted};

/// What AWS says of services that an account does not use, or has not switched on: no permission helps.
const OFF: &[&str] = &[
    "AWSOrganizationsNotInUseException",
    "OptInRequired",
    "SubscriptionRequiredException",
    "DataUnavailableException",
    "not enabled for cost explorer",
    "is not switched on",
    "is not enrolled",
];

/// Whether a call works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was answered.
    Allowed,
    /// IAM, a bucket policy or an organization's policy said no, in these words.
    Denied(Untrusted),
    /// The account does not use the service.
    NotEnabled(Untrusted),
    /// It failed for another reason.
    Failed(Untrusted),
    /// It was not sent, for this reason.
    NotTried(Untrusted),
}

/// One operation, the permission behind it, and whether it works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    /// Service and operation, as the SDK names the operation.
    pub operation: &'static str,
    /// The IAM action that allows it.
    pub action: &'static str,
    /// What it fills.
    pub fills: Vec<Read>,
    /// Requests that were sent to try it.
    pub requests: u32,
    /// Whether it works.
    pub verdict: Verdict,
}

impl Permission {
    /// Returns the service of the operation, as the connector names it.
    pub fn service(&self) -> &'static str {
        self.operation.split(':').next().unwrap_or(self.operation)
    }
}

/// Returns a verdict for each operation that `reads` name, in their order, those of a service together.
pub fn permissions(reads: &[Read], tried: &BTreeMap<String, Tried>, coverage: &[Coverage]) -> Vec<Permission> {
    let mut found: Vec<Permission> = Vec::new();
    for read in reads {
        if let Some(known) = found.iter_mut().find(|known| known.operation == read.operation) {
            known.fills.push(*read);
            continue;
        }
        let tried = tried.get(read.operation).copied().unwrap_or_default();
        let told: Vec<&Coverage> = coverage.iter().filter(|row| row.read == read.operation).collect();
        found.push(Permission {
            operation: read.operation,
            action: read.action,
            fills: vec![*read],
            requests: tried.sent,
            verdict: judge(tried, &told),
        });
    }
    let order: Vec<&str> = found.iter().map(Permission::service).collect();
    let place = |of: &Permission| order.iter().position(|service| *service == of.service());
    found.sort_by_key(place);
    found
}

/// One refusal is enough for a no, also where other resources were let through.
fn judge(tried: Tried, told: &[&Coverage]) -> Verdict {
    let reasons: Vec<&Untrusted> =
        told.iter().filter_map(|row| row.reason.as_ref().filter(|why| is_aws(why))).collect();
    if let Some(off) = reasons.iter().find(|why| is_off(why)) {
        return Verdict::NotEnabled((*off).clone());
    }
    if let Some(denied) = told.iter().find(|row| row.missing_action.is_some()) {
        return Verdict::Denied(placed(denied, told));
    }
    let is = |state| told.iter().any(|row| row.state == state);
    let seen = is(CoverageState::Seen) || is(CoverageState::Partial);
    // An answer that could not be read is a success on the wire, and nothing to the collector.
    let lost = is(CoverageState::Missing) && !reasons.is_empty();
    match reasons.first() {
        _ if tried.sent > 0 && seen || tried.succeeded > 0 && !lost => Verdict::Allowed,
        Some(why) if tried.sent == 0 => Verdict::NotTried((*why).clone()),
        Some(why) => Verdict::Failed((*why).clone()),
        None if tried.sent == 0 => Verdict::NotTried("there was nothing to try it on".into()),
        None => Verdict::Failed("it was not answered".into()),
    }
}

/// Returns the reason of a refusal, with its Region where others let the call through.
fn placed(denied: &Coverage, told: &[&Coverage]) -> Untrusted {
    let reason = denied.reason.clone().unwrap_or_default();
    let elsewhere = told.iter().any(|row| row.missing_action.is_none() && !row.is_gap() && row.region != denied.region);
    match denied.region.as_deref().filter(|_| elsewhere) {
        Some(region) => format!("in {region}: {}", reason.raw()).into(),
        None => reason,
    }
}

/// Returns false for what leanlake itself says of a call that it left out.
fn is_aws(why: &Untrusted) -> bool {
    why.raw() != SAMPLED && why.raw() != Failed::cancelled().reason
}

fn is_off(why: &Untrusted) -> bool {
    let said = why.raw().to_ascii_lowercase();
    OFF.iter().any(|off| said.contains(&off.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: Read = Read::columns("s3:GetBucketTagging", "s3:GetBucketTagging", "buckets", &["tags"]);

    fn row(state: CoverageState, why: Option<&str>, missing: bool) -> Coverage {
        let row = Coverage::new("buckets", TAGS.operation, state);
        let row = why.map_or_else(|| row.clone(), |why| row.clone().because(why));
        Coverage { missing_action: missing.then(|| TAGS.action.to_owned()), ..row }
    }

    fn judged(sent: u32, succeeded: u32, rows: &[Coverage]) -> Verdict {
        judge(Tried { sent, succeeded }, &rows.iter().collect::<Vec<_>>())
    }

    #[test]
    fn one_refused_resource_is_a_missing_permission_though_others_answered() {
        let rows = [
            row(CoverageState::Partial, Some("AccessDenied: no"), true),
            row(CoverageState::Missing, Some("AccessDenied: no"), true),
        ];
        assert_eq!(judged(5, 4, &rows), Verdict::Denied("AccessDenied: no".into()));
    }

    #[test]
    fn what_the_sample_left_out_is_held_against_nobody() {
        let rows =
            [row(CoverageState::Partial, Some(SAMPLED), false), row(CoverageState::OverBudget, Some(SAMPLED), false)];
        assert_eq!(judged(5, 5, &rows), Verdict::Allowed);
        assert_eq!(judged(0, 0, &rows), Verdict::NotTried("there was nothing to try it on".into()));
    }

    #[test]
    fn there_is_none_is_an_answer() {
        assert_eq!(judged(2, 0, &[row(CoverageState::Seen, None, false)]), Verdict::Allowed);
        assert_eq!(judged(1, 1, &[]), Verdict::Allowed, "a read that nobody covers where it works");
    }

    #[test]
    fn a_service_that_is_not_in_use_lacks_no_permission() {
        for (why, missing) in [
            ("AWSOrganizationsNotInUseException: Your account is not a member of an organization.", false),
            ("OptInRequired: You are not subscribed to this service.", true),
            ("AccessDeniedException: User not enabled for cost explorer access", true),
        ] {
            let verdict = judged(1, 0, &[row(CoverageState::Missing, Some(why), missing)]);
            assert_eq!(verdict, Verdict::NotEnabled(why.into()));
        }
    }

    #[test]
    fn another_failure_says_its_reason() {
        let rows = [row(CoverageState::Missing, Some("InternalError: we broke"), false)];
        assert_eq!(judged(3, 0, &rows), Verdict::Failed("InternalError: we broke".into()));
    }

    #[test]
    fn an_answer_that_nobody_could_read_is_a_failure_and_one_that_was_cut_is_not() {
        let why = "HTTP 200 with an answer that could not be read";
        assert_eq!(judged(1, 1, &[row(CoverageState::Missing, Some(why), false)]), Verdict::Failed(why.into()));
        assert_eq!(judged(1, 1, &[row(CoverageState::Partial, Some("net cost is hidden"), false)]), Verdict::Allowed);
    }

    #[test]
    fn an_operation_stands_once_with_everything_that_it_fills_and_services_stay_together() {
        let reads = [
            TAGS,
            Read::rows("ec2:DescribeVpcs", "ec2:DescribeVpcs", "vpcs"),
            Read::rows("s3:ListBuckets", "s3:ListAllMyBuckets", "buckets"),
            Read::rows("s3:GetBucketTagging", "s3:GetBucketTagging", "tags"),
        ];
        let found = permissions(&reads, &BTreeMap::new(), &[]);
        let order: Vec<&str> = found.iter().map(|permission| permission.operation).collect();
        assert_eq!(order, ["s3:GetBucketTagging", "s3:ListBuckets", "ec2:DescribeVpcs"]);
        assert_eq!(found[0].fills.len(), 2);
    }
}
