//! Why the connector did not send a request.

use crate::aws::collect::Trouble;
use crate::model::Money;

/// What [`Stop::Sampled`] says.
pub const SAMPLED: &str = "only a sample was asked for";

/// A request that was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stop {
    /// No allowlist of this run names the operation.
    #[error("`{operation}` is not on the list of operations that this run may call")]
    NotAllowed {
        /// The operation, or the address where there is no name for it.
        operation: String,
    },
    /// The request could make the run dearer than `--max-cost`.
    #[error("the budget of {limit} is spent: {spent} so far, and `{operation}` costs {price}")]
    OverBudget {
        /// The operation.
        operation: String,
        /// Price of this request.
        price: String,
        /// Spent and reserved so far.
        spent: String,
        /// The limit.
        limit: String,
    },
    /// The service failed so often that it is left alone for a while.
    #[error("`{what}` failed {failures} times in a row in {region} and is left alone for now")]
    CircuitOpen {
        /// The operation, or the service where it answers nothing at all.
        what: String,
        /// Its Region.
        region: String,
        /// Failures in a row.
        failures: u32,
    },
    /// The permit would have come too late for the request's signature.
    #[error("`{operation}` waited {seconds} s for a permit")]
    NoPermit {
        /// The operation.
        operation: String,
        /// Seconds waited.
        seconds: u64,
    },
    /// The sample has enough of the operation.
    #[error("{SAMPLED}")]
    Sampled,
    /// The run is ending.
    #[error("the run was interrupted")]
    Cancelled,
}

impl Stop {
    /// Returns the refusal of a request for `price` after `spent` of `limit`.
    pub fn over_budget(operation: &str, price: Money, spent: Money, limit: Money) -> Self {
        let operation = operation.to_owned();
        Stop::OverBudget { operation, price: price.human(), spent: spent.human(), limit: limit.human() }
    }

    /// Returns what it means for the collector.
    pub const fn trouble(&self) -> Trouble {
        match self {
            Stop::NotAllowed { .. } => Trouble::Refused,
            Stop::OverBudget { .. } | Stop::Sampled => Trouble::OverBudget,
            Stop::CircuitOpen { .. } => Trouble::Broken,
            Stop::NoPermit { .. } => Trouble::TimedOut,
            Stop::Cancelled => Trouble::Cancelled,
        }
    }
}
