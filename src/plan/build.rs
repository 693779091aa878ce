//! Findings and a look at their buckets, to a plan. Pure: the same arguments give the same plan.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::selection::{Candidate, Selection, skip};
use super::step::{Assertion, Change, Skip, SkipKind, Step};
use super::{Plan, SCHEMA, VALID_FOR, VERSION, guard};
use crate::lifecycle::{Configuration, Delta, Observed};
use crate::model::action::RiskClass;
use crate::model::{Finding, Origin};

/// What a plan rests on beside the findings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The account that the credentials are of.
    pub account_id: String,
    /// Who makes the plan, where that is known.
    pub caller_arn: Option<String>,
    /// Where the snapshot is from.
    pub origin: Origin,
    /// The snapshot.
    pub snapshot: String,
    /// When it was taken.
    pub as_of: DateTime<Utc>,
    /// The real time: the buckets were looked at now, whatever day it is for the findings.
    pub created_at: DateTime<Utc>,
}

/// What a look at each bucket saw, or why there is none (safe for a terminal).
pub type Looks = BTreeMap<String, Result<Observed, String>>;

/// Returns the plan for the findings that `selection` chooses, on the state that `looks` saw.
pub fn build(facts: Facts, findings: &[Finding], selection: &Selection, looks: &Looks) -> Plan {
    let (chosen, mut skips) = selection.choose(findings);
    let mut by_bucket: BTreeMap<(&str, &str), Vec<Candidate<'_>>> = BTreeMap::new();
    for candidate in chosen {
        if candidate.finding.account_id == facts.account_id {
            let bucket = (candidate.finding.region.as_str(), candidate.action.resource().raw());
            by_bucket.entry(bucket).or_default().push(candidate);
        } else {
            let reason = format!("it is in account {}", crate::model::text::terminal(&candidate.finding.account_id));
            skips.push(skip(candidate.finding, SkipKind::OtherAccount, reason));
        }
    }
    let mut steps = Vec::new();
    for ((_, bucket), candidates) in by_bucket {
        steps.extend(step(&candidates, looks.get(bucket), &mut skips));
    }
    steps.sort_by(|a, b| order(a).cmp(&order(b)));
    skips.sort_by(|a, b| {
        (a.kind, &a.policy, &a.resource, &a.finding).cmp(&(b.kind, &b.policy, &b.resource, &b.finding))
    });
    Plan {
        schema: SCHEMA.to_owned(),
        version: VERSION.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        account_id: facts.account_id,
        caller_arn: facts.caller_arn,
        origin: facts.origin,
        snapshot: facts.snapshot,
        as_of: facts.as_of,
        created_at: facts.created_at,
        expires_at: facts.created_at + VALID_FOR,
        complete: skips.iter().all(|skip| skip.kind != SkipKind::NotSeen),
        steps,
        skips,
    }
}

fn order(step: &Step) -> (RiskClass, &str, &str, &str) {
    (step.risk_class, &step.account_id, &step.region, step.bucket.raw())
}

/// Returns the step of one bucket, or `None` when every candidate became a skip.
fn step(candidates: &[Candidate<'_>], look: Option<&Result<Observed, String>>, skips: &mut Vec<Skip>) -> Option<Step> {
    let mut refuse = |kind, reason: &str| {
        skips.extend(candidates.iter().map(|candidate| skip(candidate.finding, kind, reason)));
        None
    };
    let observed = match look {
        Some(Ok(observed)) => observed,
        Some(Err(reason)) => return refuse(SkipKind::NotSeen, reason),
        None => return refuse(SkipKind::NotSeen, "nobody looked at the bucket"),
    };
    if let Some(tag) = observed.tags.as_ref().and_then(|tags| guard::protecting_tag(tags, &[])) {
        return refuse(SkipKind::Protected, &format!("the tag `{}` protects the bucket", tag.terminal()));
    }
    let mut after = observed.configuration.clone();
    let mut changes = Vec::new();
    for candidate in candidates {
        match add(candidate, &after) {
            Ok(with) => {
                after = with;
                changes.push(change(candidate));
            }
            Err((kind, reason)) => skips.push(skip(candidate.finding, kind, reason)),
        }
    }
    finish(observed, after, changes, candidates.first()?.finding)
}

fn finish(observed: &Observed, after: Configuration, changes: Vec<Change>, of: &Finding) -> Option<Step> {
    let risk_class = changes.iter().map(|change| change.action.risk_class()).max()?;
    let before = observed.configuration.clone();
    Some(Step {
        bucket: changes.first()?.action.resource().clone(),
        account_id: of.account_id.clone(),
        region: of.region.clone(),
        risk_class,
        changes,
        managed_by: guard::manager(observed),
        delta: Delta::between(&before, &after),
        before,
        after,
        assertions: Assertion::ALL.to_vec(),
    })
}

/// Returns the configuration with the candidate's rule in it, or why it stays as it is.
fn add(candidate: &Candidate<'_>, to: &Configuration) -> Result<Configuration, (SkipKind, String)> {
    if let Some(other) = to.rules().iter().find(|rule| candidate.rule.is_covered_by(rule)) {
        let id = crate::model::text::terminal(other.id.as_deref().unwrap_or("without ID"));
        return Err((SkipKind::AlreadySo, format!("the rule `{id}` already does it")));
    }
    let after = to
        .with(&candidate.rule)
        .map_err(|why| (SkipKind::NotEditable, crate::model::text::terminal(&why.to_string())))?;
    if Delta::between(to, &after).is_empty() {
        return Err((SkipKind::AlreadySo, "the bucket already is as wanted".to_owned()));
    }
    Ok(after)
}

fn change(candidate: &Candidate<'_>) -> Change {
    let finding = candidate.finding;
    Change {
        finding: finding.id.clone(),
        policy: finding.policy.clone(),
        title: finding.title.clone(),
        pool: finding.effect.as_ref().map(|effect| effect.scope.clone()),
        saving: finding.saving.clone(),
        one_off: finding.one_off.clone(),
        payback_days: finding.payback_days,
        bytes: finding.evidence.get("bytes").and_then(serde_json::Value::as_i64),
        action: candidate.action.clone(),
    }
}
