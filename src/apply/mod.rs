//! A plan, carried out: look, compare, journal, write, look again. And the way back.
//!
//! Knows order, drift and limits; names no SDK, reads no clock, prints nothing. What it writes is always made from
//! what stands in the account *now* and the plan's actions, never copied from the plan's text.

pub mod guard;
pub mod journal;
#[cfg(test)]
mod journal_tests;
pub mod outcome;
pub mod record;
pub mod rehearsal;
pub mod rollback;
pub mod run;
#[cfg(test)]
mod tests;
pub mod write;

use async_trait::async_trait;

use crate::lifecycle::{Document, Observed, Tolerance};
use crate::model::Origin;

pub use guard::{Limits, Refusal, RefusalKind};
pub use journal::{Journal, JournalError, Runs};
pub use outcome::{Ending, Outcome, Report};
pub use rehearsal::Rehearsal;
pub use rollback::{Undo, undo};
pub use run::Run;
pub use write::Pace;

/// A bucket, and the account that must own it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its account: sent as the expected owner with every call.
    pub account_id: String,
    /// Its Region.
    pub region: String,
    /// Its name, as it was read.
    pub bucket: String,
}

impl Place {
    /// Checks that name and Region can be nothing else: they become part of addresses, and come from files.
    ///
    /// # Errors
    /// What is wrong.
    pub fn check(&self) -> Result<(), &'static str> {
        crate::plan::guard::check_names(&self.bucket, &self.region)
    }
}

/// A write of a lifecycle configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write<'d> {
    /// Replaces the configuration by this document, with the small-object setting as read.
    Put {
        /// The document, sent byte for byte.
        document: &'d Document,
        /// `x-amz-transition-default-minimum-object-size`; not sent when there was none.
        small_objects: Option<&'d str>,
    },
    /// Removes the configuration. Only rollback asks for it, where there was none before.
    Delete,
}

/// What reads and writes an account. The one trait of this module, so that plans run against a fake.
#[async_trait]
pub trait Executor: Send + Sync {
    /// Looks at a bucket.
    async fn observe(&self, place: &Place) -> Result<Observed, CallError>;

    /// Sends one write, once. An error may mean that it took effect: only another look can tell.
    async fn perform(&self, place: &Place, write: Write<'_>) -> Result<(), CallError>;
}

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{said}")]
pub struct CallError {
    /// What is known about it.
    pub trouble: CallTrouble,
    /// AWS's answer in short; text from outside.
    pub said: String,
}

/// What is known about a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallTrouble {
    /// Not allowed, or no credentials: nothing was changed.
    Denied,
    /// Refused for another reason: nothing was changed.
    Refused,
    /// No answer, or one that says nothing: it may have taken effect.
    Unknown,
}

/// Where we are: the account of the credentials, and what stands behind the S3 calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The account of the credentials.
    pub account_id: String,
    /// AWS, a custom endpoint or the demo lake.
    pub origin: Origin,
}

impl Target {
    /// Returns how read-backs are compared there.
    pub fn tolerance(&self) -> Tolerance {
        if custom_s3(&self.origin).is_some() { Tolerance::CustomEndpoint } else { Tolerance::Strict }
    }

    /// Returns true when a plan with facts from `origin` is about this place, as far as S3 is concerned: a mock of
    /// another service does not count.
    pub fn serves(&self, origin: &Origin) -> bool {
        match (&self.origin, origin) {
            (Origin::Aws { partition: here }, Origin::Aws { partition: there }) => here == there,
            (Origin::Aws { .. } | Origin::Endpoint { .. }, Origin::Aws { .. } | Origin::Endpoint { .. }) => {
                custom_s3(&self.origin) == custom_s3(origin)
            }
            (here, there) => here == there,
        }
    }
}

fn custom_s3(origin: &Origin) -> Option<&String> {
    match origin {
        Origin::Endpoint { hosts } => hosts.get("s3"),
        Origin::Aws { .. } | Origin::Files | Origin::Demo => None,
    }
}
