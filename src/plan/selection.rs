//! Which findings become steps: the recommended ones, or those that somebody named.

use std::collections::BTreeSet;

use super::step::{Skip, SkipKind};
use crate::lifecycle::OwnRule;
use crate::model::action::RiskClass;
use crate::model::{Action, Finding, Money, Verdict};

/// What the command line asked for. Empty lists ask for everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only these findings; a named one may have an unknown saving.
    pub findings: BTreeSet<String>,
    /// Only findings of these policies.
    pub policies: BTreeSet<String>,
    /// Only findings whose saving counts for at least so much a month, at its low end.
    pub min_saving: Option<Money>,
}

/// A finding that becomes a change of its bucket, unless the bucket says otherwise.
#[derive(Clone, Debug)]
pub struct Candidate<'f> {
    /// The finding.
    pub finding: &'f Finding,
    /// Its action.
    pub action: &'f Action,
    /// The rule that the action asks for.
    pub rule: OwnRule,
}

impl Selection {
    /// Returns the findings that become changes, and those that were considered and do not, in the given order.
    pub fn choose<'f>(&self, findings: &'f [Finding]) -> (Vec<Candidate<'f>>, Vec<Skip>) {
        let mut chosen = Vec::new();
        let mut skips = Vec::new();
        for finding in findings.iter().filter(|finding| self.is_asked_for(finding)) {
            match self.candidate(finding) {
                Ok(candidate) => chosen.push(candidate),
                Err((kind, reason)) => skips.push(skip(finding, kind, reason)),
            }
        }
        (chosen, skips)
    }

    fn is_asked_for(&self, finding: &Finding) -> bool {
        let named = self.findings.is_empty() || self.is_named(finding);
        let policy = self.policies.is_empty() || self.policies.contains(&finding.policy);
        named && policy
    }

    fn is_named(&self, finding: &Finding) -> bool {
        self.findings.contains(&finding.id.0)
    }

    fn candidate<'f>(&self, finding: &'f Finding) -> Result<Candidate<'f>, (SkipKind, String)> {
        let Some(action) = &finding.action else {
            return Err((SkipKind::NoAction, "leanlake changes nothing here: follow its instructions".to_owned()));
        };
        let Action::PutLifecycleRule(wanted) = action;
        let rule = OwnRule::of(wanted).map_err(|why| (SkipKind::NotPlanned, why.to_string()))?;
        self.verdict(finding, action)?;
        Ok(Candidate { finding, action, rule })
    }

    fn verdict(&self, finding: &Finding, action: &Action) -> Result<(), (SkipKind, String)> {
        match &finding.verdict {
            Verdict::Recommended { counted, .. } => match self.min_saving {
                Some(least) if counted.low < least => {
                    Err((SkipKind::TooSmall, format!("it saves {}, less than {}", counted.human(), least.human())))
                }
                _ => Ok(()),
            },
            Verdict::Unknown { .. } if self.is_named(finding) && action.risk_class() == RiskClass::Housekeeping => {
                Ok(())
            }
            Verdict::Unknown { .. } => {
                let how = format!("its saving is not known; ask for it with --finding {}", finding.id);
                Err((SkipKind::Unpriced, how))
            }
            verdict => {
                Err((SkipKind::NotRecommended, format!("the portfolio did not recommend it: {}", verdict.as_str())))
            }
        }
    }
}

/// Returns the skip of a finding.
pub fn skip(finding: &Finding, kind: SkipKind, reason: impl Into<String>) -> Skip {
    Skip {
        finding: finding.id.clone(),
        policy: finding.policy.clone(),
        resource: finding.resource.clone(),
        kind,
        reason: reason.into(),
    }
}
