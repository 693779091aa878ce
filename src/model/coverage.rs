//! What a scan saw and what it did not, with the reason.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::Untrusted;

/// How much of one piece of the lake a scan saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoverageState {
    /// All of it.
    Seen,
    /// Some of it: a budget or an error cut the rest.
    Partial,
    /// None of it: the call failed or was denied.
    Missing,
    /// Nobody asked for it in this scan.
    NotAsked,
    /// The request, time or dollar budget ended before it.
    OverBudget,
}

impl CoverageState {
    /// Returns the word that stands in tables, JSON and on screens.
    pub const fn as_str(self) -> &'static str {
        match self {
            CoverageState::Seen => "seen",
            CoverageState::Partial => "partial",
            CoverageState::Missing => "missing",
            CoverageState::NotAsked => "not_asked",
            CoverageState::OverBudget => "over_budget",
        }
    }

    /// Returns the state that `word` names.
    pub fn parse(word: &str) -> Option<Self> {
        use CoverageState::{Missing, NotAsked, OverBudget, Partial, Seen};
        [Seen, Partial, Missing, NotAsked, OverBudget].into_iter().find(|state| state.as_str() == word)
    }

    /// Returns true when something may be missing: such coverage is a gap.
    pub const fn is_gap(self) -> bool {
        !matches!(self, CoverageState::Seen)
    }
}

/// Coverage of one read: by table, account, Region and, where one resource failed, resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// The table that the read fills.
    pub table: String,
    /// The account asked; `None` for answers over several accounts.
    pub account_id: Option<String>,
    /// The Region asked; `None` for global services.
    pub region: Option<String>,
    /// The one resource that this is about; `None` for the whole table.
    pub resource: Option<Untrusted>,
    /// The AWS operation: `s3:GetBucketLifecycleConfiguration`.
    pub read: String,
    /// How much was seen.
    pub state: CoverageState,
    /// Why not all of it: AWS's answer in short, or the budget.
    pub reason: Option<Untrusted>,
    /// The IAM action that would have allowed it.
    pub missing_action: Option<String>,
    /// First day covered, UTC, for tables by period.
    pub from: Option<NaiveDate>,
    /// Last day covered, UTC, for tables by period.
    pub to: Option<NaiveDate>,
    /// How many resources or rows were seen.
    pub seen: Option<i64>,
    /// How many there are, where that is known.
    pub expected: Option<i64>,
}

impl Coverage {
    /// Returns coverage of `read` into `table` in `state`, over everything, with no reason yet.
    pub fn new(table: &str, read: &str, state: CoverageState) -> Self {
        Coverage {
            table: table.to_owned(),
            account_id: None,
            region: None,
            resource: None,
            read: read.to_owned(),
            state,
            reason: None,
            missing_action: None,
            from: None,
            to: None,
            seen: None,
            expected: None,
        }
    }

    /// Returns the coverage at an account and, unless the service is global, a Region.
    #[must_use]
    pub fn at(mut self, account_id: &str, region: Option<&str>) -> Self {
        self.account_id = Some(account_id.to_owned());
        self.region = region.map(str::to_owned);
        self
    }

    /// Returns the coverage narrowed to one resource.
    #[must_use]
    pub fn of(mut self, resource: impl Into<Untrusted>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// Returns the coverage with its reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<Untrusted>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Returns the coverage over the days `from` to `to`, both included.
    #[must_use]
    pub fn days(mut self, from: NaiveDate, to: NaiveDate) -> Self {
        (self.from, self.to) = (Some(from), Some(to));
        self
    }

    /// Returns the coverage with how many were seen of how many.
    #[must_use]
    pub fn counted(mut self, seen: usize, expected: Option<usize>) -> Self {
        self.seen = i64::try_from(seen).ok();
        self.expected = expected.and_then(|n| i64::try_from(n).ok());
        self
    }

    /// Returns true when something may be missing.
    pub fn is_gap(&self) -> bool {
        self.state.is_gap()
    }
}
