//! A reviewed list of steps, and the file that holds it.
//!
//! Pure: what stands in the account is an argument. A plan is a *request*: apply checks everything in it again,
//! and reading or explaining a plan that is stale or from elsewhere always works.

pub mod build;
pub mod emit;
pub mod guard;
pub mod selection;
pub mod show;
pub mod step;
#[cfg(test)]
pub mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lifecycle::document::digest;
use crate::model::Origin;

pub use build::{Facts, Looks, build};
pub use selection::{Candidate, Selection};
pub use step::{Assertion, Change, Skip, SkipKind, Step};

/// Name of the file format.
pub const SCHEMA: &str = "leanlake.plan";
/// Version of the file format: the minor number only adds fields, another major number is refused.
pub const VERSION: &str = "1.0";
/// How long what a plan saw is trusted.
pub const VALID_FOR: TimeDelta = TimeDelta::hours(24);
/// How far the clocks of two machines may differ.
const SKEW: TimeDelta = TimeDelta::minutes(5);

/// A plan, as its file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `leanlake.plan`.
    pub schema: String,
    /// `1.0`.
    pub version: String,
    /// The leanlake that made it.
    pub tool_version: String,
    /// The account whose buckets it changes.
    pub account_id: String,
    /// Who made it, where that is known.
    pub caller_arn: Option<String>,
    /// Where its facts are from: apply refuses another place.
    pub origin: Origin,
    /// The snapshot that it rests on.
    pub snapshot: String,
    /// When that snapshot was taken.
    pub as_of: DateTime<Utc>,
    /// When the plan was made, in real time.
    pub created_at: DateTime<Utc>,
    /// When what it saw is too old to act on.
    pub expires_at: DateTime<Utc>,
    /// False when some bucket could not be looked at: a later plan may hold more.
    pub complete: bool,
    /// One for each bucket, by risk class and then by account, Region and bucket.
    pub steps: Vec<Step>,
    /// What was considered and not taken, with the reason.
    pub skips: Vec<Skip>,
}

/// Why a plan file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It is not JSON, or not a plan.
    #[error("reading the plan: {0}")]
    Unreadable(String),
    /// It was written by a later major version.
    #[error("the plan has version {0}; this leanlake reads version 1")]
    Newer(String),
}

#[derive(Deserialize)]
struct Head {
    schema: String,
    version: String,
}

impl Plan {
    /// Reads a plan file.
    ///
    /// # Errors
    /// It is not a plan, of another major version, or its digests do not fit its documents.
    pub fn read(bytes: &[u8]) -> Result<Plan, PlanError> {
        let unreadable = |error: serde_json::Error| PlanError::Unreadable(error.to_string());
        let head: Head = serde_json::from_slice(bytes).map_err(unreadable)?;
        if head.schema != SCHEMA {
            return Err(PlanError::Unreadable(format!("its schema is not `{SCHEMA}`")));
        }
        if head.version.split('.').next() != Some("1") {
            return Err(PlanError::Newer(crate::model::text::terminal(&head.version)));
        }
        serde_json::from_slice(bytes).map_err(unreadable)
    }

    /// Returns the file: the same plan gives the same bytes.
    ///
    /// # Panics
    /// Never: a plan holds nothing that JSON cannot.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a plan holds nothing that JSON cannot");
        text.push('\n');
        text
    }

    /// Returns true when there is something to do.
    pub fn has_changes(&self) -> bool {
        !self.steps.is_empty()
    }

    /// Returns true when what the plan saw is too old to act on, whatever end it gives itself. `now` is the real time.
    pub fn is_stale(&self, now: DateTime<Utc>) -> bool {
        now > self.stale_from()
    }

    /// Returns the last instant at which what the plan saw can be acted on.
    pub fn stale_from(&self) -> DateTime<Utc> {
        self.created_at.checked_add_signed(VALID_FOR).map_or(self.expires_at, |end| end.min(self.expires_at))
    }

    /// Returns true when the plan was made later than `now`, the real time: its age is not known.
    pub fn is_from_the_future(&self, now: DateTime<Utc>) -> bool {
        self.created_at.signed_duration_since(now) > SKEW
    }
}

/// Returns the identity of a plan file: the SHA-256 of its bytes. It is what gets signed.
pub fn identity(file: &[u8]) -> String {
    digest(file)
}
