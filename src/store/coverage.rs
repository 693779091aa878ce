//! Coverage to rows and back, and which of the last snapshot's coverage still holds.

use super::period::Days;
use crate::model::{Coverage, CoverageState, Row};

/// Returns the coverage as a row of `coverage`.
pub(super) fn to_row(coverage: &Coverage) -> Row {
    Row::new()
        .with("table_name", coverage.table.as_str())
        .with("account_id", coverage.account_id.clone())
        .with("region", coverage.region.clone())
        .with("resource", coverage.resource.clone())
        .with("read", coverage.read.as_str())
        .with("state", coverage.state.as_str())
        .with("reason", coverage.reason.clone())
        .with("missing_action", coverage.missing_action.clone())
        .with("from_day", coverage.from)
        .with("to_day", coverage.to)
        .with("seen", coverage.seen)
        .with("expected", coverage.expected)
}

/// Returns the coverage of a row; `None` for a state that this version does not know.
pub(super) fn from_row(row: &Row) -> Option<Coverage> {
    let word = |column: &str| row.text(column).map(|text| text.raw().to_owned());
    Some(Coverage {
        table: word("table_name")?,
        account_id: word("account_id"),
        region: word("region"),
        resource: row.text("resource").cloned(),
        read: word("read")?,
        state: CoverageState::parse(row.key("state"))?,
        reason: row.text("reason").cloned(),
        missing_action: word("missing_action"),
        from: row.date("from_day"),
        to: row.date("to_day"),
        seen: row.int("seen"),
        expected: row.int("expected"),
    })
}

/// Returns what still holds of old coverage when the days in `replaced` were read again.
pub(super) fn outside(old: &Coverage, replaced: &[Days]) -> Vec<Coverage> {
    let (Some(from), Some(to)) = (old.from, old.to) else {
        return Vec::new();
    };
    let whole = Days { from, to };
    whole.without(replaced).into_iter().map(|days| if days == whole { old.clone() } else { clip(old, days) }).collect()
}

/// The counts were of all the days: of some of them nobody knows.
fn clip(old: &Coverage, days: Days) -> Coverage {
    Coverage { from: Some(days.from), to: Some(days.to), seen: None, expected: None, ..old.clone() }
}
