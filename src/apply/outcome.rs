//! How each step ended, and how the run did.

use serde::{Deserialize, Serialize};

use super::{CallError, CallTrouble};
use crate::model::Untrusted;

/// How a step ended. Texts are safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// Written, and read back twice.
    Done,
    /// It was so already: nothing was written.
    AlreadyDone,
    /// The bucket changed since the plan was made: nothing was written.
    Drifted {
        /// The three-way view.
        view: Vec<String>,
    },
    /// A guard refused: nothing was written.
    Guarded {
        /// The number and the flag.
        reason: String,
    },
    /// The call was not allowed: nothing was written.
    Denied {
        /// AWS's answer.
        reason: String,
    },
    /// It failed and nothing was written.
    Failed {
        /// What was answered.
        reason: String,
    },
    /// It was sent and the bucket still shows what was before.
    Unconfirmed {
        /// What was answered.
        reason: String,
    },
    /// A third document stands there: somebody else writes too. The run stops.
    Contended {
        /// What stands there, against what was written.
        view: Vec<String>,
    },
    /// The run stopped before it.
    NotReached {
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// Returns the outcome of a call that changed nothing for certain.
    pub fn of_refusal(error: &CallError) -> Outcome {
        let reason = crate::model::text::terminal(&error.said);
        match error.trouble {
            CallTrouble::Denied => Outcome::Denied { reason },
            CallTrouble::Refused | CallTrouble::Unknown => Outcome::Failed { reason },
        }
    }

    /// Returns true when the bucket is as the step wants it.
    pub const fn is_done(&self) -> bool {
        matches!(self, Outcome::Done | Outcome::AlreadyDone)
    }

    /// Returns true when the write may have taken effect, so that rollback must look at the bucket.
    pub const fn may_have_written(&self) -> bool {
        matches!(self, Outcome::Done | Outcome::Unconfirmed { .. } | Outcome::Contended { .. })
    }

    /// Returns the words for people: one line, and lines below it.
    pub fn lines(&self) -> (String, &[String]) {
        let with = |what: &str, reason: &str| format!("{what}: {reason}");
        match self {
            Outcome::Done => ("done".to_owned(), &[]),
            Outcome::AlreadyDone => ("already so".to_owned(), &[]),
            Outcome::Drifted { view } => ("refused: the bucket changed since the plan was made".to_owned(), view),
            Outcome::Guarded { reason } => (with("refused", reason), &[]),
            Outcome::Denied { reason } => (with("not allowed", reason), &[]),
            Outcome::Failed { reason } => (with("failed, nothing was written", reason), &[]),
            Outcome::Unconfirmed { reason } => (with("sent, and not seen yet", reason), &[]),
            Outcome::Contended { view } => ("stopped: somebody else writes to this bucket".to_owned(), view),
            Outcome::NotReached { reason } => (with("not reached", reason), &[]),
        }
    }
}

/// How one step of a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The bucket.
    pub bucket: Untrusted,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a run ended; decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every bucket is as wanted.
    Done,
    /// Some are, or may be.
    Partly,
    /// None: they changed since the plan was made.
    Drifted,
    /// None: guards refused.
    Guarded,
    /// None: nothing was allowed.
    Denied,
    /// None: the calls failed.
    Failed,
    /// Somebody else writes too.
    Contended,
    /// Ctrl-C before the last step.
    Interrupted,
}

impl Ending {
    /// Returns how a run with these reports ended.
    pub fn of(reports: &[Report], interrupted: bool) -> Ending {
        let any = |test: fn(&Outcome) -> bool| reports.iter().any(|report| test(&report.outcome));
        if any(|outcome| matches!(outcome, Outcome::Contended { .. })) {
            return Ending::Contended;
        }
        if reports.iter().all(|report| report.outcome.is_done()) {
            return Ending::Done;
        }
        if interrupted {
            return Ending::Interrupted;
        }
        if any(|outcome| outcome.is_done() || outcome.may_have_written()) {
            return Ending::Partly;
        }
        reports.iter().map(|report| Ending::of_undone(&report.outcome)).next().unwrap_or(Ending::Failed)
    }

    fn of_undone(outcome: &Outcome) -> Ending {
        match outcome {
            Outcome::Drifted { .. } => Ending::Drifted,
            Outcome::Guarded { .. } => Ending::Guarded,
            Outcome::Denied { .. } => Ending::Denied,
            _ => Ending::Failed,
        }
    }
}
