//! Exports of the bill, wherever they lie: found by their manifests, read by whole months.
//!
//! A month counts with all its files or not at all, and once, however many exports are about it. Writes nothing.

pub mod manifest;
mod month;
mod survey;

use chrono::{DateTime, Utc};

pub use self::month::{Order, import};
pub use self::survey::{Survey, Unit, survey};
use super::RollUp;
use crate::model::{Coverage, CoverageState, Untrusted};
use crate::store::tables::bill::BILL;
use crate::store::{Days, Draft};

/// What coverage calls the reading of an export: no AWS operation.
pub const READ: &str = "export:Bill";

/// One thing to do with a snapshot in the making, in order.
#[derive(Debug)]
pub enum Step {
    /// Days of an account's bill are read again, both ends included.
    Replace {
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

/// Which export of a month is taken before which: reports before FOCUS, new ones before legacy ones, those with a
/// manifest before bare files.
type Rank = (bool, u8);

fn rank(roll_up: &RollUp, layout: Option<manifest::Layout>) -> Rank {
    let layout = match layout {
        Some(manifest::Layout::DataExports) => 0,
        Some(manifest::Layout::Legacy) => 1,
        None => 2,
    };
    (roll_up.file != super::bill::CUR.file, layout)
}

#[cfg(test)]
mod tests;
