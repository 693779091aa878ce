//! What came of reading exports: rows that count, the days that they stand for, and what could not be read.

use crate::model::Coverage;
use crate::store::{Days, Draft, Table};

/// Rows and coverage on their way into a snapshot.
#[derive(Debug, Default)]
pub struct Import {
    /// Days of a table that are read again, by account: what an earlier snapshot knew of them is not carried over.
    pub replaced: Vec<(&'static Table, Option<String>, Days)>,
    /// Rows that count.
    pub drafts: Vec<Draft>,
    /// What was seen, or not.
    pub coverage: Vec<Coverage>,
}

/// What to read exports for.
#[derive(Clone, Debug)]
pub struct Order {
    /// The clock.
    pub as_of: chrono::DateTime<chrono::Utc>,
    /// The account whose lake this is: an export that never names it is another's. `None` for any.
    pub account_id: Option<String>,
    /// Where roll-ups run.
    pub runner: super::Runner,
}
