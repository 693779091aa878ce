//! A plan, step by step, the smallest wave first.

use std::collections::BTreeSet;
use std::ops::Range;

use tokio_util::sync::CancellationToken;

use super::journal::{Journal, JournalError};
use super::record::{Entry, Record};
use super::write::Writing;
use super::{Executor, Limits, Outcome, Pace, Place, Report};
use crate::lifecycle::{Configuration, Observed, OwnRule, Tolerance, delta};
use crate::model::Action;
use crate::plan::{Assertion, Plan, Step};

/// What a run is carried out with.
pub struct Run<'a> {
    /// What reads and writes.
    pub executor: &'a dyn Executor,
    /// Where it is written down.
    pub journal: &'a mut Journal,
    /// What it may do.
    pub limits: &'a Limits,
    /// How patiently writes are read back.
    pub pace: Pace,
    /// How read-backs compare.
    pub tolerance: Tolerance,
    /// Ends the run after the step under way.
    pub cancel: &'a CancellationToken,
}

impl Run<'_> {
    /// Carries out the steps of `plan` whose buckets are not in `settled`. The plan as a whole was checked.
    ///
    /// # Errors
    /// The journal cannot be written: the run ends there.
    pub async fn apply(&mut self, plan: &Plan, settled: &BTreeSet<String>) -> Result<Vec<Report>, JournalError> {
        let mut reports: Vec<Report> = Vec::new();
        let mut stop: Option<&str> = None;
        for wave in waves(plan.steps.len()) {
            let begin = reports.len();
            for step in &plan.steps[wave] {
                if self.cancel.is_cancelled() {
                    stop = Some("interrupted");
                }
                let outcome = match stop {
                    _ if settled.contains(step.bucket.raw()) => Outcome::AlreadyDone,
                    Some(reason) => Outcome::NotReached { reason: reason.to_owned() },
                    None => self.step(&plan.account_id, step).await?,
                };
                if matches!(outcome, Outcome::Contended { .. }) {
                    stop = Some("somebody else writes lifecycle configurations too");
                }
                reports.push(Report { bucket: step.bucket.clone(), outcome });
            }
            let unsure = |report: &Report| matches!(report.outcome, Outcome::Unconfirmed { .. });
            if stop.is_none() && reports[begin..].iter().any(unsure) {
                stop = Some("a write of the wave before could not be confirmed");
            }
        }
        let done = reports.iter().filter(|report| report.outcome.is_done()).count();
        self.journal.append(Record::Finished { done, of: reports.len() }).await?;
        Ok(reports)
    }

    async fn step(&mut self, account_id: &str, step: &Step) -> Result<Outcome, JournalError> {
        let place = Place {
            account_id: step.account_id.clone(),
            region: step.region.clone(),
            bucket: step.bucket.raw().to_owned(),
        };
        let seen = match Limits::check_target(account_id, step, &place) {
            Err(outcome) => Err(outcome),
            Ok(()) => self.executor.observe(&place).await.map_err(|error| Outcome::of_refusal(&error)),
        };
        let refused = match seen.and_then(|live| Ok((self.judge(step, &live)?, live))) {
            Err(outcome) => outcome,
            Ok((wanted, live)) => {
                let write = Writing {
                    executor: self.executor,
                    pace: self.pace,
                    tolerance: self.tolerance,
                    place: &place,
                    before: &live.configuration,
                    after: &wanted,
                };
                return write.carry_out(self.journal).await;
            }
        };
        self.journal.append(Record::Outcome { bucket: step.bucket.clone(), outcome: refused.clone() }).await?;
        Ok(refused)
    }

    /// Returns what to write, made from what stands there now, or how the step ends without a write.
    fn judge(&self, step: &Step, live: &Observed) -> Result<Configuration, Outcome> {
        let now = &live.configuration;
        if now.settles(&step.after, self.tolerance) {
            return Err(Outcome::AlreadyDone);
        }
        if !now.means(&step.before) {
            return Err(Outcome::Drifted { view: delta::three_way(&step.before, now, &step.after) });
        }
        self.limits.check_step(step, live)?;
        let wanted = step.changes.iter().try_fold(now.clone(), |state, change| splice(&state, &change.action))?;
        if wanted.fingerprint() != step.after.fingerprint() {
            let reason = "the document in the plan is not what its actions make of the bucket".to_owned();
            return Err(Outcome::Guarded { reason });
        }
        match Assertion::ALL.into_iter().find(|assertion| !assertion.holds(now, &wanted)) {
            Some(broken) => Err(Outcome::Guarded { reason: format!("it must hold that {}", broken.says()) }),
            None => Ok(wanted),
        }
    }
}

fn splice(state: &Configuration, action: &Action) -> Result<Configuration, Outcome> {
    let guarded = |reason: String| Outcome::Guarded { reason: crate::model::text::terminal(&reason) };
    let Action::PutLifecycleRule(wanted) = action;
    let rule = OwnRule::of(wanted).map_err(|why| guarded(why.to_string()))?;
    state.with(&rule).map_err(|why| guarded(why.to_string()))
}

/// One canary, then a tenth, then the rest: a mistake that shows at once meets few buckets.
fn waves(steps: usize) -> Vec<Range<usize>> {
    let canary = steps.min(1);
    let tenth = (canary + steps.div_ceil(10)).min(steps);
    [0..canary, canary..tenth, tenth..steps].into_iter().filter(|wave| !wave.is_empty()).collect()
}

/// Returns the buckets that an interrupted run has settled, so that `--resume` leaves them alone.
pub fn settled(entries: &[Entry]) -> BTreeSet<String> {
    let mut settled: BTreeSet<String> = BTreeSet::new();
    for entry in entries {
        match &entry.record {
            Record::Outcome { bucket, outcome } if outcome.is_done() => {
                settled.insert(bucket.raw().to_owned());
            }
            Record::Intent(intent) => {
                settled.remove(intent.bucket.raw());
            }
            Record::TakenBack { .. } => settled.clear(),
            Record::Started(_) | Record::Resumed { .. } | Record::Outcome { .. } | Record::Finished { .. } => {}
        }
    }
    settled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_begins_with_one_bucket_then_a_tenth_then_the_rest() {
        assert!(waves(0).is_empty());
        assert_eq!(waves(1), vec![0..1]);
        assert_eq!(waves(100), vec![0..1, 1..11, 11..100]);
    }
}
