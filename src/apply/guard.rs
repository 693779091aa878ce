//! What a run may do at most. Only the command line and the user's own settings raise a limit, never a plan.

use chrono::{DateTime, Utc};

use super::{Outcome, Place, Target};
use crate::lifecycle::{Configuration, Delta, Observed};
use crate::model::action::RiskClass;
use crate::model::{Estimate, Money};
use crate::plan::{Assertion, Plan, Step, guard};

/// Buckets that one run changes at most unless it is told otherwise.
pub const MAX_STEPS: usize = 100;

/// The limits of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Buckets that may be changed.
    pub max_steps: usize,
    /// Bytes that may be touched; `None` for any number, known or not.
    pub max_bytes: Option<u64>,
    /// USD that the run may cost once; `None` for any amount, known or not.
    pub max_one_off: Option<Money>,
    /// Tags (`key` or `key=value`) that protect a bucket, beside our own.
    pub protected_tags: Vec<String>,
    /// Write to buckets that CloudFormation or Terraform seem to manage.
    pub override_iac: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { max_steps: MAX_STEPS, max_bytes: None, max_one_off: None, protected_tags: vec![], override_iac: false }
    }
}

/// Why a whole run is refused, before anything is looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// The kind, for the exit code.
    pub kind: RefusalKind,
    /// What is wrong, safe for a terminal.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// The kind of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What the plan saw is too old, or nobody knows how old.
    Stale,
    /// Another account, another place, or a limit.
    Guard,
}

fn refuse(kind: RefusalKind, message: String, hint: &str) -> Refusal {
    Refusal { kind, message, hint: hint.to_owned() }
}

impl Limits {
    /// Checks a plan as a whole: its age, its account, its place, its size. `now` is the real time.
    ///
    /// # Errors
    /// The first check that refuses.
    pub fn check_plan(&self, plan: &Plan, target: &Target, now: DateTime<Utc>) -> Result<(), Refusal> {
        check_place(&plan.account_id, &plan.origin, target)?;
        if plan.is_stale(now) {
            let message = format!("the plan is stale since {}", plan.stale_from().format("%Y-%m-%d %H:%M UTC"));
            return Err(refuse(RefusalKind::Stale, message, "make a new one with `leanlake plan --out plan.json`"));
        }
        if plan.is_from_the_future(now) {
            let message = format!("the plan says that it was made {}", plan.created_at.format("%Y-%m-%d %H:%M UTC"));
            return Err(refuse(RefusalKind::Stale, message, "check the clock of this machine, or make a new plan"));
        }
        self.check_size(plan)
    }

    fn check_size(&self, plan: &Plan) -> Result<(), Refusal> {
        let guard = |message: String, flag: &str| Err(refuse(RefusalKind::Guard, message, flag));
        if plan.steps.len() > self.max_steps {
            let message = format!("the plan changes {} buckets, more than {}", plan.steps.len(), self.max_steps);
            return guard(message, &format!("allow it with --max-steps {}", plan.steps.len()));
        }
        let changes = || plan.steps.iter().flat_map(|step| &step.changes);
        if let Some(most) = self.max_bytes {
            match changes().map(|change| change.bytes.and_then(|b| u64::try_from(b).ok())).sum::<Option<u64>>() {
                Some(bytes) if bytes <= most => {}
                Some(bytes) => {
                    return guard(format!("the plan touches {bytes} bytes, more than {most}"), "raise --max-bytes");
                }
                None => {
                    return guard("how many bytes the plan touches is not known".to_owned(), "leave --max-bytes out");
                }
            }
        }
        if let Some(most) = self.max_one_off {
            match changes().map(|change| dearest(&change.one_off)).sum::<Option<Money>>() {
                Some(usd) if usd <= most => {}
                Some(usd) => {
                    let message = format!("the plan costs up to {} once, more than {}", usd.human(), most.human());
                    return guard(message, "raise --max-one-off-usd");
                }
                None => {
                    return guard("what the plan costs once is not known".to_owned(), "leave --max-one-off-usd out");
                }
            }
        }
        Ok(())
    }

