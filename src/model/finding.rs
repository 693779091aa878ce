//! A finding: one row that a policy's query returned, priced.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::Action;
use super::coverage::Coverage;
use super::money::{Estimate, Range};
use super::pool::{Axis, PoolPath};
use super::text::Untrusted;

/// `f-` and 12 base32 characters; the same from week to week for the same policy and resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct FindingId(pub String);

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The step of the loop *see, save, plan, run* that a policy belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pillar {
    /// Make spend visible.
    See,
    /// Spend less.
    Save,
    /// Know what comes.
    Plan,
    /// Keep it that way.
    Run,
}

/// AWS's own scale of effort and risk (Cost Optimization Hub).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Minutes; nothing can break.
    VeryLow,
    /// Hours.
    Low,
    /// Days.
    Medium,
    /// Weeks.
    High,
    /// A project.
    VeryHigh,
}

impl Level {
    /// Returns the word for people and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::VeryLow => "very-low",
            Level::Low => "low",
            Level::Medium => "medium",
            Level::High => "high",
            Level::VeryHigh => "very-high",
        }
    }
}

/// How sure a saving is. `Possible` is listed and never summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// From measured quantities and rates.
    Measured,
    /// From measured quantities and a stated assumption.
    Estimated,
    /// Only a look that the snapshot does not hold can settle it.
    Possible,
}

impl Confidence {
    /// Returns the word for people and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Confidence::Measured => "measured",
            Confidence::Estimated => "estimated",
            Confidence::Possible => "possible",
        }
    }
}

/// An evidence level that a finding rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// Configuration of resources.
    Config,
    /// CloudWatch metrics and run histories.
    Metrics,
    /// Cost Explorer.
    BillThin,
    /// The bill export with resource ids.
    Bill,
    /// Storage Lens, free.
    Lens,
    /// Storage Lens, advanced.
    LensPlus,
    /// S3 Inventory.
    Inventory,
    /// Access or flow logs.
    Logs,
}

impl Basis {
    /// Returns the word for people and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Basis::Config => "config",
            Basis::Metrics => "metrics",
            Basis::BillThin => "bill-thin",
            Basis::Bill => "bill",
            Basis::Lens => "lens",
            Basis::LensPlus => "lens-plus",
            Basis::Inventory => "inventory",
            Basis::Logs => "logs",
        }
    }
}

/// What to switch on to know more, and what that costs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unlock {
    /// What to switch on: `storage-lens-free-export`.
    pub switch_on: String,
    /// What becomes narrower by it.
    pub narrows: String,
    /// What it costs, in words with its unit.
    pub costs: String,
}

/// One step of the arithmetic: what was multiplied, with where the rate came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceStep {
    /// The part of the finding: `saving.low`, `running`, `one_off`.
    pub of: String,
    /// The formula as the policy wrote it.
    pub formula: String,
    /// The formula with its numbers in.
    pub numbers: String,
    /// The result, or why there is none.
    pub result: String,
    /// The rates used: item, value, unit, source and date.
    pub rates: Vec<String>,
}

/// A finding's life from week to week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not found in the previous snapshot.
    New,
    /// Found before.
    Open,
}

impl Status {
    /// Returns the word for people and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::New => "new",
            Status::Open => "open",
        }
    }
}

/// What the portfolio made of a finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Verdict {
    /// Kept: it counts.
    Recommended {
        /// USD per month that count, after what other recommendations already take from the same pools.
        counted: Range,
        /// Why less counts than the saving says, where its part of the bill cut it off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit: Option<String>,
    },
    /// Another finding takes the same part of the bill and saves more.
    Outbid {
        /// The finding that was kept.
        by: FindingId,
    },
    /// It would set the same knob to another value.
    Clashes {
        /// The finding that was kept.
        with: FindingId,
    },
    /// Its one-off and running costs eat the saving inside the horizon.
    NoPayback {
        /// The month in which it would pay back, where it ever does.
        month: Option<u32>,
    },
    /// Only a look that the snapshot does not hold can settle it. Never summed.
    Possible,
    /// There is no number.
    Unknown {
        /// The missing column, rate or pool.
        why: String,
    },
}

impl Verdict {
    /// Returns the word for people and files.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Verdict::Recommended { .. } => "recommended",
            Verdict::Outbid { .. } => "outbid",
            Verdict::Clashes { .. } => "clashes",
            Verdict::NoPayback { .. } => "no_payback",
            Verdict::Possible => "possible",
            Verdict::Unknown { .. } => "unknown",
        }
    }
}

/// A part of the bill that a finding reduces.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Effect {
    /// The subtree of pools that it touches.
    pub scope: PoolPath,
    /// The storage class that it touches; `None` for all of the scope.
    pub class: Option<String>,
    /// Less of it, or the same cheaper.
    pub axis: Axis,
}

/// One row that a policy's query returned, priced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable from week to week.
    pub id: FindingId,
    /// The policy's id.
    pub policy: String,
    /// The policy's title: the desired state.
    pub title: String,
    /// The step of the loop.
    pub pillar: Pillar,
    /// The resource as AWS names it.
    pub resource: Untrusted,
    /// The account that owns it.
    pub account_id: String,
    /// Its Region.
    pub region: String,
    /// Who answers for it, from the configured tag keys.
    pub owner: Option<Untrusted>,
    /// The part of the bill that it reduces.
    pub effect: Option<Effect>,
    /// USD per month at full effect, after any ramp.
    pub saving: Estimate,
    /// USD per month that the changed state costs on top.
    pub running: Estimate,
    /// USD that the change costs once.
    pub one_off: Estimate,
    /// USD in each of the first 12 months, one-off and running costs in; empty when it is unknown.
    pub curve: Vec<Range>,
    /// USD over the first 12 months: the sum of `curve`.
    pub net_saving_12m: Estimate,
    /// Days until the low end has paid back the one-off cost; `None` when it does not within 12 months or is unknown.
    pub payback_days: Option<u32>,
    /// The evidence levels that it rests on.
    pub basis: Vec<Basis>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to switch on to narrow its range.
    pub unlock: Option<Unlock>,
    /// Work to do it.
    pub effort: Level,
    /// What can break.
    pub risk: Level,
    /// True when rollback restores what was there.
    pub reversible: bool,
    /// The change that leanlake can make.
    pub action: Option<Action>,
    /// What a person does where leanlake cannot, or the first step.
    pub instructions: Option<String>,
    /// The other columns of the row, as they were read.
    pub evidence: BTreeMap<String, serde_json::Value>,
    /// The arithmetic.
    pub trace: Vec<TraceStep>,
    /// Gaps of the snapshot that touch this finding.
    pub gaps: Vec<Coverage>,
    /// New this time, or found before.
    pub status: Status,
    /// What the portfolio made of it.
    pub verdict: Verdict,
}
