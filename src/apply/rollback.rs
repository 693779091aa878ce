//! The way back: each bucket that a run may have changed gets back what stood there before.
//!
//! Where somebody changed the bucket since, only our own rules are taken out or put back. What a rule already did
//! (aborted uploads) cannot be undone.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::guard::check_way_back;
use super::journal::{Journal, JournalError};
use super::record::{Entry, Intent, Record};
use super::write::Writing;
use super::{Executor, Outcome, Pace, Place, Report};
use crate::lifecycle::rule::OWN_PREFIX;
use crate::lifecycle::{Configuration, Delta, Document, LifecycleError, Tolerance};
use crate::model::Untrusted;

/// One bucket to take back.
#[derive(Clone, Debug, PartialEq)]
pub struct Undo {
    /// The bucket.
    pub place: Place,
    /// What stood there before the run.
    pub before: Configuration,
    /// What the run wrote last.
    pub after: Configuration,
}

/// Returns what a run may have changed, by bucket. A write whose outcome is not known counts.
pub fn undo(entries: &[Entry]) -> Vec<Undo> {
    let mut open: BTreeMap<String, &Intent> = BTreeMap::new();
    let mut undo: BTreeMap<Place, Undo> = BTreeMap::new();
    let mut take = |intent: &Intent| {
        let place = intent.place();
        let first = undo.entry(place.clone()).or_insert_with(|| Undo {
            place,
            before: intent.before.clone(),
            after: intent.after.clone(),
        });
        first.after = intent.after.clone();
    };
    for entry in entries {
        match &entry.record {
            Record::Intent(intent) => {
                if let Some(unknown) = open.insert(intent.bucket.raw().to_owned(), intent) {
                    take(unknown);
                }
            }
            Record::Outcome { bucket, outcome } => match open.remove(bucket.raw()) {
                // After a kill, `--resume` finds the write in place and writes "already done": it was this run's.
                Some(intent) if outcome.may_have_written() || *outcome == Outcome::AlreadyDone => take(intent),
                _ => {}
            },
            Record::Started(_) | Record::Resumed { .. } | Record::TakenBack { .. } | Record::Finished { .. } => {}
        }
    }
    for intent in open.into_values() {
        take(intent);
    }
    undo.into_values().collect()
}

impl Undo {
    /// Returns what the bucket gets back, given what stands there now; `None` when it has it already.
    ///
    /// # Errors
    /// What stands there cannot be changed with certainty.
    pub fn wanted(&self, live: &Configuration, tolerance: Tolerance) -> Result<Option<Configuration>, LifecycleError> {
        if live.settles(&self.before, tolerance) {
            return Ok(None);
        }
        if let Some(document) = &live.document {
            document.check_only_rules()?;
        }
        if live.settles(&self.after, tolerance) {
            return Ok(Some(self.before.clone()));
        }
        let only_ours = self.without_ours(live)?;
        Ok((only_ours.fingerprint() != live.fingerprint()).then_some(only_ours))
    }

    /// Returns what stands there with our rules as they were before, and nothing else changed.
    fn without_ours(&self, live: &Configuration) -> Result<Configuration, LifecycleError> {
        let ids = Delta::between(&self.before, &self.after).ids();
        let mut document = live.document.clone();
        for id in ids.iter().map(Untrusted::raw).filter(|id| id.starts_with(OWN_PREFIX)) {
            let was = match &self.before.document {
                Some(before) => before.own(id)?.map(|rule| before.slice(rule)),
                None => None,
            };
            document = match (document, was) {
                (Some(document), Some(was)) => Some(document.with_slice(id, was)?),
                (Some(document), None) => document.without(id)?,
                (None, _) => None,
            };
        }
        let gone = document.as_ref().is_none_or(|document: &Document| document.rules().is_empty());
        Ok(live.replaced(if gone { None } else { document }))
    }
}

/// What a rollback is carried out with.
pub struct Rollback<'a> {
    /// What reads and writes.
    pub executor: &'a dyn Executor,
    /// How patiently writes are read back.
    pub pace: Pace,
    /// How read-backs compare.
    pub tolerance: Tolerance,
    /// Ends it after the bucket under way.
    pub cancel: &'a CancellationToken,
}

impl Rollback<'_> {
    /// Takes back each bucket, and writes it down as a run of its own.
    ///
    /// # Errors
    /// The journal cannot be written: the run ends there.
    pub async fn carry_out(&self, undo: &[Undo], journal: &mut Journal) -> Result<Vec<Report>, JournalError> {
        let mut reports: Vec<Report> = Vec::new();
        for one in undo {
            let contended = reports.iter().any(|report| matches!(report.outcome, Outcome::Contended { .. }));
            let outcome = if contended || self.cancel.is_cancelled() {
                let reason =
                    if contended { "somebody else writes lifecycle configurations too" } else { "interrupted" };
                Outcome::NotReached { reason: reason.to_owned() }
            } else {
                self.bucket(one, journal).await?
            };
            reports.push(Report { bucket: one.place.bucket.as_str().into(), outcome });
        }
        let done = reports.iter().filter(|report| report.outcome.is_done()).count();
        journal.append(Record::Finished { done, of: reports.len() }).await?;
        Ok(reports)
    }

    async fn bucket(&self, undo: &Undo, journal: &mut Journal) -> Result<Outcome, JournalError> {
        let outcome = match self.judge(undo).await {
            Err(outcome) => outcome,
            Ok((live, wanted)) => {
                let write = Writing {
                    executor: self.executor,
                    pace: self.pace,
                    tolerance: self.tolerance,
                    place: &undo.place,
                    before: &live,
                    after: &wanted,
                };
                return write.carry_out(journal).await;
            }
        };
        let bucket = undo.place.bucket.as_str().into();
        journal.append(Record::Outcome { bucket, outcome: outcome.clone() }).await?;
        Ok(outcome)
    }

    /// Returns what stands there and what to write, or how the bucket ends without a write.
    async fn judge(&self, undo: &Undo) -> Result<(Configuration, Configuration), Outcome> {
        let guarded = |reason: &str| Outcome::Guarded { reason: crate::model::text::terminal(reason) };
        undo.place.check().map_err(guarded)?;
        let live = self.executor.observe(&undo.place).await.map_err(|error| Outcome::of_refusal(&error))?.configuration;
        let wanted = undo.wanted(&live, self.tolerance).map_err(|why| guarded(&why.to_string()))?;
        let wanted = wanted.ok_or(Outcome::AlreadyDone)?;
        check_way_back(&live, &wanted)?;
        Ok((live, wanted))
    }
}
