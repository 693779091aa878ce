//! Which cost an amount is. Amounts of two metrics are never added up or compared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of a bill's costs the numbers are: the best that every row of what is compared has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Net amortized cost.
    NetAmortized,
    /// Amortized cost: before discounts, since net cost is hidden or left out.
    Amortized,
    /// Unblended cost: before discounts, and plans and reservations where they were paid.
    Unblended,
}

impl Metric {
    /// Every metric, the best first.
    pub const ALL: [Metric; 3] = [Metric::NetAmortized, Metric::Amortized, Metric::Unblended];

    /// Returns the name for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Metric::NetAmortized => "net amortized cost",
            Metric::Amortized => "amortized cost",
            Metric::Unblended => "unblended cost",
        }
    }

    /// Returns the column of the tables of costs that holds it.
    pub const fn column(self) -> &'static str {
        match self {
            Metric::NetAmortized => "net_amortized",
            Metric::Amortized => "amortized",
            Metric::Unblended => "unblended",
        }
    }

    /// Returns true where discounts are taken off.
    pub const fn is_net(self) -> bool {
        matches!(self, Metric::NetAmortized)
    }

    /// Returns the name for people, and for gross cost that it is one.
    pub const fn described(self) -> &'static str {
        match self {
            Metric::NetAmortized => "net amortized cost",
            Metric::Amortized => "amortized cost, before discounts: there is no net cost",
            Metric::Unblended => "unblended cost, before discounts: there is no net and no amortized cost",
        }
    }

    /// Returns the best metric that all of `rows` rows have, by how many have net and how many have amortized cost.
    pub const fn of_all(rows: i64, net: i64, amortized: i64) -> Metric {
        if net == rows {
            Metric::NetAmortized
        } else if amortized == rows {
            Metric::Amortized
        } else {
            Metric::Unblended
        }
    }
}