    /// Checks that a step is about the account of its plan and about a bucket, and that its actions are about it too.
    ///
    /// # Errors
    /// The outcome of a step that a guard refuses.
    pub fn check_target(account_id: &str, step: &Step, place: &Place) -> Result<(), Outcome> {
        let guarded = |reason: &str| Err(Outcome::Guarded { reason: reason.to_owned() });
        if step.account_id != account_id {
            return guarded("the step is for another account than its plan");
        }
        if step.changes.iter().any(|change| *change.action.resource() != step.bucket) {
            return guarded("an action of the step is about another bucket");
        }
        place.check().or_else(guarded)
    }

    /// Checks a step against the bucket as it is now.
    ///
    /// # Errors
    /// The outcome of a step that a guard refuses.
    pub fn check_step(&self, step: &Step, live: &Observed) -> Result<(), Outcome> {
        let guarded = |reason: String| Err(Outcome::Guarded { reason });
        let class = step.changes.iter().map(|change| change.action.risk_class()).max();
        if class != Some(RiskClass::Housekeeping) {
            return guarded("this version applies nothing but housekeeping".to_owned());
        }
        match &live.tags {
            Some(tags) => {
                if let Some(tag) = guard::protecting_tag(tags, &self.protected_tags) {
                    return guarded(format!("the tag `{}` protects the bucket", tag.terminal()));
                }
            }
            None => return guarded("its tags could not be read, so nobody knows whether it is protected".to_owned()),
        }
        match guard::manager(live) {
            Some(manager) if !self.override_iac => {
                guarded(format!("{} manages it; allow it with --override-iac", manager.terminal()))
            }
            _ => Ok(()),
        }
    }
}

/// Checks what a rollback is about to write, as apply checks its own writes: a journal is a file too. Whatever it says,
/// nothing but housekeeping rules of ours may differ from what stands there now.
///
/// # Errors
/// The outcome of a bucket that a guard refuses.
pub fn check_way_back(live: &Configuration, wanted: &Configuration) -> Result<(), Outcome> {
    let guarded = |reason: String| Err(Outcome::Guarded { reason });
    let held = [Assertion::OnlyOwnRulesDiffer, Assertion::FormKept, Assertion::AtMostAThousandRules];
    if let Some(broken) = held.into_iter().find(|assertion| !assertion.holds(live, wanted)) {
        return guarded(format!("the journal wants back what it must not change: {}", broken.says()));
    }
    let differ = Delta::between(live, wanted).ids();
    let mut back = wanted.rules().iter().filter(|rule| differ.iter().any(|id| rule.id.as_deref() == Some(id.raw())));
    if back.any(|rule| !rule.is_housekeeping()) {
        let reason = "the rule that the journal wants back does more than housekeeping: put it back by hand";
        return guarded(reason.to_owned());
    }
    if live.document.is_some() && !live.keeps_setting_of(wanted) {
        return guarded("the journal wants another small-object setting than the bucket has".to_owned());
    }
    Ok(())
}

/// Checks that we are where a plan or a run was made.
///
/// # Errors
/// Another account, or another place.
pub fn check_place(account_id: &str, origin: &crate::model::Origin, target: &Target) -> Result<(), Refusal> {
    let show = crate::model::text::terminal;
    if account_id != target.account_id {
        let message =
            format!("it is for account {}, the credentials are for {}", show(account_id), show(&target.account_id));
        return Err(refuse(RefusalKind::Guard, message, "choose the account with --profile"));
    }
    if !target.serves(origin) {
        let place = |origin: &crate::model::Origin| origin.banner().unwrap_or_else(|| "AWS itself.".to_owned());
        let message = format!(
            "it was made elsewhere. There: {} Here: {}",
            show(&place(origin)),
            show(&place(&target.origin)).trim_end_matches('.')
        );
        return Err(refuse(
            RefusalKind::Guard,
            message,
            "check --endpoint-url and AWS_ENDPOINT_URL, or make a new plan here",
        ));
    }
    Ok(())
}

fn dearest(cost: &Estimate) -> Option<Money> {
    cost.known().and_then(|range| range.high)
}
