//! What a scan says while it runs: values on a channel, drawn by whoever listens.

use std::time::Duration;

use super::coverage::Coverage;
use super::money::Money;

/// One piece of news from a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A collector began; `what` is its name and, where it has one, its Region.
    Started {
        /// For instance `s3` or `athena eu-west-1`.
        what: String,
    },
    /// A collector got further.
    Progress {
        /// The name that `Started` gave.
        what: String,
        /// Steps done.
        done: u64,
        /// Steps in all, where that is known.
        total: Option<u64>,
    },
    /// A collector ended.
    Finished {
        /// The name that `Started` gave.
        what: String,
        /// Rows written.
        rows: u64,
        /// How long it ran.
        took: Duration,
    },
    /// Something could not be seen.
    Gap(Box<Coverage>),
    /// What a collector will still ask for, now that it knows how long the answers are.
    Ahead {
        /// The name that `Started` gave.
        what: String,
        /// Requests, from so many to so many.
        requests: (u64, u64),
        /// Their price.
        usd: (Money, Money),
    },
    /// What was spent so far.
    Spent {
        /// Requests sent, retries included.
        requests: u64,
        /// Their price.
        usd: Money,
    },
}
