//! One write, with its journal before and after it and its read-back.
//!
//! An error of the write is "unknown" until the read-back resolves it; nothing is ever sent twice here.

use std::time::Duration;

use super::journal::{Journal, JournalError};
use super::record::Record;
use super::{CallError, CallTrouble, Executor, Outcome, Place, Write};
use crate::lifecycle::{Configuration, Tolerance, delta};
use crate::model::Untrusted;
use crate::model::text::terminal;

/// How often and how patiently a write is read back. S3 says that settings take a few minutes to spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Reads at most.
    pub reads: u32,
    /// The first wait; each is twice as long as the one before.
    pub first_wait: Duration,
    /// The longest wait.
    pub longest_wait: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace { reads: 40, first_wait: Duration::from_millis(200), longest_wait: Duration::from_secs(5) }
    }
}

/// What a read-back found, twice in a row.
enum Settled {
    After,
    Before,
    Third(Configuration),
    Unseen(CallError),
}

/// What one read shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    After,
    Before,
    Third,
}

/// One write of a run.
pub struct Writing<'a> {
    /// What reads and writes.
    pub executor: &'a dyn Executor,
    /// How patiently it is read back.
    pub pace: Pace,
    /// How a read-back compares.
    pub tolerance: Tolerance,
    /// The bucket.
    pub place: &'a Place,
    /// What stands there.
    pub before: &'a Configuration,
    /// What is written.
    pub after: &'a Configuration,
}

impl Writing<'_> {
    /// Journals, writes, reads back, journals. The caller has checked everything.
    ///
    /// # Errors
    /// The journal cannot be written. Before the intent stands, nothing was sent.
    pub async fn carry_out(&self, journal: &mut Journal) -> Result<Outcome, JournalError> {
        journal.intend(self.place, self.before, self.after).await?;
        let write = match &self.after.document {
            Some(document) => Write::Put { document, small_objects: self.after.small_objects.as_deref() },
            None => Write::Delete,
        };
        let answer = self.executor.perform(self.place, write).await;
        let refused = matches!(&answer, Err(error) if error.trouble != CallTrouble::Unknown);
        let settled = self.read_back(refused).await;
        let outcome = self.outcome(answer.as_ref().err(), settled);
        let bucket = Untrusted::from(self.place.bucket.as_str());
        journal.append(Record::Outcome { bucket, outcome: outcome.clone() }).await?;
        Ok(outcome)
    }

    fn outcome(&self, error: Option<&CallError>, settled: Settled) -> Outcome {
        let said = || error.map_or("no error was answered".to_owned(), |error| terminal(&error.said));
        match (settled, error) {
            (Settled::After, _) => Outcome::Done,
            (Settled::Third(live), _) => Outcome::Contended { view: delta::lines(self.after, &live) },
            (Settled::Before, Some(error)) if error.trouble != CallTrouble::Unknown => Outcome::of_refusal(error),
            (Settled::Before, _) => Outcome::Unconfirmed { reason: said() },
            (Settled::Unseen(unread), Some(error))
                if error.trouble == CallTrouble::Denied && unread.trouble == CallTrouble::Denied =>
            {
                Outcome::of_refusal(error)
            }
            (Settled::Unseen(unread), _) => {
                Outcome::Unconfirmed { reason: format!("{}; reading it back: {}", said(), terminal(&unread.said)) }
            }
        }
    }

    /// Reads until two reads in a row agree on something final. After a refusal, two reads of the old state are;
    /// after a write that may have worked they are not: an old state may still be served for minutes.
    async fn read_back(&self, refused: bool) -> Settled {
        let mut wait = self.pace.first_wait;
        let mut last: Option<(Seen, String)> = None;
        let mut settled = Settled::Before;
        for read in 0..self.pace.reads {
            if read > 0 {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(self.pace.longest_wait);
            }
            let live = match self.executor.observe(self.place).await {
                Ok(observed) => observed.configuration,
                Err(error) => {
                    let denied = error.trouble == CallTrouble::Denied;
                    (last, settled) = (None, Settled::Unseen(error));
                    if denied {
                        return settled;
                    }
                    continue;
                }
            };
            let now = (self.seen(&live), live.fingerprint());
            let twice = last.as_ref() == Some(&now);
            match now.0 {
                Seen::After if twice => return Settled::After,
                Seen::Third if twice => return Settled::Third(live),
                Seen::Before if twice && refused => return Settled::Before,
                Seen::After | Seen::Before | Seen::Third => settled = Settled::Before,
            }
            last = Some(now);
        }
        settled
    }

    fn seen(&self, live: &Configuration) -> Seen {
        if live.settles(self.after, self.tolerance) {
            return Seen::After;
        }
        if live.settles(self.before, self.tolerance) { Seen::Before } else { Seen::Third }
    }
}
