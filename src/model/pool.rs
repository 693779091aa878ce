//! Parts of the bill that findings can reduce.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::money::Money;
use rust_decimal::Decimal;

/// A place in the tree of what an account pays for: `account/region/s3/bucket/state`,
/// `account/region/athena/workgroup`. A scope is a path too: it covers every path below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct PoolPath(String);

impl PoolPath {
    /// Returns the path with these segments; a `/` inside a segment is written `%2F`.
    pub fn of(segments: &[&str]) -> Self {
        let escaped: Vec<String> = segments.iter().map(|s| s.replace('%', "%25").replace('/', "%2F")).collect();
        PoolPath(escaped.join("/"))
    }

    /// Returns the path that a policy's query returned from the analysis `pools`.
    pub fn parse(text: &str) -> Self {
        PoolPath(text.to_owned())
    }

    /// Returns true when `self` is `other` or stands above it.
    pub fn covers(&self, other: &PoolPath) -> bool {
        other.0.strip_prefix(&self.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Returns true when the two scopes share anything.
    pub fn overlaps(&self, other: &PoolPath) -> bool {
        self.covers(other) || other.covers(self)
    }

    /// Returns the path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PoolPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::text::terminal(&self.0))
    }
}

/// The line of the bill that a pool is a part of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BillLine {
    /// `None` when the answer covers several accounts.
    pub account_id: Option<String>,
    /// From the usage type's prefix; `None` when that is unknown.
    pub region: Option<String>,
    /// The service as the bill names it.
    pub service: String,
    /// The usage type with its Region prefix, as billed.
    pub usage_type: String,
}

/// A leaf of the tree: one state and class of one resource. Leaves are disjoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Where it stands.
    pub path: PoolPath,
    /// Storage class, or the empty string where there are none.
    pub class: String,
    /// The bill line that it is a part of.
    pub line: BillLine,
    /// Quantity a month, in the unit of the usage type (GB-month, TB, DPU-hour).
    pub quantity: Decimal,
    /// Cost a month at list price.
    pub list: Option<Money>,
    /// Its share of the bill's net amortised cost a month: never more than the line holds.
    pub billed: Option<Money>,
    /// True where `billed` is from lines of the resource's own, false where it is a share of a line of many.
    pub own_lines: bool,
    /// Today's quantity at what the line paid for a unit: more than `billed` where more is there than was billed.
    pub today: Option<Money>,
}

impl Pool {
    /// Returns the cost a month: billed where it is known, else list.
    pub fn cost(&self) -> Option<Money> {
        self.billed.or(self.list)
    }

    /// Returns what [`Pool::cost`] rests on; `None` without a cost.
    pub fn source(&self) -> Option<DollarSource> {
        match (self.billed, self.list) {
            (Some(_), _) if self.own_lines => Some(DollarSource::Bill),
            (Some(_), _) => Some(DollarSource::Allocated),
            (None, list) => list.map(|_| DollarSource::List),
        }
    }

    /// Returns the most that it can cost a month at today's quantity: no saving is larger.
    pub fn most(&self) -> Option<Money> {
        self.cost().max(self.today)
    }
}

/// What dollars rest on, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DollarSource {
    /// Lines of the resource's own in an export of the bill.
    Bill,
    /// A share, by measured quantity, of a line of many resources: of Cost Explorer, or of an export that names none.
    Allocated,
    /// List prices: the bill is not known.
    List,
}

impl DollarSource {
    /// Returns the word for files.
    pub const fn as_str(self) -> &'static str {
        match self {
            DollarSource::Bill => "bill",
            DollarSource::Allocated => "allocated",
            DollarSource::List => "list",
        }
    }

    /// Returns it in words for people.
    pub const fn human(self) -> &'static str {
        match self {
            DollarSource::Bill => "the resources' own lines on the bill",
            DollarSource::Allocated => "shares of lines of many resources on the bill",
            DollarSource::List => "list prices",
        }
    }
}

/// How a proposal reduces a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// Less of it.
    Usage,
    /// The same, cheaper.
    Rate,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_what_is_below_it_and_nothing_that_only_looks_alike() {
        let bucket = PoolPath::of(&["1", "us-east-1", "s3", "logs"]);
        assert!(bucket.covers(&PoolPath::of(&["1", "us-east-1", "s3", "logs", "noncurrent"])));
        assert!(!bucket.covers(&PoolPath::of(&["1", "us-east-1", "s3", "logs2", "noncurrent"])));
        assert!(PoolPath::of(&["a/b"]) != PoolPath::of(&["a", "b"]));
    }
}
