//! Exports of the bill, wherever they lie: found by their manifests, read by whole months.
//!
//! A month counts with all its files or not at all, and once, however many exports are about it. Writes nothing.

mod grade;
mod import;
mod kind;
pub mod manifest;
mod month;
mod survey;
mod tree;

use chrono::{DateTime, Utc};

pub use self::grade::{Grade, Lack, lacks_of};
pub use self::import::{Held, Import, Known, Order};
pub use self::survey::{Survey, Unit, survey};
use crate::model::{Coverage, CoverageState, Untrusted};
use crate::store::tables::bill::BILL;
use crate::store::{Days, Draft, Table};

/// What coverage calls the reading of an export: no AWS operation.
pub const READ: &str = "export:Bill";

/// One thing to do with a snapshot in the making, in order.
#[derive(Debug)]
pub enum Step {
    /// Days of a table are read again for an account, both ends included. Comes before their rows.
    Replace {
        /// The table.
        table: &'static Table,
        /// The account that pays; `None` where the export does not say.
        account_id: Option<String>,
        /// The days.
        days: Days,
    },
    /// Rows that count.
    Rows(Draft),
    /// What was seen, or not.
    Cover(Coverage),
}

/// The gap that an export or a file of it leaves.
fn gap(what: &str, why: impl Into<Untrusted>) -> Coverage {
    Coverage::new(BILL.name, READ, CoverageState::Missing).of(what).because(why)
}

/// True for a month that no longer changes: older than the one before that of `as_of`. AWS restates a month for about
/// two weeks after its end.
fn is_closed(month: Days, as_of: DateTime<Utc>) -> bool {
    let open = manifest::month_of_day(as_of.date_naive());
    let previous = open.and_then(|open| manifest::month_of_day(open.from.pred_opt()?));
    previous.is_some_and(|previous| month.to < previous.from)
}

#[cfg(test)]
mod tests;
