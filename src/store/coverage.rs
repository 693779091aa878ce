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

/// Returns the days of which `new` says what `old` said: the same read of the same thing, or of all things at once.
///
/// A gap takes the place of a gap only: that a day could not be read again takes nothing away from what is held of it.
pub(super) fn told_anew(old: &Coverage, new: &Coverage) -> Option<Days> {
    let same_read = (&old.table, &old.read) == (&new.table, &new.read);
    let same_place = (&old.account_id, &old.region) == (&new.account_id, &new.region);
    let same_thing = new.resource.is_none() || old.resource == new.resource;
    let stands = same_read && same_place && same_thing && (old.is_gap() || !new.is_gap());
    Some(Days { from: new.from?, to: new.to? }).filter(|_| stands)
}

/// The counts were of all the days: of some of them nobody knows.
fn clip(old: &Coverage, days: Days) -> Coverage {
    Coverage { from: Some(days.from), to: Some(days.to), seen: None, expected: None, ..old.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(state: CoverageState, from: &str, to: &str) -> Coverage {
        let row = Coverage::new("athena_queries", "athena:BatchGetQueryExecution", state).at("1", Some("eu-west-1"));
        row.of("adhoc").days(from.parse().unwrap(), to.parse().unwrap())
    }

    fn left(old: &Coverage, new: &Coverage) -> Vec<String> {
        let again: Vec<Days> = told_anew(old, new).into_iter().collect();
        let days = |c: Coverage| format!("{} {}", c.from.unwrap(), c.to.unwrap());
        outside(old, &again).into_iter().map(days).collect()
    }

    #[test]
    fn days_that_were_read_after_all_are_no_gap_any_more() {
        let gap = seen(CoverageState::Missing, "2026-10-01", "2026-11-10");
        let read = seen(CoverageState::Seen, "2026-10-05", "2026-11-20");
        assert_eq!(left(&gap, &read), ["2026-10-01 2026-10-04"]);
        let all = Coverage { resource: None, ..read.clone() };
        assert_eq!(left(&gap, &all), ["2026-10-01 2026-10-04"]);
        assert_eq!(left(&gap, &read.of("etl")), ["2026-10-01 2026-11-10"], "another workgroup says nothing");
    }

    #[test]
    fn days_that_could_not_be_read_again_stay_seen() {
        let held = seen(CoverageState::Seen, "2026-10-01", "2026-11-10");
        let gap = seen(CoverageState::Missing, "2026-11-09", "2026-11-20");
        assert_eq!(left(&held, &gap), ["2026-10-01 2026-11-10"]);
        assert_eq!(left(&gap, &gap), Vec::<String>::new(), "the same gap is told once");
    }
}
